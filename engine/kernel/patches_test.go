package kernel

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// patchCases are convolutions whose windows do not meet: as large as the stride and smaller, with rows and columns left over, padding.
var patchCases = []ConvShape{
	shape(3, 20, 32, 48, 16, 16, 16, 16, 0),
	shape(3, 16, 42, 29, 14, 14, 14, 14, 0),
	shape(3, 16, 13, 11, 4, 4, 4, 4, 2),
	shape(1, 16, 12, 12, 4, 4, 4, 4, 0),
	shape(4, 33, 10, 17, 3, 5, 4, 6, 1, 2),
	shape(3, 16, 5, 5, 8, 8, 8, 8, 3), // a window larger than the image
	shape(32, 16, 9, 8, 2, 2, 2, 2, 0),
	shape(20, 17, 9, 8, 4, 4, 4, 4, 0),
	shape(16, 16, 7, 10, 1, 1, 3, 3, 0),
}

// patchLayouts are the layouts that images of s may have.
func patchLayouts(s ConvShape) []Layout {
	l := []Layout{Blocked(s.Cin, s.H, s.W, 1)}
	if s.Cin <= 4 {
		l = append(l, Pixels(s.Cin, s.H, s.W, 2))
	}
	return l
}

// TestPatches compares the product over patches with naive loops in float64, and with the bits of the direct convolution.
func TestPatches(t *testing.T) {
	const images = 2
	r := rand.New(rand.NewPCG(31, 32))
	for _, s := range patchCases {
		t.Run(shapeName(s), func(t *testing.T) {
			x, w, bias := reals(r, images*s.Cin*s.H*s.W, 1), reals(r, s.Cout*s.Cin*s.KH*s.KW, 1), reals(r, s.Cout, 1)
			want := referenceForward(s, x, w, bias, nil, ReLU, images)
			p, out := s.Patches(), Blocked(s.Cout, s.OH, s.OW, 1)
			in := Blocked(s.Cin, s.H, s.W, s.Halo())
			for _, l := range patchLayouts(s) {
				gathered := gatherPatches(t, s, l, x, images)
				packed, zeros := Aligned(PackedLen(p)), Aligned(blocksOf(s.Cout)*Lanes)
				PackPatchWeights(s, packed, w)
				copy(zeros, bias)
				for _, set := range sets() {
					c, err := NewConv(set, s, in, out, ReLU)
					if err != nil {
						t.Fatal(err)
					}
					direct := forward(t, c, in, out, s, x, w, bias, nil, ReLU, images)
					product, err := NewConv(set, p, patchLayout(p), out, ReLU)
					if err != nil {
						t.Fatal(err)
					}
					y := place(out, images, nil)
					run1(product, Args{Operand: [8]uintptr{gathered.address(), Address(packed), Address(zeros), y.address()}, Images: images})
					got := take(t, out, images, y)
					sameBits(t, product.Name(), got, direct)
					closeTo(t, product.Name(), got, want.value, want.bounds(s.Cin*s.KH*s.KW+1))
				}
				runtime.KeepAlive(packed)
				runtime.KeepAlive(zeros)
			}
		})
	}
}

// TestPatchGradients likewise for both gradients.
func TestPatchGradients(t *testing.T) {
	const images = 2
	r := rand.New(rand.NewPCG(33, 34))
	for _, s := range patchCases {
		t.Run(shapeName(s), func(t *testing.T) {
			x, w, g := reals(r, images*s.Cin*s.H*s.W, 1), reals(r, s.Cout*s.Cin*s.KH*s.KW, 1), reals(r, images*s.Cout*s.OH*s.OW, 1)
			p, dy := s.Patches(), Blocked(s.Cout, s.OH, s.OW, 0)
			gy := place(dy, images, g)
			wantW := referenceGradW(s, x, g, images)
			for _, l := range patchLayouts(s) {
				gathered := gatherPatches(t, s, l, x, images)
				for _, set := range sets() {
					c, err := NewConvGradW(set, p, patchLayout(p), dy)
					if err != nil {
						t.Fatal(err)
					}
					dw, got := newGuarded(PackedLen(p)), make([]float32, len(w))
					run1(c, Args{Operand: [8]uintptr{gathered.address(), gy.address(), dw.address()}, Images: images})
					dw.check(t, c.Name())
					UnpackPatchWeights(s, got, dw.floats)
					closeTo(t, c.Name(), got, wantW.value, wantW.bounds(images*s.OH*s.OW))
				}
			}
			packed, zeros := Aligned(PackedLen(p)), Aligned(p.Cin+Lanes)
			PackPatchWeights(s, packed, w)
			turned := Aligned(PackedLen(p))
			run1(NewTransposeWeights(Go, p), Args{Operand: [8]uintptr{Address(packed), Address(turned)}, Images: 1})
			for _, flags := range []int{0, Acc} {
				dx := Blocked(s.Cin+16, s.H, s.W, 1).Slice(16, s.Cin)
				x0 := x
				if flags == 0 {
					x0 = nil
				}
				want := referenceGradX(s, g, w, x0, images)
				for _, set := range sets() {
					c, err := NewConvGradX(set, p, dy, patchLayout(p), 0)
					if err != nil {
						t.Fatal(err)
					}
					back, err := NewScatterPatches(s, patchLayout(p), dx, flags)
					if err != nil {
						t.Fatal(err)
					}
					patches, gx := place(patchLayout(p), images, nil), place(dx, images, x0)
					run1(c, Args{Operand: [8]uintptr{gy.address(), Address(turned), Address(zeros), patches.address()}, Images: images})
					run1(back, Args{Operand: [8]uintptr{patches.address(), gx.address()}, Images: images})
					closeTo(t, c.Name(), take(t, dx, images, gx), want.value, want.bounds(s.Cout+1))
				}
			}
			runtime.KeepAlive(packed)
			runtime.KeepAlive(zeros)
			runtime.KeepAlive(turned)
		})
	}
}

// patchLayout is a layout of patches, of which p is the convolution.
func patchLayout(p ConvShape) Layout { return Blocked(p.Cin, p.H, p.W, 0) }

// gatherPatches makes patches of images in layout l, and checks the lanes past the last channel.
func gatherPatches(t *testing.T, s ConvShape, l Layout, x []float32, images int) guarded {
	t.Helper()
	to := patchLayout(s.Patches())
	gather, err := NewGatherPatches(s, l, to)
	if err != nil {
		t.Fatal(err)
	}
	gx, patches := place(l, images, x), place(to, images, nil)
	run1(gather, Args{Operand: [8]uintptr{gx.address(), patches.address()}, Images: images})
	take(t, l, images, gx)
	take(t, to, images, patches)
	return patches
}

// TestPatchesAreRefused: windows that meet.
func TestPatchesAreRefused(t *testing.T) {
	for _, s := range []ConvShape{shape(3, 16, 16, 16, 4, 4, 3, 4, 0), shape(3, 16, 16, 16, 4, 4, 4, 3, 0), dilated(shape(3, 16, 16, 16, 4, 4, 9, 9, 0), 2)} {
		p := patchLayout(s.Patches())
		if errorOf(NewGatherPatches(s, Pixels(3, 16, 16, 0), p)) == nil || errorOf(NewScatterPatches(s, p, Blocked(3, 16, 16, 0), 0)) == nil || UsePatches(s) {
			t.Errorf("%s: no error", shapeName(s))
		}
	}
}

// TestUsePatches: strides that direct convolution has a kernel for are its, in a photo and elsewhere.
func TestUsePatches(t *testing.T) {
	for channels, direct := range map[int][]int{3: {1, 2, 4}, 1: {1, 2}, 32: {1, 2}} {
		for stride := 1; stride <= 9; stride++ {
			s := shape(channels, 16, 27, 27, stride, stride, stride, stride, 0)
			if UsePatches(s) == slices.Contains(direct, stride) {
				t.Errorf("%s: patches are %v", shapeName(s), UsePatches(s))
			}
		}
	}
}
