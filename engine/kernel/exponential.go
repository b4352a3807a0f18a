package kernel

// Smooth relatives of ReLU, made of exponentials.

// Constants behind those of exp32, in the order that gen/exponential.go knows. The logarithm is 2 artanh(t/(2+t)), which is
// t/(2+t) times a polynomial of the square of that: fitted from 0 to 1/9 with a relative error below 4e-9.
var (
	mishTable     = append(expTable[:len(expTable):len(expTable)], lanesOf(mishEnd, 2, 4)...)
	softplusTable = append(expTable[:len(expTable):len(expTable)], lanesOf(2, artanh4, artanh3, artanh2, artanh1, artanh0)...)
)

const (
	mishEnd                            = 20 // from there on tanh(softplus(x)) is 1
	artanh4, artanh3, artanh2, artanh1 = 0.28174666, 0.27961426, 0.40024852, 0.66666316
	artanh0                            = 2.00000001
)

var (
	// eluKernel: Low is the rate, High the factor of e**x - 1, and the table ends with that of x.
	eluKernel = planeKernel{"elu", func(k *planeArgs) {
		gamma := lanesAt(k.Vector[0] + 4*Lanes*uintptr(len(expTable)))
		k.each(func(x, _, out *[Lanes]float32) {
			for c, v := range x {
				below := expm1(atMost(0, v)*k.Low) * k.High
				out[c] = fma32(atLeast(0, v), gamma[c], below)
			}
		})
	}}
	eluGradKernel = planeKernel{"elugrad", func(k *planeArgs) {
		gamma := lanesAt(k.Vector[0] + 4*Lanes*uintptr(len(expTable)))
		k.each(func(x, dy, dx *[Lanes]float32) {
			for c, v := range x {
				slope := gamma[c]
				if !(v > 0) {
					slope = exp32(float32(atMost(0, v)*k.Low)) * k.High
				}
				dx[c] = slope * dy[c]
			}
		})
	}}
	softplusKernel = planeKernel{"softplus", func(k *planeArgs) {
		one := lanesAt(k.Vector[0])
		k.each(func(x, _, out *[Lanes]float32) {
			for c, v := range x {
				t := exp32(atMost(0-v, v))
				s := t / (t + 2)
				z := float32(s * s)
				p := float32(artanh4)
				for _, a := range [...]float32{artanh3, artanh2, artanh1, artanh0} {
					p = fma32(p, z, a)
				}
				out[c] = fma32(p, s, atLeast(0, v)) * one[c]
			}
		})
	}}
	softsignKernel = planeKernel{"softsign", func(k *planeArgs) {
		k.each(func(x, _, out *[Lanes]float32) {
			for c, v := range x {
				out[c] = v / (atLeast(0-v, v) + 1)
			}
		})
	}}
	softsignGradKernel = planeKernel{"softsigngrad", func(k *planeArgs) {
		k.each(func(x, dy, dx *[Lanes]float32) {
			for c, v := range x {
				a := atLeast(0-v, v) + 1
				dx[c] = dy[c] / float32(a*a)
			}
		})
	}}
	mishKernel = planeKernel{"mish", func(k *planeArgs) {
		k.each(func(x, _, out *[Lanes]float32) {
			for c, v := range x {
				_, n := mishParts(v)
				out[c] = float32(n/(n+2)) * v
			}
		})
	}}
	mishGradKernel = planeKernel{"mishgrad", func(k *planeArgs) {
		k.each(func(x, dy, dx *[Lanes]float32) {
			for c, v := range x {
				e, n := mishParts(v)
				m := n + 2
				s := float32(float32(e*(e+1))/m) * atMost(mishEnd, v)
				dx[c] = float32(fma32(s, 4, n)/m) * dy[c]
			}
		})
	}}
)

// mishParts is e**x and n = (1 + e**x)**2 - 1, of which tanh(softplus(x)) is n/(n+2).
func mishParts(x float32) (e, n float32) {
	e = exp32(atMost(mishEnd, x))
	return e, float32((e + 2) * e)
}

// Elu is gamma x where x > 0, else gamma alpha (e**(rate x) - 1) (ONNX Elu, Selu and Celu).
func Elu(alpha, gamma, rate float32) Activation {
	return Activation{kernel: eluKernel, table: eluTable(gamma), low: rate, high: float32(alpha * gamma)}
}

func eluTable(gamma float32) [][Lanes]float32 {
	return append(expTable[:len(expTable):len(expTable)], lanesOf(gamma)...)
}

// NewEluGrad is the gradient of Elu: the left one at 0. Operands as for NewSigmoidGrad.
func NewEluGrad(set *Set, x, dy, dx Layout, alpha, gamma, rate float32) (Primitive, error) {
	f := Elu(alpha, gamma, rate)
	f.kernel, f.high = eluGradKernel, float32(f.high*rate)
	return newActivationGradOf(set, f, x, dy, dx)
}

// Softplus is ln(1 + e**x) (ONNX Softplus); its gradient is the sigmoid.
func Softplus() Activation {
	return Activation{kernel: softplusKernel, table: softplusTable, ones: true}
}

// Softsign is x / (1 + |x|) (ONNX Softsign).
func Softsign() Activation { return Activation{kernel: softsignKernel, table: expTable} }

// NewSoftsignGrad is the gradient of Softsign. Operands as for NewSigmoidGrad.
func NewSoftsignGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return newActivationGradOf(set, Activation{kernel: softsignGradKernel, table: expTable}, x, dy, dx)
}

// Mish is x tanh(softplus(x)) (Misra, 2019).
func Mish() Activation { return Activation{kernel: mishKernel, table: mishTable} }

// NewMishGrad is the gradient of Mish. Operands as for NewSigmoidGrad.
func NewMishGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return newActivationGradOf(set, Activation{kernel: mishGradKernel, table: mishTable}, x, dy, dx)
}
