package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// ResponseNorm tells how strong every channel of an image is beside the others: the L2 norm of a channel's pixels over the mean of all
// channels' norms, the factors of ConvNeXt V2's global response normalisation (Woo et al., 2023). Images are (N, C, H, W), or (N, H, W, C)
// where Last says so; the result has one pixel.
type ResponseNorm struct {
	base
	Last    bool
	Epsilon float32 // is added to the mean
}

// Name is ResponseNorm.
func (*ResponseNorm) Name() string { return "ResponseNorm" }

// OutShape is (N, C, 1, 1) or (N, 1, 1, C).
func (o *ResponseNorm) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 4); err != nil {
		return nil, err
	}
	return o.norms().OutShape(in...)
}

// norms are the L2 norms of the channels.
func (o *ResponseNorm) norms() *Reduce {
	axes := []int{2, 3}
	if o.Last {
		axes = []int{1, 2}
	}
	return &Reduce{ReduceMean: ReduceMean{Axes: axes, KeepDims: true}, Kind: L2Of}
}

// Do computes the factors.
func (o *ResponseNorm) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*ResponseNorm) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives ResponseNormGrad.
func (o *ResponseNorm) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&ResponseNormGrad{ResponseNorm: *o}, in[0], dy)
}

// each visits the norms of every image with the mean that they are divided by.
func (o *ResponseNorm) each(norms array, visit func(image int, norms []float64, mean float64)) {
	channels := product(norms.shape[1:])
	for image := range norms.shape[0] {
		part, sum := norms.data[image*channels:][:channels], 0.0
		for _, v := range part {
			sum += v
		}
		visit(image, part, sum/float64(channels)+float64(o.Epsilon))
	}
}

func (o *ResponseNorm) eval(in []array, out array) {
	o.norms().eval(in, out)
	o.each(out, func(_ int, norms []float64, mean float64) {
		for c := range norms {
			norms[c] /= mean
		}
	})
}

// ResponseNormGrad is the gradient of ResponseNorm: x and dy give dx. A channel whose pixels are all 0 gets none.
type ResponseNormGrad struct{ ResponseNorm }

// Name is ResponseNormGrad.
func (*ResponseNormGrad) Name() string { return "ResponseNormGrad" }

// OutShape is the shape of x.
func (o *ResponseNormGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if len(in) != 2 {
		return nil, fmt.Errorf("%d operands, want 2", len(in))
	}
	y, err := o.ResponseNorm.OutShape(in[0])
	if err != nil {
		return nil, err
	}
	return in[0].Clone(), wantEqual(in, 1, y...)
}

// Do computes the gradient.
func (o *ResponseNormGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*ResponseNormGrad) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *ResponseNormGrad) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *ResponseNormGrad) eval(in []array, out array) {
	x, dy := in[0], in[1].data
	norms := array{in[1].shape, make([]float64, len(dy)), out.threads}
	o.norms().eval(in[:1], norms)
	slopes := make([]float64, len(dy)) // of x in its own direction
	o.each(norms, func(image int, norms []float64, mean float64) {
		dy, slopes, sum := dy[image*len(norms):], slopes[image*len(norms):], 0.0
		for c, v := range norms {
			sum += float64(dy[c] * v)
		}
		for c, v := range norms {
			if v != 0 {
				slopes[c] = (dy[c]/mean - sum/(mean*mean*float64(len(norms)))) / v
			}
		}
	})
	o.norms().each(x, func(i, at int) { out.data[i] = slopes[at] * x.data[i] })
}
