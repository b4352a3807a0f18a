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
	for _, out := range mainFirst(n) {
		node := b.nodes[out.value]
		if node == nil || out.value == n.input {
			return nil, &UnsupportedError{[]Unsupported{{"graph output", out.name, "it does not depend on the image"}}}
		}
		outputs = append(outputs, engine.Output{Name: out.name, Node: node})
	}
	return b.Network(meta, outputs...)
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

// mainFirst orders the outputs: the one whose path from the input passes most convolutions (then most
// steps) is the classifier, the others are auxiliary, in the file's order.
func mainFirst(n *normaliser) []output {
	type depth struct{ convs, steps int }
	less := func(a, b depth) bool { return a.convs < b.convs || a.convs == b.convs && a.steps < b.steps }
	depths := map[*value]depth{}
	for _, s := range n.steps {
		var deepest depth
		for _, v := range s.in {
			if less(deepest, depths[v]) {
				deepest = depths[v]
			}
		}
		if deepest.steps++; isConv(s.op) {
			deepest.convs++
		}
		depths[s.out] = deepest
	}
	outputs := slices.Clone(n.outputs)
	main := 0
	for i, out := range outputs {
		if less(depths[outputs[main].value], depths[out.value]) {
			main = i
		}
	}
	first := outputs[main]
	outputs = slices.Delete(outputs, main, main+1)
	return slices.Insert(outputs, 0, first)
}

func isConv(o op.Op) bool {
	_, ok := o.(*op.Conv)
	return ok
}
