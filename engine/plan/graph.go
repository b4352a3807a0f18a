package plan

import (
	"slices"
	"sort"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op"
)

// form is how a value lies in memory.
type form uint8

const (
	blocked form = iota // (N,C,H,W): blocks of 16 channels
	matrix              // (N,F), and (N,C,1,1): one image of F channels and N pixels
	vector              // (C): padded to a multiple of 16
	plain               // anything else: row-major
)

// value is something that steps read and write.
type value struct {
	label string
	Type
	// shape is that of the type as the kernels see it.
	shape tensor.Shape
	form  form
	param *engine.Param
	// number is the value of a constant scalar of the graph.
	number *float32

	// A view is channels chan0 and up of root; values that are not views are their own root.
	root  *value
	chan0 int

	// Of roots: layout with the largest halo that any reader needs, and where it lies.
	halo   int
	layout kernel.Layout
	ref    Ref
	length int // elements
	first  int // step that writes it first
	last   int // step that reads it last
	placed bool
}

// base returns the value that holds v's memory and v's first channel in it.
func (v *value) base() (*value, int) {
	chan0 := v.chan0
	for v.root != nil {
		v = v.root
		chan0 += v.chan0
	}
	return v, chan0
}

// need asks for halo pixels.
func (v *value) need(halo int) {
	root, _ := v.base()
	root.halo = max(root.halo, halo)
}

// place returns v's layout, which a view takes from its root.
func (v *value) place() kernel.Layout {
	root, chan0 := v.base()
	if root == v {
		return v.layout
	}
	if v.form == matrix {
		return root.layout.Slice(chan0, channels(v.shape))
	}
	l := root.layout
	if root.form == matrix { // (N,C,1,1) and (N,C) share their memory
		return l.Slice(chan0, channels(v.shape))
	}
	if l.Halo == 0 {
		l = reshaped(l, v.shape[2], v.shape[3])
	}
	return l.Slice(chan0, v.shape[1])
}

// samePixels tells whether images have the same rows of pixels.
func samePixels(a, b *value) bool { return slices.Equal(a.shape[2:], b.shape[2:]) }

// reshaped is a layout of images without a halo with their pixels in other rows.
func reshaped(l kernel.Layout, h, w int) kernel.Layout {
	l.H, l.W, l.Row = h, w, w*l.Pixel
	return l
}

func channels(s tensor.Shape) int { return s[1] }

// formOf tells how values of a type lie in memory.
func formOf(t Type) form {
	s := t.imageShape()
	switch {
	case t.Channel < 0:
		return plain
	case s.Dims() == 1:
		return vector
	case s.Dims() == 4 && s[2]*s[3] > 1:
		return blocked
	}
	return matrix
}

// onImages tells whether v lies in blocks of channels.
func onImages(v *value) bool { return v.param == nil && (v.form == blocked || v.form == matrix) }

// instr computes out from in. What is fused into it stands beside its operator.
type instr struct {
	node string
	op   any // an operator of engine/op, or one of the planner's own
	in   []*value
	out  *value
	// also are results beside out.
	also []*value
	// The epilogue. clamp is applied to the result: kernel.ReLU, kernel.ReLU6 or 0 for nothing.
	clamp int
	// activation is applied to the result, or nil.
	activation *instr
	// sumTo is the value that the result is added to; it then shares its memory.
	sumTo *value
	// backward instructions belong to the gradients.
	backward bool
	// norm is the BatchNorm folded into a convolution.
	norm *fold
	// choice is what the passes know of op, once it is settled.
	choice  choice
	settled bool
}

// alike tells whether values lie in blocks of channels and are of one type.
func alike(values ...*value) bool {
	for _, v := range values {
		if !onImages(v) || v.Channel != values[0].Channel || !v.Shape.Eq(values[0].Shape) {
			return false
		}
	}
	return true
}

// sameBlocked tells whether both operands are computed and have the result's type and form.
func sameBlocked(i *instr) bool { return alike(append(slices.Clone(i.in), i.out)...) }

// planned is an operator of the planner's own, by name.
type planned string

func (p planned) title() string { return string(p) }

// graph is the planner's form of a network or an objective.
type graph struct {
	opt    Options
	net    *engine.Network
	instrs []*instr
	values map[*gorgonia.Node]*value
	// program is what the graph becomes.
	program *Program

	// Of objectives: the losses, and where the parameters and the running statistics live.
	obj    *engine.Objective
	losses []*value
	homes  map[*engine.Param]home
}

func newValue(label string, shape tensor.Shape) *value {
	v := &value{label: label, Type: Type{Shape: shape}, first: -1, last: -1}
	v.retype(typeOf(shape).Channel)
	return v
}

// retype lets v's channels lie along another axis.
func (v *value) retype(channel int) {
	v.Channel = channel
	v.shape, v.form = v.imageShape(), formOf(v.Type)
}

// like is a new value of v's type and form.
func (v *value) like(label string) *value {
	w := newValue(label, v.Shape)
	w.Type, w.shape, w.form = v.Type, v.shape, v.form
	return w
}

// lower turns nodes, which must be sorted, into instructions.
func lower(net *engine.Network, opt Options, nodes []*gorgonia.Node) *graph {
	g := &graph{opt: opt, net: net, values: map[*gorgonia.Node]*value{}, program: newProgram(net, opt), homes: map[*engine.Param]home{}}
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
		if _, isConst := g.constant(n); isConst {
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

// onlyUser is the one instruction that reads v; nil where there are others or none.
func onlyUser(v *value, users map[*value][]*instr) *instr {
	if len(users[v]) != 1 {
		return nil
	}
	return users[v][0]
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
