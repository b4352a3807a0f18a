package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"testing"
)

// winogradCases cover every algorithm, with tiles that reach over the image's edges.
var winogradCases = []ConvShape{
	shape(32, 48, 14, 13, 3, 3, 1, 1, 1),
	shape(16, 32, 15, 17, 3, 3, 1, 1, 0),
	shape(20, 18, 8, 6, 3, 3, 1, 1, 2),
	shape(16, 112, 7, 7, 3, 3, 1, 1, 1),
	shape(48, 80, 17, 19, 5, 5, 1, 1, 2),
	shape(16, 16, 9, 9, 5, 5, 1, 1, 0),
	shape(32, 48, 17, 17, 1, 7, 1, 1, 0, 3),
	shape(32, 48, 17, 17, 7, 1, 1, 1, 3, 0),
	shape(48, 16, 8, 9, 1, 3, 1, 1, 0, 1),
	shape(48, 16, 8, 9, 3, 1, 1, 1, 1, 0),
	shape(16, 16, 3, 5, 3, 3, 1, 1, 1),
	shape(16, 32, 23, 24, 3, 3, 1, 1, 1), // F(6x6,3x3)
	shape(16, 16, 18, 19, 3, 3, 1, 1, 2),
	shape(16, 32, 4, 8, 1, 7, 1, 1, 0, 3), // F(4,7)
	shape(16, 32, 7, 4, 7, 1, 1, 1, 3, 0),
}

// TestWinogradGroups checks that the groups of any number of tiles are those tiles, none empty and none larger than the scratch.
func TestWinogradGroups(t *testing.T) {
	for _, set := range sets() {
		for _, s := range winogradCases {
			for _, group := range []int{1, 2, 3, 5, 7} {
				c, err := NewWinograd(set, s, Blocked(s.Cin, s.H, s.W, s.Halo()), Blocked(s.Cout, s.OH, s.OW, 0), 0)
				if err != nil {
					t.Fatal(err)
				}
				c.group = min(c.group, group*(len(c.blocks[0].products)-1))
				for images := 1; images < 40; images++ {
					groups, _ := c.division(images)
					for g := range groups {
						if n := c.firstTile(g+1, groups, images) - c.firstTile(g, groups, images); n < 1 || n > c.group {
							t.Fatalf("%s, %d images: %d tiles in group %d of %d, at most %d", c.Name(), images, n, g, groups, c.group)
						}
					}
					if c.firstTile(0, groups, images) != 0 || c.firstTile(groups, groups, images) != images*c.perImage() {
						t.Fatalf("%s, %d images: tiles are missing", c.Name(), images)
					}
				}
			}
		}
	}
}

// TestWinograd compares the forward pass of every instruction set with naive loops, and their bits with each other. An element's bound
// is that of its own intermediate results; see winogradBounds.
func TestWinograd(t *testing.T) {
	const images = 2
	for _, s := range winogradCases {
		t.Run(shapeName(s), func(t *testing.T) {
			in := Blocked(s.Cin, s.H, s.W, s.Halo())
			out := Blocked(s.Cout+16, s.OH, s.OW, 1).Slice(16, s.Cout)
			r := rand.New(rand.NewPCG(11, 12))
			x, w := reals(r, images*s.Cin*s.H*s.W, 1), reals(r, s.Cout*s.Cin*s.KH*s.KW, 1)
			bias, y0 := reals(r, s.Cout, 1), reals(r, images*s.Cout*s.OH*s.OW, 1)
			bound := winogradBounds(s, x, w, images)
			products := referenceProducts(s, x, w, images)
			for _, flags := range []int{0, Acc | ReLU} {
				want := products.ended(s, bias, y0, flags)
				var first []float32
				for _, set := range sets() {
					c, err := NewWinograd(set, s, in, out, flags)
					if err != nil {
						t.Fatal(err)
					}
					got := forward(t, c, in, out, s, x, w, bias, y0, flags, images)
					if first == nil {
						first = got
					}
					sameBits(t, c.Name(), got, first)
					closeTo(t, c.Name(), got, want.value, bound)
				}
			}
		})
	}
}

// TestWinogradGradX does the same for data gradients, with weights transformed in float32 from the transposed layout, as in training.
func TestWinogradGradX(t *testing.T) {
	const images = 2
	for _, s := range winogradCases {
		t.Run(shapeName(s), func(t *testing.T) {
			dy, dx := Blocked(s.Cout, s.OH, s.OW, s.GradHalo()), Blocked(s.Cin, s.H, s.W, 2)
			r := rand.New(rand.NewPCG(13, 14))
			g, w := reals(r, images*s.Cout*s.OH*s.OW, 1), reals(r, s.Cout*s.Cin*s.KH*s.KW, 1)
			x0 := reals(r, images*s.Cin*s.H*s.W, 1)
			want := referenceGradX(s, g, w, x0, images)
			bound := winogradBounds(s.transposed(), g, flipped(s, w), images)
			turned, zeros := transposed(t, s, w), Aligned(blocksOf(s.Cin)*Lanes)
			var first, weights []float32
			for _, set := range sets() {
				c, err := NewWinogradGradX(set, s, dy, dx, Acc)
				if err != nil {
					t.Fatal(err)
				}
				u := newGuarded(c.WeightLen())
				run1(c.TransformWeights(), Args{Operand: [8]uintptr{Address(turned), u.address()}, Images: images})
				u.check(t, "transformed weights")
				if set.Name != "avx2" { // other groups of output blocks
					if weights == nil {
						weights = u.floats
					}
					sameBits(t, "transformed weights", u.floats, weights)
				}
				gy, gx := place(dy, images, g), place(dx, images, x0)
				run1(c, Args{Operand: [8]uintptr{gy.address(), u.address(), Address(zeros), gx.address()}, Images: images})
				runtime.KeepAlive(u)
				got := take(t, dx, images, gx)
				if first == nil {
					first = got
				}
				sameBits(t, c.Name(), got, first)
				closeTo(t, c.Name(), got, want.value, bound)
			}
			runtime.KeepAlive(turned)
			runtime.KeepAlive(zeros)
		})
	}
}

// TestWinogradGradW compares the weight gradient of every instruction set with naive loops, and their bits with each other.
func TestWinogradGradW(t *testing.T) {
	for _, images := range []int{1, 3} {
		for _, s := range winogradCases {
			t.Run(fmt.Sprintf("%s %d images", shapeName(s), images), func(t *testing.T) {
				in, dy := Blocked(s.Cin, s.H, s.W, s.Halo()), Blocked(s.Cout, s.OH, s.OW, 1)
				r := rand.New(rand.NewPCG(17, 18))
				x, g := reals(r, images*s.Cin*s.H*s.W, 1), reals(r, images*s.Cout*s.OH*s.OW, 1)
				want := referenceGradW(s, x, g, images)
				bound := winogradGradWBound(s, x, g, images)
				var first []float32
				for _, set := range sets() {
					p, err := NewWinogradGradW(set, s, in, dy)
					if err != nil {
						t.Fatal(err)
					}
					gx, gy := place(in, images, x), place(dy, images, g)
					sums, dw := newGuarded(p.Sums()), newGuarded(PackedLen(s))
					run1(p, Args{Operand: [8]uintptr{gx.address(), gy.address(), sums.address()}, Images: images})
					run1(p.Finish(), Args{Operand: [8]uintptr{sums.address(), dw.address()}, Images: images})
					sums.check(t, p.Name())
					dw.check(t, p.Name())
					got := make([]float32, len(want.value))
					UnpackWeights(s, got, dw.floats)
					if first == nil {
						first = got
					}
					sameBits(t, p.Name(), got, first)
					for i, v := range got {
						if d := math.Abs(float64(v) - want.value[i]); !(d <= bound) {
							t.Fatalf("%s: weight %d is %v, want %v within %.2g", p.Name(), i, v, want.value[i], bound)
						}
					}
				}
			})
		}
	}
}

// winogradGradWBound bounds the rounding error of any weight's gradient: at most tiles+depth roundings on a sum of terms
// G[j,t] A[k,j] y[k] B[j,i] d[i], each no larger than the matrices' absolute sums times the largest values.
func winogradGradWBound(s ConvShape, x, dy []float32, images int) float64 {
	a, _ := winogradAlgorithm(s)
	at, gt, bt := a.F().Matrices()
	out, weights, in := absolute(at), absolute(gt), absolute(bt)
	worst := 0.0
	for tap := range a.Taps {
		sum := 0.0
		for j := range in {
			y, d := 0.0, 0.0
			for k := range out {
				y += out[k][j]
			}
			for i := range in {
				d += in[j][i]
			}
			sum += weights[j][tap] * y * d
		}
		worst = max(worst, sum)
	}
	if a.Dims == 2 {
		worst *= worst
	}
	largest := func(v []float32) (m float64) {
		for _, x := range v {
			m = max(m, math.Abs(float64(x)))
		}
		return m
	}
	g := newWinogradTiles(s, a)
	tiles := float64(images * g.perImage())
	return (tiles + 60) * 0x1p-24 * tiles * worst * largest(x) * largest(dy)
}

// TestWinogradPack compares the weights that inference packs with those of the transform as a step, and both with exact arithmetic.
func TestWinogradPack(t *testing.T) {
	for _, s := range winogradCases {
		in, out := Blocked(s.Cin, s.H, s.W, s.Halo()), Blocked(s.Cout, s.OH, s.OW, 0)
		r := rand.New(rand.NewPCG(15, 16))
		w, master := reals(r, s.Cout*s.Cin*s.KH*s.KW, 1), Aligned(PackedLen(s))
		PackWeights(s, master, w)
		c, err := NewWinograd(sets()[len(sets())-1], s, in, out, 0)
		if err != nil {
			t.Fatal(err)
		}
		step, packed := newGuarded(c.WeightLen()), newGuarded(c.WeightLen())
		run1(c.TransformWeights(), Args{Operand: [8]uintptr{Address(master), step.address()}, Images: 1})
		runtime.KeepAlive(master)
		c.Pack(packed.floats, w)
		sameBits(t, c.Name()+": packed weights", packed.floats, step.floats)

		exact := exactWeights(c, w)
		for i, v := range packed.floats { // sums of up to 25 terms, each below 6 standard deviations times a coefficient of at most 4
			if d := math.Abs(float64(v) - exact[i]); d > 25*0x1p-24*6*16 {
				t.Fatalf("%s: weight %d is %v, exactly %v", c.Name(), i, v, exact[i])
			}
		}
	}
}

// exactWeights are the transformed weights G w G^T (of one axis: G w), computed in float64, in the order of the products.
func exactWeights(c *Winograd, w []float32) []float64 {
	s, taps := c.shape, c.shape.KH*c.shape.KW
	_, rational, _ := c.algorithm.F().Matrices()
	g := make([][]float64, len(rational))
	for i, row := range rational {
		for _, x := range row {
			v, _ := x.Float64()
			g[i] = append(g[i], v)
		}
	}
	rows, columns := g, g
	switch {
	case s.KH == 1:
		rows = [][]float64{{1}}
	case s.KW == 1:
		columns = [][]float64{{1}}
	}
	exact := make([]float64, c.WeightLen())
	for _, b := range c.blocks {
		for o := b.first * Lanes; o < min((b.first+b.k)*Lanes, s.Cout); o++ {
			for ci := range s.Cin {
				f := w[(o*s.Cin+ci)*taps:][:taps]
				for i, gi := range rows {
					for j, gj := range columns {
						sum := 0.0
						for y := range s.KH {
							for x := range s.KW {
								sum += gi[y] * gj[x] * float64(f[y*s.KW+x])
							}
						}
						row := b.first*c.algorithm.Products() + (i*len(columns)+j)*b.k + o/Lanes - b.first
						exact[((row*c.in.Blocks()+ci/Lanes)*Lanes+ci%Lanes)*Lanes+o%Lanes] = sum
					}
				}
			}
		}
	}
	return exact
}

// TestWinogradAnyImages checks that an image has the same bits alone and in a batch, though batches are divided otherwise.
func TestWinogradAnyImages(t *testing.T) {
	for _, s := range []ConvShape{shape(48, 112, 8, 8, 3, 3, 1, 1, 1), shape(32, 64, 17, 17, 1, 7, 1, 1, 0, 3), shape(16, 32, 35, 35, 3, 3, 1, 1, 1)} {
		in, out := Blocked(s.Cin, s.H, s.W, s.Halo()), Blocked(s.Cout, s.OH, s.OW, 0)
		r := rand.New(rand.NewPCG(3, 4))
		const images = 5
		xs, ys := s.Cin*s.H*s.W, s.Cout*s.OH*s.OW
		x, w, bias := reals(r, images*xs, 1), reals(r, s.Cout*s.Cin*s.KH*s.KW, 1), reals(r, s.Cout, 1)
		c, err := NewWinograd(sets()[len(sets())-1], s, in, out, 0)
		if err != nil {
			t.Fatal(err)
		}
		batch := forward(t, c, in, out, s, x, w, bias, nil, 0, images)
		for i := range images {
			one := forward(t, c, in, out, s, x[i*xs:(i+1)*xs], w, bias, nil, 0, 1)
			sameBits(t, "image alone", one, batch[i*ys:(i+1)*ys])
		}
	}
}

// TestUseWinograd lists shapes for which there is no algorithm.
func TestUseWinograd(t *testing.T) {
	for _, s := range []ConvShape{
		shape(32, 32, 9, 9, 1, 1, 1, 1, 0),
		shape(32, 32, 9, 9, 3, 3, 2, 2, 1),
		shape(3, 32, 9, 9, 3, 3, 1, 1, 1),
		shape(32, 32, 9, 9, 7, 7, 1, 1, 3),
		shape(32, 32, 9, 9, 1, 3, 1, 1, 1, 1), // rows of nothing but padding
		dilated(shape(32, 32, 12, 12, 3, 3, 1, 1, 2), 2),
		shape(32, 32, 5, 5, 5, 5, 1, 1, 0), // one pixel: more products than the direct way
		shape(32, 32, 5, 5, 5, 5, 1, 1, 0).transposed(),
	} {
		if UseWinograd(s) {
			t.Errorf("%s: no algorithm serves this", shapeName(s))
		}
		if _, err := NewWinograd(Go, s, Blocked(s.Cin, s.H, s.W, s.Halo()), Blocked(s.Cout, s.OH, s.OW, 0), 0); err == nil {
			t.Errorf("%s: no error", shapeName(s))
		}
	}
}

// flipped are the weights of the data gradient as a convolution: (Cin, Cout, KH, KW), both axes turned round.
func flipped(s ConvShape, w []float32) []float32 {
	taps := s.KH * s.KW
	f := make([]float32, len(w))
	for o := range s.Cout {
		for c := range s.Cin {
			for t := range taps {
				f[(c*s.Cout+o)*taps+taps-1-t] = w[(o*s.Cin+c)*taps+t]
			}
		}
	}
	return f
}

// winogradBounds bounds the rounding errors of Winograd's algorithm in float32, elementwise: every output is a sum of terms
// A[k,j] G[j,t] w[t] B[j,i] d[i] over channels, and a term passes through at most Cin+depth roundings, each of half an ulp of a partial
// sum that is no larger than the sum of absolute terms. It runs the algorithm in float64 on absolute values.
func winogradBounds(s ConvShape, x, w []float32, images int) []float64 {
	a, _ := winogradAlgorithm(s)
	at, gt, bt := a.F().Matrices()
	out, weights, in := absolute(at), absolute(gt), absolute(bt)
	one := [][]float64{{1}}
	rows, columns := [3][][]float64{out, weights, in}, [3][][]float64{out, weights, in}
	tileH, tileW := a.Outputs, a.Outputs
	if s.KH == 1 {
		rows, tileH = [3][][]float64{one, one, one}, 1
	}
	if s.KW == 1 {
		columns, tileW = [3][][]float64{one, one, one}, 1
	}
	u := make([][]float64, s.Cout*s.Cin)
	for i := range u {
		u[i] = nested(rows[1], columns[1], func(a, b int) float64 { return math.Abs(float64(w[(i*s.KH+a)*s.KW+b])) })
	}
	depth := s.Cin + 2*(2*len(bt)+2*len(gt[0])+2*len(at[0])) + 2
	bound := make([]float64, images*s.Cout*s.OH*s.OW)
	for n := range images {
		for r := 0; r < s.OH; r += tileH {
			for q := 0; q < s.OW; q += tileW {
				v := make([][]float64, s.Cin)
				for c := range v {
					v[c] = nested(rows[2], columns[2], func(i, j int) float64 {
						y, z := r-s.PT+i, q-s.PL+j
						if y < 0 || y >= s.H || z < 0 || z >= s.W {
							return 0
						}
						return math.Abs(float64(x[((n*s.Cin+c)*s.H+y)*s.W+z]))
					})
				}
				for o := range s.Cout {
					products := make([]float64, len(v[0]))
					for c := range v {
						for i, p := range u[o*s.Cin+c] {
							products[i] += p * v[c][i]
						}
					}
					wide := len(columns[2])
					y := nested(rows[0], columns[0], func(i, j int) float64 { return products[i*wide+j] })
					for i := range min(tileH, s.OH-r) {
						for j := range min(tileW, s.OW-q) {
							bound[((n*s.Cout+o)*s.OH+r+i)*s.OW+q+j] = float64(depth)*0x1p-24*y[i*tileW+j] + 0x1p-20
						}
					}
				}
			}
		}
	}
	return bound
}

// nested is left * x * right^T for an x as wide as left and right.
func nested(left, right [][]float64, x func(i, j int) float64) []float64 {
	var y []float64
	for _, l := range left {
		half := make([]float64, len(right[0]))
		for i, c := range l {
			if c == 0 {
				continue
			}
			for j := range half {
				half[j] += c * x(i, j)
			}
		}
		for _, r := range right {
			sum := 0.0
			for j, c := range r {
				sum += c * half[j]
			}
			y = append(y, sum)
		}
	}
	return y
}

func absolute(m [][]*big.Rat) [][]float64 {
	f := make([][]float64, len(m))
	for i, row := range m {
		for _, x := range row {
			v, _ := x.Float64()
			f[i] = append(f[i], math.Abs(v))
		}
	}
	return f
}
