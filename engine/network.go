// Package engine holds the network between import and execution: a Gorgonia graph of the
// operators of engine/op, its named parameters and what is known about it.
package engine

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
	"regraft/photo"
)

// Param is a named tensor of a network: a weight, a bias or a running statistic.
type Param struct {
	// Name is PyTorch's dotted name where the file has one, such as Mixed_5b.branch1x1.conv.weight.
	Name string
	// Alias is the name that the file gives the tensor, where that differs from Name.
	Alias string
	// Shape is the plain row-major shape: (O, C/group, KH, KW), (O, F) or (C).
	Shape tensor.Shape
	// Value is row-major and may be shared: replace it, never write to it.
	Value []float32
	// Constant tells that the value belongs to the architecture, like a mean image or an exponent, and is no weight: nothing
	// trains it, in any mode, and it is not counted among the parameters.
	Constant bool
	// Frozen parameters take no part in training for now.
	Frozen bool
	// Running marks BatchNorm's running mean and variance: no gradient, but the training step updates them.
	Running bool
	// Still marks elements that training leaves as they are, since the architecture has them so; nil for none.
	Still []bool
	// Folded marks the bias of a convolution into which an exporter folded BatchNorm.
	Folded bool
	// Node stands for the parameter in the graph.
	Node *gorgonia.Node
}

// FileName is what the file calls the parameter.
func (p *Param) FileName() string {
	if p.Alias != "" {
		return p.Alias
	}
	return p.Name
}

// Trainable tells whether training may change the value: no constant, not frozen, and no running statistic.
func (p *Param) Trainable() bool { return !p.Constant && !p.Frozen && !p.Running }

// Output is a result of the network.
type Output struct {
	Name string
	Node *gorgonia.Node
	// Chosen says that somebody named this node as the classifier, or as the one that computes features.
	Chosen bool
	// Place orders the outputs in files, where the main one need not come first.
	Place int
}

// Network is a classifier in inference form: BatchNorm with running statistics, Dropout as an
// annotated identity. Its graph is structure only; values are in Params.
type Network struct {
	Graph *gorgonia.ExprGraph
	// Input is (N, C, H, W), float32.
	Input *gorgonia.Node
	// Outputs has the main output first, auxiliary ones after it.
	Outputs []Output
	Params  []*Param
	Meta    Meta

	// order lists the operator nodes so that operands come before their users.
	order  []*gorgonia.Node
	labels map[*gorgonia.Node]string
	params map[*gorgonia.Node]*Param
}

// Batch is the number of images that the graph is built for.
func (n *Network) Batch() int { return n.Input.Shape()[0] }

// ImageSize is the height and width of the images that the graph is built for.
func (n *Network) ImageSize() photo.Size {
	shape := n.Input.Shape()
	return photo.Size{H: shape[2], W: shape[3]}
}

// Nodes lists the operator nodes that the given nodes (the outputs when none are given) depend
// on, operands before users.
func (n *Network) Nodes(of ...*gorgonia.Node) []*gorgonia.Node {
	if len(of) == 0 {
		for _, o := range n.Outputs {
			of = append(of, o.Node)
		}
	}
	need := make(map[*gorgonia.Node]bool, len(n.order))
	for _, o := range of {
		need[o] = true
	}
	for i := len(n.order) - 1; i >= 0; i-- {
		if need[n.order[i]] && n.order[i] != n.Input {
			for _, in := range op.Inputs(n.order[i]) {
				need[in] = true
			}
		}
	}
	var nodes []*gorgonia.Node
	for _, node := range n.order {
		if need[node] && node != n.Input {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// Label is the node's name in the file it came from, or a description.
func (n *Network) Label(node *gorgonia.Node) string {
	if l := n.labels[node]; l != "" {
		return l
	}
	return node.Name()
}

// ParamOf returns the parameter that node stands for, or nil.
func (n *Network) ParamOf(node *gorgonia.Node) *Param { return n.params[node] }

// Param finds a parameter by name.
func (n *Network) Param(name string) (*Param, error) {
	for _, p := range n.Params {
		if p.Name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("the network has no parameter %q", name)
}

// DropValues lets go of the parameters' values: the network can be looked at afterwards, but not computed, trained or written.
func (n *Network) DropValues() {
	for _, p := range n.Params {
		p.Value = nil
	}
}

// Builder assembles a network node by node.
type Builder struct {
	net   *Network
	names map[string]bool
}

// NewBuilder starts an empty network.
func NewBuilder() *Builder {
	return &Builder{
		net: &Network{
			Graph:  gorgonia.NewGraph(),
			labels: map[*gorgonia.Node]string{},
			params: map[*gorgonia.Node]*Param{},
		},
		names: map[string]bool{},
	}
}

// Placeholder adds an input of the given shape that is filled at run time. Gorgonia takes inputs of one name for
// one node, so names must differ; the first placeholder is the network's input.
func (b *Builder) Placeholder(name string, shape ...int) (*gorgonia.Node, error) {
	if err := b.claim(name); err != nil {
		return nil, err
	}
	node := newTensor(b.net.Graph, name, shape)
	if b.net.Input == nil {
		b.net.Input = node
	}
	return node, nil
}

// Param adds p to the network; p.Node is set.
func (b *Builder) Param(p *Param) (*gorgonia.Node, error) {
	if err := b.claim(p.Name); err != nil {
		return nil, err
	}
	if p.Value != nil && len(p.Value) != p.Shape.TotalSize() {
		return nil, fmt.Errorf("parameter %q: %d values for shape %v", p.Name, len(p.Value), p.Shape)
	}
	p.Node = newTensor(b.net.Graph, p.Name, p.Shape)
	b.net.Params = append(b.net.Params, p)
	b.net.params[p.Node] = p
	return p.Node, nil
}

// Apply adds an operator node; label names it in messages and listings.
func (b *Builder) Apply(label string, o op.Op, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	node, err := op.Apply(o, in...)
	if err != nil {
		return nil, fmt.Errorf("node %q: %w", label, err)
	}
	if _, seen := b.net.labels[node]; !seen {
		b.net.order = append(b.net.order, node)
		b.net.labels[node] = label
	}
	return node, nil
}

// Network finishes: outputs are in order, main first.
func (b *Builder) Network(meta Meta, outputs ...Output) (*Network, error) {
	if b.net.Input == nil || len(outputs) == 0 {
		return nil, fmt.Errorf("a network needs an input and an output")
	}
	b.net.Outputs, b.net.Meta = outputs, meta
	return b.net, nil
}

func (b *Builder) claim(name string) error {
	if b.names[name] {
		return fmt.Errorf("the name %q is used twice", name)
	}
	b.names[name] = true
	return nil
}

func newTensor(g *gorgonia.ExprGraph, name string, shape []int) *gorgonia.Node {
	if len(shape) == 0 {
		return gorgonia.NewScalar(g, tensor.Float32, gorgonia.WithName(name))
	}
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
}
