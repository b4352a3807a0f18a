package kernel

import (
	"math"

	"regraft/engine/kernel/asm"
)

// approx is a number in float64, and how far arithmetic in float32 may be from it: every operation adds its own rounding to what the
// errors of its operands become (running error analysis: Wilkinson, 1986).
type approx struct {
	v, e float64
	f    float32 // what the same operations give in float32
}

func exact(v float32) approx { return approx{float64(v), 0, v} }

// rounded adds half a unit in the last place of single precision, or half of the smallest number. Beyond the largest is infinity; e is NaN
// where that is on the edge.
func rounded(v, e float64, f float32) approx {
	const edge = math.MaxFloat32 * (1 + 0x1p-25)
	switch size := math.Abs(v); {
	case v != v || math.IsInf(v, 0):
		return approx{v, 0, f}
	case size-e > edge:
		return approx{math.Inf(int(math.Copysign(1, v))), 0, f}
	case !(size+e < edge):
		return approx{v, math.NaN(), f}
	default:
		return approx{v, e + (size+e)*0x1p-24 + 0x1p-150, f}
	}
}

func (a approx) plus(b approx) approx  { return rounded(a.v+b.v, a.e+b.e, a.f+b.f) }
func (a approx) minus(b approx) approx { return rounded(a.v-b.v, a.e+b.e, a.f-b.f) }
func (a approx) times(b approx) approx {
	p, e := a.product(b)
	return rounded(p, e, float32(a.f*b.f))
}
func (a approx) over(b approx) approx {
	return rounded(a.v/b.v, (a.e+math.Abs(a.v/b.v)*b.e)/max(math.Abs(b.v)-b.e, 0x1p-149), a.f/b.f)
}
func (a approx) root() approx {
	r := math.Sqrt(a.v)
	return rounded(r, r-math.Sqrt(max(a.v-a.e, 0)), float32(math.Sqrt(float64(a.f))))
}

// fused is a*b + c, rounded once.
func (a approx) fused(b, c approx) approx {
	p, e := a.product(b)
	return rounded(p+c.v, e+c.e, asm.FMA(a.f, b.f, c.f))
}

func (a approx) negated() approx { return approx{-a.v, a.e, -a.f} }

func (a approx) product(b approx) (p, e float64) {
	return a.v * b.v, math.Abs(a.v)*b.e + math.Abs(b.v)*a.e + a.e*b.e
}

// near tells whether got comes out for it: what the operations give in their order, which is near.
func (a approx) near(got float32) bool {
	g := float64(got)
	switch {
	case got != a.f && !(got != got && a.f != a.f):
		return false
	case a.e != a.e:
		return true
	case a.v != a.v:
		return g != g
	}
	return g == a.v || math.Abs(g-a.v) <= a.e
}
