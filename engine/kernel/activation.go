package kernel

// Activations without a vector form, computed in float64 with this package's Exp and rounded once.

// Sigmoid is 1 / (1 + e**-x).
func Sigmoid(x float32) float32 { return float32(sigmoid(x)) }

// SigmoidGrad is the gradient of Sigmoid at x for dy.
func SigmoidGrad(x, dy float32) float32 {
	s := sigmoid(x)
	return float32(float64(dy) * s * (1 - s))
}

// SiLU is x / (1 + e**-x), also known as Swish (Ramachandran et al., 2017).
func SiLU(x float32) float32 { return float32(float64(x) * sigmoid(x)) }

// SiLUGrad is the gradient of SiLU at x for dy.
func SiLUGrad(x, dy float32) float32 {
	s := sigmoid(x)
	return float32(float64(dy) * s * (1 + float64(float64(x)*(1-s))))
}

// HardSigmoid is min(max(alpha x + beta, 0), 1) (ONNX HardSigmoid).
func HardSigmoid(x, alpha, beta float32) float32 { return float32(hardSigmoid(x, alpha, beta)) }

// HardSigmoidGrad is the gradient of HardSigmoid at x for dy: 0 at and beyond both ends.
func HardSigmoidGrad(x, dy, alpha, beta float32) float32 {
	if h := hardSigmoid(x, alpha, beta); h <= 0 || h >= 1 {
		return 0
	}
	return float32(dy * alpha)
}

// HardSwish is x min(max(x/6 + 1/2, 0), 1) (ONNX HardSwish, Howard et al., MobileNetV3, 2019).
func HardSwish(x float32) float32 {
	switch v := float64(x); {
	case v <= -3:
		return 0
	case v >= 3:
		return x
	default:
		return float32(v * (v + 3) / 6)
	}
}

// HardSwishGrad is the gradient of HardSwish at x for dy, with PyTorch's choice at both ends: 0 at -3
// and dy at 3.
func HardSwishGrad(x, dy float32) float32 {
	switch v := float64(x); {
	case v <= -3:
		return 0
	case v >= 3:
		return dy
	default:
		return float32(float64(dy) * (v/3 + 0.5))
	}
}

func sigmoid(x float32) float64 { return 1 / (1 + Exp(-float64(x))) }

func hardSigmoid(x, alpha, beta float32) float64 {
	return min(max(float64(float64(alpha)*float64(x))+float64(beta), 0), 1)
}

// NewSigmoid, NewSiLU, NewHardSigmoid and NewHardSwish apply the functions of this file. Operands: 0 X,
// 1 Y. Item: one plane.
func NewSigmoid(in, out Layout) (Primitive, error) { return NewMap("sigmoid", in, out, Sigmoid) }

func NewSiLU(in, out Layout) (Primitive, error) { return NewMap("silu", in, out, SiLU) }

func NewHardSwish(in, out Layout) (Primitive, error) { return NewMap("hardswish", in, out, HardSwish) }

func NewHardSigmoid(in, out Layout, alpha, beta float32) (Primitive, error) {
	return NewMap("hardsigmoid", in, out, func(x float32) float32 { return HardSigmoid(x, alpha, beta) })
}

// NewSigmoidGrad, NewSiLUGrad, NewHardSigmoidGrad and NewHardSwishGrad are their gradients. Operands:
// 0 X (what the function was given), 1 dY, 2 dX. Item: one plane.
func NewSigmoidGrad(x, dy, dx Layout) (Primitive, error) {
	return NewMap2("sigmoid_grad", x, dy, dx, SigmoidGrad)
}

func NewSiLUGrad(x, dy, dx Layout) (Primitive, error) {
	return NewMap2("silu_grad", x, dy, dx, SiLUGrad)
}

func NewHardSwishGrad(x, dy, dx Layout) (Primitive, error) {
	return NewMap2("hardswish_grad", x, dy, dx, HardSwishGrad)
}

func NewHardSigmoidGrad(x, dy, dx Layout, alpha, beta float32) (Primitive, error) {
	return NewMap2("hardsigmoid_grad", x, dy, dx, func(v, d float32) float32 { return HardSigmoidGrad(v, d, alpha, beta) })
}
