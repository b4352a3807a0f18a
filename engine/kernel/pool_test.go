package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// poolCase is a pool on layouts of its own.
type poolCase struct {
	s       PoolShape
	c       int
	in, out int // halos
	images  int
}

// pooled makes a shape from kernel, stride and pads, with the output size of PyTorch.
func pooled(h, w, k, stride int, ceil bool, pads ...int) PoolShape {
	s := PoolShape{H: h, W: w, KH: k, KW: k, SH: stride, SW: stride, DH: 1, DW: 1}
	switch len(pads) {
	case 1:
		s.PT, s.PL, s.PB, s.PR = pads[0], pads[0], pads[0], pads[0]
	case 4:
		s.PT, s.PL, s.PB, s.PR = pads[0], pads[1], pads[2], pads[3]
	}
	return sized(s, ceil)
}

// sized sets the output size; with ceil the last window may hang over the edge but must start before it.
func sized(s PoolShape, ceil bool) PoolShape {
	size := func(n, k, stride, dilation, before, after int) int {
		span := n + before + after - (k-1)*dilation - 1
		if ceil {
			out := (span+stride-1)/stride + 1
			if (out-1)*stride >= n+before {
				out--
			}
			return out
		}
		return span/stride + 1
	}
	s.OH = size(s.H, s.KH, s.SH, s.DH, s.PT, s.PB)
	s.OW = size(s.W, s.KW, s.SW, s.DW, s.PL, s.PR)
	return s
}

func poolCases() []poolCase {
	wide := PoolShape{H: 6, W: 23, KH: 1, KW: 5, SH: 1, SW: 3, DH: 1, DW: 1, PL: 2, PR: 1}
	dilated := PoolShape{H: 11, W: 12, KH: 3, KW: 2, SH: 2, SW: 1, DH: 2, DW: 3, PT: 2, PL: 1, PB: 1, PR: 2}
	return []poolCase{
		{pooled(17, 17, 3, 2, false), 32, 1, 0, 2},           // Inception's reductions
		{pooled(35, 35, 3, 1, false, 1), 16, 0, 2, 1},        // its average pools
		{pooled(112, 112, 3, 2, false, 1), 16, 0, 1, 1},      // ResNet's stem, several calls
		{pooled(13, 13, 3, 2, true), 20, 0, 0, 2},            // SqueezeNet, ceil_mode
		{pooled(14, 15, 3, 2, true, 1), 16, 1, 1, 1},         // ceil_mode that hangs over the padding
		{pooled(12, 12, 2, 2, false), 17, 0, 1, 1},           // VGG
		{pooled(8, 8, 5, 3, false, 0, 1, 2, 3), 16, 2, 0, 1}, // asymmetric
		{pooled(4, 3, 5, 1, false, 2), 33, 0, 0, 2},          // a window larger than the image
		{pooled(8, 8, 8, 1, false), 16, 0, 0, 1},             // one output
		{pooled(1, 1, 1, 1, false), 3, 0, 0, 2},              // one pixel
		{pooled(3, 3, 3, 3, false, 1), 16, 0, 0, 1},          // stride as wide as the window
		{pooled(20, 20, 2, 5, false), 16, 1, 1, 1},           // gaps that no window sees
		{sized(wide, false), 16, 3, 1, 2}, {sized(dilated, false), 16, 0, 0, 2},
	}
}

func (c poolCase) layouts() (in, out Layout) {
	return Blocked(c.c, c.s.H, c.s.W, c.in), Blocked(c.c, c.s.OH, c.s.OW, c.out)
}

// windows visits every output of row-major NCHW with the indices of its taps, in PyTorch's order, and
// PyTorch's divisor of an average that counts the padding.
func (c poolCase) windows(visit func(y int, taps []int, padded int)) {
	s := c.s
	for plane := range c.images * c.c {
		for r := range s.OH {
			for q := range s.OW {
				top, left := r*s.SH-s.PT, q*s.SW-s.PL
				bottom, right := min(top+s.KH, s.H+s.PB), min(left+s.KW, s.W+s.PR)
				var taps []int
				for a := range s.KH {
					for b := range s.KW {
						y, x := top+a*s.DH, left+b*s.DW
						if y >= 0 && y < s.H && x >= 0 && x < s.W {
							taps = append(taps, (plane*s.H+y)*s.W+x)
						}
					}
				}
				visit((plane*s.OH+r)*s.OW+q, taps, (bottom-top)*(right-left))
			}
		}
	}
}

func (c poolCase) sizes() (x, y int) {
	return c.images * c.c * c.s.H * c.s.W, c.images * c.c * c.s.OH * c.s.OW
}

func eachPool(t *testing.T, test func(t *testing.T, c poolCase, random func(n int) []float32)) {
	for _, c := range poolCases() {
		t.Run(fmt.Sprintf("%v pads %d,%d,%d,%d", c.s, c.s.PT, c.s.PL, c.s.PB, c.s.PR), func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			test(t, c, func(n int) []float32 { return integers(r, n) }) // many ties
			test(t, c, func(n int) []float32 { return reals(r, n, 1) })
			test(t, c, func(n int) []float32 { // zeros, infinities, NaN, the smallest and the largest
				list, v := special(), reals(r, n, 1)
				for i := range v {
					if r.IntN(20) == 0 {
						v[i] = list[r.IntN(len(list))]
					}
				}
				return v
			})
		})
	}
}

func TestMaxPool(t *testing.T) {
	eachPool(t, func(t *testing.T, c poolCase, random func(int) []float32) {
		in, out := c.layouts()
		nx, ny := c.sizes()
		x, dy, before := random(nx), random(ny), random(nx)
		for i := range x {
			x[i] -= 20 // were padding read as zero, it would win
		}
		x[nx/2], x[nx/3] = guardValue, float32(math.Inf(-1))
		y := make([]float32, ny)
		dx, sum := make([]float32, nx), append([]float32(nil), before...)
		c.windows(func(i int, taps []int, _ int) {
			best := taps[0]
			for _, t := range taps {
				if x[t] > x[best] || x[t] != x[t] {
					best = t
				}
			}
			y[i] = x[best]
			dx[best] += dy[i]
			sum[best] += dy[i]
		})
		got := sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewMaxPool(set, c.s, in, out)
			return outcome(t, p, err, c.images, tensorIn(in, x), tensorOut(out))
		})
		matches(t, "maximum", got[0], func(i int) float32 { return y[i] })

		gradient := Blocked(c.c, c.s.H, c.s.W, 2)
		got = sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewMaxPoolGrad(set, c.s, in, out, gradient, 0)
			return outcome(t, p, err, c.images, tensorIn(in, x), tensorIn(out, dy), tensorOut(gradient))
		})
		matches(t, "gradient", got[0], func(i int) float32 { return dx[i] })
		got = sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewMaxPoolGrad(set, c.s, in, out, gradient, Acc)
			return outcome(t, p, err, c.images, tensorIn(in, x), tensorIn(out, dy), tensorInOut(gradient, before))
		})
		matches(t, "accumulated gradient", got[0], func(i int) float32 { return sum[i] })
	})
}

func TestAveragePool(t *testing.T) {
	eachPool(t, func(t *testing.T, c poolCase, random func(int) []float32) {
		in, out := c.layouts()
		nx, ny := c.sizes()
		x, dy, before, bias := random(nx), random(ny), random(nx), random(c.c)
		for _, include := range []bool{false, true} {
			if c.s.CountIncludePad = include; include && max(c.s.DH, c.s.DW) > 1 {
				continue // PyTorch has no dilated average
			}
			// The reference does the same operations in the same order, so equal bits are wanted.
			plain, biased := make([]float32, ny), make([]float32, ny)
			dx, sum := make([]float32, nx), append([]float32(nil), before...)
			c.windows(func(i int, taps []int, padded int) {
				divisor := float32(len(taps))
				if include {
					divisor = float32(padded)
				}
				for _, t := range taps {
					plain[i] += x[t]
					dx[t] += dy[i] / divisor
					sum[t] += dy[i] / divisor
				}
				plain[i] /= divisor
				biased[i] = max(plain[i]+bias[i/(c.s.OH*c.s.OW)%c.c], 0)
			})
			got := sameOnAll(t, func(set *Set) [][]float32 {
				p, err := NewAveragePool(set, c.s, in, out, 0)
				return outcome(t, p, err, c.images, tensorIn(in, x), tensorOut(out))
			})
			matches(t, "average", got[0], func(i int) float32 { return plain[i] })
			got = sameOnAll(t, func(set *Set) [][]float32 {
				p, err := NewAveragePool(set, c.s, in, out, ReLU)
				return outcome(t, p, err, c.images, tensorIn(in, x), tensorOut(out), vectorIn(bias))
			})
			matches(t, "average, bias, ReLU", got[0], func(i int) float32 { return biased[i] })

			gradient := Blocked(c.c, c.s.H, c.s.W, 1)
			got = sameOnAll(t, func(set *Set) [][]float32 {
				p, err := NewAveragePoolGrad(set, c.s, out, gradient, 0)
				return outcome(t, p, err, c.images, tensorIn(out, dy), tensorOut(gradient))
			})
			matches(t, "gradient", got[0], func(i int) float32 { return dx[i] })
			got = sameOnAll(t, func(set *Set) [][]float32 {
				p, err := NewAveragePoolGrad(set, c.s, out, gradient, Acc)
				return outcome(t, p, err, c.images, tensorIn(out, dy), tensorInOut(gradient, before))
			})
			matches(t, "accumulated gradient", got[0], func(i int) float32 { return sum[i] })
		}
	})
}

func TestGlobalAveragePool(t *testing.T) {
	for _, c := range []struct{ c, h, w, images int }{{32, 8, 8, 3}, {20, 17, 5, 2}, {16, 1, 1, 2}, {16, 150, 149, 1}} {
		in := Blocked(c.c, c.h, c.w, 1)
		x := reals(rand.New(rand.NewPCG(7, 8)), c.images*c.c*c.h*c.w, 1)
		means := make([]float64, c.images*c.c)
		for i, v := range x {
			means[i/(c.h*c.w)] += float64(v) / float64(c.h*c.w)
		}
		want := make([]float32, len(means))
		for i, v := range means {
			want[i] = float32(v)
		}
		for _, single := range []bool{true, false} {
			out := Blocked(c.c, 1, 1, 0)
			if !single {
				out = Matrix(c.images, c.c)
			}
			got := sameOnAll(t, func(set *Set) [][]float32 {
				p, err := NewGlobalAveragePool(set, in, out)
				if single {
					return outcome(t, p, err, c.images, tensorIn(in, x), tensorOut(out))
				}
				y := newGuarded(out.Len(1))
				if err != nil {
					t.Fatal(err)
				}
				run1(p, Args{Operand: [8]uintptr{place(in, c.images, x).address(), y.address()}, Images: c.images})
				y.check(t, "matrix")
				return [][]float32{rowsOf(y.floats, out)}
			})
			matches(t, "average", got[0], func(i int) float32 {
				if math.Abs(float64(got[0][i])-means[i]) <= 0x1p-24*math.Abs(means[i])*1.01 {
					return got[0][i]
				}
				return want[i]
			})
		}
		dy := Blocked(c.c, 1, 1, 0)
		got := sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewGlobalAveragePoolGrad(set, dy, in)
			return outcome(t, p, err, c.images, tensorIn(dy, want), tensorOut(in))
		})
		sameBits(t, "gradient", got[0], spread(want, c.h*c.w))
	}
}

// rowsOf reads a matrix as row-major (N, F).
func rowsOf(m []float32, l Layout) []float32 {
	v := make([]float32, l.W*l.C)
	for n := range l.W {
		for f := range l.C {
			v[n*l.C+f] = m[f/Lanes*l.Plane+n*Lanes+f%Lanes]
		}
	}
	return v
}

// spread repeats every value n times, divided by n.
func spread(v []float32, n int) (out []float32) {
	for _, x := range v {
		for range n {
			out = append(out, x/float32(n))
		}
	}
	return out
}

func TestPoolErrors(t *testing.T) {
	in, out := Blocked(16, 8, 8, 0), Blocked(16, 4, 4, 0)
	good := pooled(8, 8, 2, 2, false)
	for name, change := range map[string]func(s *PoolShape, in, out *Layout){
		"stride 0":         func(s *PoolShape, _, _ *Layout) { s.SH = 0 },
		"negative padding": func(s *PoolShape, _, _ *Layout) { s.PL = -1 },
		"huge kernel":      func(s *PoolShape, _, _ *Layout) { s.KH = 1 << 30 },
		"another size":     func(_ *PoolShape, in, _ *Layout) { *in = Blocked(16, 8, 9, 0) },
		"other channels":   func(_ *PoolShape, _, out *Layout) { *out = Blocked(32, 4, 4, 0) },
		"pixels":           func(_ *PoolShape, in, out *Layout) { *in, *out = Pixels(3, 8, 8, 0), Pixels(3, 4, 4, 0) },
	} {
		s, in, out := good, in, out
		change(&s, &in, &out)
		if _, err := NewMaxPool(Go, s, in, out); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	s := PoolShape{H: 300, W: 300, OH: 300, OW: 300, KH: 301, KW: 301, SH: 1, SW: 1, DH: 1, DW: 1, PT: 150, PL: 150, PB: 150, PR: 150}
	if _, err := NewMaxPool(Go, s, Blocked(16, 300, 300, 0), Blocked(16, 300, 300, 0)); err == nil {
		t.Error("windows with gigabytes of taps: no error")
	}
}
