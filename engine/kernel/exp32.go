package kernel

import "math"

// expTable is the constants of exp32, and of what is made of it, as the assembly reads them, in the order that
// gen/activation.go knows.
var expTable = lanesOf(
	expHigh, expLow, log2E, roundInt, -ln2High, -ln2Low,
	exp5, exp4, exp3, exp2, exp1, exp0, 1,
	math.Float32frombits(expBias), math.MaxFloat32,
	-0.5, tailSlope, tail8, tail7, tail6, tail5, tail4, tail3, tail2, tail1, tailEnd, density,
)

const (
	expHigh  = 89    // above ln of the largest float32: the result is infinite
	expLow   = -87.3 // the result is 0
	log2E    = 1.44269504088896341
	roundInt = 3 << 22     // v + roundInt is rounded to a whole number, which its lowest bits hold
	ln2High  = 0.693359375 // k*ln2High is exact for |k| < 2^15
	ln2Low   = -2.12194440054690583e-4
	expBias  = 126 << 23

	exp5, exp4, exp3 = 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3
	exp2, exp1, exp0 = 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1
)

// lanesOf repeats every value for all lanes.
func lanesOf(values ...float32) [][Lanes]float32 {
	table := make([][Lanes]float32, len(values))
	for i, v := range values {
		for c := range table[i] {
			table[i][c] = v
		}
	}
	return table
}

// exp32 is e**t in single precision with an error below one unit in the last place; 0 where that is below 2e-38.
// The method is that of Cephes' expf (Moshier, 1992), with fused operations: t = k ln 2 + r, a polynomial in r, times 2**k.
func exp32(t float32) float32 {
	q, half := expParts(t)
	y := float32(float32(q+1) * half)
	return y + y
}

// expm1 is e**t - 1, which loses no digits where t is small.
func expm1(t float32) float32 {
	q, half := expParts(t)
	two := half + half
	return fma32(q, two, two-1)
}

// expParts is e**r - 1 and 2**(k-1), which does not overflow.
func expParts(t float32) (q, half float32) {
	t = clip(t, expLow, expHigh)
	sum := fma32(t, log2E, roundInt)
	k := float32(sum - roundInt)
	r := fma32(k, -ln2Low, fma32(k, -ln2High, t))
	p := fma32(exp5, r, exp4)
	p = fma32(p, r, exp3)
	p = fma32(p, r, exp2)
	p = fma32(p, r, exp1)
	p = fma32(p, r, exp0)
	return fma32(p, float32(r*r), r), math.Float32frombits(math.Float32bits(sum)<<23 + expBias)
}
