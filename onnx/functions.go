package onnx

import "fmt"

const (
	// maxNodes bounds a graph, local functions inlined.
	maxNodes = 1 << 16
	// maxCallDepth bounds functions that call functions.
	maxCallDepth = 32
	// maxInlined bounds the bytes of names and the attributes that inlining copies.
	maxInlined = 64 << 20
)

// inliner replaces calls of a model's local functions by their bodies. PyTorch's
// export_modules_as_functions writes such files.
type inliner struct {
	functions map[functionKey]*functionProto
	nodes     []*nodeProto
	calls     int
	copied    int // towards maxInlined
}

type functionKey struct{ domain, name, overload string }

// inline returns the graph's nodes in file order with all local functions resolved and the opset
// version of every node set.
func inline(m *modelProto) ([]*nodeProto, error) {
	in := &inliner{functions: map[functionKey]*functionProto{}}
	for _, fn := range m.functions {
		key := functionKey{fn.domain, fn.name, fn.overload}
		if in.functions[key] != nil {
			return nil, fmt.Errorf("local function %q is defined twice", fn.name)
		}
		in.functions[key] = fn
	}
	if err := in.body(m.graph.nodes, m.opsets, scope{}, 0); err != nil {
		return nil, err
	}
	if len(in.nodes) == 0 {
		return nil, fmt.Errorf("the graph has no nodes")
	}
	return in.nodes, nil
}

// scope says what the names inside a function body stand for.
type scope struct {
	prefix     string
	values     map[string]string
	attributes map[string]*attributeProto
}

// value is the flat graph's name of a value inside the scope.
func (s scope) value(name string) string {
	if to, ok := s.values[name]; ok {
		return to
	}
	if name == "" {
		return ""
	}
	return s.prefix + name
}

func (in *inliner) body(nodes []*nodeProto, opsets []opsetImport, s scope, depth int) error {
	if depth > maxCallDepth {
		return fmt.Errorf("local functions call one another more than %d deep, or themselves", maxCallDepth)
	}
	for _, n := range nodes {
		if fn := in.functions[functionKey{n.domain, n.opType, n.overload}]; fn != nil {
			if err := in.call(fn, n, s, depth); err != nil {
				return err
			}
			continue
		}
		if len(in.nodes) >= maxNodes {
			return fmt.Errorf("more than %d nodes", maxNodes)
		}
		if err := in.copies(n, s); err != nil {
			return err
		}
		flat, err := s.node(n)
		if err != nil {
			return err
		}
		for _, o := range opsets {
			if canonicalDomain(o.domain) == n.domain {
				flat.opset = o.version
			}
		}
		in.nodes = append(in.nodes, flat)
	}
	return nil
}

// copies accounts for what inlining n will copy.
func (in *inliner) copies(n *nodeProto, s scope) error {
	if s.values == nil {
		return nil
	}
	const pointer = 16
	in.copied += (len(s.prefix)+pointer)*(1+len(n.inputs)+len(n.outputs)) + pointer*len(n.attributes)
	if in.copied > maxInlined {
		return fmt.Errorf("inlining local functions takes more than %d MiB for names", maxInlined>>20)
	}
	return nil
}

// node copies n with its names and attribute references resolved.
func (s scope) node(n *nodeProto) (*nodeProto, error) {
	if s.values == nil {
		return n, nil
	}
	flat := *n
	flat.name = s.prefix + n.name
	flat.inputs, flat.outputs = s.names(n.inputs), s.names(n.outputs)
	attributes, err := s.resolve(n)
	flat.attributes = attributes
	return &flat, err
}

func (s scope) names(names []string) []string {
	flat := make([]string, len(names))
	for i, name := range names {
		flat[i] = s.value(name)
	}
	return flat
}

// resolve replaces references to the function's attributes by the caller's values; a reference to
// an attribute that the caller leaves out means that the node has none.
func (s scope) resolve(n *nodeProto) ([]*attributeProto, error) {
	var resolved []*attributeProto
	for _, a := range n.attributes {
		if a.ref == "" {
			resolved = append(resolved, a)
			continue
		}
		if s.attributes == nil {
			return nil, fmt.Errorf("node %q: attribute %q refers to a function's attribute outside a function", n.name, a.name)
		}
		if given := s.attributes[a.ref]; given != nil {
			named := *given
			named.name = a.name
			resolved = append(resolved, &named)
		}
	}
	return resolved, nil
}

// call inlines one call. Attributes of the call that the function does not declare have no
// meaning in ONNX (PyTorch repeats weights there).
func (in *inliner) call(fn *functionProto, n *nodeProto, s scope, depth int) error {
	if in.calls++; in.calls > maxNodes {
		return fmt.Errorf("more than %d calls of local functions", maxNodes)
	}
	if len(n.inputs) > len(fn.inputs) || len(n.outputs) > len(fn.outputs) {
		return fmt.Errorf("node %q: more inputs or outputs than its function %q has", n.name, fn.name)
	}
	if err := in.copies(n, scope{prefix: s.prefix, values: map[string]string{}}); err != nil {
		return err
	}
	name := n.name
	if name == "" {
		name = fmt.Sprintf("%s_%d", n.opType, in.calls)
	}
	inner := scope{prefix: s.prefix + name + "/", values: map[string]string{}, attributes: map[string]*attributeProto{}}
	for i, formal := range fn.inputs {
		inner.values[formal] = ""
		if i < len(n.inputs) {
			inner.values[formal] = s.value(n.inputs[i])
		}
	}
	for i, formal := range fn.outputs {
		if i < len(n.outputs) && n.outputs[i] != "" {
			inner.values[formal] = s.value(n.outputs[i])
		}
	}
	for _, a := range fn.defaults {
		inner.attributes[a.name] = a
	}
	given, err := s.resolve(n)
	if err != nil {
		return err
	}
	for _, a := range given {
		inner.attributes[a.name] = a
	}
	return in.body(fn.nodes, fn.opsets, inner, depth+1)
}
