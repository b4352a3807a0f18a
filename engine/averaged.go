package engine

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// JoinAveraged makes one linear layer of several whose scores an output averages, or adds up: one that reads what all of them read, one
// behind the other. DeiT has such a pair, for its class token and its distillation token (Touvron and others, "Training data-efficient
// image transformers", 2021, section 4).
func (n *Network) JoinAveraged() (*Network, error) {
	j := &joiner{net: n, readers: n.readers()}
	found := map[*gorgonia.Node]*averaged{}
	for _, out := range n.Outputs {
		if a := j.averaged(out.Node); a != nil {
			found[out.Node] = a
		}
	}
	if len(found) == 0 {
		return n, nil
	}
	return n.replaced(func(b *Builder, old *gorgonia.Node, _ gorgonia.Nodes, moved map[*gorgonia.Node]*gorgonia.Node) (*gorgonia.Node, error) {
		if a := found[old]; a != nil {
			return a.build(b, n, moved)
		}
		return nil, nil
	})
}

// averaged is a sum of linear layers, times a factor.
type averaged struct {
	layers []*gorgonia.Node
	factor float64
}

// averaged reads an output as such a sum that nothing else reads; nil where it is none.
func (j *joiner) averaged(out *gorgonia.Node) *averaged {
	a := &averaged{factor: 1}
	for node := out; ; {
		x, factor := j.factor(node)
		if x == nil {
			if !j.collect(a, node) || len(a.layers) < 2 {
				return nil
			}
			return a
		}
		if j.onlyReader(x) != node {
			return nil
		}
		node, a.factor = x, a.factor*factor
	}
}

// collect adds the linear layers of (N, features) that node adds up; false where it is something else.
func (j *joiner) collect(a *averaged, node *gorgonia.Node) bool {
	in := op.Inputs(node)
	switch node.Op().(type) {
	case *op.Linear:
		if len(in) < 3 || in[0].Dims() != 2 || j.net.ParamOf(in[1]) == nil || j.net.ParamOf(in[2]) == nil ||
			j.onlyReader(in[1]) != node || j.onlyReader(in[2]) != node { // what others read too must stay one parameter
			return false
		}
		a.layers = append(a.layers, node)
		return true
	case *op.Add:
		for _, x := range in {
			if j.onlyReader(x) != node || !x.Shape().Eq(node.Shape()) || !j.collect(a, x) {
				return false
			}
		}
		return true
	}
	return false
}

// build makes the layer, whose name is put together of all.
func (a *averaged) build(b *Builder, net *Network, moved map[*gorgonia.Node]*gorgonia.Node) (*gorgonia.Node, error) {
	var names []string
	var operands gorgonia.Nodes
	classes, features := a.layers[0].Shape()[1], 0
	for _, layer := range a.layers {
		in := op.Inputs(layer)
		names = append(names, strings.TrimSuffix(net.ParamOf(in[1]).Name, ".weight"))
		operands = append(operands, moved[in[0]])
		features += in[0].Shape()[1]
	}
	weight, bias := make([]float32, 0, classes*features), make([]float32, classes)
	for c := range classes {
		sum := 0.0
		for _, layer := range a.layers {
			in := op.Inputs(layer)
			width := in[0].Shape()[1]
			for _, w := range net.ParamOf(in[1]).Value[c*width:][:width] {
				weight = append(weight, float32(a.factor*float64(w)))
			}
			sum += float64(net.ParamOf(in[2]).Value[c])
		}
		bias[c] = float32(a.factor * sum)
	}
	name := strings.Join(names, "+")
	x, err := b.Apply(fmt.Sprint(name, " input"), &op.Concat{Axis: 1}, operands...)
	if err != nil {
		return nil, err
	}
	w, err := b.Param(&Param{Name: name + ".weight", Shape: tensor.Shape{classes, features}, Value: weight})
	if err != nil {
		return nil, err
	}
	v, err := b.Param(&Param{Name: name + ".bias", Shape: tensor.Shape{classes}, Value: bias})
	if err != nil {
		return nil, err
	}
	return b.Apply(name, &op.Linear{}, x, w, v)
}
