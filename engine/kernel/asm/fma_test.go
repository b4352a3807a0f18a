package asm

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestFMA32 compares with exact arithmetic rounded once, on numbers that make ties, cancellation, subnormals and overflow likely.
func TestFMA32(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	number := func() float32 {
		bits := r.Uint32()
		switch r.IntN(4) {
		case 0: // few significant bits: ties
			bits &= 0xfff80000
		case 1: // near one
			bits = bits&0x807fffff | uint32(120+r.IntN(14))<<23
		case 2: // tiny
			bits = bits&0x807fffff | uint32(r.IntN(70))<<23
		}
		return math.Float32frombits(bits)
	}
	for range 400_000 {
		a, b, c := number(), number(), number()
		if r.IntN(4) == 0 {
			c = -a * b // cancels but for the rounding of the product
		}
		got := fma32(a, b, c)
		if exact, ok := exactFMA(a, b, c); ok && got != exact {
			t.Fatalf("fma32(%x, %x, %x) = %x, want %x", a, b, c, got, exact)
		}
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	if fma32(inf, 1, 1) != inf || fma32(2, 3, -inf) != -inf || fma32(inf, 0, 1) == fma32(inf, 0, 1) || fma32(nan, 1, 1) == fma32(nan, 1, 1) {
		t.Error("infinities and NaN are not those of IEEE 754")
	}
}

// exactFMA is a*b+c in exact arithmetic, rounded once; false for operands that are not finite.
func exactFMA(a, b, c float32) (float32, bool) {
	for _, v := range []float32{a, b, c} {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return 0, false
		}
	}
	exact := func(v float32) *big.Float { return new(big.Float).SetPrec(1000).SetFloat64(float64(v)) }
	sum := new(big.Float).SetPrec(1000).Mul(exact(a), exact(b))
	f, _ := sum.Add(sum, exact(c)).Float32()
	return f, true
}
