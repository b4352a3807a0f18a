package head

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// Shift is the name of the parameter of BehindMap.
const Shift = "shift of the last map"

// BehindMap is what a.Net computes its scores with from the last map, (1, C, H, W), made for the gradients of the scores: Shift, (C, 1, 1)
// and 0, is added to all places of the map and is the only parameter that is not frozen, BatchNorm is the constant scale and shift
// that it is in inference, and behind the scores stands one that is always 0.
func (a *Answers) BehindMap(m *LastMap) (*engine.Network, error) {
	net, err := a.Net.Behind(m.Node, a.Net.Outputs[0])
	if err != nil {
		return nil, err
	}
	if net, err = shifted(net); err != nil {
		return nil, err
	}
	if net, err = net.Extend(net.Outputs, withZero); err != nil {
		return nil, err
	}
	for _, p := range net.Params {
		p.Frozen = p.Name != Shift
	}
	return net, nil
}

// shifted is the network with Shift added to its input and without BatchNorm.
func shifted(net *engine.Network) (*engine.Network, error) {
	var input *gorgonia.Node
	return net.Rewrite(nil, func(b *engine.Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		for i, x := range op.Inputs(old) {
			if x != net.Input {
				continue
			}
			if input == nil {
				c := x.Shape()[1]
				p, err := b.Param(&engine.Param{Name: Shift, Shape: []int{c, 1, 1}, Value: make([]float32, c)})
				if err != nil {
					return nil, err
				}
				if input, err = b.Apply(Shift, &op.Add{}, in[i], p); err != nil {
					return nil, err
				}
			}
			in[i] = input
		}
		if norm, is := old.Op().(*op.BatchNorm); is {
			return affine(b, net, norm, old, in[0])
		}
		return b.Apply(net.Label(old), old.Op().(op.Op), in...)
	})
}

// withZero puts a score that is always 0 behind those of x.
func withZero(b *engine.Builder, _ int, x *gorgonia.Node) (*gorgonia.Node, error) {
	k := x.Shape()[1]
	w := &engine.Param{Name: "scores and 0", Shape: []int{k + 1, k}, Value: make([]float32, (k+1)*k)}
	for i := range k {
		w.Value[i*k+i] = 1
	}
	p, err := b.Param(w)
	if err != nil {
		return nil, err
	}
	return b.Apply(w.Name, &op.Linear{}, x, p)
}

// affine is BatchNorm of x with the parameters of old in net.
func affine(b *engine.Builder, net *engine.Network, norm *op.BatchNorm, old, x *gorgonia.Node) (*gorgonia.Node, error) {
	var values [4][]float32
	for i, in := range op.Inputs(old)[1:] {
		p := net.ParamOf(in)
		if p == nil {
			return nil, &NoMapError{Reason: fmt.Sprintf("node %q normalises by computed numbers", net.Label(old))}
		}
		values[i] = p.Value
	}
	fold := op.Fold{Gamma: values[0], Beta: values[1], Mean: values[2], Variance: values[3], Epsilon: norm.Epsilon}
	a := &op.Affine{}
	for c := range fold.Gamma {
		a.Scale, a.Shift = append(a.Scale, float32(fold.Scale(c))), append(a.Shift, fold.Bias(c, 0))
	}
	return b.Apply(net.Label(old), a, x)
}
