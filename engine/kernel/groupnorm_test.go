package kernel

import (
	"math"
	"testing"
)

// groupCase is a GroupNorm of images with its result and gradients in float64.
type groupCase struct {
	normCase
	groups             int
	y, dx, dbeta, dgam []float64
}

// newGroupCase computes everything from the definitions, group by group.
func newGroupCase(c normCase, groups int) groupCase {
	g := groupCase{normCase: c, groups: groups, y: make([]float64, len(c.z)), dx: make([]float64, len(c.z)),
		dbeta: make([]float64, c.in.C), dgam: make([]float64, c.in.C)}
	plane := c.in.H * c.in.W
	size := c.in.C / groups * plane
	for at := 0; at < len(c.z); at += size {
		mean, variance := 0.0, 0.0
		for _, v := range c.z[at : at+size] {
			mean += float64(v) / float64(size)
		}
		for _, v := range c.z[at : at+size] {
			variance += (float64(v) - mean) * (float64(v) - mean) / float64(size)
		}
		inverse := 1 / math.Sqrt(variance+testEpsilon)
		sum, sumHat := 0.0, 0.0
		for i := at; i < at+size; i++ {
			k, hat, dy := c.channel(i), (float64(c.z[i])-mean)*inverse, float64(c.dy[i])
			g.y[i] = float64(c.gamma[k])*hat + float64(c.beta[k])
			g.dbeta[k] += dy
			g.dgam[k] += dy * hat
			sum += float64(c.gamma[k]) * dy / float64(size)
			sumHat += float64(c.gamma[k]) * dy * hat / float64(size)
		}
		for i := at; i < at+size; i++ {
			hat := (float64(c.z[i]) - mean) * inverse
			g.dx[i] = inverse * (float64(c.gamma[c.channel(i)])*float64(c.dy[i]) - sum - hat*sumHat)
		}
	}
	return g
}

// run makes all passes on one instruction set: y, dx, and the matrix of the gradients of beta and gamma.
func (c groupCase) run(t *testing.T, set *Set) [][]float32 {
	t.Helper()
	z, dy := tensorIn(c.in, c.z), tensorIn(c.out, c.dy)
	sums, err := NewBatchStats(set, c.in)
	if err != nil {
		t.Fatal(err)
	}
	slots := outcome(t, sums, nil, c.images, z, slotsFor(sums, c.images))[0]
	finish, err := NewGroupNormFinish(c.in, c.groups, testEpsilon)
	stats := outcome(t, finish, err, c.images, vectorIn(slots), vectorIn(c.gamma), vectorIn(c.beta), vectorOut(GroupStatsLen(c.images, c.in.C)))[0]
	apply, err := NewGroupNormApply(set, c.in, c.out, 0)
	y := outcome(t, apply, err, c.images, z, vectorIn(stats), tensorOut(c.out))[0]

	backward, err := NewBatchNormGradSums(set, c.in, c.out, 0)
	if err != nil {
		t.Fatal(err)
	}
	slots = outcome(t, backward, nil, c.images, z, vectorIn(stats), dy, slotsFor(backward, c.images))[0]
	gradFinish, err := NewGroupNormGradFinish(c.in, c.groups)
	k := outcome(t, gradFinish, err, c.images, vectorIn(slots), vectorIn(stats), vectorIn(c.gamma), vectorOut(GroupCoefficientsLen(c.images, c.in.C)))[0]
	gradX, err := NewGroupNormGradX(set, c.in, c.out, c.in)
	dx := outcome(t, gradX, err, c.images, z, vectorIn(stats), dy, vectorIn(k), tensorOut(c.in))[0]
	matrix := Matrix(2, c.in.C)
	reduce, err := NewGroupNormReduce(c.in, matrix)
	both := run2x(t, reduce, err, c.images, matrix, slots, stats)
	return [][]float32{y, dx, both}
}

// run2x gives the matrix (2, C) that a primitive makes of vectors for all images.
func run2x(t *testing.T, p Primitive, err error, images int, l Layout, vectors ...[]float32) []float32 {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	out := newGuarded(l.Len(1))
	a := Args{Images: images}
	for i, v := range vectors {
		in := newGuarded(len(v))
		copy(in.floats, v)
		a.Operand[i] = in.address()
	}
	a.Operand[len(vectors)] = out.address()
	run1(p, a)
	m := make([]float32, 2*l.C)
	l.W, l.Image = 1, l.Pixel
	l.Unpack(m, out.floats, 2)
	return m
}

// TestGroupNorm compares with the definitions, for one group, some, and one for every channel.
func TestGroupNorm(t *testing.T) {
	eachNorm(t, func(t *testing.T, c normCase) {
		for _, groups := range []int{1, 2, 4, c.in.C} {
			if c.in.C%groups != 0 {
				continue
			}
			want := newGroupCase(c, groups)
			got := sameOnAll(t, func(set *Set) [][]float32 { return want.run(t, set) })
			for _, w := range []struct {
				what string
				got  []float32
				want []float64
			}{{"y", got[0], want.y}, {"dx", got[1], want.dx}, {"gradients of beta and gamma", got[2], append(want.dbeta, want.dgam...)}} {
				largest := 100 / math.Sqrt(testEpsilon) // a channel far from zero with little variance
				if c.in.H*c.in.W*c.in.C/groups > 1 {
					largest = 200
				}
				if len(w.want) == 2*c.in.C { // the mean is rounded before it meets the sum of dy
					for _, d := range want.dbeta {
						largest = max(largest, 200*math.Abs(d)/16)
					}
				}
				for i, g := range w.got {
					if !(math.Abs(float64(g)-w.want[i]) <= 16*0x1p-24*max(largest, math.Abs(w.want[i]))) {
						t.Fatalf("%d groups: %s: element %d is %v, want %v", groups, w.what, i, g, w.want[i])
					}
				}
			}
		}
	})
}
