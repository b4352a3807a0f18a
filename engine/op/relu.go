package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Relu is max(x, 0), element by element.
type Relu struct{ unary }

// Name is Relu.
func (*Relu) Name() string { return "Relu" }

// Do computes max(x, 0); NaN stays NaN.
func (o *Relu) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives ReluGrad of the result.
func (*Relu) SymDiff(_ gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&ReluGrad{}, y, dy)
}

func (*Relu) eval(in []array, out array) {
	in[0].mapTo(out, func(x float64) float64 {
		if x < 0 {
			return 0
		}
		return x
	})
}

// ReluGrad is the gradient of Relu: its result y and dy give dy where y > 0, else 0.
type ReluGrad struct{ unaryGrad }

// Name is ReluGrad.
func (*ReluGrad) Name() string { return "ReluGrad" }

// Do computes the gradient.
func (o *ReluGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*ReluGrad) eval(in []array, out array) {
	zip(in[0], in[1], out, func(y, dy float64) float64 {
		if y > 0 {
			return dy
		}
		return 0
	})
}

// unary is the base of operators that compute every element from the same element of one operand.
type unary struct{ base }

// OutShape is the operand's shape.
func (*unary) OutShape(in ...tensor.Shape) (tensor.Shape, error) { return sameShape(in, 1) }

// DiffWRT is true.
func (*unary) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// unaryGrad is the base of their gradients: two operands and a result of one shape.
type unaryGrad struct{ undifferentiable }

// OutShape is the operands' shape.
func (*unaryGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) { return sameShape(in, 2) }

// mapTo sets every element of out to f of the same element of a.
func (a array) mapTo(out array, f func(x float64) float64) {
	for i, x := range a.data {
		out.data[i] = f(x)
	}
}

// zip sets every element of out to f of the same elements of a and b.
func zip(a, b, out array, f func(x, y float64) float64) {
	for i, x := range a.data {
		out.data[i] = f(x, b.data[i])
	}
}
