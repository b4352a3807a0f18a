package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// convCases are shapes with odd sizes, tails, strides, dilations and paddings.
var convCases = []struct {
	s               ConvShape
	inHalo, outHalo int // beyond what is needed
}{
	{shape(16, 16, 5, 5, 1, 1, 1, 1, 0), 0, 0},
	{shape(16, 16, 5, 5, 1, 1, 1, 1, 0), 1, 2},
	{shape(32, 80, 7, 9, 1, 1, 1, 1, 0), 0, 0},
	{shape(400, 96, 5, 9, 1, 1, 1, 1, 0), 0, 0}, // passes and panels
	{shape(32, 48, 7, 9, 3, 3, 1, 1, 1), 0, 1},
	{shape(20, 40, 7, 35, 3, 3, 1, 1, 1), 1, 0},
	{shape(32, 64, 11, 17, 1, 7, 1, 1, 0, 3), 0, 0},
	{shape(17, 33, 17, 17, 7, 1, 1, 1, 3, 0), 0, 3},
	{shape(16, 64, 7, 29, 5, 5, 1, 1, 2), 0, 0},
	{shape(16, 48, 19, 35, 3, 3, 2, 2, 0), 0, 0},
	{shape(16, 32, 8, 8, 3, 3, 2, 2, 1), 0, 1},
	{shape(16, 32, 9, 10, 1, 1, 2, 2, 0), 0, 0},
	{shape(16, 16, 11, 11, 3, 3, 3, 3, 1), 0, 0},
	{shape(16, 16, 9, 9, 3, 3, 2, 1, 1), 0, 0},
	{dilated(shape(16, 48, 12, 12, 3, 3, 1, 1, 2), 2), 0, 0},
	{dilated(shape(16, 16, 12, 12, 3, 3, 2, 2, 2), 2), 0, 0},
	{shape(16, 16, 2, 2, 5, 5, 1, 1, 2), 0, 0}, // more taps than rows
	{shape(16, 16, 1, 1, 3, 3, 1, 1, 1), 0, 0}, // one pixel
	{shape(4, 5, 6, 6, 3, 3, 1, 1, 1), 0, 0},   // less than a block
	{ConvShape{Cin: 16, Cout: 16, H: 6, W: 6, OH: 6, OW: 6, KH: 2, KW: 2, SH: 1, SW: 1, DH: 1, DW: 1, PT: 1, PL: 0}, 0, 0}, // uneven padding
	{ConvShape{Cin: 16, Cout: 16, H: 4, W: 4, OH: 9, OW: 4, KH: 3, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1, PT: 4, PL: 0}, 0, 0}, // rows without any tap
	{shape(16, 16, 3, 64, 1, 1, 1, 1, 0), 0, 0},
	{shape(560, 80, 7, 7, 1, 1, 1, 1, 0), 0, 1}, // one run of 49 pixels, in two passes
}

// TestConvOneRun: rows that no whole tiles fill are one run where the input is that and an output with a halo is not.
func TestConvOneRun(t *testing.T) {
	s := shape(560, 80, 7, 7, 1, 1, 1, 1, 0)
	for _, set := range sets() {
		for _, tc := range []struct {
			inHalo, outHalo, flags int
			want                   bool
		}{{0, 1, ReLU, set.Tiles.Pixels[0] < 7}, {0, 0, 0, false}, {1, 1, 0, false}, {0, 1, Acc, false}} {
			c, err := NewConv(set, s, Blocked(s.Cin, s.H, s.W, tc.inHalo), Blocked(s.Cout, s.OH, s.OW, tc.outHalo), tc.flags)
			if err != nil {
				t.Fatal(err)
			}
			if c.oneRun != tc.want || (c.Scratch() > 0) != tc.want {
				t.Errorf("%s, halos %d and %d, flags %d: one run %v, scratch %d", c.Name(), tc.inHalo, tc.outHalo, tc.flags, c.oneRun, c.Scratch())
			}
		}
	}
}

// shape is a convolution with the output size that floor gives; one padding or (height, width).
func shape(cin, cout, h, w, kh, kw, sh, sw int, pad ...int) ConvShape {
	ph, pw := pad[0], pad[len(pad)-1]
	return ConvShape{Cin: cin, Cout: cout, H: h, W: w, OH: (h+2*ph-kh)/sh + 1, OW: (w+2*pw-kw)/sw + 1,
		KH: kh, KW: kw, SH: sh, SW: sw, DH: 1, DW: 1, PT: ph, PL: pw}
}

func dilated(s ConvShape, d int) ConvShape {
	s.DH, s.DW = d, d
	s.OH, s.OW = (s.H+2*s.PT-d*(s.KH-1)-1)/s.SH+1, (s.W+2*s.PL-d*(s.KW-1)-1)/s.SW+1
	return s
}

// TestConv compares the forward pass of every instruction set with naive loops: small integers exactly, and real values within the
// bound of a chain of that length and with equal bits among the instruction sets.
func TestConv(t *testing.T) {
	const images = 2
	for _, tc := range convCases {
		s := tc.s
		t.Run(shapeName(s), func(t *testing.T) {
			in := Blocked(s.Cin, s.H, s.W, s.Halo()+tc.inHalo)
			out := Blocked(s.Cout+16, s.OH, s.OW, tc.outHalo).Slice(16, s.Cout) // a branch of a concatenation
			checkForward(t, s, in, out, images, 0, ReLU, ReLU6, Acc, Acc|ReLU)
		})
	}
}

// TestConvPixels is TestConv on images with 3 channels.
func TestConvPixels(t *testing.T) {
	for _, s := range []ConvShape{
		shape(3, 32, 29, 31, 3, 3, 2, 2, 0),   // Inception-v3
		shape(3, 64, 18, 30, 3, 3, 1, 1, 1),   // VGG
		shape(3, 64, 30, 30, 7, 7, 2, 2, 3),   // ResNet
		shape(3, 48, 35, 35, 11, 11, 4, 4, 2), // AlexNet
		shape(3, 16, 3, 3, 3, 3, 1, 1, 1),
	} {
		t.Run(shapeName(s), func(t *testing.T) {
			checkForward(t, s, Pixels(3, s.H, s.W, s.Halo()), Blocked(s.Cout, s.OH, s.OW, 1), 2, ReLU6)
		})
	}
}

// checkForward compares it with each of the flags; real values only with the first and the last, which round most.
func checkForward(t *testing.T, s ConvShape, in, out Layout, images int, flags ...int) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for _, whole := range []bool{true, false} {
		number := func(n int) []float32 {
			if whole {
				return integers(r, n)
			}
			return reals(r, n, 1)
		}
		x, w := number(images*in.C*in.H*in.W), number(s.Cout*s.Cin*s.KH*s.KW)
		bias, y0 := number(s.Cout), number(images*s.Cout*s.OH*s.OW)
		products := referenceProducts(s, x, w, images)
		for i, f := range flags {
			if !whole && i > 0 && i < len(flags)-1 {
				continue
			}
			want := products.ended(s, bias, y0, f)
			var first []float32
			for _, set := range sets() {
				c, err := NewConv(set, s, in, out, f)
				if err != nil {
					t.Fatal(err)
				}
				got := forward(t, c, in, out, s, x, w, bias, y0, f, images)
				if first == nil {
					first = got
				}
				sameBits(t, c.Name()+" against "+Go.String(), got, first)
				bound := want.bounds(s.Cin*s.KH*s.KW + 1)
				if whole {
					clear(bound)
				}
				closeTo(t, c.Name(), got, want.value, bound)
			}
		}
	}
}

// forward runs a forward primitive on row-major data.
func forward(t *testing.T, c Primitive, in, out Layout, s ConvShape, x, w, bias, y0 []float32, flags, images int) []float32 {
	t.Helper()
	packer := c.(interface {
		WeightLen() int
		Pack(dst, oihw []float32)
	})
	weights := newGuarded(packer.WeightLen())
	packer.Pack(weights.floats, w)
	b := newGuarded(blocksOf(s.Cout) * Lanes)
	clear(b.floats)
	copy(b.floats, bias)
	if flags&Acc == 0 {
		y0 = nil
	}
	gx, gy := place(in, images, x), place(out, images, y0)
	run1(c, Args{Operand: [8]uintptr{gx.address(), weights.address(), b.address(), gy.address()}, Images: images})
	weights.check(t, "weights")
	b.check(t, "bias")
	take(t, in, images, gx)
	return take(t, out, images, gy)
}

// referenceForward is the convolution in float64.
func referenceForward(s ConvShape, x, w, bias, y0 []float32, flags, images int) sums {
	return referenceProducts(s, x, w, images).ended(s, bias, y0, flags)
}

// referenceProducts are its sums of products alone.
func referenceProducts(s ConvShape, x, w []float32, images int) sums {
	size, xs := s.Cout*s.OH*s.OW, s.Cin*s.H*s.W
	ref := newSums(images * size)
	for n := range images {
		eachTap(s, func(xi, wi, yi int) {
			value, magnitude := 0., 0.
			for c := range s.Cin {
				v := float64(x[n*xs+xi+c*s.H*s.W]) * float64(w[wi+c*s.KH*s.KW])
				value += v
				magnitude += math.Abs(v)
			}
			ref.value[n*size+yi] += value
			ref.magnitude[n*size+yi] += magnitude
		})
	}
	return ref
}

// ended are the sums with the bias and what flags ask for.
func (s sums) ended(shape ConvShape, bias, y0 []float32, flags int) sums {
	ref := sums{slices.Clone(s.value), slices.Clone(s.magnitude)}
	for i := range ref.value {
		ref.add(i, float64(bias[i/(shape.OH*shape.OW)%shape.Cout]))
		if flags&Acc != 0 {
			ref.add(i, float64(y0[i]))
		}
		switch v := ref.value[i]; {
		case flags&ReLU6 != 0:
			ref.value[i] = min(max(v, 0), 6)
		case flags&ReLU != 0:
			ref.value[i] = max(v, 0)
		}
	}
	return ref
}

// TestConvMatrix runs a linear layer as a 1x1 convolution whose pixels are the rows of a matrix.
func TestConvMatrix(t *testing.T) {
	for _, n := range []int{1, 3, 32, 64} {
		s := ConvShape{Cin: 70, Cout: 50, H: 1, W: n, OH: 1, OW: n, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}
		checkForward(t, s, Matrix(n, 70), Matrix(n, 50), 1, 0)
	}
}

// TestConvLongList covers lists that are cut into passes: more weights than the cache holds.
func TestConvLongList(t *testing.T) {
	for _, n := range []int{1, 2, 33} { // 1 and 2: single tiles, in one pass
		s := ConvShape{Cin: 9000, Cout: 32, H: 1, W: n, OH: 1, OW: n, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}
		checkForward(t, s, Matrix(n, 9000), Matrix(n, 32), 1, Acc|ReLU)
	}
}

// TestConvAnyImages checks that an image has the same bits alone and in a batch.
func TestConvAnyImages(t *testing.T) {
	s := shape(64, 96, 9, 9, 3, 3, 1, 1, 1)
	in, out := Blocked(s.Cin, s.H, s.W, 1), Blocked(s.Cout, s.OH, s.OW, 0)
	r := rand.New(rand.NewPCG(3, 4))
	const images = 5
	x, w, bias := reals(r, images*in.C*81, 1), reals(r, s.Cout*s.Cin*9, 1), reals(r, s.Cout, 1)
	c, err := NewConv(sets()[len(sets())-1], s, in, out, 0)
	if err != nil {
		t.Fatal(err)
	}
	batch := forward(t, c, in, out, s, x, w, bias, nil, 0, images)
	for i := range images {
		one := forward(t, c, in, out, s, x[i*in.C*81:(i+1)*in.C*81], w, bias, nil, 0, 1)
		sameBits(t, "image alone", one, batch[i*s.Cout*81:(i+1)*s.Cout*81])
	}
}

// TestConvErrors lists what the constructors refuse.
func TestConvErrors(t *testing.T) {
	s := shape(16, 16, 8, 8, 3, 3, 1, 1, 1)
	out := Blocked(16, 8, 8, 0)
	for what, in := range map[string]Layout{
		"no halo":        Blocked(16, 8, 8, 0),
		"wrong channels": Blocked(32, 8, 8, 1),
		"wrong size":     Blocked(16, 9, 8, 1),
	} {
		if _, err := NewConv(Go, s, in, out, 0); err == nil {
			t.Errorf("NewConv with %s: no error", what)
		}
	}
	four := s
	four.Cin = 4
	if _, err := NewConv(Go, four, Pixels(4, 8, 8, 1), out, 0); err == nil {
		t.Error("NewConv on 4-channel pixels: no error")
	}
	if _, err := NewConv(Go, ConvShape{}, Layout{}, Layout{}, 0); err == nil {
		t.Error("NewConv of nothing: no error")
	}
}

// TestClampKeepsNaN: what a convolution bounds below, and above, is NaN where one of the pixels that it reads is, and nowhere else.
func TestClampKeepsNaN(t *testing.T) {
	s := shape(16, 32, 13, 13, 3, 3, 1, 1, 1) // whole blocks: zero times NaN is NaN in lanes past the last channel
	in, out := Blocked(s.Cin, s.H, s.W, s.Halo()), Blocked(s.Cout, s.OH, s.OW, 0)
	r := rand.New(rand.NewPCG(13, 14))
	x, w, bias := reals(r, s.Cin*s.H*s.W, 1), reals(r, s.Cout*s.Cin*9, 1), make([]float32, s.Cout)
	const bad = 5
	x[bad*s.W+bad] = guardValue
	check := func(c Primitive, flags int, high float64, spread int) {
		t.Helper()
		for i, v := range forward(t, c, in, out, s, x, w, bias, nil, flags, 1) {
			row, column := i/s.OW%s.OH, i%s.OW
			far := max(row-bad, bad-row, column-bad, bad-column)
			if nan := v != v; far <= 1 && !nan || far > spread && nan || !nan && (v < 0 || float64(v) > high) {
				t.Fatalf("%s, flags %#x: output %d, %d is %v", c.Name(), flags, row, column, v)
			}
		}
	}
	for _, set := range sets() {
		for flags, high := range map[int]float64{ReLU: math.Inf(1), ReLU6: 6} {
			c, err := NewConv(set, s, in, out, flags)
			if err != nil {
				t.Fatal(err)
			}
			check(c, flags, high, 1)
		}
		c, err := NewWinograd(set, s, in, out, ReLU)
		if err != nil {
			t.Fatal(err)
		}
		check(c, ReLU, math.Inf(1), 4) // a transform spreads it over tiles
	}
}
