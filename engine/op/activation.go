package op

import (
	"gorgonia.org/gorgonia"

	"regraft/engine/kernel"
)

// Sigmoid is 1/(1+exp(-x)) (ONNX Sigmoid-13).
type Sigmoid struct{ unary }

// Name is Sigmoid.
func (*Sigmoid) Name() string { return "Sigmoid" }

// Do computes the function.
func (o *Sigmoid) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives SigmoidGrad.
func (*Sigmoid) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&SigmoidGrad{}, in[0], dy)
}

func (*Sigmoid) eval(in []array, out array) { in[0].mapTo(out, sigmoid) }

// SigmoidGrad is the gradient of Sigmoid: x and dy give dx.
type SigmoidGrad struct{ unaryGrad }

// Name is SigmoidGrad.
func (*SigmoidGrad) Name() string { return "SigmoidGrad" }

// Do computes the gradient.
func (o *SigmoidGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*SigmoidGrad) eval(in []array, out array) {
	zip(in[0], in[1], out, func(x, dy float64) float64 { return dy * sigmoid(x) * sigmoid(-x) })
}

func sigmoid(x float64) float64 { return 1 / (1 + kernel.Exp(-x)) }

// HardSigmoid is max(0, min(1, Alpha*x + Beta)) (ONNX HardSigmoid-6).
type HardSigmoid struct {
	unary
	Alpha, Beta float32
}

// Name is HardSigmoid.
func (*HardSigmoid) Name() string { return "HardSigmoid" }

// Do computes the function.
func (o *HardSigmoid) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives HardSigmoidGrad.
func (o *HardSigmoid) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&HardSigmoidGrad{Alpha: o.Alpha, Beta: o.Beta}, in[0], dy)
}

func (o *HardSigmoid) eval(in []array, out array) {
	in[0].mapTo(out, func(x float64) float64 { return max(0, min(1, ramp(o.Alpha, o.Beta, x))) })
}

func ramp(alpha, beta float32, x float64) float64 {
	return float64(float64(alpha)*x) + float64(beta)
}

// HardSigmoidGrad is the gradient of HardSigmoid: x and dy give Alpha*dy between the two flat parts, else 0.
type HardSigmoidGrad struct {
	unaryGrad
	Alpha, Beta float32
}

// Name is HardSigmoidGrad.
func (*HardSigmoidGrad) Name() string { return "HardSigmoidGrad" }

// Do computes the gradient.
func (o *HardSigmoidGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *HardSigmoidGrad) eval(in []array, out array) {
	zip(in[0], in[1], out, func(x, dy float64) float64 {
		if y := ramp(o.Alpha, o.Beta, x); y > 0 && y < 1 {
			return dy * float64(o.Alpha)
		}
		return 0
	})
}

// HardSwish is x * max(0, min(1, x/6 + 1/2)) (ONNX HardSwish-14).
type HardSwish struct{ unary }

// Name is HardSwish.
func (*HardSwish) Name() string { return "HardSwish" }

// Do computes the function.
func (o *HardSwish) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives HardSwishGrad.
func (*HardSwish) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&HardSwishGrad{}, in[0], dy)
}

func (*HardSwish) eval(in []array, out array) {
	in[0].mapTo(out, func(x float64) float64 { return x * max(0, min(1, x/6+0.5)) })
}

// HardSwishGrad is the gradient of HardSwish: x and dy give dx.
type HardSwishGrad struct{ unaryGrad }

// Name is HardSwishGrad.
func (*HardSwishGrad) Name() string { return "HardSwishGrad" }

// Do computes the gradient.
func (o *HardSwishGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*HardSwishGrad) eval(in []array, out array) {
	zip(in[0], in[1], out, func(x, dy float64) float64 {
		switch {
		case x <= -3:
			return 0
		case x >= 3:
			return dy
		}
		return dy * (x/3 + 0.5)
	})
}

// SiLU is x*sigmoid(x) (Hendrycks and Gimpel, 2016), exported as Sigmoid and Mul.
type SiLU struct{ unary }

// Name is SiLU.
func (*SiLU) Name() string { return "SiLU" }

// Do computes the function.
func (o *SiLU) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives SiLUGrad.
func (*SiLU) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&SiLUGrad{}, in[0], dy)
}

func (*SiLU) eval(in []array, out array) {
	in[0].mapTo(out, func(x float64) float64 { return x * sigmoid(x) })
}

// SiLUGrad is the gradient of SiLU: x and dy give dx.
type SiLUGrad struct{ unaryGrad }

// Name is SiLUGrad.
func (*SiLUGrad) Name() string { return "SiLUGrad" }

// Do computes the gradient.
func (o *SiLUGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*SiLUGrad) eval(in []array, out array) {
	zip(in[0], in[1], out, func(x, dy float64) float64 {
		return dy * sigmoid(x) * (1 + float64(x*sigmoid(-x)))
	})
}

// Tanh is the hyperbolic tangent (ONNX Tanh-13).
type Tanh struct{ unary }

// Name is Tanh.
func (*Tanh) Name() string { return "Tanh" }

// Do computes the function.
func (o *Tanh) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives TanhGrad of the result.
func (*Tanh) SymDiff(_ gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&TanhGrad{}, y, dy)
}

func (*Tanh) eval(in []array, out array) { in[0].mapTo(out, kernel.Tanh) }

// TanhGrad is the gradient of Tanh: its result y and dy give dy*(1-y*y).
type TanhGrad struct{ unaryGrad }

// Name is TanhGrad.
func (*TanhGrad) Name() string { return "TanhGrad" }

// Do computes the gradient.
func (o *TanhGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*TanhGrad) eval(in []array, out array) {
	zip(in[0], in[1], out, func(y, dy float64) float64 { return dy * (1 - float64(y*y)) })
}
