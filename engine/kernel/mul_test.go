package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestMul compares products, and sums of products against float64.
func TestMul(t *testing.T) {
	eachCase(t, func(t *testing.T, c planeCase, random func(int) []float32) {
		x, y := random(c.elements()), random(c.elements())
		got := sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewMul(set, c.in, c.out, c.out)
			return outcome(t, p, err, c.images, tensorIn(c.in, x), tensorIn(c.out, y), tensorOut(c.out))
		})
		matches(t, "mul", got[0], func(i int) float32 { return x[i] * y[i] })

		factors := reals(rand.New(rand.NewPCG(4, 4)), c.images*c.in.C, 1)
		pixels := c.in.H * c.in.W
		got = sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewChannelScale(set, c.in, c.out)
			return outcome(t, p, err, c.images, tensorIn(c.in, x), vectorIn(factors[:c.in.C]), tensorOut(c.out))
		})
		matches(t, "channel scale", got[0], func(i int) float32 { return x[i] * factors[c.channel(i)] })

		// The factors of all images: images of one pixel, and a matrix of one row per image.
		single := Blocked(c.in.C, 1, 1, 0)
		got = sameOnAll(t, func(set *Set) [][]float32 {
			p, err := NewScale(set, c.in, single, c.out)
			return outcome(t, p, err, c.images, tensorIn(c.in, x), tensorIn(single, factors), tensorOut(c.out))
		})
		matches(t, "scale", got[0], func(i int) float32 { return x[i] * factors[i/pixels] })

		for _, sum := range []struct {
			name string
			with []float32
			make func(set *Set) (Primitive, error)
		}{
			{"pixel sum", nil, func(set *Set) (Primitive, error) { return NewPixelSum(set, c.in, single) }},
			{"pixel dot", y, func(set *Set) (Primitive, error) { return NewPixelDot(set, c.in, c.out, single) }},
		} {
			got = sameOnAll(t, func(set *Set) [][]float32 {
				p, err := sum.make(set)
				operands := []operandValue{tensorIn(c.in, x), tensorOut(single)}
				if sum.with != nil {
					operands = []operandValue{tensorIn(c.in, x), tensorIn(c.out, sum.with), tensorOut(single)}
				}
				return outcome(t, p, err, c.images, operands...)
			})
			for i, g := range got[0] {
				want, size := 0.0, 0.0
				for k := i * pixels; k < (i+1)*pixels; k++ {
					v := float64(x[k])
					if sum.with != nil {
						v *= float64(sum.with[k])
					}
					want, size = want+v, size+math.Abs(v)
				}
				if d := math.Abs(float64(g) - want); !(d <= 0x1p-24*math.Abs(want)+0x1p-50*size) && !math.IsNaN(want) && !math.IsInf(want, 0) {
					t.Fatalf("%s: element %d is %v, want %v", sum.name, i, g, want)
				}
			}
		}
	})
}

// TestScaleOfMatrixRows takes the factors from a matrix, as a linear layer leaves them.
func TestScaleOfMatrixRows(t *testing.T) {
	in, factors := Blocked(20, 3, 2, 1), Matrix(2, 20)
	x, f := make([]float32, 2*20*6), make([]float32, 2*20)
	for i := range x {
		x[i] = float32(i)
	}
	for i := range f {
		f[i] = float32(i%7 + 1)
	}
	m := newGuarded(factors.Len(1))
	clear(m.floats)
	for n := range 2 {
		for c := range 20 {
			m.floats[c/Lanes*factors.Plane+n*Lanes+c%Lanes] = f[n*20+c]
		}
	}
	rows := factors
	rows.H, rows.W, rows.Row, rows.Image = 1, 1, Lanes, Lanes // as images of one pixel
	for _, l := range []Layout{factors, rows} {
		p, err := NewScale(Go, in, l, in)
		if err != nil {
			t.Fatal(err)
		}
		a := Args{Images: 2}
		a.Operand[0], a.Operand[1] = place(in, 2, x).address(), m.address()
		y := place(in, 2, nil)
		a.Operand[2] = y.address()
		run1(p, a)
		matches(t, "scale", take(t, in, 2, y), func(i int) float32 { return x[i] * f[i/6] })
	}
}
