package op

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Relatives of Relu: the identity for large x, another line for small.

// LeakyRelu is x where x > 0, else Alpha*x (ONNX LeakyRelu-16). The absolute value is the one with Alpha -1.
type LeakyRelu struct {
	unary
	Alpha float32
}

// Name is LeakyRelu.
func (*LeakyRelu) Name() string { return "LeakyRelu" }

// Do computes the function.
func (o *LeakyRelu) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives LeakyReluGrad.
func (o *LeakyRelu) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&LeakyReluGrad{Alpha: o.Alpha}, in[0], dy)
}

func (o *LeakyRelu) eval(in []array, out array) {
	in[0].mapTo(out, func(x float64) float64 { return leaky(x, x, float64(o.Alpha)) })
}

// leaky is v where x > 0, else slope*v.
func leaky(x, v, slope float64) float64 {
	if x > 0 {
		return v
	}
	return slope * v
}

// LeakyReluGrad is the gradient of LeakyRelu: x and dy give dy where x > 0, else Alpha*dy (PyTorch's choice at 0).
type LeakyReluGrad struct {
	unaryGrad
	Alpha float32
}

// Name is LeakyReluGrad.
func (*LeakyReluGrad) Name() string { return "LeakyReluGrad" }

// Do computes the gradient.
func (o *LeakyReluGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *LeakyReluGrad) eval(in []array, out array) {
	zip(in[0], in[1], out, func(x, dy float64) float64 { return leaky(x, dy, float64(o.Alpha)) })
}

// ThresholdedRelu is x where x > Alpha, else 0 (ONNX ThresholdedRelu-10).
type ThresholdedRelu struct {
	unary
	Alpha float32
}

// Name is ThresholdedRelu.
func (*ThresholdedRelu) Name() string { return "ThresholdedRelu" }

// Do computes the function.
func (o *ThresholdedRelu) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives ThresholdedReluGrad.
func (o *ThresholdedRelu) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&ThresholdedReluGrad{Alpha: o.Alpha}, in[0], dy)
}

func (o *ThresholdedRelu) eval(in []array, out array) {
	zip(in[0], in[0], out, above(o.Alpha))
}

// above gives its second argument where the first is greater than alpha, else 0.
func above(alpha float32) func(x, v float64) float64 {
	return func(x, v float64) float64 {
		if x > float64(alpha) {
			return v
		}
		return 0
	}
}

// ThresholdedReluGrad is the gradient of ThresholdedRelu: x and dy give dy where x > Alpha, else 0.
type ThresholdedReluGrad struct {
	unaryGrad
	Alpha float32
}

// Name is ThresholdedReluGrad.
func (*ThresholdedReluGrad) Name() string { return "ThresholdedReluGrad" }

// Do computes the gradient.
func (o *ThresholdedReluGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *ThresholdedReluGrad) eval(in []array, out array) { zip(in[0], in[1], out, above(o.Alpha)) }

// PRelu is x where x > 0, else slope*x, with learned slopes that broadcast to x (ONNX PRelu-16; He et al., 2015).
type PRelu struct{ base }

// Name is PRelu.
func (*PRelu) Name() string { return "PRelu" }

// OutShape is the shape of x.
func (*PRelu) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, -1); err != nil {
		return nil, err
	}
	return slopeShape(in[0], in[1])
}

// slopeShape checks that slopes broadcast to x, whose shape it returns.
func slopeShape(x, slope tensor.Shape) (tensor.Shape, error) {
	out, err := BroadcastShape(x, slope)
	if err != nil {
		return nil, err
	}
	return out, wantEqual([]tensor.Shape{x}, 0, out...)
}

// Do computes the function.
func (o *PRelu) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for x and the slopes.
func (*PRelu) DiffWRT(inputs int) []bool { return wrt(2, inputs) }

// SymDiff gives PReluGradX, and dy*min(x, 0) summed over what the slopes were broadcast to.
func (*PRelu) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	negative := c.apply(&Clip{Min: -math.MaxFloat32}, in[0])
	return gorgonia.Nodes{
		c.apply(&PReluGradX{}, in[0], in[1], dy),
		c.sumTo(c.apply(&Mul{}, dy, negative), in[1]),
	}, c.err
}

func (*PRelu) eval(in []array, out array) { leakyBySlopes(in[0], in[1], in[0], out) }

// leakyBySlopes sets every element of out to leaky of the same elements of x and v and the slope that falls on them.
func leakyBySlopes(x, slope, v, out array) {
	i := 0
	forStrided(out.shape, broadcastStrides(slope.shape, out.shape), 0, func(at int) {
		out.data[i] = leaky(x.data[i], v.data[i], slope.data[at])
		i++
	})
}

// PReluGradX is the gradient of PRelu in x: x, slope and dy give dy where x > 0, else slope*dy.
type PReluGradX struct{ undifferentiable }

// Name is PReluGradX.
func (*PReluGradX) Name() string { return "PReluGradX" }

// OutShape is the shape of x.
func (*PReluGradX) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, -1, -1); err != nil {
		return nil, err
	}
	if err := wantEqual(in, 2, in[0]...); err != nil {
		return nil, err
	}
	return slopeShape(in[0], in[1])
}

// Do computes the gradient.
func (o *PReluGradX) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*PReluGradX) eval(in []array, out array) { leakyBySlopes(in[0], in[1], in[2], out) }
