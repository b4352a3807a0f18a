package engine

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Rewriter sees every operator node of a network while it is rebuilt: in holds the operands in the
// new graph. It returns the node that takes old's place, or nil to keep the operator.
type Rewriter func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error)

// Rewrite rebuilds what the outputs depend on in a new graph for inputs of the given shape
// (N, C, H, W); nil keeps the shape. Parameters keep their values (which are shared, not copied);
// those that nothing uses any more are left out.
func (n *Network) Rewrite(input tensor.Shape, f Rewriter) (*Network, error) {
	b, moved, err := n.rewrite(input, f)
	if err != nil {
		return nil, err
	}
	outputs := make([]Output, len(n.Outputs))
	for i, o := range n.Outputs {
		outputs[i] = o
		outputs[i].Node = moved[o.Node]
	}
	return b.Network(n.Meta, outputs...)
}

// WithBatch rebuilds the network for another number of images.
func (n *Network) WithBatch(images int) (*Network, error) {
	if images == n.Batch() {
		return n, nil
	}
	shape := n.Input.Shape().Clone()
	shape[0] = images
	return n.Rewrite(shape, nil)
}

// Subgraph returns the network that ends at the given nodes: the trunk's features, or a layer to be
// compared. The outputs are named as given.
func (n *Network) Subgraph(outputs ...Output) (*Network, error) {
	cut := *n
	cut.Outputs = outputs
	return cut.Rewrite(nil, nil)
}

// Behind returns the network that computes the outputs from what node has given: a map (N, C, H, W), or one row of values for every
// photo, which becomes the input (N, F, 1, 1). It fails where an output depends on anything else that was computed.
func (n *Network) Behind(node *gorgonia.Node, outputs ...Output) (*Network, error) {
	cut := *n
	cut.Input, cut.Outputs = node, outputs
	shape := node.Shape()
	input := []int{shape[0], shape.TotalSize() / shape[0], 1, 1}
	if shape.Dims() == 4 {
		input = shape
	}
	b := NewBuilder()
	x, err := b.Placeholder("features", input...)
	switch {
	case err != nil:
		return nil, err
	case shape.Dims() == 2:
		if x, err = b.Apply("features flatten", &op.Flatten{Axis: 1}, x); err != nil {
			return nil, err
		}
	case !shape.Eq(x.Shape()):
		return nil, fmt.Errorf("%q has the shape %v: neither a map nor a row of values for every photo", n.Label(node), shape)
	}
	moved := map[*gorgonia.Node]*gorgonia.Node{node: x}
	if err := cut.rebuild(b, moved, nil); err != nil {
		return nil, err
	}
	ends := make([]Output, len(outputs))
	for i, o := range outputs {
		ends[i] = Output{Name: o.Name, Node: moved[o.Node]}
	}
	return b.Network(n.Meta, ends...)
}

// Extend returns the network that ends in what f makes of the given nodes x, one output for each, named as given.
func (n *Network) Extend(at []Output, f func(b *Builder, i int, x *gorgonia.Node) (*gorgonia.Node, error)) (*Network, error) {
	cut := *n
	cut.Outputs = at
	b, moved, err := cut.rewrite(nil, nil)
	if err != nil {
		return nil, err
	}
	outputs := make([]Output, len(at))
	for i, o := range at {
		node, err := f(b, i, moved[o.Node])
		if err != nil {
			return nil, err
		}
		outputs[i] = Output{Name: o.Name, Node: node, Place: o.Place}
	}
	return b.Network(n.Meta, outputs...)
}

// rewrite returns the builder and where every old node went.
func (n *Network) rewrite(input tensor.Shape, f Rewriter) (*Builder, map[*gorgonia.Node]*gorgonia.Node, error) {
	if input == nil {
		input = n.Input.Shape()
	}
	b := NewBuilder()
	moved := map[*gorgonia.Node]*gorgonia.Node{}
	var err error
	if moved[n.Input], err = b.Placeholder(n.Input.Name(), input...); err != nil {
		return nil, nil, err
	}
	return b, moved, n.rebuild(b, moved, f)
}

// rebuild adds to b what the outputs depend on; moved has where old nodes went, that of the input to begin with.
func (n *Network) rebuild(b *Builder, moved map[*gorgonia.Node]*gorgonia.Node, f Rewriter) error {
	move := func(node *gorgonia.Node) (*gorgonia.Node, error) {
		if to := moved[node]; to != nil {
			return to, nil
		}
		p := n.params[node]
		if p == nil {
			return nil, fmt.Errorf("node %q is neither a parameter nor computed before it is used", n.Label(node))
		}
		c := *p
		to, err := b.Param(&c)
		moved[node] = to
		return to, err
	}
	for _, old := range n.Nodes() {
		var in gorgonia.Nodes
		for _, x := range op.Inputs(old) {
			to, err := move(x)
			if err != nil {
				return err
			}
			in = append(in, to)
		}
		var node *gorgonia.Node
		if f != nil {
			var err error
			if node, err = f(b, old, in); err != nil {
				return err
			}
		}
		if node == nil {
			var err error
			if node, err = b.Apply(n.Label(old), old.Op().(op.Op), in...); err != nil {
				return err
			}
		}
		moved[old] = node
	}
	for _, o := range n.Outputs {
		if _, err := move(o.Node); err != nil {
			return err
		}
	}
	return nil
}
