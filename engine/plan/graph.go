package plan

import (
	"slices"
	"sort"
	"strings"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// home is where a parameter that training changes lives, and how it lies there.
type home struct {
	value   *value
	packing packing
}

// graph is the planner's form of a network or an objective.
type graph struct {
	opt    Options
	net    *engine.Network
	instrs []*instr
	values map[*gorgonia.Node]*value
	// program is what the graph becomes.
	program *Program

	// Of objectives (nil for inference): the losses, and where the parameters and the running statistics live.
	obj    *engine.Objective
	losses []*value
	homes  map[*engine.Param]home
}

// lower turns nodes, which must be sorted, into instructions; obj is nil for inference.
func lower(net *engine.Network, opt Options, obj *engine.Objective, nodes []*gorgonia.Node) *graph {
	g := &graph{opt: opt, net: net, obj: obj, values: map[*gorgonia.Node]*value{}, program: newProgram(net, opt), homes: map[*engine.Param]home{}}
	for _, n := range nodes {
		if n.Op() == nil {
			continue
		}
		in := op.Inputs(n)
		i := &instr{node: net.Label(n), op: n.Op()}
		if isSum(n.Op()) {
			i.op = &op.Add{}
		}
		for _, x := range in {
			i.in = append(i.in, g.value(x))
		}
		if _, isConst := g.constant(n); isConst || g.derive(n, i) {
			continue
		}
		i.out = g.value(n)
		g.instrs = append(g.instrs, i)
	}
	return g
}

// value returns the planner's value of a node.
func (g *graph) value(n *gorgonia.Node) *value {
	if v := g.values[n]; v != nil {
		return v
	}
	v := newValue(g.net.Label(n), n.Shape().Clone())
	v.param = g.net.ParamOf(n)
	if c, ok := g.constant(n); ok {
		v.number = &c
	}
	if n == g.net.Input {
		v.form = plain
	}
	g.values[n] = v
	return v
}

// constant reads a scalar constant of the graph, such as the 1 that differentiation starts from.
func (g *graph) constant(n *gorgonia.Node) (float32, bool) {
	if len(op.Inputs(n)) > 0 || n.Value() == nil || n.Shape().Dims() != 0 {
		return 0, false
	}
	f, ok := n.Value().Data().(float32)
	return f, ok
}

// isSum recognises gorgonia's own addition, with which differentiation sums the gradients of a
// value that several operators read.
func isSum(o gorgonia.Op) bool {
	_, ours := o.(op.Op)
	return !ours && strings.HasPrefix(o.String(), "+")
}

// users maps every value to the instructions that read it; whoever reads an output of the network counts as one without an
// operator, so that an output inside the network is not fused away.
func (g *graph) users() map[*value][]*instr {
	users := map[*value][]*instr{}
	for _, o := range g.net.Outputs {
		v := g.value(o.Node)
		users[v] = append(users[v], &instr{})
	}
	for _, i := range g.instrs {
		for _, v := range i.in {
			users[v] = append(users[v], i)
		}
	}
	return users
}

// makers maps every value to the instruction that writes it.
func (g *graph) makers() map[*value]*instr {
	makers := map[*value]*instr{}
	for _, i := range g.instrs {
		makers[i.out] = i
		for _, v := range i.also {
			makers[v] = i
		}
	}
	return makers
}

// remove drops instructions.
func (g *graph) remove(dead map[*instr]bool) {
	kept := g.instrs[:0]
	for _, i := range g.instrs {
		if !dead[i] {
			kept = append(kept, i)
		}
	}
	g.instrs = kept
}

// sortedByCreation orders the nodes of a gorgonia graph so that operands come first: a node is
// always created after its operands.
func sortedByCreation(nodes []*gorgonia.Node) []*gorgonia.Node {
	sort.Slice(nodes, func(a, b int) bool { return nodes[a].ID() < nodes[b].ID() })
	return nodes
}

// reachable lists the nodes that the targets depend on.
func reachable(targets ...*gorgonia.Node) []*gorgonia.Node {
	seen := map[*gorgonia.Node]bool{}
	var nodes []*gorgonia.Node
	for stack := slices.Clone(targets); len(stack) > 0; {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n == nil || seen[n] {
			continue
		}
		seen[n] = true
		nodes = append(nodes, n)
		stack = append(stack, op.Inputs(n)...)
	}
	return sortedByCreation(nodes)
}
