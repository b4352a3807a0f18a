package kernel

import "math"

// The functions of this file give the same bits on every architecture: Go's own Exp and Log are
// assembly on some machines, and a compiler may fuse x*y + z where the target has an FMA, which the
// explicit float64 conversions forbid (Go specification, "Floating-point operators").

const (
	ln2Hi = 6.93147180369123816490e-01 // the upper 33 bits of ln 2: k*ln2Hi is exact for |k| < 2^20
	ln2Lo = 1.90821492927058770002e-10
)

// Exp returns e**x with an error below one unit in the last place. The method is FreeBSD's e_exp.c
// (Sun Microsystems, 1993): x = k ln 2 + r with |r| <= ln 2 / 2, and a rational approximation of e**r.
func Exp(x float64) float64 {
	const (
		overflow  = 7.09782712893383973096e+02
		underflow = -7.45133219101941108420e+02
		p1        = 1.66666666666666657415e-01
		p2        = -2.77777777770155933842e-03
		p3        = 6.61375632143793436117e-05
		p4        = -1.65339022054652515390e-06
		p5        = 4.13813679705723846039e-08
	)
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x > overflow:
		return math.Inf(1)
	case x < underflow:
		return 0
	}
	k := math.Floor(float64(x*math.Log2E) + 0.5)
	hi := x - float64(k*ln2Hi)
	lo := float64(k * ln2Lo)
	r := hi - lo
	t := float64(r * r)
	p := p4 + float64(t*p5)
	p = p3 + float64(t*p)
	p = p2 + float64(t*p)
	p = p1 + float64(t*p)
	c := r - float64(t*p)
	y := 1 - ((lo - float64(r*c)/(2-c)) - hi)
	if -1021 <= k && k <= 1023 { // y lies in (1/2, 2), so that nothing is rounded
		return y * math.Float64frombits(uint64(int(k)+1023)<<52)
	}
	return math.Ldexp(y, int(k))
}

// Log returns the natural logarithm of x with an error below one unit in the last place: NaN for
// x < 0, -Inf for 0. The method is FreeBSD's e_log.c (Sun Microsystems, 1993): x = 2**k (1 + f) with
// sqrt(1/2) < 1 + f < sqrt(2), and a polynomial in s = f / (2 + f).
func Log(x float64) float64 {
	const (
		l1 = 6.666666666666735130e-01
		l2 = 3.999999999940941908e-01
		l3 = 2.857142874366239149e-01
		l4 = 2.222219843214978396e-01
		l5 = 1.818357216161805012e-01
		l6 = 1.531383769920937332e-01
		l7 = 1.479819860511658591e-01
	)
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	f, exponent := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f *= 2
		exponent--
	}
	f--
	k := float64(exponent)
	s := f / (2 + f)
	s2 := float64(s * s)
	s4 := float64(s2 * s2)
	odd := l5 + float64(s4*l7)
	odd = l3 + float64(s4*odd)
	odd = l1 + float64(s4*odd)
	even := l4 + float64(s4*l6)
	even = l2 + float64(s4*even)
	r := float64(s2*odd) + float64(s4*even)
	half := float64(float64(0.5*f) * f)
	return float64(k*ln2Hi) - ((half - (float64(s*(half+r)) + float64(k*ln2Lo))) - f)
}

// Tanh is 1 - 2/(e**2x + 1), and its series where that loses digits.
func Tanh(x float64) float64 {
	if math.Abs(x) < 1e-3 {
		x2 := x * x
		return x * (1 - float64(x2*(1.0/3-float64(x2*(2.0/15)))))
	}
	return 1 - 2/(Exp(2*x)+1)
}
