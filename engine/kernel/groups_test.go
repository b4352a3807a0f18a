package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// groupCases are groups that fill whole blocks, several that fill one together, some left over at the end, and
// some that never do.
var groupCases = []struct {
	s      ConvShape
	groups int
}{
	{shape(64, 32, 7, 9, 3, 3, 1, 1, 1), 2},
	{shape(32, 32, 7, 6, 3, 3, 1, 1, 1), 8},
	{shape(40, 40, 6, 7, 3, 3, 2, 2, 1), 5},  // two groups a part, one left over
	{shape(72, 72, 5, 5, 3, 3, 1, 1, 1), 3},  // RegNet's 24
	{shape(20, 40, 5, 5, 1, 1, 1, 1, 0), 20}, // depthwise with two filters a channel
	{shape(10, 15, 4, 6, 3, 3, 1, 1, 1), 5},
	{dilated(shape(48, 48, 9, 9, 3, 3, 1, 1, 2), 2), 3},
}

// denseWeights is the weights (Cout, Cin, KH, KW) of the dense convolution that does the same.
func denseWeights(s ConvShape, groups int, w []float32) []float32 {
	cin, cout, taps := s.Cin/groups, s.Cout/groups, s.KH*s.KW
	dense := make([]float32, s.Cout*s.Cin*taps)
	for o := range s.Cout {
		for c := range cin {
			copy(dense[(o*s.Cin+o/cout*cin+c)*taps:][:taps], w[(o*cin+c)*taps:][:taps])
		}
	}
	return dense
}

// TestGroups compares forward pass and both gradients with naive loops over the dense weights: small integers exactly,
// reals within the bounds of their sums and with equal bits on all instruction sets.
func TestGroups(t *testing.T) {
	const images = 2
	for _, tc := range groupCases {
		s := tc.s
		t.Run(fmt.Sprintf("%s in %d", shapeName(s), tc.groups), func(t *testing.T) {
			g, err := NewGroups(s, tc.groups)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, 2))
			for _, whole := range []bool{true, false} {
				number := func(n int) []float32 {
					if whole {
						return integers(r, n)
					}
					return reals(r, n, 1)
				}
				checkGroups(t, g, tc.groups, images, whole, number)
			}
		})
	}
}

func checkGroups(t *testing.T, g *Groups, groups, images int, whole bool, number func(n int) []float32) {
	t.Helper()
	s := g.shape
	in, out := Blocked(s.Cin, s.H, s.W, s.Halo()), Blocked(s.Cout+16, s.OH, s.OW, s.GradHalo()).Slice(16, s.Cout)
	x, dy := number(images*s.Cin*s.H*s.W), number(images*s.Cout*s.OH*s.OW)
	w, bias := number(s.Cout*s.Cin/groups*s.KH*s.KW), number(s.Cout)
	dense := denseWeights(s, groups, w)
	packed := slices.Repeat([]float32{float32(math.NaN())}, g.WeightLen()) // between the groups there are zeros, whatever was there
	g.Pack(packed, w)
	back := make([]float32, len(w))
	g.Unpack(back, packed)
	sameBits(t, "weights there and back", back, w)
	zeros := make([]float32, roundUp(s.Cin, Lanes))

	check := func(what string, got []float32, want sums, terms int) {
		t.Helper()
		bound := want.bounds(terms)
		if whole {
			clear(bound)
		}
		closeTo(t, what, got, want.value, bound)
	}
	got := sameOnAll(t, func(set *Set) [][]float32 {
		p, err := g.Conv(set, in, out, ReLU)
		return outcome(t, p, err, images, tensorIn(in, x), vectorIn(packed), vectorIn(bias), tensorOut(out))
	})
	check("forward", got[0], referenceForward(s, x, dense, bias, nil, ReLU, images), s.Cin*s.KH*s.KW+1)

	turned := sameOnAll(t, func(set *Set) [][]float32 {
		p, err := g.Transpose(set)
		return outcome(t, p, err, 1, vectorIn(packed), vectorOut(g.WeightLen()))
	})[0]
	got = sameOnAll(t, func(set *Set) [][]float32 {
		p, err := g.GradX(set, out, in, 0)
		return outcome(t, p, err, images, tensorIn(out, dy), vectorIn(turned), vectorIn(zeros), tensorOut(in))
	})
	check("data gradient", got[0], referenceGradX(s, dy, dense, nil, images), s.Cout*s.KH*s.KW+1)

	got = sameOnAll(t, func(set *Set) [][]float32 {
		p, err := g.GradW(set, in, out)
		dw := outcome(t, p, err, images, tensorIn(in, x), tensorIn(out, dy), vectorOut(g.WeightLen()))[0]
		return outcome(t, g.ClearBetween(), nil, images, vectorInOut(dw))
	})
	dw := make([]float32, len(w))
	g.Unpack(dw, got[0])
	again := make([]float32, g.WeightLen())
	g.Pack(again, dw)
	sameBits(t, "weight gradient between groups", again, got[0])
	check("weight gradient", denseWeights(s, groups, dw), within(s, groups, referenceGradW(s, x, dy, images)), images*s.OH*s.OW+1)
}

// within leaves zeros between different groups.
func within(s ConvShape, groups int, dense sums) sums {
	ones := make([]float32, s.Cout*s.Cin/groups*s.KH*s.KW)
	for i := range ones {
		ones[i] = 1
	}
	for i, v := range denseWeights(s, groups, ones) {
		dense.value[i] *= float64(v)
	}
	return dense
}

func TestGroupsErrors(t *testing.T) {
	for _, groups := range []int{0, 3, 32} {
		if _, err := NewGroups(shape(16, 16, 4, 4, 3, 3, 1, 1, 1), groups); err == nil {
			t.Errorf("16 channels in %d groups: no error", groups)
		}
	}
}
