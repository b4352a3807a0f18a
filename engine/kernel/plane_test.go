package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"regraft/engine/kernel/asm"
)

// operandValue is an operand of a test run: a tensor in a layout, or a plain vector when the layout is
// zero. Without values it is an output, which starts as NaN. A tensor that is changed has both.
type operandValue struct {
	layout Layout
	values []float32
	length int // of an output vector
	inout  bool
}

func tensorIn(l Layout, nchw []float32) operandValue { return operandValue{layout: l, values: nchw} }
func tensorOut(l Layout) operandValue                { return operandValue{layout: l} }
func tensorInOut(l Layout, nchw []float32) operandValue {
	return operandValue{layout: l, values: nchw, inout: true}
}

// vectorIn is rounded up to whole blocks with zeros.
func vectorIn(v []float32) operandValue {
	padded := make([]float32, roundUp(len(v), Lanes))
	copy(padded, v)
	return operandValue{values: padded}
}
func vectorOut(n int) operandValue                { return operandValue{length: n} }
func vectorInOut(v []float32) operandValue        { o := vectorIn(v); o.inout = true; return o }
func slotsFor(p Slotted, images int) operandValue { return operandValue{length: p.Slots(images)} }

// outcome runs all items of p and returns its outputs in the order of the operands, tensors as row-major
// NCHW. It checks guards, halos and padding lanes.
func outcome(t *testing.T, p Primitive, err error, images int, operands ...operandValue) (out [][]float32) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	a := Args{Images: images}
	buffers := make([]guarded, len(operands))
	for i, o := range operands {
		switch {
		case o.layout.C > 0:
			buffers[i] = place(o.layout, images, o.values)
		case o.values != nil:
			buffers[i] = newGuarded(len(o.values))
			copy(buffers[i].floats, o.values)
		default:
			buffers[i] = newGuarded(o.length)
		}
		a.Operand[i] = buffers[i].address()
	}
	run1(p, a)
	for i, o := range operands {
		what := fmt.Sprintf("%s operand %d", p.Name(), i)
		switch {
		case o.values != nil && !o.inout:
			buffers[i].check(t, what)
			if o.layout.C > 0 {
				sameBits(t, what, take(t, o.layout, images, buffers[i]), o.values)
			} else {
				sameBits(t, what, buffers[i].floats, o.values)
			}
		case o.layout.C > 0:
			out = append(out, take(t, o.layout, images, buffers[i]))
		default:
			buffers[i].check(t, what)
			out = append(out, buffers[i].floats)
		}
	}
	return out
}

// sameOnAll runs a primitive on every instruction set, checks that all outputs have the bits of the
// plain Go form (but for which NaN a NaN is) and returns them.
func sameOnAll(t *testing.T, run func(set *Set) [][]float32) [][]float32 {
	t.Helper()
	want := run(Go)
	for _, set := range sets()[1:] {
		for i, got := range run(set) {
			matches(t, fmt.Sprintf("%v output %d", set, i), got, func(j int) float32 { return want[i][j] })
		}
	}
	return want
}

// planeCases are the sizes and layouts that the plane kernels are tried on: halos, views, padding lanes,
// rows shorter and longer than the unrolled loop, planes of several calls.
type planeCase struct {
	name    string
	in, out Layout
	images  int
}

func planeCases() []planeCase {
	return []planeCase{
		{"one pixel", Blocked(16, 1, 1, 0), Blocked(16, 1, 1, 0), 3},
		{"one channel", Blocked(1, 2, 3, 0), Blocked(1, 2, 3, 2), 1},
		{"two elements", Blocked(3, 1, 2, 0), Blocked(3, 1, 2, 0), 1},
		{"halos", Blocked(32, 5, 7, 1), Blocked(32, 5, 7, 3), 2},
		{"padding lanes", Blocked(20, 3, 17, 3), Blocked(20, 3, 17, 0), 2},
		{"views", Blocked(64, 4, 6, 1).Slice(16, 32), Blocked(48, 4, 6, 2).Slice(16, 32), 2},
		{"matrix", Matrix(9, 40), Matrix(9, 40), 1},
		{"several calls", Blocked(16, 70, 131, 0), Blocked(16, 70, 131, 1), 1},
	}
}

func (c planeCase) elements() int { return c.images * c.in.C * c.in.H * c.in.W }

// channel is the channel of element i in row-major NCHW.
func (c planeCase) channel(i int) int { return i / (c.in.H * c.in.W) % c.in.C }

// eachCase runs a test on all cases, with small integers and with reals. Some of the reals are zeros,
// infinities and NaN.
func eachCase(t *testing.T, test func(t *testing.T, c planeCase, random func(n int) []float32)) {
	for _, c := range planeCases() {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			test(t, c, func(n int) []float32 { return integers(r, n) })
			test(t, c, func(n int) []float32 {
				v := reals(r, n, 3)
				for i := range v {
					switch r.IntN(200) {
					case 0:
						v[i] = float32(math.Inf(1))
					case 1:
						v[i] = float32(math.Inf(-1))
					case 2:
						v[i] = 0
					case 3:
						v[i] = guardValue
					}
				}
				return v
			})
		})
	}
}

// matches compares element by element with a float32 reference; any NaN equals any other.
func matches(t *testing.T, what string, got []float32, want func(i int) float32) {
	t.Helper()
	for i, g := range got {
		if w := want(i); g != w && !(g != g && w != w) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, g, w)
		}
	}
}

func TestElementwise(t *testing.T) {
	relu := func(v float32) float32 {
		if v < 0 {
			return 0
		}
		return v
	}
	eachCase(t, func(t *testing.T, c planeCase, random func(int) []float32) {
		n := c.elements()
		x, y, scale, shift := random(n), random(n), reals(rand.New(rand.NewPCG(3, 3)), c.in.C, 1), random(c.in.C)

		got := sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewCopy(set, c.in, c.out)
			return outcome(t, p, err, c.images, tensorIn(c.in, x), tensorOut(c.out))
		})
		matches(t, "copy", got[0], func(i int) float32 { return x[i] })

		for _, flags := range []int{0, ReLU} {
			got = sameOnAll(t, func(set *Set) [][]float32 {
				p, err := NewAdd(set, c.in, c.out, c.out, flags)
				return outcome(t, p, err, c.images, tensorIn(c.in, x), tensorIn(c.out, y), tensorOut(c.out))
			})
			matches(t, "add", got[0], func(i int) float32 {
				if flags&ReLU != 0 {
					return relu(x[i] + y[i])
				}
				return x[i] + y[i]
			})
			got = sameOnAll(t, func(set *Set) [][]float32 {
				p, err := NewAffine(set, c.in, c.out, flags)
				return outcome(t, p, err, c.images, tensorIn(c.in, x), vectorIn(scale), vectorIn(shift), tensorOut(c.out))
			})
			matches(t, "affine", got[0], func(i int) float32 {
				v := asm.FMA(x[i], scale[c.channel(i)], shift[c.channel(i)])
				if flags&ReLU != 0 {
					return relu(v)
				}
				return v
			})
		}

		got = sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewAccumulate(set, c.in, c.out)
			return outcome(t, p, err, c.images, tensorIn(c.in, x), tensorInOut(c.out, y))
		})
		matches(t, "accumulate", got[0], func(i int) float32 { return x[i] + y[i] })

		got = sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewReLU(set, c.in, c.out)
			return outcome(t, p, err, c.images, tensorIn(c.in, x), tensorOut(c.out))
		})
		matches(t, "relu", got[0], func(i int) float32 { return relu(x[i]) })

		got = sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewReluGrad(set, c.in, c.out, c.in)
			return outcome(t, p, err, c.images, tensorIn(c.in, x), tensorIn(c.out, y), tensorOut(c.in))
		})
		matches(t, "relu gradient", got[0], func(i int) float32 {
			if x[i] > 0 {
				return y[i]
			}
			return 0
		})

		for _, b := range [][2]float32{{0, 6}, {-1, 1}, {1, 2}} {
			got = sameOnAll(t, func(set *Set) [][]float32 {
				p, err := NewClip(set, c.in, c.out, b[0], b[1])
				return outcome(t, p, err, c.images, tensorIn(c.in, x), tensorOut(c.out))
			})
			matches(t, "clip", got[0], func(i int) float32 {
				if x[i] != x[i] {
					return x[i]
				}
				return min(max(x[i], b[0]), b[1])
			})
			got = sameOnAll(t, func(set *Set) [][]float32 {
				p, err := NewClipGrad(set, c.in, c.out, c.in, b[0], b[1])
				return outcome(t, p, err, c.images, tensorIn(c.in, x), tensorIn(c.out, y), tensorOut(c.in))
			})
			matches(t, "clip gradient", got[0], func(i int) float32 {
				if x[i] > b[0] && x[i] < b[1] {
					return y[i]
				}
				return 0
			})
		}
	})
}

func TestChannelSum(t *testing.T) {
	eachCase(t, func(t *testing.T, c planeCase, random func(int) []float32) {
		x := random(c.elements())
		got := sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewChannelSum(set, c.in)
			if err != nil {
				t.Fatal(err)
			}
			slots := outcome(t, p, nil, c.images, tensorIn(c.in, x), slotsFor(p, c.images))[0]
			return outcome(t, NewChannelSumFinish(c.in), nil, c.images, vectorIn(slots), vectorOut(roundUp(c.in.C, Lanes)))
		})
		want := make([]float64, roundUp(c.in.C, Lanes))
		for i, v := range x {
			want[c.channel(i)] += float64(v)
		}
		// float64 sums in two orders differ by far less than one float32 rounding.
		matches(t, "channel sum", got[0], func(i int) float32 {
			if math.Abs(float64(got[0][i])-want[i]) <= 0x1p-23*math.Abs(want[i])+1e-12 {
				return got[0][i]
			}
			return float32(want[i])
		})
	})
}

func TestPlaneErrors(t *testing.T) {
	in := Blocked(16, 4, 4, 0)
	for _, out := range []Layout{Blocked(16, 4, 5, 0), Blocked(16, 3, 4, 0), Blocked(32, 4, 4, 0), Pixels(3, 4, 4, 0), {}} {
		if _, err := NewCopy(Go, in, out); err == nil {
			t.Errorf("copy from %v to %v: no error", in, out)
		}
		if _, err := NewAdd(Go, in, in, out, 0); err == nil {
			t.Errorf("add to %v: no error", out)
		}
	}
	if _, err := NewAdd(Go, in, in, in, Acc); err == nil {
		t.Error("add that accumulates: no error")
	}
	if _, err := NewCopy(Go, Layout{}, Layout{}); err == nil {
		t.Error("copy of nothing: no error")
	}
}
