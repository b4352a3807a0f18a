package main

import (
	"math"

	"regraft/engine/kernel/vec"
)

// The exponential in single precision, with an error below one unit in the last place; 0 where that is below 2e-38. The method is that
// of Cephes' expf (Moshier, 1992), with fused operations: t = k ln 2 + r, a polynomial in r, times 2**k.
const (
	expHigh  = 89    // above ln of the largest float32: the result is infinite
	expLow   = -87.3 // the result is 0
	log2E    = 1.44269504088896341
	roundInt = 3 << 22     // v + roundInt is rounded to a whole number, which its lowest bits hold
	ln2High  = 0.693359375 // k*ln2High is exact for |k| < 2^15
	ln2Low   = -2.12194440054690583e-4
)

// expPolynomial has the highest power first.
var expPolynomial = []float32{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}

// exp is e**t.
func exp(p *vec.Program, t vec.Value) vec.Value {
	q, half := expParts(p, t)
	v := p.Mul(p.Add(q, p.Const(1)), half)
	return p.Add(v, v)
}

// expm1 is e**t - 1, which loses no digits where t is small.
func expm1(p *vec.Program, t vec.Value) vec.Value {
	q, half := expParts(p, t)
	two := p.Add(half, half)
	return p.FMA(q, two, p.Sub(two, p.Const(1)))
}

// expParts is e**r - 1 and 2**(k-1), which does not overflow.
func expParts(p *vec.Program, t vec.Value) (q, half vec.Value) {
	t = p.Min(p.Const(expHigh), p.Max(p.Const(expLow), t))
	sum := p.FMA(t, p.Const(log2E), p.Const(roundInt))
	k := p.Sub(sum, p.Const(roundInt))
	r := p.FMA(k, p.Const(-ln2Low), p.FMA(k, p.Const(-ln2High), t))
	half = p.AddInt(p.Shift(sum, 23), p.Const(math.Float32frombits(126<<23)))
	return p.FMA(polynomial(p, r, expPolynomial), p.Mul(r, r), r), half
}

// polynomial in t, by Horner's rule, from the highest power on.
func polynomial(p *vec.Program, t vec.Value, coefficients []float32) vec.Value {
	v := p.Const(coefficients[0])
	for _, c := range coefficients[1:] {
		v = p.FMA(v, t, p.Const(c))
	}
	return v
}

// minus is 0 - v.
func minus(p *vec.Program, v vec.Value) vec.Value { return p.Sub(p.Const(0), v) }

// size is |v|; NaN stays NaN.
func size(p *vec.Program, v vec.Value) vec.Value { return p.Max(minus(p, v), v) }
