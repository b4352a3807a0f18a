package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/kernel"
)

// LRN is local response normalisation across channels (ONNX LRN-13; Krizhevsky et al., 2012): x (N, C, ...)
// gives x / u^Beta with u = Bias + Alpha/Size * the sum of squares over the Size channels around x's own.
type LRN struct {
	base
	Size              int
	Alpha, Beta, Bias float32
}

// Name is LRN.
func (*LRN) Name() string { return "LRN" }

// OutShape is the shape of x.
func (o *LRN) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	return in[0].Clone(), o.checkShape(in[0])
}

func (o *LRN) checkShape(x tensor.Shape) error {
	if o.Size < 1 {
		return fmt.Errorf("size %d is below 1", o.Size)
	}
	if !(o.Bias > 0) || o.Alpha < 0 {
		return fmt.Errorf("bias %v must be positive and alpha %v not negative", o.Bias, o.Alpha)
	}
	return wantChannels(x)
}

// Do computes the function.
func (o *LRN) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*LRN) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives LRNGrad.
func (o *LRN) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&LRNGrad{LRN: *o}, in[0], dy)
}

func (o *LRN) eval(in []array, out array) {
	forLines(1, in, out, func(x [][]float64, y []float64) {
		for c, u := range o.norms(x[0]) {
			y[c] = x[0][c] * o.inversePower(u)
		}
	})
}

// channels is the range of channels that count for channel c of n; mirrored turns the window of an even Size around.
func (o *LRN) channels(c, n int, mirrored bool) (low, high int) {
	before, after := (o.Size-1)/2, o.Size/2
	if mirrored {
		before, after = after, before
	}
	return max(0, c-before), min(n, c+min(after, n)+1)
}

// norms gives u for every channel.
func (o *LRN) norms(x []float64) []float64 {
	u := make([]float64, len(x))
	for c := range x {
		low, high := o.channels(c, len(x), false)
		squares := 0.0
		for _, v := range x[low:high] {
			squares += float64(v * v)
		}
		u[c] = float64(o.Bias) + float64(float64(o.Alpha)/float64(o.Size)*squares)
	}
	return u
}

func (o *LRN) inversePower(u float64) float64 { return kernel.Exp(-float64(o.Beta) * kernel.Log(u)) }

// LRNGrad is the gradient of LRN: x and dy give dx.
type LRNGrad struct{ LRN }

// Name is LRNGrad.
func (*LRNGrad) Name() string { return "LRNGrad" }

// OutShape is the shape of x.
func (o *LRNGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	out, err := sameShape(in, 2)
	if err != nil {
		return nil, err
	}
	return out, o.checkShape(out)
}

// Do computes the gradient.
func (o *LRNGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*LRNGrad) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *LRNGrad) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *LRNGrad) eval(in []array, out array) {
	factor := 2 * float64(o.Beta) * float64(o.Alpha) / float64(o.Size)
	forLines(1, in, out, func(lines [][]float64, dx []float64) {
		x, dy := lines[0], lines[1]
		u := o.norms(x)
		for c := range x {
			// x[c] is in the windows of the channels that see it.
			low, high := o.channels(c, len(x), true)
			sum := 0.0
			for k := low; k < high; k++ {
				sum += float64(dy[k] * x[k] * o.inversePower(u[k]) / u[k])
			}
			dx[c] = float64(dy[c]*o.inversePower(u[c])) - float64(factor*x[c]*sum)
		}
	})
}
