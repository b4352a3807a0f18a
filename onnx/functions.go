package onnx

import (
	"fmt"
	"slices"
)

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
	count     int // of nodes, those of branches included
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
			return nil, fmt.Errorf("local function %s is defined twice", quoted(fn.name))
		}
		in.functions[key] = fn
	}
	if err := in.body(m.graph.nodes, append([]opsetImport{{"", m.opset()}}, m.opsets...), scope{}, 0); err != nil {
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
		if in.count++; in.count > maxNodes {
			return fmt.Errorf("more than %d nodes", maxNodes)
		}
		if err := in.copies(n, s); err != nil {
			return err
		}
		flat, err := s.node(n)
		if err == nil && isIf(n) {
			flat, err = in.branches(flat, opsets, s, depth)
		}
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

func isIf(n *nodeProto) bool { return n.domain == "" && n.opType == "If" }

// branches inlines what the branches of an If call, and lists what they read from outside. The names inside of a branch
// are unlike all around it, so the scope of the node is theirs too.
func (in *inliner) branches(n *nodeProto, opsets []opsetImport, s scope, depth int) (*nodeProto, error) {
	outer := in.nodes
	defer func() { in.nodes = outer }()
	flat := *n
	flat.attributes = nil
	for _, a := range n.attributes {
		if a.g != nil {
			branch := *a
			branch.g = s.graph(a.g)
			in.nodes = nil
			if err := in.body(a.g.nodes, opsets, s, depth+1); err != nil {
				return nil, err
			}
			branch.g.nodes = in.nodes
			flat.captured = append(flat.captured, branch.g.free()...)
			a = &branch
		}
		flat.attributes = append(flat.attributes, a)
	}
	return &flat, nil
}

// graph is a copy of g with the names of the scope, but for the nodes.
func (s scope) graph(g *graphProto) *graphProto {
	flat := *g
	flat.outputs = slices.Clone(g.outputs)
	for i := range flat.outputs {
		flat.outputs[i].name = s.value(flat.outputs[i].name)
	}
	flat.initializers = nil
	for _, t := range g.initializers {
		named := *t
		named.name = s.value(t.name)
		flat.initializers = append(flat.initializers, &named)
	}
	return &flat
}

// free lists the names that a subgraph reads, but does not define.
func (g *graphProto) free() []string {
	defined := map[string]bool{"": true}
	for _, t := range g.initializers {
		defined[t.name] = true
	}
	for _, n := range g.nodes {
		for _, name := range n.outputs {
			defined[name] = true
		}
	}
	var list []string
	read := func(name string) {
		if !defined[name] {
			defined[name] = true
			list = append(list, name)
		}
	}
	for _, n := range g.nodes {
		for _, name := range n.reads() {
			read(name)
		}
	}
	for _, out := range g.outputs {
		read(out.name)
	}
	return list
}

// copies accounts for what inlining n will copy.
func (in *inliner) copies(n *nodeProto, s scope) error {
	if s.values == nil {
		return nil
	}
	const pointer = 16
	names := 1 + len(n.inputs) + len(n.outputs)
	for _, a := range n.attributes {
		if a.g != nil {
			names += len(a.g.initializers) + len(a.g.outputs)
		}
	}
	in.copied += (len(s.prefix)+pointer)*names + pointer*len(n.attributes)
	if in.copied > maxInlined {
		return fmt.Errorf("inlining local functions takes more than %d MiB for names", maxInlined>>20)
	}
	return nil
}

// node copies n with its names and attribute references resolved.
func (s scope) node(n *nodeProto) (*nodeProto, error) {
	if s.values == nil {
		_, err := s.resolve(n)
		return n, err
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
			return nil, fmt.Errorf("node %s: attribute %s refers to a function's attribute outside a function", quoted(n.name), quoted(a.name))
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
		return fmt.Errorf("node %s: more inputs or outputs than its function %s has", quoted(n.name), quoted(fn.name))
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
