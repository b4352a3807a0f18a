package op

import (
	"math"

	"gorgonia.org/gorgonia"

	"regraft/engine/kernel"
)

// Pow is a to the power of b with NumPy's broadcasting (ONNX Pow-15).
type Pow struct{ binary }

// Name is Pow.
func (*Pow) Name() string { return "Pow" }

// Do computes powers.
func (o *Pow) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for the base.
func (*Pow) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives PowGrad, summed over what was broadcast; exponents are taken for constants.
func (*Pow) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	slope := c.apply(&PowSlope{}, in[0], in[1])
	return gorgonia.Nodes{c.sumTo(c.apply(&Mul{}, dy, slope), in[0]), nil}, c.err
}

func (*Pow) point() func(a, b float64) float64 { return power }

func (o *Pow) eval(in []array, out array) { broadcast(in[0], in[1], out, o.point()) }

// PowSlope is the derivative of Pow in its base: b * a^(b-1), with NumPy's broadcasting.
type PowSlope struct{ binary }

// Name is PowSlope.
func (*PowSlope) Name() string { return "PowSlope" }

// Do computes the derivative.
func (o *PowSlope) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*PowSlope) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *PowSlope) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (*PowSlope) point() func(a, b float64) float64 {
	return func(a, b float64) float64 {
		if b == 0 {
			return 0
		}
		return b * power(a, b-1)
	}
}

func (o *PowSlope) eval(in []array, out array) { broadcast(in[0], in[1], out, o.point()) }

// power multiplies for whole exponents up to 64 and takes exp(b*log(a)) for others. A negative base with a fractional exponent gives NaN.
func power(a, b float64) float64 {
	whole := math.Trunc(b) == b
	if whole && math.Abs(b) <= 64 {
		p := 1.0
		for range int(math.Abs(b)) {
			p *= a
		}
		if b < 0 {
			return 1 / p
		}
		return p
	}
	if b == 0.5 {
		return math.Sqrt(a)
	}
	p := kernel.Exp(b * kernel.Log(math.Abs(a)))
	switch {
	case a >= 0 || whole && math.Mod(b, 2) == 0:
		return p
	case whole:
		return -p
	}
	return math.NaN()
}
