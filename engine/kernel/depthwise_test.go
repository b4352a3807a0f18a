package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// depthwiseCases are shapes with both layouts' halos.
func depthwiseCases() []poolCase {
	return []poolCase{
		{pooled(14, 14, 3, 1, false, 1), 32, 0, 1, 2}, // MobileNet
		{pooled(15, 15, 3, 2, false, 1), 20, 1, 0, 2},
		{pooled(7, 7, 5, 1, false, 2), 48, 0, 0, 2}, // MobileNetV3
		{pooled(9, 8, 3, 2, false, 0, 0, 1, 1), 16, 0, 0, 1},
		{pooled(1, 1, 3, 1, false, 1), 3, 0, 0, 2},
		{pooled(112, 113, 3, 2, false, 1), 16, 0, 0, 1}, // several calls
		{sized(PoolShape{H: 9, W: 12, KH: 2, KW: 3, SH: 1, SW: 1, DH: 2, DW: 2, PT: 1, PL: 2, PB: 1, PR: 2}, false), 17, 2, 0, 2},
	}
}

func (c poolCase) conv() ConvShape {
	s := c.s
	return ConvShape{
		Cin: c.c, Cout: c.c, H: s.H, W: s.W, OH: s.OH, OW: s.OW, KH: s.KH, KW: s.KW, SH: s.SH, SW: s.SW, DH: s.DH, DW: s.DW, PT: s.PT, PL: s.PL,
	}
}

// products visits every product: indices of input, weight (C, 1, KH, KW) and output.
func (c poolCase) products(visit func(x, w, y int)) {
	s := c.s
	for plane := range c.images * c.c {
		for r := range s.OH {
			for q := range s.OW {
				for a := range s.KH {
					for b := range s.KW {
						row, col := r*s.SH-s.PT+a*s.DH, q*s.SW-s.PL+b*s.DW
						if row >= 0 && row < s.H && col >= 0 && col < s.W {
							visit((plane*s.H+row)*s.W+col, (plane%c.c*s.KH+a)*s.KW+b, (plane*s.OH+r)*s.OW+q)
						}
					}
				}
			}
		}
	}
}

func TestDepthwise(t *testing.T) {
	for _, c := range depthwiseCases() {
		t.Run(fmt.Sprint(c.s), func(t *testing.T) {
			r := rand.New(rand.NewPCG(51, 52))
			c.checkDepthwise(t, func(n int) []float32 { return integers(r, n) }, true)
			c.checkDepthwise(t, func(n int) []float32 { return reals(r, n, 1) }, false)
		})
	}
}

// checkDepthwise compares with float64 sums: to the bit for small integers, otherwise within the bound
// of the float32 chain.
func (c poolCase) checkDepthwise(t *testing.T, random func(int) []float32, exact bool) {
	s := c.conv()
	in, out := c.layouts()
	nx, ny := c.sizes()
	nw := c.c * s.KH * s.KW
	x, dy, w, bias, before := random(nx), random(ny), random(nw), random(c.c), random(nx)
	packed := make([]float32, DepthwiseLen(s))
	PackDepthwise(s, packed, w)
	unpacked := make([]float32, nw)
	UnpackDepthwise(s, unpacked, packed)
	sameBits(t, "unpack of pack", unpacked, w)

	y, dx, dw := newSums(ny), newSums(nx), newSums(nw)
	for i := range ny {
		y.add(i, float64(bias[i/(s.OH*s.OW)%c.c]))
	}
	for i := range nx {
		dx.add(i, float64(before[i]))
	}
	c.products(func(i, j, o int) {
		y.add(o, float64(x[i])*float64(w[j]))
		dx.add(i, float64(dy[o])*float64(w[j]))
		dw.add(j, float64(dy[o])*float64(x[i]))
	})
	check := func(what string, got []float32, want sums, terms int) {
		t.Helper()
		bound := want.bounds(terms)
		if exact {
			clear(bound)
		}
		closeTo(t, what, got, want.value, bound)
	}
	got := sameOnAll(t, func(set *Set) [][]float32 {
		p, err := NewDepthwise(set, s, in, out, 0)
		return outcome(t, p, err, c.images, tensorIn(in, x), vectorIn(packed), vectorIn(bias), tensorOut(out))
	})
	check("output", got[0], y, s.KH*s.KW)
	odd := slices.Clone(x)
	odd[nx/2] = guardValue
	got = sameOnAll(t, func(set *Set) [][]float32 {
		p, err := NewDepthwise(set, s, in, out, 0)
		return outcome(t, p, err, c.images, tensorIn(in, odd), vectorIn(packed), vectorIn(bias), tensorOut(out))
	})
	reached := map[int]bool{}
	c.products(func(i, _, o int) { reached[o] = reached[o] || i == nx/2 })
	for i, v := range got[0] {
		if (v != v) != reached[i] {
			t.Fatalf("output %d is %v", i, v)
		}
	}
	for flag, high := range map[int]float32{ReLU: float32(math.Inf(1)), ReLU6: 6} {
		clamped := sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewDepthwise(set, s, in, out, flag)
			return outcome(t, p, err, c.images, tensorIn(in, odd), vectorIn(packed), vectorIn(bias), tensorOut(out))
		})
		matches(t, fmt.Sprintf("output clamped from 0 to %v", high), clamped[0], func(i int) float32 { return min(max(got[0][i], 0), high) })
	}

	got = sameOnAll(t, func(set *Set) [][]float32 {
		p, err := NewDepthwiseGradX(set, s, out, in, Acc)
		return outcome(t, p, err, c.images, tensorIn(out, dy), vectorIn(packed), tensorInOut(in, before))
	})
	check("accumulated gradient of the input", got[0], dx, s.KH*s.KW)
	for i, v := range before {
		dx.value[i] -= float64(v)
	}
	got = sameOnAll(t, func(set *Set) [][]float32 {
		p, err := NewDepthwiseGradX(set, s, out, in, 0)
		return outcome(t, p, err, c.images, tensorIn(out, dy), vectorIn(packed), tensorOut(in))
	})
	check("gradient of the input", got[0], dx, s.KH*s.KW)

	got = sameOnAll(t, func(set *Set) [][]float32 {
		p, err := NewDepthwiseGradW(set, s, in, out)
		if err != nil {
			t.Fatal(err)
		}
		slots := outcome(t, p, nil, c.images, tensorIn(in, x), tensorIn(out, dy), slotsFor(p, c.images))[0]
		return outcome(t, NewDepthwiseGradWFinish(s), nil, c.images, vectorIn(slots), vectorOut(len(packed)))
	})
	UnpackDepthwise(s, unpacked, got[0])
	check("gradient of the weights", unpacked, dw, s.OH*s.OW)
	PackDepthwise(s, packed, unpacked) // zero in the padding lanes
	sameBits(t, "padding lanes of the gradient", got[0], packed)
}

func TestDepthwiseErrors(t *testing.T) {
	c := depthwiseCases()[0]
	in, out := c.layouts()
	s := c.conv()
	s.Cout = 64
	if _, err := NewDepthwise(Go, s, in, out, 0); err == nil {
		t.Error("more channels out than in: no error")
	}
	s = c.conv()
	s.Cin, s.Cout = 16, 16
	if _, err := NewDepthwise(Go, s, in, out, 0); err == nil {
		t.Error("layouts of other channels: no error")
	}
	s = c.conv()
	s.SH = 0
	if _, err := NewDepthwiseGradW(Go, s, in, out); err == nil {
		t.Error("stride 0: no error")
	}
}
