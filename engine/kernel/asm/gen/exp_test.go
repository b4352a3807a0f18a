package main

import (
	"math"
	"math/rand/v2"
	"testing"

	"regraft/engine/kernel/vec"
)

// TestExp compares the exponential with that of float64: the error is below one unit in the last place.
func TestExp(t *testing.T) {
	program := vec.Of(func(p *vec.Program) { p.Store(out, exp(p, p.Load(x))) })
	at := func(v float32) float32 { return program.Eval(vec.Operands{Load: []float32{v}})[out] }
	r, worst := rand.New(rand.NewPCG(1, 1)), 0.0
	for range 1 << 15 {
		v := float32(-86 + (88.7+86)*r.Float64())
		want := math.Exp(float64(v))
		unit := float64(math.Nextafter32(float32(want), float32(math.Inf(1)))) - float64(float32(want))
		worst = max(worst, math.Abs(float64(at(v))-want)/unit)
	}
	t.Logf("largest error %.3f units in the last place", worst)
	if worst > 1 {
		t.Errorf("largest error %.3f units in the last place, want at most 1", worst)
	}
	inf := float32(math.Inf(1))
	for _, c := range [][2]float32{{0, 1}, {inf, inf}, {-inf, 0}, {88.73, inf}, {-88, 0}} {
		if got := at(c[0]); got != c[1] {
			t.Errorf("e**%v = %v, want %v", c[0], got, c[1])
		}
	}
	if got := at(float32(math.NaN())); got == got {
		t.Errorf("e**NaN = %v", got)
	}
}
