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

func invalid(err error) error { return fmt.Errorf("%w: %w", ErrInvalid, brief{err}) }

// brief bounds the text of an error, which may hold the shapes and names of a file.
type brief struct{ error }

func (e brief) Error() string {
	const most = 2000
	if text := e.error.Error(); len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return e.error.Error()
}

func (e brief) Unwrap() error { return e.error }

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
	case len(m.graph.outputs) == 0:
		return fmt.Errorf("the graph has no outputs")
	}
	return nil
}

// checkForm refuses valid models in forms that are not read.
func checkForm(m *modelProto) *Unsupported {
	const convert = "; onnx.version_converter.convert_version(model, 17) or the exporter's opset_version=17 make an older one"
	refuse := func(format string, args ...any) *Unsupported {
		return &Unsupported{"model", m.graph.name, fmt.Sprintf(format, args...)}
	}
	opset := m.opset()
	switch {
	case m.irVersion > newestIR:
		return refuse("its format (IR version %d) is newer than this program knows (%d)%s", m.irVersion, newestIR, convert)
	case opset < oldestOpset:
		return refuse("it does not say which opset it uses (opset_import)")
	case opset > newestOpset:
		return refuse("opset %d is newer than this program knows (%d)%s", opset, newestOpset, convert)
	case m.graph.sparse > 0:
		return refuse("sparse initializers are not supported")
	}
	return nil
}

// opset is the version of ONNX's own operators, 0 where the model does not say; other domains matter only where a node
// uses them.
func (m *modelProto) opset() int64 {
	for _, o := range m.opsets {
		if canonicalDomain(o.domain) == "" {
			return o.version
		}
	}
	if m.irVersion < 3 { // which knew no opsets
		return 1
	}
	return 0
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
