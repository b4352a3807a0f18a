package op

import (
	"math"

	"gorgonia.org/gorgonia"

	"regraft/engine/kernel"
)

// Smooth relatives of Relu, made of exponentials.

// Elu is Gamma*x where x > 0, else Gamma*Alpha*(exp(Rate*x) - 1). ONNX's Elu-6 (Clevert et al., 2016) has Gamma and Rate 1,
// Selu-6 (Klambauer et al., 2017) Rate 1, Celu-12 (Barron, 2017) Gamma 1 and Rate 1/Alpha.
type Elu struct {
	unary
	Alpha, Gamma, Rate float32
}

// Name is Elu.
func (*Elu) Name() string { return "Elu" }

// Do computes the function.
func (o *Elu) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives EluGrad.
func (o *Elu) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&EluGrad{Alpha: o.Alpha, Gamma: o.Gamma, Rate: o.Rate}, in[0], dy)
}

func (o *Elu) eval(in []array, out array) {
	alpha, gamma, rate := float64(o.Alpha), float64(o.Gamma), float64(o.Rate)
	in[0].mapTo(out, func(x float64) float64 {
		if x > 0 {
			return gamma * x
		}
		return gamma * alpha * (kernel.Exp(rate*x) - 1)
	})
}

// EluGrad is the gradient of Elu: x and dy give dx.
type EluGrad struct {
	unaryGrad
	Alpha, Gamma, Rate float32
}

// Name is EluGrad.
func (*EluGrad) Name() string { return "EluGrad" }

// Do computes the gradient.
func (o *EluGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *EluGrad) eval(in []array, out array) {
	alpha, gamma, rate := float64(o.Alpha), float64(o.Gamma), float64(o.Rate)
	zip(in[0], in[1], out, func(x, dy float64) float64 {
		if x > 0 {
			return gamma * dy
		}
		return gamma * alpha * rate * kernel.Exp(rate*x) * dy
	})
}

// Softplus is log(1 + exp(x)) (ONNX Softplus-1).
type Softplus struct{ unary }

// Name is Softplus.
func (*Softplus) Name() string { return "Softplus" }

// Do computes the function.
func (o *Softplus) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives dy times the sigmoid of x.
func (*Softplus) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	return gorgonia.Nodes{c.apply(&Mul{}, dy, c.apply(&Sigmoid{}, in[0]))}, c.err
}

func (*Softplus) eval(in []array, out array) { in[0].mapTo(out, softplus) }

// softplus is max(x, 0) + log(1 + exp(-|x|)), where the logarithm of a number near 1 is its series.
func softplus(x float64) float64 {
	t := kernel.Exp(-math.Abs(x))
	rest := kernel.Log(1 + t)
	if t < 1e-4 {
		rest = t * (1 - float64(t*(0.5-float64(t*(1.0/3-float64(t*0.25))))))
	}
	return max(x, 0) + rest
}

// Softsign is x/(1+|x|) (ONNX Softsign-1).
type Softsign struct{ unary }

// Name is Softsign.
func (*Softsign) Name() string { return "Softsign" }

// Do computes the function.
func (o *Softsign) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives SoftsignGrad.
func (*Softsign) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&SoftsignGrad{}, in[0], dy)
}

func (*Softsign) eval(in []array, out array) {
	in[0].mapTo(out, func(x float64) float64 { return x / (1 + math.Abs(x)) })
}

// SoftsignGrad is the gradient of Softsign: x and dy give dy/(1+|x|)^2.
type SoftsignGrad struct{ unaryGrad }

// Name is SoftsignGrad.
func (*SoftsignGrad) Name() string { return "SoftsignGrad" }

// Do computes the gradient.
func (o *SoftsignGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*SoftsignGrad) eval(in []array, out array) {
	zip(in[0], in[1], out, func(x, dy float64) float64 { return dy / float64((1+math.Abs(x))*(1+math.Abs(x))) })
}

// Mish is x*tanh(softplus(x)) (ONNX Mish-18; Misra, 2019).
type Mish struct{ unary }

// Name is Mish.
func (*Mish) Name() string { return "Mish" }

// Do computes the function.
func (o *Mish) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives MishGrad.
func (*Mish) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&MishGrad{}, in[0], dy)
}

func (*Mish) eval(in []array, out array) {
	in[0].mapTo(out, func(x float64) float64 {
		_, n := mishParts(x)
		return x * (n / (n + 2))
	})
}

// mishParts is e = exp(x) and n = (1+e)^2 - 1, of which tanh(softplus(x)) is n/(n+2).
func mishParts(x float64) (e, n float64) {
	e = kernel.Exp(min(x, mishEnd))
	return e, e * (e + 2)
}

// mishEnd is where tanh(softplus(x)) is 1 from on.
const mishEnd = 40

// MishGrad is the gradient of Mish: x and dy give dx.
type MishGrad struct{ unaryGrad }

// Name is MishGrad.
func (*MishGrad) Name() string { return "MishGrad" }

// Do computes the gradient.
func (o *MishGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*MishGrad) eval(in []array, out array) {
	zip(in[0], in[1], out, func(x, dy float64) float64 {
		e, n := mishParts(x)
		slope := float64(4*min(x, mishEnd)*(e*(1+e)/(n+2))) + n // times n+2
		return dy * (slope / (n + 2))
	})
}
