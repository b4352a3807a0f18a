package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/kernel"
)

// Softmax is exp(x)/sum(exp(x)) along Axis (ONNX Softmax-13).
type Softmax struct {
	base
	Axis int // negative counts from the last dimension
}

// Name is Softmax.
func (*Softmax) Name() string { return "Softmax" }

// OutShape is the shape of x.
func (o *Softmax) OutShape(in ...tensor.Shape) (tensor.Shape, error) { return lineShape(in, 1, o.Axis) }

// Do shifts by the largest element, so that nothing overflows.
func (o *Softmax) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*Softmax) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives SoftmaxGrad of the result.
func (o *Softmax) SymDiff(_ gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&SoftmaxGrad{Axis: o.Axis}, y, dy)
}

func (o *Softmax) line() Line {
	return Line{o.Axis, func(x [][]float64, y []float64) { softmax(x[0], y) }}
}

func (o *Softmax) eval(in []array, out array) { alongAxis(o.line(), in, out) }

// SoftmaxGrad is the gradient of Softmax: its result y and dy give y*(dy - sum(dy*y)) along Axis.
type SoftmaxGrad struct {
	undifferentiable
	Axis int
}

// Name is SoftmaxGrad.
func (*SoftmaxGrad) Name() string { return "SoftmaxGrad" }

// OutShape is the shape of y.
func (o *SoftmaxGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	return lineShape(in, 2, o.Axis)
}

// Do computes the gradient.
func (o *SoftmaxGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *SoftmaxGrad) line() Line {
	return Line{o.Axis, func(x [][]float64, dx []float64) {
		y, dy := x[0], x[1]
		sum := 0.0
		for i := range y {
			sum += float64(y[i] * dy[i])
		}
		for i := range y {
			dx[i] = y[i] * (dy[i] - sum)
		}
	}}
}

func (o *SoftmaxGrad) eval(in []array, out array) { alongAxis(o.line(), in, out) }

// LogSoftmax is x - log(sum(exp(x))) along Axis (ONNX LogSoftmax-13).
type LogSoftmax struct {
	base
	Axis int // negative counts from the last dimension
}

// Name is LogSoftmax.
func (*LogSoftmax) Name() string { return "LogSoftmax" }

// OutShape is the shape of x.
func (o *LogSoftmax) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	return lineShape(in, 1, o.Axis)
}

// Do shifts by the largest element, so that nothing overflows.
func (o *LogSoftmax) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*LogSoftmax) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives LogSoftmaxGrad of the result.
func (o *LogSoftmax) SymDiff(_ gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&LogSoftmaxGrad{Axis: o.Axis}, y, dy)
}

func (o *LogSoftmax) line() Line {
	return Line{o.Axis, func(x [][]float64, y []float64) {
		logSum := logSumExp(x[0])
		for i, v := range x[0] {
			y[i] = v - logSum
		}
	}}
}

func (o *LogSoftmax) eval(in []array, out array) { alongAxis(o.line(), in, out) }

// LogSoftmaxGrad is the gradient of LogSoftmax: its result y and dy give dy - exp(y)*sum(dy) along Axis.
type LogSoftmaxGrad struct {
	undifferentiable
	Axis int
}

// Name is LogSoftmaxGrad.
func (*LogSoftmaxGrad) Name() string { return "LogSoftmaxGrad" }

// OutShape is the shape of y.
func (o *LogSoftmaxGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	return lineShape(in, 2, o.Axis)
}

// Do computes the gradient.
func (o *LogSoftmaxGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *LogSoftmaxGrad) line() Line {
	return Line{o.Axis, func(x [][]float64, dx []float64) {
		y, dy := x[0], x[1]
		sum := 0.0
		for _, g := range dy {
			sum += g
		}
		for i := range y {
			dx[i] = dy[i] - float64(kernel.Exp(y[i])*sum)
		}
	}}
}

func (o *LogSoftmaxGrad) eval(in []array, out array) { alongAxis(o.line(), in, out) }

// lineShape is OutShape of operators along an axis whose n operands and result have one shape.
func lineShape(in []tensor.Shape, n, axis int) (tensor.Shape, error) {
	out, err := sameShape(in, n)
	if err == nil {
		_, err = resolveAxis(axis, len(out))
	}
	return out, err
}

// forLines calls f for every line along axis, with the line of each operand and that of the result.
func forLines(axis int, in []array, out array, f func(x [][]float64, y []float64)) {
	axis, _ = resolveAxis(axis, len(out.shape))
	outer, size, inner := around(out.shape, axis)
	x := make([][]float64, len(in))
	for i := range x {
		x[i] = make([]float64, size)
	}
	y := make([]float64, size)
	for line := range outer * inner {
		start := line/inner*size*inner + line%inner
		for i := range x {
			for k := range size {
				x[i][k] = in[i].data[start+k*inner]
			}
		}
		f(x, y)
		for k := range size {
			out.data[start+k*inner] = y[k]
		}
	}
}

// softmax sets y to exp(x)/sum(exp(x)).
func softmax(x, y []float64) {
	largest := maximum(x)
	sum := 0.0
	for i, v := range x {
		y[i] = kernel.Exp(v - largest)
		sum += y[i]
	}
	for i := range y {
		y[i] /= sum
	}
}

// logSumExp is log(sum(exp(x))).
func logSumExp(x []float64) float64 {
	largest := maximum(x)
	sum := 0.0
	for _, v := range x {
		sum += kernel.Exp(v - largest)
	}
	return largest + kernel.Log(sum)
}

func maximum(x []float64) float64 {
	m := x[0]
	for _, v := range x[1:] {
		m = max(m, v)
	}
	return m
}
