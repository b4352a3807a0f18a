package kernel

import "regraft/engine/kernel/abi"

// Activations and their gradients. A factor that is 1 in real lanes and 0 in those past the last channel keeps these at zero.

const (
	sigmoidKernel         planeKernel = "sigmoid"
	sigmoidGradKernel     planeKernel = "sigmoidgrad"
	siluKernel            planeKernel = "silu"
	siluGradKernel        planeKernel = "silugrad"
	geluKernel            planeKernel = "gelu"
	geluGradKernel        planeKernel = "gelugrad"
	geluTanhKernel        planeKernel = "gelutanh"
	geluTanhGradKernel    planeKernel = "gelutanhgrad"
	hardSigmoidKernel     planeKernel = "hardsigmoid"
	hardSigmoidGradKernel planeKernel = "hardsigmoidgrad"
	hardSwishKernel       planeKernel = "hardswish"
	hardSwishGradKernel   planeKernel = "hardswishgrad"
)

// Activation is a function of every element, for a step of its own (NewActivation) or for what another step has just
// written (Conv.Followed, Depthwise.Followed): the bits are the same.
type Activation struct {
	kernel    planeKernel
	ones      bool            // needs to know which lanes are channels
	lanes     *[Lanes]float32 // a third constant beside low and high
	low, high float32
}

// Sigmoid is 1 / (1 + e**-x).
func Sigmoid() Activation { return Activation{kernel: sigmoidKernel, ones: true} }

// SiLU is x / (1 + e**-x), also known as Swish (Ramachandran et al., 2017).
func SiLU() Activation { return Activation{kernel: siluKernel} }

// HardSigmoid is min(max(alpha x + beta, 0), 1) (ONNX HardSigmoid).
func HardSigmoid(alpha, beta float32) Activation {
	return Activation{kernel: hardSigmoidKernel, ones: true, low: alpha, high: beta}
}

// HardSwish is x min(max(x + 3, 0), 6) / 6 (ONNX HardSwish, Howard et al., MobileNetV3, 2019).
func HardSwish() Activation { return Activation{kernel: hardSwishKernel} }

// NewActivation is y = f(x). Operands: 0 X, 1 Y, which may be the same memory. Item: one plane.
func NewActivation(set *Set, f Activation, in, out Layout) (Primitive, error) {
	return f.planes(set, tensor{0, in}, tensor{1, out})
}

func (f Activation) planes(set *Set, x, out tensor) (*planes, error) {
	return f.of(set, x, x, out)
}

// gradient makes the gradient whose kernel and constants f holds.
func (f Activation) gradient(set *Set, x, dy, dx Layout) (Primitive, error) {
	return f.of(set, tensor{0, x}, tensor{1, dy}, tensor{2, dx})
}

func (f Activation) of(set *Set, x, y, out tensor) (*planes, error) {
	p, err := newPlanes(set, f.kernel, x, y, out)
	if err != nil {
		return nil, err
	}
	if f.ones {
		p.vectors = append(p.vectors, vector{ones: x.layout.C})
	}
	if f.lanes != nil {
		p.vectors = append(p.vectors, vector{constant: f.lanes})
	}
	p.low, p.high = f.low, f.high
	return p, nil
}

// NewSigmoidGrad is the gradient of Sigmoid. Operands: 0 X (what the function was given), 1 dY, 2 dX, which may be the
// memory of either. Item: one plane.
func NewSigmoidGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return Activation{kernel: sigmoidGradKernel}.gradient(set, x, dy, dx)
}

// NewSiLUGrad is the gradient of SiLU. Operands as for NewSigmoidGrad.
func NewSiLUGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return Activation{kernel: siluGradKernel}.gradient(set, x, dy, dx)
}

// Gelu is x times the normal distribution function at x (Hendrycks and Gimpel, 2016).
func Gelu() Activation { return Activation{kernel: geluKernel} }

// NewGeluGrad is the gradient of Gelu. Operands as for NewSigmoidGrad.
func NewGeluGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return Activation{kernel: geluGradKernel}.gradient(set, x, dy, dx)
}

// GeluTanh is Gelu's approximation x (1 + tanh(sqrt(2/pi) (x + 0.044715 x**3))) / 2.
func GeluTanh() Activation { return Activation{kernel: geluTanhKernel} }

// NewGeluTanhGrad is the gradient of GeluTanh. Operands as for NewSigmoidGrad.
func NewGeluTanhGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return Activation{kernel: geluTanhGradKernel}.gradient(set, x, dy, dx)
}

// NewHardSigmoidGrad is the gradient of HardSigmoid: 0 at and beyond both ends. Operands as for NewSigmoidGrad.
func NewHardSigmoidGrad(set *Set, x, dy, dx Layout, alpha, beta float32) (Primitive, error) {
	return Activation{kernel: hardSigmoidGradKernel, ones: true, low: alpha, high: beta}.gradient(set, x, dy, dx)
}

// NewHardSwishGrad is the gradient of HardSwish, with PyTorch's choice at both ends: 0 at -3 and dy at 3. Operands as
// for NewSigmoidGrad.
func NewHardSwishGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return Activation{kernel: hardSwishGradKernel}.gradient(set, x, dy, dx)
}

// pixels is part of a plane: rows of pixels at equal distances.
type pixels struct {
	first        uintptr
	rowBytes     int
	rows, pixels int
}

// here applies an activation prepared for one operand alone to some of its pixels.
func (p *planes) here(w *Worker, a *Args, image, block int, at pixels) {
	k := &w.after
	*k = abi.Plane{
		X: at.first, Y: at.first, Out: at.first, XRow: at.rowBytes, YRow: at.rowBytes, OutRow: at.rowBytes,
		Rows: at.rows, Pixels: at.pixels, Low: p.low, High: p.high,
	}
	for j, v := range p.vectors {
		k.Vector[j] = v.block(a, image, block)
	}
	p.kernel.Run(k)
}
