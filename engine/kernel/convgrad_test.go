package kernel

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// TestConvGradX compares the data gradient of every instruction set with naive loops.
func TestConvGradX(t *testing.T) {
	const images = 2
	for _, tc := range convCases {
		s := tc.s
		t.Run(shapeName(s), func(t *testing.T) {
			dy := Blocked(s.Cout, s.OH, s.OW, s.GradHalo()+tc.inHalo)
			dx := Blocked(s.Cin+32, s.H, s.W, tc.outHalo).Slice(32, s.Cin)
			checkGradX(t, s, dy, dx, images, 0, Acc)
		})
	}
}

func checkGradX(t *testing.T, s ConvShape, dy, dx Layout, images int, flags ...int) {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	for _, whole := range []bool{true, false} {
		number := func(n int) []float32 {
			if whole {
				return integers(r, n)
			}
			return reals(r, n, 1)
		}
		g, w, x0 := number(images*s.Cout*s.OH*s.OW), number(s.Cout*s.Cin*s.KH*s.KW), number(images*s.Cin*s.H*s.W)
		weights, zeros := transposed(t, s, w), Aligned(blocksOf(s.Cin)*Lanes)
		for _, f := range flags {
			before := x0
			if f&Acc == 0 {
				before = nil
			}
			want := referenceGradX(s, g, w, before, images)
			bound := want.bounds(s.Cout*s.KH*s.KW + 1)
			if whole {
				clear(bound)
			}
			var first []float32
			for _, set := range sets() {
				c, err := NewConvGradX(set, s, dy, dx, f)
				if err != nil {
					t.Fatal(err)
				}
				gy, gx := place(dy, images, g), place(dx, images, before)
				run1(c, Args{Operand: [8]uintptr{gy.address(), Address(weights), Address(zeros), gx.address()}, Images: images})
				got := take(t, dx, images, gx)
				if first == nil {
					first = got
				}
				sameBits(t, c.Name(), got, first)
				closeTo(t, c.Name(), got, want.value, bound)
			}
		}
		runtime.KeepAlive(weights)
		runtime.KeepAlive(zeros)
	}
}

// transposed packs weights for the data gradient by way of the master layout, and checks Conv.Pack against it.
func transposed(t *testing.T, s ConvShape, oihw []float32) []float32 {
	t.Helper()
	master, packed, direct := Aligned(PackedLen(s)), newGuarded(PackedLen(s)), Aligned(PackedLen(s))
	PackWeights(s, master, oihw)
	clear(packed.floats)
	best, err := Detect()
	if err != nil {
		t.Fatal(err)
	}
	run1(NewTransposeWeights(best, s), Args{Operand: [8]uintptr{Address(master), packed.address()}, Images: 1})
	packed.check(t, "transposed weights")
	packTransposed(s, direct, oihw)
	sameBits(t, "transposed weights", packed.floats, direct)
	again := newGuarded(PackedLen(s))
	clear(again.floats)
	run1(NewTransposeWeights(Go, s), Args{Operand: [8]uintptr{Address(master), again.address()}, Images: 1})
	sameBits(t, "transposed weights in plain Go", again.floats, direct)
	runtime.KeepAlive(master)
	return packed.floats
}

// referenceGradX is the data gradient in float64, added to x0 unless that is nil.
func referenceGradX(s ConvShape, dy, w, x0 []float32, images int) sums {
	size, ys := s.Cin*s.H*s.W, s.Cout*s.OH*s.OW
	ref := newSums(images * size)
	for i, v := range x0 {
		ref.add(i, float64(v))
	}
	for n := range images {
		eachTap(s, func(xi, wi, yi int) {
			g := float64(dy[n*ys+yi])
			for c := range s.Cin {
				ref.add(n*size+xi+c*s.H*s.W, g*float64(w[wi+c*s.KH*s.KW]))
			}
		})
	}
	return ref
}

// referenceGradW is the weight gradient in float64.
func referenceGradW(s ConvShape, x, dy []float32, images int) sums {
	xs, ys := s.Cin*s.H*s.W, s.Cout*s.OH*s.OW
	ref := newSums(s.Cout * s.Cin * s.KH * s.KW)
	for n := range images {
		eachTap(s, func(xi, wi, yi int) {
			g := float64(dy[n*ys+yi])
			for c := range s.Cin {
				ref.add(wi+c*s.KH*s.KW, g*float64(x[n*xs+xi+c*s.H*s.W]))
			}
		})
	}
	return ref
}

// TestConvGradW compares the weight gradient of every instruction set with naive loops, over several images.
func TestConvGradW(t *testing.T) {
	const images = 2
	for _, tc := range convCases {
		s := tc.s
		t.Run(shapeName(s), func(t *testing.T) {
			checkGradW(t, s, Blocked(s.Cin, s.H, s.W, s.Halo()+tc.inHalo), Blocked(s.Cout, s.OH, s.OW, tc.outHalo), images)
		})
	}
}

// TestConvGradWPixels is TestConvGradW on images with 3 channels.
func TestConvGradWPixels(t *testing.T) {
	for _, s := range []ConvShape{
		shape(3, 32, 29, 31, 3, 3, 2, 2, 0),
		shape(3, 48, 18, 30, 3, 3, 1, 1, 1),
		shape(3, 64, 22, 22, 7, 7, 2, 2, 3),
		shape(3, 16, 27, 27, 11, 11, 4, 4, 2),
	} {
		t.Run(shapeName(s), func(t *testing.T) {
			checkGradW(t, s, Pixels(3, s.H, s.W, s.Halo()), Blocked(s.Cout, s.OH, s.OW, 1), 2)
		})
	}
}

func checkGradW(t *testing.T, s ConvShape, x, dy Layout, images int) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 8))
	for _, whole := range []bool{true, false} {
		number := func(n int) []float32 {
			if whole {
				return integers(r, n)
			}
			return reals(r, n, 1)
		}
		in, g := number(images*s.Cin*s.H*s.W), number(images*s.Cout*s.OH*s.OW)
		want := referenceGradW(s, in, g, images)
		bound := want.bounds(images * s.OH * s.OW)
		if whole {
			clear(bound)
		}
		var first []float32
		for _, set := range sets() {
			p, err := NewConvGradW(set, s, x, dy)
			if err != nil {
				t.Fatal(err)
			}
			gx, gy, gw := place(x, images, in), place(dy, images, g), newGuarded(PackedLen(s))
			if !x.blocked() { // the rows of channels that images do not have are left alone
				clear(gw.floats)
			}
			run1(p, Args{Operand: [8]uintptr{gx.address(), gy.address(), gw.address()}, Images: images})
			gw.check(t, p.Name())
			got := make([]float32, len(want.value))
			UnpackWeights(s, got, gw.floats)
			again := make([]float32, len(gw.floats))
			PackWeights(s, again, got)
			if !slices.Equal(again, gw.floats) {
				t.Fatalf("%s: padding of dW is not zero", p.Name())
			}
			if first == nil {
				first = got
			}
			sameBits(t, p.Name(), got, first)
			closeTo(t, p.Name(), got, want.value, bound)
		}
	}
}

// TestGradMatrix runs both gradients of a linear layer.
func TestGradMatrix(t *testing.T) {
	s := ConvShape{Cin: 70, Cout: 37, H: 1, W: 12, OH: 1, OW: 12, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}
	checkGradX(t, s, Matrix(12, 37), Matrix(12, 70), 1, 0)
	checkGradW(t, s, Matrix(12, 70), Matrix(12, 37), 1)
}

// TestRandomShapes runs forward pass and both gradients on shapes drawn at random, on small integers, in the widest instruction set.
func TestRandomShapes(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	between := func(low, high int) int { return low + r.IntN(high-low+1) }
	for n := 0; n < 150; {
		s := ConvShape{Cin: between(1, 40), Cout: between(1, 90), H: between(1, 14), W: between(1, 20), KH: between(1, 4), KW: between(1, 4),
			SH: between(1, 3), SW: between(1, 4), DH: between(1, 2), DW: between(1, 3), PT: between(0, 3), PL: between(0, 3)}
		s.OH = (s.H+s.PT+between(0, 3)-(s.KH-1)*s.DH-1)/s.SH + 1
		s.OW = (s.W+s.PL+between(0, 3)-(s.KW-1)*s.DW-1)/s.SW + 1
		if s.OH < 1 || s.OW < 1 {
			continue
		}
		n++
		t.Run(fmt.Sprintf("%s pad %d,%d out %dx%d", s, s.PT, s.PL, s.OH, s.OW), func(t *testing.T) { checkExactly(t, s, between(1, 3)) })
	}
}

// checkExactly compares a shape's three passes with naive loops on small integers.
func checkExactly(t *testing.T, s ConvShape, images int) {
	t.Helper()
	r := rand.New(rand.NewPCG(23, 24))
	x, w := integers(r, images*s.Cin*s.H*s.W), integers(r, s.Cout*s.Cin*s.KH*s.KW)
	g, bias := integers(r, images*s.Cout*s.OH*s.OW), integers(r, s.Cout)
	in, out := Blocked(s.Cin, s.H, s.W, max(s.Halo(), s.GradHalo())), Blocked(s.Cout, s.OH, s.OW, s.GradHalo())
	same := func(what string, got []float32, want sums) {
		closeTo(t, what, got, want.value, make([]float64, len(got)))
	}
	c, err := NewConv(sets()[len(sets())-1], s, in, out, 0)
	if err != nil {
		t.Fatal(err)
	}
	same("forward", forward(t, c, in, out, s, x, w, bias, nil, 0, images), referenceForward(s, x, w, bias, nil, 0, images))

	c, err = NewConvGradX(sets()[len(sets())-1], s, out, in, 0)
	if err != nil {
		t.Fatal(err)
	}
	turned, zeros := transposed(t, s, w), newGuarded(blocksOf(s.Cin)*Lanes)
	clear(zeros.floats)
	gx, gy, dx := place(in, images, x), place(out, images, g), place(in, images, nil)
	run1(c, Args{Operand: [8]uintptr{gy.address(), Address(turned), zeros.address(), dx.address()}, Images: images})
	runtime.KeepAlive(turned)
	same("data gradient", take(t, in, images, dx), referenceGradX(s, g, w, nil, images))

	p, err := NewConvGradW(sets()[len(sets())-1], s, in, out)
	if err != nil {
		t.Fatal(err)
	}
	dw := newGuarded(PackedLen(s))
	run1(p, Args{Operand: [8]uintptr{gx.address(), gy.address(), dw.address()}, Images: images})
	dw.check(t, "weight gradient")
	got := make([]float32, len(w))
	UnpackWeights(s, got, dw.floats)
	same("weight gradient", got, referenceGradW(s, x, g, images))
}
