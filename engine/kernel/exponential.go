package kernel

// Smooth relatives of ReLU, made of exponentials.

const (
	eluKernel          planeKernel = "elu"
	eluGradKernel      planeKernel = "elugrad"
	softplusKernel     planeKernel = "softplus"
	softsignKernel     planeKernel = "softsign"
	softsignGradKernel planeKernel = "softsigngrad"
	mishKernel         planeKernel = "mish"
	mishGradKernel     planeKernel = "mishgrad"
)

// Elu is gamma x where x > 0, else gamma alpha (e**(rate x) - 1) (ONNX Elu, Selu and Celu).
func Elu(alpha, gamma, rate float32) Activation {
	f := Activation{kernel: eluKernel, low: rate, high: float32(alpha * gamma), lanes: new([Lanes]float32)}
	for c := range f.lanes {
		f.lanes[c] = gamma
	}
	return f
}

// NewEluGrad is the gradient of Elu: the left one at 0. Operands as for NewSigmoidGrad.
func NewEluGrad(set *Set, x, dy, dx Layout, alpha, gamma, rate float32) (Primitive, error) {
	f := Elu(alpha, gamma, rate)
	f.kernel, f.high = eluGradKernel, float32(f.high*rate)
	return f.gradient(set, x, dy, dx)
}

// Softplus is ln(1 + e**x) (ONNX Softplus); its gradient is the sigmoid.
func Softplus() Activation {
	return Activation{kernel: softplusKernel, ones: true}
}

// Softsign is x / (1 + |x|) (ONNX Softsign).
func Softsign() Activation { return Activation{kernel: softsignKernel} }

// NewSoftsignGrad is the gradient of Softsign. Operands as for NewSigmoidGrad.
func NewSoftsignGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return Activation{kernel: softsignGradKernel}.gradient(set, x, dy, dx)
}

// Mish is x tanh(softplus(x)) (Misra, 2019).
func Mish() Activation { return Activation{kernel: mishKernel} }

// NewMishGrad is the gradient of Mish. Operands as for NewSigmoidGrad.
func NewMishGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return Activation{kernel: mishGradKernel}.gradient(set, x, dy, dx)
}
