package asm

import "math"

// FMA is a*b+c rounded once.
func FMA(a, b, c float32) float32 { return fma32(a, b, c) }

// fma32 is a*b+c rounded once, as the FMA instructions do it. The product is exact in float64; the sum is rounded to float64 and
// then to float32, which is wrong only where the float64 sum lies exactly between two float32 values, and there the lost part decides.
func fma32(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	s := p + float64(c)
	const tie = 1 << 28 // the 29 bits that float32 drops
	if math.Float64bits(s)&(tie<<1-1) == tie || math.Abs(s) < 0x1p-126 {
		return roundOdd(p, float64(c), s)
	}
	return float32(s)
}

// roundOdd rounds p+c, of which s is the float64 sum, to float32 by way of round-to-odd (Boldo and Melquiond, Emulation of a FMA and
// correctly rounded sums, 2008): an inexact sum gets an odd last bit, so that the second rounding sees on which side of a tie it lies.
func roundOdd(p, c, s float64) float32 {
	t := s - p
	rest := float64(p-float64(s-t)) + float64(c-t)
	if rest != 0 && !math.IsInf(s, 0) && math.Float64bits(s)&1 == 0 {
		if (rest > 0) == (s > 0) {
			s = math.Float64frombits(math.Float64bits(s) + 1)
		} else {
			s = math.Float64frombits(math.Float64bits(s) - 1)
		}
	}
	return float32(s)
}
