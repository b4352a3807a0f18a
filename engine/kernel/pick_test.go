package kernel

import (
	"math/rand/v2"
	"testing"
)

// TestPick puts channels together at random, from one tensor and several, and as concatenations, slices and shuffles do.
func TestPick(t *testing.T) {
	eachCase(t, func(t *testing.T, c planeCase, random func(int) []float32) {
		r := rand.New(rand.NewPCG(5, 6))
		other := Blocked(37, c.in.H, c.in.W, 2)
		x, y := random(c.elements()), random(c.images*other.C*other.H*other.W)
		plane := c.in.H * c.in.W
		sources := []Layout{c.in, other}
		for _, way := range []func(k int) Channel{
			func(k int) Channel { return Channel{0, k} },
			func(k int) Channel { return Channel{k % 2, k / 2} },
			func(k int) Channel { return Channel{0, c.in.C - 1 - k} },
			func(k int) Channel { return Channel{1, min(k, 15) + 21} },
			func(int) Channel { s := r.IntN(3) - 1; return Channel{s, r.IntN(sources[max(s, 0)].C)} },
			func(int) Channel { return Channel{-1, 0} },
		} {
			channels := make([]Channel, c.out.C)
			for k := range channels {
				channels[k] = way(k)
				channels[k].Index = min(channels[k].Index, sources[max(channels[k].Source, 0)].C-1)
			}
			got := sameOnAll(t, func(set *Set) [][]float32 {
				p, err := NewPick(set, sources, channels, c.out)
				return outcome(t, p, err, c.images, tensorIn(c.in, x), tensorIn(other, y), tensorOut(c.out))
			})
			matches(t, "pick", got[0], func(i int) float32 {
				image, k, at := i/plane/c.out.C, i/plane%c.out.C, i%plane
				switch from := channels[k]; from.Source {
				case 0:
					return x[(image*c.in.C+from.Index)*plane+at]
				case 1:
					return y[(image*other.C+from.Index)*plane+at]
				}
				return 0
			})
		}
	})
}

func TestPickErrors(t *testing.T) {
	in, out := Blocked(20, 3, 4, 1), Blocked(2, 3, 4, 0)
	for name, channels := range map[string][]Channel{
		"too few": {{0, 1}}, "beyond the last": {{0, 20}, {0, 1}}, "no such tensor": {{1, 0}, {0, 1}}, "before the first": {{0, -1}, {0, 1}},
	} {
		if _, err := NewPick(Go, []Layout{in}, channels, out); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewPick(Go, []Layout{Blocked(20, 4, 4, 1)}, []Channel{{0, 1}, {0, 2}}, out); err == nil {
		t.Error("another height: no error")
	}
}
