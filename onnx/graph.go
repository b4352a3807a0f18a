package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gorgonia.org/tensor"
)

// graph is the file's graph with names resolved: every node knows its operands, operands come first.
type graph struct {
	nodes []*node
	// constants are the values that the file holds, external finds those that lie beside it.
	constants []*constant
	external  payloads
	values    map[string]*value
	inputs    []*value
	outputs   []*value
}

// node is an operator of the file.
type node struct {
	*nodeProto
	// in and out hold nil where an optional operand or result is left out.
	in, out []*value
	// outer are the values that nodeProto.captured names.
	outer []*value
}

// reads names everything that a node needs: its operands, then what its subgraphs need from outside.
func (n *nodeProto) reads() []string {
	if len(n.captured) == 0 {
		return n.inputs
	}
	return slices.Concat(n.inputs, n.captured)
}

// label names the node in messages.
func (n *node) label() string {
	if n.name != "" {
		return n.name
	}
	return n.opType + " writing " + strings.Join(n.outputs, ", ")
}

// value is what flows along an edge.
type value struct {
	name  string
	shape tensor.Shape // nil when it could not be worked out
	// constant is set when the value is known at import.
	constant *constant
	// step computes the value, once lowered.
	step *step
	// same is set when the value turned out to be another one (Identity and the like).
	same *value
	// sequence holds the tensors of a sequence; nil for tensors.
	sequence []*value
	// noise is set for random numbers.
	noise *noise
	// index is set for integers that count through the images.
	index *rowIndex
	// truth is set where the file computes bool, or numbers that are 0 and 1 of it.
	truth bool
	// pixels is set where the file computes the image in uint8.
	pixels bool
	// kept is set where the value is known, but stays computed.
	kept keeping
	// text holds strings that the file stores; nil for everything else.
	text []string
}

// unknown tells that nothing could be worked out about the value, because of a problem with an earlier node.
func (v *value) unknown() bool { return v.shape == nil && v.sequence == nil }

// resolve follows the chain of values that turned out to be others.
func (v *value) resolve() *value {
	for v != nil && v.same != nil {
		v = v.same
	}
	return v
}

// maxEdges bounds the pairs of operand and result that onnx-go goes through.
const maxEdges = 1 << 22

// link resolves names: it checks that every value is defined once and before it is used, sorts the
// nodes and lets onnx-go carry them into our backend. outer are the values that a subgraph may read from outside.
func link(g *graphProto, nodes []*nodeProto, constants []*constant, outer map[string]*value) (*graph, error) {
	l := &graph{values: maps.Clone(outer), constants: constants, external: &externalData{}}
	if l.values == nil {
		l.values = map[string]*value{}
	}
	for _, c := range constants {
		if c.name == "" {
			return nil, fmt.Errorf("an initializer has no name")
		}
		if l.values[c.name] != nil {
			return nil, fmt.Errorf("initializer %s appears twice", quoted(c.name))
		}
		l.values[c.name] = &value{name: c.name, shape: c.shape, constant: c}
	}
	for _, t := range g.initializers {
		if t.dtype == typeString && l.values[t.name] == nil {
			l.values[t.name] = &value{name: t.name, text: append([]string{}, t.strings...)}
		}
	}
	for _, in := range g.inputs {
		if l.values[in.name] != nil {
			continue // IR 3 lists initializers as inputs too
		}
		v := &value{name: in.name}
		l.values[in.name], l.inputs = v, append(l.inputs, v)
	}
	sorted, err := sortNodes(nodes, l.values)
	if err != nil {
		return nil, err
	}
	for _, out := range g.outputs {
		v := l.values[out.name]
		if v == nil {
			return nil, fmt.Errorf("nothing computes the graph output %s", quoted(out.name))
		}
		l.outputs = append(l.outputs, v)
	}
	return l, l.carry(sorted)
}

// sortNodes adds the nodes' results to values and returns the nodes so that operands come before
// their users; the file's order is kept where it has that property.
func sortNodes(nodes []*nodeProto, values map[string]*value) ([]*nodeProto, error) {
	producer := make(map[string]int, len(nodes))
	edges := 0
	for i, n := range nodes {
		if edges += len(n.reads()) * len(n.outputs); edges > maxEdges {
			return nil, fmt.Errorf("the nodes have more than %d pairs of operands and results", maxEdges)
		}
		if len(n.outputs) == 0 {
			return nil, fmt.Errorf("node %s (%s) has no outputs", quoted(n.name), printable(n.opType))
		}
		for _, out := range n.outputs {
			if out == "" {
				continue
			}
			if values[out] != nil {
				return nil, fmt.Errorf("%s is defined twice, the second time by node %s", quoted(out), quoted(n.name))
			}
			values[out] = &value{name: out}
			producer[out] = i
		}
	}
	for _, n := range nodes {
		for _, in := range n.reads() {
			if in != "" && values[in] == nil {
				return nil, fmt.Errorf("node %s (%s) reads %s, which nothing defines", quoted(n.name), printable(n.opType), quoted(in))
			}
		}
	}
	s := sorter{nodes: nodes, producer: producer, state: make([]visit, len(nodes))}
	for i := range nodes {
		if err := s.visit(i); err != nil {
			return nil, err
		}
	}
	return s.sorted, nil
}

type visit uint8

const (
	unseen visit = iota
	entered
	done
)

type sorter struct {
	nodes    []*nodeProto
	producer map[string]int
	state    []visit
	sorted   []*nodeProto
}

// frame is a node whose needs are being visited.
type frame struct {
	node    int
	needs   []string
	operand int
}

func (s *sorter) enter(node int) frame { return frame{node: node, needs: s.nodes[node].reads()} }

// visit appends node i after everything that it needs, depth first without recursion.
func (s *sorter) visit(i int) error {
	if s.state[i] == done {
		return nil
	}
	s.state[i] = entered
	stack := []frame{s.enter(i)}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		n := s.nodes[top.node]
		if top.operand == len(top.needs) {
			s.state[top.node] = done
			s.sorted = append(s.sorted, n)
			stack = stack[:len(stack)-1]
			continue
		}
		p, computed := s.producer[top.needs[top.operand]]
		top.operand++
		switch {
		case !computed || s.state[p] == done:
		case s.state[p] == entered:
			return fmt.Errorf("the graph has a cycle through node %s and node %s", quoted(s.nodes[p].name), quoted(n.name))
		default:
			s.state[p] = entered
			stack = append(stack, s.enter(p))
		}
	}
	return nil
}
