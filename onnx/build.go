package onnx

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// build makes the network out of normal steps, at the asked batch.
func build(n *normaliser, names *namer, meta engine.Meta, o ReadOptions) (*engine.Network, error) {
	b := &builder{Builder: engine.NewBuilder(), names: names, nodes: map[*value]*gorgonia.Node{}, keepTies: o.KeepTies}
	shape := n.input.shape.Clone()
	shape[0] = max(o.Batch, 1)
	input, err := b.Placeholder(n.input.name, shape...)
	if err != nil {
		return nil, err
	}
	b.nodes[n.input] = input
	names.taken[n.input.name] = 1
	for _, s := range n.steps {
		if err := b.step(s); err != nil {
			return nil, &UnsupportedError{[]Unsupported{{s.op.Name(), s.label, err.Error()}}}
		}
	}
	var outputs []engine.Output
	for _, out := range n.outputs {
		node := b.nodes[out.value]
		if node == nil || out.value == n.input {
			return nil, &UnsupportedError{[]Unsupported{{"graph output", out.name, "it does not depend on the image"}}}
		}
		outputs = append(outputs, engine.Output{Name: out.name, Node: node, Place: out.place})
	}
	return b.Network(meta, mainFirst(outputs)...)
}

// mainFirst puts the deepest output first and leaves the others in the file's order.
func mainFirst(outputs []engine.Output) []engine.Output {
	main, deepest := 0, op.Depth{}
	for i, out := range outputs {
		if d := op.DepthOf(out.Node); d.Compare(deepest) > 0 {
			main, deepest = i, d
		}
	}
	first := outputs[main]
	return slices.Insert(slices.Delete(outputs, main, main+1), 0, first)
}

type builder struct {
	*engine.Builder
	names    *namer
	nodes    map[*value]*gorgonia.Node
	keepTies bool
}

func (b *builder) step(s *step) error {
	in := make([]*gorgonia.Node, len(s.in))
	for i, v := range s.in {
		var err error
		if in[i] = b.nodes[v]; in[i] != nil && v.constant == nil {
			continue
		}
		if v.constant == nil {
			return fmt.Errorf("operand %s is not computed from the image", quoted(v.name))
		}
		if in[i], err = b.param(s, i); err != nil {
			return err
		}
	}
	node, err := b.Apply(s.label, s.op, in...)
	b.nodes[s.out] = node
	return err
}

// param adds the parameter that operand slot of s stands for. Every use of a tensor is a parameter of its own, because
// exporters store equal tensors once; constants are shared.
func (b *builder) param(s *step, slot int) (*gorgonia.Node, error) {
	v := s.in[slot]
	p := b.names.param(s, slot)
	share := b.keepTies || p.Constant
	if share && b.nodes[v] != nil {
		return b.nodes[v], nil
	}
	node, err := b.Param(p)
	if err == nil && share {
		b.nodes[v] = node
	}
	return node, err
}
