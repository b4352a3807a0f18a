package op

import (
	"math"

	"gorgonia.org/gorgonia"

	"regraft/engine/kernel"
)

// Gelu is x times the standard normal distribution function at x (ONNX Gelu-20; Hendrycks and Gimpel, 2016).
type Gelu struct {
	unary
	// Tanh selects the approximation x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715*x*x*x))).
	Tanh bool
}

// Name is Gelu.
func (*Gelu) Name() string { return "Gelu" }

// Do computes the function.
func (o *Gelu) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives GeluGrad.
func (o *Gelu) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&GeluGrad{Tanh: o.Tanh}, in[0], dy)
}

func (o *Gelu) eval(in []array, out array) {
	in[0].mapTo(out, func(x float64) float64 {
		if o.Tanh {
			return x / 2 * (1 + kernel.Tanh(geluInner(x)))
		}
		return x * normalCDF(x)
	})
}

const sqrt2OverPi = 0.7978845608028653558798921198687637369517

func geluInner(x float64) float64 {
	return sqrt2OverPi * (x + float64(0.044715*x*x*x))
}

func normalCDF(x float64) float64 { return 0.5 * (1 + erf(x/math.Sqrt2)) }

// GeluGrad is the gradient of Gelu: x and dy give dx.
type GeluGrad struct {
	unaryGrad
	Tanh bool
}

// Name is GeluGrad.
func (*GeluGrad) Name() string { return "GeluGrad" }

// Do computes the gradient.
func (o *GeluGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *GeluGrad) eval(in []array, out array) {
	zip(in[0], in[1], out, func(x, dy float64) float64 {
		if o.Tanh {
			t := kernel.Tanh(geluInner(x))
			slope := sqrt2OverPi * (1 + float64(3*0.044715*x*x))
			return dy * (0.5*(1+t) + float64(x/2*(1-float64(t*t))*slope))
		}
		density := sqrt2OverPi / 2 * kernel.Exp(-x*x/2)
		return dy * (normalCDF(x) + float64(x*density))
	})
}

// Erf is the error function (ONNX Erf-13).
type Erf struct{ unary }

// Name is Erf.
func (*Erf) Name() string { return "Erf" }

// Do computes the function.
func (o *Erf) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives ErfGrad.
func (*Erf) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&ErfGrad{}, in[0], dy)
}

func (*Erf) eval(in []array, out array) { in[0].mapTo(out, erf) }

// ErfGrad is the gradient of Erf: x and dy give dy * 2/sqrt(pi) * exp(-x*x).
type ErfGrad struct{ unaryGrad }

// Name is ErfGrad.
func (*ErfGrad) Name() string { return "ErfGrad" }

// Do computes the gradient.
func (o *ErfGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*ErfGrad) eval(in []array, out array) {
	zip(in[0], in[1], out, func(x, dy float64) float64 { return dy * (2 / math.SqrtPi * kernel.Exp(-x*x)) })
}

// erf sums 2/sqrt(pi) * exp(-x*x) * sum(2^n x^(2n+1) / (2n+1)!!) (Abramowitz and Stegun 7.1.6), whose terms
// all have one sign. From 6 on the function is 1 to the last bit. (math.Erf differs between architectures.)
func erf(x float64) float64 {
	if !(math.Abs(x) < 6) {
		if math.IsNaN(x) {
			return x
		}
		return math.Copysign(1, x)
	}
	x2 := 2 * x * x
	term, sum := x, x
	for n := 3.0; math.Abs(term) > 1e-17*math.Abs(sum); n += 2 {
		term *= x2 / n
		sum += term
	}
	return 2 / math.SqrtPi * kernel.Exp(-x*x) * sum
}
