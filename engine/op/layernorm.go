package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// LayerNorm is layer normalisation (ONNX LayerNormalization-17; Ba, Kiros and Hinton, 2016): x is normalised
// over the dimensions from Axis on, then multiplied by gamma and, optionally, shifted by beta, both of the shape
// of those dimensions.
type LayerNorm struct {
	base
	Axis    int // negative counts from the last dimension
	Epsilon float32
}

// Name is LayerNormalization.
func (*LayerNorm) Name() string { return "LayerNormalization" }

// OutShape is the shape of x.
func (o *LayerNorm) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	ranks := []int{-1, -1, -1}
	if len(in) == 2 {
		ranks = ranks[:2]
	}
	if err := wantRanks(in, ranks...); err != nil {
		return nil, err
	}
	axis, err := resolveAxis(o.Axis, len(in[0]))
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(in); i++ {
		if err := wantEqual(in, i, in[0][axis:]...); err != nil {
			return nil, err
		}
	}
	return in[0].Clone(), nil
}

// Do computes the function.
func (o *LayerNorm) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for all operands.
func (*LayerNorm) DiffWRT(inputs int) []bool { return wrt(3, inputs) }

// SymDiff gives LayerNormGradX, LayerNormGradGamma and a sum of dy.
func (o *LayerNorm) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	grads := make(gorgonia.Nodes, len(in))
	grads[1] = c.apply(&LayerNormGradGamma{LayerNorm: *o}, in[0], dy)
	if len(in) == 3 {
		grads[2] = c.sumTo(dy, in[2])
	}
	grads[0] = c.apply(&LayerNormGradX{LayerNorm: *o}, in[0], in[1], dy) // last, so that it can take the memory of dy
	return grads, c.err
}

func (o *LayerNorm) eval(in []array, out array) {
	x, gamma := in[0], in[1].data
	size := len(gamma)
	for at := 0; at < len(x.data); at += size {
		hat, _ := o.normalised(x.data[at : at+size])
		for i, h := range hat {
			y := float64(gamma[i] * h)
			if len(in) == 3 {
				y += in[2].data[i]
			}
			out.data[at+i] = y
		}
	}
}

// normalised gives (x-mean)/sqrt(var+Epsilon) and 1/sqrt(var+Epsilon).
func (o *LayerNorm) normalised(x []float64) (hat []float64, scale float64) {
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		variance += float64((v - mean) * (v - mean))
	}
	scale = inverseDeviation(variance/float64(len(x)), o.Epsilon)
	hat = make([]float64, len(x))
	for i, v := range x {
		hat[i] = (v - mean) * scale
	}
	return hat, scale
}

// LayerNormGradX is the gradient of LayerNorm in x: x, gamma and dy give dx.
type LayerNormGradX struct{ LayerNorm }

// Name is LayerNormGradX.
func (*LayerNormGradX) Name() string { return "LayerNormGradX" }

// OutShape is the shape of x.
func (o *LayerNormGradX) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, -1, -1); err != nil {
		return nil, err
	}
	if err := wantEqual(in, 2, in[0]...); err != nil {
		return nil, err
	}
	return o.LayerNorm.OutShape(in[:2]...)
}

// Do computes the gradient.
func (o *LayerNormGradX) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*LayerNormGradX) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *LayerNormGradX) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *LayerNormGradX) eval(in []array, out array) {
	x, gamma, dy := in[0].data, in[1].data, in[2].data
	size := len(gamma)
	for at := 0; at < len(x); at += size {
		hat, scale := o.normalised(x[at : at+size])
		sum, sumHat := 0.0, 0.0
		for i, h := range hat {
			g := gamma[i] * dy[at+i]
			sum += float64(g)
			sumHat += float64(g * h)
		}
		sum, sumHat = sum/float64(size), sumHat/float64(size)
		for i, h := range hat {
			out.data[at+i] = scale * (float64(gamma[i]*dy[at+i]) - sum - float64(h*sumHat))
		}
	}
}

// LayerNormGradGamma is the gradient of LayerNorm in gamma: x and dy give the sum of dy times normalised x.
type LayerNormGradGamma struct{ LayerNorm }

// Name is LayerNormGradGamma.
func (*LayerNormGradGamma) Name() string { return "LayerNormGradGamma" }

// OutShape is the shape of gamma.
func (o *LayerNormGradGamma) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	out, err := sameShape(in, 2)
	if err != nil {
		return nil, err
	}
	axis, err := resolveAxis(o.Axis, len(out))
	if err != nil {
		return nil, err
	}
	return out[axis:], nil
}

// Do computes the gradient.
func (o *LayerNormGradGamma) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*LayerNormGradGamma) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *LayerNormGradGamma) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *LayerNormGradGamma) eval(in []array, out array) {
	x, dy := in[0].data, in[1].data
	size := len(out.data)
	for at := 0; at < len(x); at += size {
		hat, _ := o.normalised(x[at : at+size])
		for i, h := range hat {
			out.data[i] += float64(dy[at+i] * h)
		}
	}
}
