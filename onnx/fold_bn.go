package onnx

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
)

// foldBatchNorm merges every BatchNorm that alone reads a convolution into the convolution's weights and bias (see [op.Fold]). Other
// BatchNorms stay.
func foldBatchNorm(net *engine.Network) (*engine.Network, error) {
	readers := map[*gorgonia.Node][]*gorgonia.Node{}
	for _, n := range net.Nodes() {
		for _, in := range op.Inputs(n) {
			readers[in] = append(readers[in], n)
		}
	}
	for _, o := range net.Outputs {
		readers[o.Node] = append(readers[o.Node], nil)
	}
	folds := map[*gorgonia.Node]*folded{} // by convolution
	gone := map[*gorgonia.Node]bool{}     // BatchNorms
	weights := map[string]*folded{}       // by the weight's name
	for _, n := range net.Nodes() {
		if _, conv := n.Op().(*op.Conv); !conv || len(readers[n]) != 1 || readers[n][0] == nil {
			continue
		}
		norm := readers[n][0]
		f := fold(net, n, norm)
		if f == nil || len(readers[op.Inputs(n)[1]]) != 1 {
			continue
		}
		folds[n], gone[norm], weights[net.ParamOf(op.Inputs(n)[1]).Name] = f, true, f
	}
	out, err := net.Rewrite(nil, func(b *engine.Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		if gone[old] {
			return in[0], nil
		}
		f := folds[old]
		if f == nil {
			return nil, nil
		}
		bias, err := b.Param(&engine.Param{Name: f.name, Shape: tensor.Shape{len(f.bias)}, Value: f.bias})
		if err != nil {
			return nil, err
		}
		return b.Apply(net.Label(old), old.Op().(op.Op), in[0], in[1], bias)
	})
	if err != nil {
		return nil, err
	}
	for _, p := range out.Params {
		if f := weights[p.Name]; f != nil {
			w := make([]float32, len(p.Value))
			f.Weights(w, p.Value)
			p.Value = w
		}
	}
	return out.Rewrite(nil, nil) // leaves out the parameters that nothing reads any more
}

// folded is what a BatchNorm makes of the convolution before it.
type folded struct {
	op.Fold
	name string // of the new bias
	bias []float32
}

// fold returns nil when norm is no BatchNorm with known statistics right behind conv.
func fold(net *engine.Network, conv, norm *gorgonia.Node) *folded {
	bn, ok := norm.Op().(*op.BatchNorm)
	if !ok || op.Inputs(norm)[0] != conv {
		return nil
	}
	f := &folded{Fold: op.Fold{Epsilon: bn.Epsilon}}
	for i, to := range []*[]float32{&f.Gamma, &f.Beta, &f.Mean, &f.Variance} {
		p := net.ParamOf(op.Inputs(norm)[1+i])
		if p == nil {
			return nil
		}
		*to = p.Value
	}
	in := op.Inputs(conv)
	weight := net.ParamOf(in[1])
	if weight == nil {
		return nil
	}
	f.name = weight.Name + "_bias"
	f.bias = make([]float32, len(f.Gamma))
	if len(in) == 3 {
		p := net.ParamOf(in[2])
		if p == nil {
			return nil
		}
		copy(f.bias, p.Value)
	}
	for c, b := range f.bias {
		f.bias[c] = f.Bias(c, b)
	}
	return f
}
