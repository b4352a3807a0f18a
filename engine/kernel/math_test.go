package kernel

import (
	"math"
	"math/big"
	"testing"
)

// ulps is the distance from got to want in units of want's last place.
func ulps(got float64, want *big.Float) float64 {
	w, _ := want.Float64()
	if w == 0 || math.IsInf(w, 0) {
		if got == w {
			return 0
		}
		return math.Inf(1)
	}
	d := new(big.Float).SetPrec(200).Sub(big.NewFloat(got).SetPrec(200), want)
	f, _ := d.Float64()
	return math.Abs(f) / (math.Nextafter(math.Abs(w), math.Inf(1)) - math.Abs(w))
}

// bigExp sums the series of e**(x/2**20) to 200 bits and squares twenty times.
func bigExp(x float64) *big.Float {
	r := new(big.Float).SetPrec(400).SetMantExp(big.NewFloat(x), -20)
	sum, term := big.NewFloat(1).SetPrec(400), big.NewFloat(1).SetPrec(400)
	for i := 1; i < 60; i++ {
		term.Mul(term, r)
		term.Quo(term, big.NewFloat(float64(i)))
		sum.Add(sum, term)
	}
	for range 20 {
		sum.Mul(sum, sum)
	}
	return sum
}

func TestExp(t *testing.T) {
	worst := 0.0
	for i := range 4000 {
		x := -700 + 1400*float64(i)/3999.3
		if i%2 == 1 {
			x /= 512
		}
		worst = max(worst, ulps(Exp(x), bigExp(x)))
	}
	if worst > 1 {
		t.Errorf("largest error %.3f units in the last place, want at most 1", worst)
	}
	t.Logf("largest error %.3f units in the last place", worst)
	for _, c := range [][2]float64{
		{0, 1}, {1, math.E}, {math.Inf(1), math.Inf(1)}, {math.Inf(-1), 0}, {709.79, math.Inf(1)}, {-745.2, 0},
		{-745.1, math.SmallestNonzeroFloat64}, {1e-300, 1},
	} {
		if got := Exp(c[0]); got != c[1] {
			t.Errorf("Exp(%v) = %v, want %v", c[0], got, c[1])
		}
	}
	if !math.IsNaN(Exp(math.NaN())) {
		t.Error("Exp(NaN) is not NaN")
	}
}

func TestLog(t *testing.T) {
	worst := 0.0
	for i := range 4000 {
		x := math.Ldexp(1+float64(i)/4001, i%200-100)
		if i%3 == 0 {
			x = 0.5 + float64(i)/2000 // near one, where the logarithm vanishes
		}
		// One Newton step on math.Log's value: log x = y + (x - e**y) / e**y, to about 100 bits.
		y := math.Log(x)
		e := bigExp(y)
		want := new(big.Float).SetPrec(400).Sub(big.NewFloat(x).SetPrec(400), e)
		want.Quo(want, e)
		want.Add(want, big.NewFloat(y))
		worst = max(worst, ulps(Log(x), want))
	}
	if worst > 1 {
		t.Errorf("largest error %.3f units in the last place, want at most 1", worst)
	}
	t.Logf("largest error %.3f units in the last place", worst)
	for _, c := range [][2]float64{{1, 0}, {0, math.Inf(-1)}, {math.Inf(1), math.Inf(1)}, {math.SmallestNonzeroFloat64, -1074 * math.Ln2}} {
		if got := Log(c[0]); got != c[1] {
			t.Errorf("Log(%v) = %v, want %v", c[0], got, c[1])
		}
	}
	if !math.IsNaN(Log(-1)) || !math.IsNaN(Log(math.NaN())) {
		t.Error("Log(-1) and Log(NaN) must be NaN")
	}
}

// TestMathBits pins bits, so that an architecture on which they differ fails here first.
func TestMathBits(t *testing.T) {
	h := uint64(14695981039346656037)
	for i := range 100000 {
		x := float64(i)/1000 - 50
		for _, v := range []float64{Exp(x), Log(float64(i) + 0.5)} {
			h = (h ^ math.Float64bits(v)) * 1099511628211
		}
	}
	const want = 0xc78e9b8d1234f1d2
	if h != want {
		t.Errorf("hash of 200000 values %#x, want %#x", h, uint64(want))
	}
}
