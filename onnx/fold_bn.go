package onnx

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
)

// foldBatchNorm merges every BatchNorm that alone reads a convolution into the convolution's weights and bias:
//
//	w'[o] = w[o] * s[o],  b'[o] = beta[o] + (b[o] - mean[o]) * s[o],  s[o] = gamma[o] / sqrt(variance[o] + epsilon)
//
// computed in float64 and rounded once. Other BatchNorms stay.
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
			p.Value = f.scaled(p.Value)
		}
	}
	return out.Rewrite(nil, nil) // leaves out the parameters that nothing reads any more
}

// folded is what a BatchNorm makes of the convolution before it.
type folded struct {
	name  string // of the new bias
	bias  []float32
	scale []float64
}

// fold returns nil when norm is no BatchNorm with known statistics right behind conv.
func fold(net *engine.Network, conv, norm *gorgonia.Node) *folded {
	bn, ok := norm.Op().(*op.BatchNorm)
	if !ok || op.Inputs(norm)[0] != conv {
		return nil
	}
	var params [4][]float32
	for i, n := range op.Inputs(norm)[1:] {
		p := net.ParamOf(n)
		if p == nil {
			return nil
		}
		params[i] = p.Value
	}
	gamma, beta, mean, variance := params[0], params[1], params[2], params[3]
	in := op.Inputs(conv)
	weight := net.ParamOf(in[1])
	if weight == nil {
		return nil
	}
	f := &folded{name: weight.Name + "_bias", bias: make([]float32, len(gamma)), scale: make([]float64, len(gamma))}
	var old []float32
	if len(in) == 3 {
		p := net.ParamOf(in[2])
		if p == nil {
			return nil
		}
		old = p.Value
	}
	for o := range gamma {
		f.scale[o] = float64(gamma[o]) / math.Sqrt(float64(variance[o])+float64(bn.Epsilon))
		b := -float64(mean[o])
		if old != nil {
			b += float64(old[o])
		}
		f.bias[o] = float32(float64(beta[o]) + float64(b*f.scale[o]))
	}
	return f
}

// scaled multiplies the weights of every output channel.
func (f *folded) scaled(w []float32) []float32 {
	out := make([]float32, len(w))
	each := len(w) / len(f.scale)
	for i, v := range w {
		out[i] = float32(float64(v) * f.scale[i/each])
	}
	return out
}
