package kernel

// Relatives of ReLU. The kernels take what they let through from Y: the function takes X itself for it, the gradient dY.

var (
	leakyKernel     planeKernel = "leaky"     // y where x > 0, else Low y
	preluKernel     planeKernel = "prelu"     // with a slope per channel
	thresholdKernel planeKernel = "threshold" // y where x > Low, else 0
)

// LeakyReLU is x where x > 0, else alpha x (ONNX LeakyRelu).
func LeakyReLU(alpha float32) Activation { return Activation{kernel: leakyKernel, low: alpha} }

// NewLeakyReLUGrad is the gradient of LeakyReLU. Operands as for NewSigmoidGrad.
func NewLeakyReLUGrad(set *Set, x, dy, dx Layout, alpha float32) (Primitive, error) {
	return LeakyReLU(alpha).gradient(set, x, dy, dx)
}

// Threshold is x where x > alpha, else 0 (ONNX ThresholdedRelu).
func Threshold(alpha float32) Activation { return Activation{kernel: thresholdKernel, low: alpha} }

// NewThresholdGrad is the gradient of Threshold. Operands as for NewSigmoidGrad.
func NewThresholdGrad(set *Set, x, dy, dx Layout, alpha float32) (Primitive, error) {
	return Threshold(alpha).gradient(set, x, dy, dx)
}

// NewPReLU is x where x > 0, else slope x, with a slope per channel. Operands: 0 X, 1 slopes, 2 Y. Item: one plane.
func NewPReLU(set *Set, x, y Layout) (Primitive, error) {
	return newPReLU(set, tensor{0, x}, tensor{0, x}, tensor{2, y})
}

// NewPReLUGradX is its gradient in x. Operands: 0 X, 1 slopes, 2 dY, 3 dX, which may be the memory of X or dY. Item: one plane.
func NewPReLUGradX(set *Set, x, dy, dx Layout) (Primitive, error) {
	return newPReLU(set, tensor{0, x}, tensor{2, dy}, tensor{3, dx})
}

func newPReLU(set *Set, x, y, out tensor) (Primitive, error) {
	p, err := newPlanes(set, preluKernel, x, y, out)
	if err != nil {
		return nil, err
	}
	p.vectors = []vector{{at: 1}}
	return p, nil
}
