package onnx

import (
	"fmt"
	"strings"
)

// The messages of onnx.proto (ONNX 1.23, IR 14), as far as they matter here. Field numbers stand
// in the parse functions; fields that do not appear there hold documentation or annotations.

type modelProto struct {
	irVersion                     int64
	producerName, producerVersion string
	opsets                        []opsetImport
	graph                         *graphProto
	metadata                      map[string]string
	functions                     []*functionProto
}

type opsetImport struct {
	domain  string
	version int64
}

type graphProto struct {
	name            string
	nodes           []*nodeProto
	initializers    []*tensorProto
	inputs, outputs []valueInfo
	sparse          int
}

type nodeProto struct {
	name, opType, domain, overload string
	inputs, outputs                []string
	attributes                     []*attributeProto
	// captured are the values from outside that the node's subgraphs read.
	captured []string
	// scopes is the module path that PyTorch's current exporter leaves in the node's metadata.
	scopes string
	// torchExport tells that the node carries that metadata, foldedNorm that of the rule by which that exporter folds
	// BatchNorm into a convolution.
	torchExport, foldedNorm bool
	// opset is the version of the node's operator set, 0 when its domain is not imported.
	opset int64
}

type functionProto struct {
	name, domain, overload      string
	inputs, outputs, attributes []string
	defaults                    []*attributeProto
	nodes                       []*nodeProto
	opsets                      []opsetImport
}

// attributeKind is AttributeProto.AttributeType.
type attributeKind int64

const (
	attributeFloat   attributeKind = 1
	attributeInt     attributeKind = 2
	attributeString  attributeKind = 3
	attributeTensor  attributeKind = 4
	attributeGraph   attributeKind = 5
	attributeFloats  attributeKind = 6
	attributeInts    attributeKind = 7
	attributeStrings attributeKind = 8
	attributeGraphs  attributeKind = 10
)

type attributeProto struct {
	name, ref string
	kind      attributeKind
	f         float32
	i         int64
	s         string
	t         *tensorProto
	g         *graphProto
	floats    []byte
	ints      []int64
	strings   []string
}

// valueInfo describes a graph input or output; shape is nil where the file does not say.
type valueInfo struct {
	name   string
	dtype  dataType
	tensor bool
	shape  []Dim
	ranked bool
}

// parseModel reads a whole file.
func parseModel(data []byte) (*modelProto, error) {
	data = data[:len(data):len(data)]
	w := &wire{file: data}
	m := &modelProto{metadata: map[string]string{}}
	err := w.fields(data, func(f field) error {
		switch f.number {
		case 1:
			return f.int(&m.irVersion)
		case 2:
			return f.text(&m.producerName)
		case 3:
			return f.text(&m.producerVersion)
		case 7:
			if m.graph != nil {
				return fmt.Errorf("byte %d: a second graph", f.at)
			}
			m.graph = &graphProto{}
			return parseGraph(f, m.graph)
		case 8:
			return parseOpset(f, &m.opsets)
		case 14:
			return parseProperty(f, m.metadata)
		case 25:
			fn := &functionProto{}
			m.functions = append(m.functions, fn)
			return parseFunction(f, fn)
		}
		return nil
	})
	return m, err
}

func parseOpset(f field, to *[]opsetImport) error {
	var o opsetImport
	err := f.message(func(f field) error {
		switch f.number {
		case 1:
			return f.name(&o.domain)
		case 2:
			return f.int(&o.version)
		}
		return nil
	})
	*to = append(*to, o)
	return err
}

func parseProperty(f field, to map[string]string) error {
	key, value, err := f.property()
	if _, twice := to[key]; twice && err == nil {
		return fmt.Errorf("metadata key %s appears twice", quoted(key))
	}
	to[key] = value
	return err
}

// property reads a StringStringEntryProto.
func (f field) property() (key, value string, err error) {
	err = f.message(func(f field) error {
		switch f.number {
		case 1:
			return f.text(&key)
		case 2:
			return f.text(&value)
		}
		return nil
	})
	return key, value, err
}

func parseGraph(f field, g *graphProto) error {
	return f.message(func(f field) error {
		switch f.number {
		case 1:
			return parseNode(f, &g.nodes)
		case 2:
			return f.name(&g.name)
		case 5:
			t := &tensorProto{}
			g.initializers = append(g.initializers, t)
			return parseTensor(f, t)
		case 11:
			return parseValueInfo(f, &g.inputs)
		case 12:
			return parseValueInfo(f, &g.outputs)
		case 15:
			g.sparse++
		}
		return nil
	})
}

func parseNode(f field, to *[]*nodeProto) error {
	if len(*to) >= maxNodes {
		return fmt.Errorf("more than %d nodes", maxNodes)
	}
	n := &nodeProto{}
	*to = append(*to, n)
	err := f.message(func(f field) error {
		switch f.number {
		case 1:
			return f.appendName(&n.inputs)
		case 2:
			return f.appendName(&n.outputs)
		case 3:
			return f.name(&n.name)
		case 4:
			return f.name(&n.opType)
		case 5:
			a := &attributeProto{}
			n.attributes = append(n.attributes, a)
			return parseAttribute(f, a)
		case 7:
			return f.name(&n.domain)
		case 8:
			return f.name(&n.overload)
		case 9:
			return n.parseMetadata(f)
		}
		return nil
	})
	n.domain = canonicalDomain(n.domain)
	return err
}

// qualified is the operator's name with its domain, where that is not ONNX's own.
func (n *nodeProto) qualified() string {
	if n.domain == "" {
		return n.opType
	}
	return n.domain + "." + n.opType
}

// canonicalDomain maps the two spellings of ONNX's own domain to the empty one.
func canonicalDomain(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

func (n *nodeProto) parseMetadata(f field) error {
	key, value, err := f.property()
	switch key {
	case "pkg.torch.onnx.name_scopes":
		n.scopes, n.torchExport = value, true
	case "pkg.onnxscript.rewriter.rule_name":
		n.foldedNorm = strings.Contains(value, "FuseBatchNorm")
	}
	return err
}

func parseAttribute(f field, a *attributeProto) error {
	var implied, declared attributeKind // files of IR 1 leave the declaration out
	err := f.message(func(f field) error {
		switch f.number {
		case 1:
			return f.name(&a.name)
		case 2:
			implied = attributeFloat
			return f.float(&a.f)
		case 3:
			implied = attributeInt
			return f.int(&a.i)
		case 4:
			implied = attributeString
			return f.text(&a.s)
		case 5:
			implied, a.t = attributeTensor, &tensorProto{}
			return parseTensor(f, a.t)
		case 6:
			implied, a.g = attributeGraph, &graphProto{}
			return f.w.nested(func() error { return parseGraph(f, a.g) })
		case 11:
			implied = attributeGraphs // of no operator that is read, so their contents are not walked
		case 7:
			implied = attributeFloats
			return f.appendFixed(&a.floats, 4)
		case 8:
			implied = attributeInts
			return f.appendInts(&a.ints)
		case 9:
			implied = attributeStrings
			return f.appendName(&a.strings)
		case 20:
			return f.int((*int64)(&declared))
		case 21:
			return f.name(&a.ref)
		}
		return nil
	})
	if a.kind = implied; declared != 0 {
		a.kind = declared
	}
	return err
}

func parseValueInfo(f field, to *[]valueInfo) error {
	var v valueInfo
	err := f.message(func(f field) error {
		switch f.number {
		case 1:
			return f.name(&v.name)
		case 2:
			return f.message(v.parseType)
		}
		return nil
	})
	*to = append(*to, v)
	return err
}

func (v *valueInfo) parseType(f field) error {
	if f.number != 1 {
		return nil
	}
	v.tensor = true
	return f.message(func(f field) error {
		switch f.number {
		case 1:
			return f.int((*int64)(&v.dtype))
		case 2:
			v.ranked = true
			return f.message(func(f field) error {
				if f.number != 1 {
					return nil
				}
				d := Dim{}
				err := f.message(func(f field) error {
					switch f.number {
					case 1:
						return f.int(&d.Size)
					case 2:
						return f.name(&d.Name)
					}
					return nil
				})
				v.shape = append(v.shape, d)
				return err
			})
		}
		return nil
	})
}

func parseFunction(f field, fn *functionProto) error {
	err := f.message(func(f field) error {
		switch f.number {
		case 1:
			return f.name(&fn.name)
		case 4:
			return f.appendName(&fn.inputs)
		case 5:
			return f.appendName(&fn.outputs)
		case 6:
			return f.appendName(&fn.attributes)
		case 7:
			return parseNode(f, &fn.nodes)
		case 9:
			return parseOpset(f, &fn.opsets)
		case 10:
			return f.name(&fn.domain)
		case 11:
			a := &attributeProto{}
			fn.defaults = append(fn.defaults, a)
			return parseAttribute(f, a)
		case 13:
			return f.name(&fn.overload)
		}
		return nil
	})
	fn.domain = canonicalDomain(fn.domain)
	return err
}
