package kernel

// The Gaussian error linear unit (Hendrycks and Gimpel, 2016) by the tail of the normal distribution,
//
//	q(a) = e**(-a*a/2) P(t), t = 1 / (1 + tailSlope a), for a >= 0
//
// with a polynomial P that was fitted to 0 <= a <= 7 with a relative error below 1e-7: x times the distribution function is
// max(x, 0) - |x| q(|x|), which loses no digits on either side.
const (
	tailSlope                  = 0.3
	tail8, tail7, tail6, tail5 = 0.037010286, -0.1625277, 0.21500486, -0.061018627
	tail4, tail3, tail2, tail1 = 0.13199615, 0.09905965, 0.1208482, 0.11962719
	tailEnd                    = 16                // q is 0 from there on
	density                    = 0.398942280401433 // 1/sqrt(2 pi)
)

var (
	geluKernel = planeKernel{"gelu", func(k *planeArgs) {
		k.each(func(x, _, out *[Lanes]float32) {
			for c, v := range x {
				a, _, q := normalTail(v)
				out[c] = atLeast(0, v) - float32(a*q)
			}
		})
	}}
	geluGradKernel = planeKernel{"gelugrad", func(k *planeArgs) {
		k.each(func(x, dy, dx *[Lanes]float32) {
			for c, v := range x {
				a, e, q := normalTail(v)
				slope := fma32(float32(a*e), -density, q) // below 0: the function of x and x times the density
				if !(0 > v) {
					slope = 1 - slope
				}
				dx[c] = slope * dy[c]
			}
		})
	}}
)

// normalTail is |x| up to tailEnd, e**(-x*x/2), and the probability of more than |x|.
func normalTail(x float32) (a, e, q float32) {
	e = exp32(float32(x*x) * -0.5)
	a = atLeast(0-x, x)
	t := 1 / fma32(tailSlope, a, 1)
	p := float32(tail8)
	for _, c := range [...]float32{tail7, tail6, tail5, tail4, tail3, tail2, tail1} {
		p = fma32(p, t, c)
	}
	return atMost(tailEnd, a), e, float32(p*t) * e
}

// Gelu is x times the normal distribution function at x.
func Gelu() Activation { return Activation{kernel: geluKernel, table: expTable} }

// NewGeluGrad is the gradient of Gelu. Operands as for NewSigmoidGrad.
func NewGeluGrad(set *Set, x, dy, dx Layout) (Primitive, error) {
	return newActivationGrad(set, geluGradKernel, x, dy, dx, vector{constant: &expTable[0]})
}
