package kernel

import "math"

// Activations and their gradients, with the same operations in the same order in all forms. Constants lie in tables that
// the assembly shares; a factor that is 1 in real lanes and 0 in those past the last channel keeps these at zero.

var (
	sigmoidKernel = planeKernel{"sigmoid", func(k *planeArgs) {
		one := lanesAt(k.Vector[0])
		k.each(func(x, _, out *[Lanes]float32) {
			for c, v := range x {
				out[c] = one[c] / (1 + exp32(0-v))
			}
		})
	}}
	sigmoidGradKernel = planeKernel{"sigmoidgrad", func(k *planeArgs) {
		k.each(func(x, dy, dx *[Lanes]float32) {
			for c, v := range x {
				s, rest := sigmoidAndRest(v)
				dx[c] = float32(rest*s) * dy[c]
			}
		})
	}}
	siluKernel = planeKernel{"silu", func(k *planeArgs) {
		k.each(func(x, _, out *[Lanes]float32) {
			for c, v := range x {
				out[c] = v / (1 + exp32(0-v))
			}
		})
	}}
	siluGradKernel = planeKernel{"silugrad", func(k *planeArgs) {
		k.each(func(x, dy, dx *[Lanes]float32) {
			for c, v := range x {
				s, rest := sigmoidAndRest(v)
				dx[c] = float32(fma32(rest, v, 1)*s) * dy[c]
			}
		})
	}}
	hardSigmoidKernel = planeKernel{"hardsigmoid", func(k *planeArgs) {
		one := lanesAt(k.Vector[0])
		k.each(func(x, _, out *[Lanes]float32) {
			for c, v := range x {
				out[c] = clip(fma32(v, k.Low, k.High), 0, one[c])
			}
		})
	}}
	hardSigmoidGradKernel = planeKernel{"hardsigmoidgrad", func(k *planeArgs) {
		one := lanesAt(k.Vector[0])
		k.each(func(x, dy, dx *[Lanes]float32) {
			for c, v := range x {
				d := dy[c]
				if h := fma32(v, k.Low, k.High); !(h > 0 && h < one[c]) {
					d = 0
				}
				dx[c] = d * k.Low
			}
		})
	}}
	hardSwishKernel = planeKernel{"hardswish", func(k *planeArgs) {
		k.each(func(x, _, out *[Lanes]float32) {
			for c, v := range x {
				out[c] = float32(clip(v+3, 0, 6)*sixth) * v
			}
		})
	}}
	hardSwishGradKernel = planeKernel{"hardswishgrad", func(k *planeArgs) {
		k.each(func(x, dy, dx *[Lanes]float32) {
			for c, v := range x {
				slope := fma32(v, third, 0.5)
				switch {
				case v <= -3:
					slope = 0
				case v >= 3:
					slope = 1
				}
				dx[c] = slope * dy[c]
			}
		})
	}}
)

const sixth, third float32 = 1.0 / 6, 1.0 / 3

// hardTable is the constants of the hard swish, in the order that gen/activation.go knows.
var hardTable = lanesOf(3, 6, sixth, third, 0.5, -3, 1)

// sigmoidAndRest is sigmoid(x) and 1 - sigmoid(x), which loses no digits where it is small.
func sigmoidAndRest(x float32) (s, rest float32) {
	e := exp32(0 - x)
	s = 1 / (1 + e)
	return s, atMost(math.MaxFloat32, e) * s // not infinity times zero
}

// atMost is min(high, v) that keeps NaN.
func atMost(high, v float32) float32 {
	if high < v {
		return high
	}
	return v
}

// Activation is a function of every element, for a step of its own (NewActivation) or for what another step has just
// written (Conv.Followed, Depthwise.Followed): the bits are the same.
type Activation struct {
	kernel    planeKernel
	table     [][Lanes]float32 // of constants
	ones      bool             // needs to know which lanes are channels
	low, high float32
}

// Sigmoid is 1 / (1 + e**-x).
func Sigmoid() Activation { return Activation{kernel: sigmoidKernel, table: expTable, ones: true} }

// SiLU is x / (1 + e**-x), also known as Swish (Ramachandran et al., 2017).
func SiLU() Activation { return Activation{kernel: siluKernel, table: expTable} }

// HardSigmoid is min(max(alpha x + beta, 0), 1) (ONNX HardSigmoid).
func HardSigmoid(alpha, beta float32) Activation {
	return Activation{kernel: hardSigmoidKernel, ones: true, low: alpha, high: beta}
}

// HardSwish is x min(max(x + 3, 0), 6) / 6 (ONNX HardSwish, Howard et al., MobileNetV3, 2019).
func HardSwish() Activation { return Activation{kernel: hardSwishKernel, table: hardTable} }

// NewActivation is y = f(x). Operands: 0 X, 1 Y, which may be the same memory. Item: one plane.
func NewActivation(set *Set, f Activation, in, out Layout) (Primitive, error) {
	return f.planes(set, tensor{0, in}, tensor{1, out})
}

func (f Activation) planes(set *Set, x, out tensor) (*planes, error) {
	p, err := newPlanes(set, f.kernel, x, x, out)
	if err != nil {
		return nil, err
	}
	if f.ones {
		p.vectors = append(p.vectors, vector{ones: x.layout.C})
	}
	if f.table != nil {
		p.vectors = append(p.vectors, vector{constant: &f.table[0]})
	}
	p.low, p.high = f.low, f.high
	return p, nil
}

// NewSigmoidGrad is the gradient of Sigmoid. Operands: 0 X (what the function was given), 1 dY, 2 dX, which may be the
// memory of either. Item: one plane.
func NewSigmoidGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return newActivationGrad(set, sigmoidGradKernel, x, dy, dx, vector{constant: &expTable[0]})
}

// NewSiLUGrad is the gradient of SiLU. Operands as for NewSigmoidGrad.
func NewSiLUGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return newActivationGrad(set, siluGradKernel, x, dy, dx, vector{constant: &expTable[0]})
}

// NewHardSigmoidGrad is the gradient of HardSigmoid: 0 at and beyond both ends. Operands as for NewSigmoidGrad.
func NewHardSigmoidGrad(set *Set, x, dy, dx Layout, alpha, beta float32) (Primitive, error) {
	p, err := newActivationGrad(set, hardSigmoidGradKernel, x, dy, dx, vector{ones: x.C})
	if err != nil {
		return nil, err
	}
	p.low, p.high = alpha, beta
	return p, nil
}

// NewHardSwishGrad is the gradient of HardSwish, with PyTorch's choice at both ends: 0 at -3 and dy at 3. Operands as
// for NewSigmoidGrad.
func NewHardSwishGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return newActivationGrad(set, hardSwishGradKernel, x, dy, dx, vector{constant: &hardTable[0]})
}

// newActivationGradOf makes the gradient whose kernel and constants f holds.
func newActivationGradOf(set *Set, f Activation, x, dy, dx Layout) (Primitive, error) {
	p, err := newActivationGrad(set, f.kernel, x, dy, dx)
	if err != nil {
		return nil, err
	}
	if f.table != nil {
		p.vectors = []vector{{constant: &f.table[0]}}
	}
	p.low, p.high = f.low, f.high
	return p, nil
}

func newActivationGrad(set *Set, k planeKernel, x, dy, dx Layout, vectors ...vector) (*planes, error) {
	p, err := newPlanes(set, k, tensor{0, x}, tensor{1, dy}, tensor{2, dx})
	if err != nil {
		return nil, err
	}
	p.vectors = vectors
	return p, nil
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
	*k = planeArgs{
		X: at.first, Y: at.first, Out: at.first, XRow: at.rowBytes, YRow: at.rowBytes, OutRow: at.rowBytes,
		Rows: at.rows, Pixels: at.pixels, Low: p.low, High: p.high,
	}
	for j, v := range p.vectors {
		k.Vector[j] = v.block(a, image, block)
	}
	p.kernel.run(k)
}
