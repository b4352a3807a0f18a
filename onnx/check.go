package onnx

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Errors of reading, to be recognised with errors.Is.
var (
	// ErrInvalid: the file is no valid ONNX model.
	ErrInvalid = errors.New("not a valid ONNX model")
	// ErrUnsupported: the file is valid as far as it was read, but holds what regraft does not understand.
	ErrUnsupported = errors.New("not supported")
)

// UnsupportedError lists everything in a file that is not understood.
type UnsupportedError struct{ List []Unsupported }

// maxShown bounds the lines of the error; List is complete.
const maxShown = 30

// Error has one line for every entry.
func (e *UnsupportedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d things in the model are not supported:", len(e.List))
	if len(e.List) == 1 {
		b.Reset()
		b.WriteString("the model is not supported:")
	}
	for i, u := range e.List {
		if i == maxShown {
			fmt.Fprintf(&b, "\n  and %d more", len(e.List)-i)
			break
		}
		b.WriteString("\n  ")
		b.WriteString(u.String())
	}
	return b.String()
}

// Is makes the error an ErrUnsupported.
func (e *UnsupportedError) Is(target error) bool { return target == ErrUnsupported }

func invalid(err error) error { return fmt.Errorf("%w: %w", ErrInvalid, err) }

// Unsupported is one thing in a file that regraft does not understand.
type Unsupported struct {
	Operator string `json:"operator"`
	Node     string `json:"node"`
	Reason   string `json:"reason"`
}

func (u Unsupported) String() string {
	return fmt.Sprintf("%s (node %s): %s", printable(u.Operator), quoted(u.Node), printable(u.Reason))
}

// quoted is how messages show a name of a file: in quotes, without control characters, never longer than a line or two.
func quoted(name string) string { return strconv.Quote(printable(name)) }

// printable makes text from a file fit for a message: no control characters, no endless names.
func printable(s string) string {
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// checkModel checks what concerns the model as a whole.
func checkModel(m *modelProto) error {
	switch {
	case m.graph == nil:
		return fmt.Errorf("it holds no graph: the file may be another kind of protobuf")
	case m.irVersion < 1:
		return fmt.Errorf("it has no ir_version")
	case m.irVersion > newestIR:
		return fmt.Errorf("its format (IR version %d) is newer than this program knows (%d): export with an older opset", m.irVersion, newestIR)
	case len(m.graph.outputs) == 0:
		return fmt.Errorf("the graph has no outputs")
	case m.graph.sparse > 0:
		return fmt.Errorf("sparse initializers are not supported")
	}
	return checkOpset(m.opsets)
}

// checkOpset checks the version of ONNX's own operators; other domains matter only where a node uses them.
func checkOpset(opsets []opsetImport) error {
	for _, o := range opsets {
		if canonicalDomain(o.domain) != "" {
			continue
		}
		if o.version < oldestOpset || o.version > newestOpset {
			return fmt.Errorf("it uses opset %d; %d to %d are supported: export it with opset_version=17", o.version, oldestOpset, newestOpset)
		}
		return nil
	}
	return fmt.Errorf("it does not say which opset it uses (opset_import)")
}

// unknownOperators lists the nodes whose operators have no row in the table.
func unknownOperators(nodes []*nodeProto) []Unsupported {
	var list []Unsupported
	for _, n := range nodes {
		if row, reason := lookup(n); row == nil {
			list = append(list, Unsupported{n.qualified(), (&node{nodeProto: n}).label(), reason})
		}
	}
	return list
}
