package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// guarded is a buffer between guard zones whose floats a kernel must not touch.
type guarded struct{ whole, floats []float32 }

const guardFloats = 256

var guardValue = math.Float32frombits(0x7fc0dead) // a NaN of its own

// latest holds on to buffers that are perhaps known by their addresses only.
var (
	latest [32][]float32
	next   int
)

// newGuarded returns n floats filled with NaN between guards.
func newGuarded(n int) guarded {
	g := guarded{whole: Aligned(n + 2*guardFloats)}
	latest[next%len(latest)] = g.whole
	next++
	g.floats = g.whole[guardFloats : guardFloats+n]
	for i := range g.whole {
		g.whole[i] = guardValue
	}
	return g
}

func (g guarded) address() uintptr { return Address(g.floats) }

// check fails when a guard was written to.
func (g guarded) check(t *testing.T, what string) {
	t.Helper()
	for i, v := range g.whole {
		inside := i >= guardFloats && i < guardFloats+len(g.floats)
		if !inside && math.Float32bits(v) != math.Float32bits(guardValue) {
			t.Fatalf("%s: wrote float %d of %d", what, i-guardFloats, len(g.floats))
		}
	}
}

// place is a tensor in layout l: halos and padding lanes zero, real pixels from nchw; or, without it, an output that nobody has written
// yet, with zeros in the halos and NaN in all lanes of the pixels.
func place(l Layout, images int, nchw []float32) guarded {
	g := newGuarded(l.Len(images))
	clear(g.floats)
	if nchw != nil {
		l.Pack(g.floats, nchw, images)
		return g
	}
	l.walk(images, func(at, _, _ int) {
		for i := range l.W * l.Pixel {
			g.floats[at+i] = guardValue
		}
	})
	return g
}

// take reads a tensor back and checks that halos and padding lanes still hold zero.
func take(t *testing.T, l Layout, images int, g guarded) []float32 {
	t.Helper()
	nchw := make([]float32, images*l.C*l.H*l.W)
	l.Unpack(nchw, g.floats, images)
	rest := slices.Clone(g.floats)
	l.walk(images, func(at, _, lanes int) {
		for x := range l.W {
			clear(rest[at+x*l.Pixel:][:lanes])
		}
	})
	for i, v := range rest {
		if v != 0 {
			t.Fatalf("layout %s: float %d outside the real pixels and channels became %v", l, i, v)
		}
	}
	g.check(t, l.String())
	return nchw
}

// integers are small whole numbers, on which every order of summation gives the same float32.
func integers(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.IntN(9) - 4)
	}
	return v
}

func reals(r *rand.Rand, n int, scale float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64() * scale)
	}
	return v
}

// run1 does all items of p, one or several in a row, in a mixed-up order, as several workers might.
func run1(p Primitive, a Args) {
	scratch := 0
	if s, ok := p.(Scratcher); ok {
		scratch = s.Scratch()
	}
	w := NewWorker(scratch)
	for i := range w.Scratch {
		w.Scratch[i] = guardValue
	}
	r, items := rand.New(rand.NewPCG(9, 9)), p.Items(a.Images)
	starts := []int{0}
	for starts[len(starts)-1] < items {
		starts = append(starts, min(items, starts[len(starts)-1]+1+r.IntN(8)))
	}
	for _, i := range r.Perm(len(starts) - 1) {
		Do(p, w, starts[i], starts[i+1], &a)
	}
}

// sameBits fails at the first element whose bits differ; +0 and -0 are the same.
func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] && math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// closeTo fails where got is further from want than bound.
func closeTo(t *testing.T, what string, got []float32, want, bound []float64) {
	t.Helper()
	for i := range got {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= bound[i]) {
			t.Fatalf("%s: element %d is %v, want %v within %.2g", what, i, got[i], want[i], bound[i])
		}
	}
}

// sets are the instruction sets of this machine, plain Go first.
func sets() []*Set {
	list := slices.DeleteFunc(Sets(), func(s *Set) bool { return !s.Usable() })
	slices.Reverse(list)
	return list
}

// eachTap visits every tap of every output element of a convolution: x, w and y are row-major indexes, those of the first input channel. From
// one channel to the next x grows by H*W and w by KH*KW.
func eachTap(s ConvShape, visit func(x, w, y int)) {
	for o := range s.Cout {
		for r := range s.OH {
			for q := range s.OW {
				for a := range s.KH {
					for b := range s.KW {
						ir, iq := r*s.SH+a*s.DH-s.PT, q*s.SW+b*s.DW-s.PL
						if ir >= 0 && ir < s.H && iq >= 0 && iq < s.W {
							visit(ir*s.W+iq, (o*s.Cin*s.KH+a)*s.KW+b, (o*s.OH+r)*s.OW+q)
						}
					}
				}
			}
		}
	}
}

// sums is a reference result in float64 with the bound of the float32 chain: (terms+2) rounding errors of half an ulp on the sum of
// absolute terms.
type sums struct{ value, magnitude []float64 }

func newSums(n int) sums { return sums{make([]float64, n), make([]float64, n)} }

func (s sums) add(i int, v float64) {
	s.value[i] += v
	s.magnitude[i] += math.Abs(v)
}

func (s sums) bounds(terms int) []float64 {
	b := make([]float64, len(s.value))
	for i, m := range s.magnitude {
		b[i] = float64(terms+2) * 0x1p-24 * m
	}
	return b
}

func shapeName(s ConvShape) string { return fmt.Sprintf("%s pad %d,%d", s, s.PT, s.PL) }
