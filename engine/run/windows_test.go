package run

import (
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// windowed are sums with the scores of attention in the four windows of a photo, (4N, 2, 4, 4).
var windowed = []struct {
	name  string
	joins bool
	add   func(b *tiny, scores *gorgonia.Node) *gorgonia.Node
}{
	{"masks", true, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.ofPhotos(s, b.constants(1, 4, 1, 4, 4))
	}},
	{"masks without an axis of photos", true, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.ofPhotos(s, b.constants(4, 1, 4, 4))
	}},
	{"masks of heads", true, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.ofPhotos(s, b.constants(4, 2, 4, 4))
	}},
	{"a bias, then masks", true, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.ofPhotos(b.apply(&op.Add{}, s, b.param(1, 2, 4, 4)), b.constants(1, 4, 1, 4, 4))
	}},
	{"masks, then a bias", true, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Add{}, b.param(2, 4, 4), b.ofPhotos(s, b.constants(1, 4, 1, 4, 4)))
	}},
	{"masks for every photo, one after the other", true, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Add{}, s, b.apply(&op.BatchTile{}, b.constants(4, 1, 4, 4), b.apply(&op.Reshape{Shape: []int{-1, 128}}, s)))
	}},
	{"masks of pairs of photos", false, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.ofPhotos(s, b.constants(2, 4, 1, 4, 4))
	}},
	{"photos within windows", false, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Add{}, b.apply(&op.Reshape{Shape: []int{4, -1, 2, 4, 4}}, s), b.constants(4, 1, 1, 4, 4))
		return b.apply(&op.Reshape{Shape: []int{-1, 2, 4, 4}}, y)
	}},
	{"masks of queries", false, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.ofPhotos(s, b.constants(4, 1, 4, 1))
	}},
	{"masks that are trained", false, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.ofPhotos(s, b.param(4, 1, 4, 4))
	}},
	{"masks twice", false, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.ofPhotos(b.ofPhotos(s, b.constants(4, 1, 4, 4)), b.constants(4, 1, 4, 4))
	}},
	{"masks scaled with the scores", false, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Scale{Factor: 0.5}, b.ofPhotos(s, b.constants(4, 1, 4, 4)))
	}},
	{"masks of the scores themselves", false, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Add{}, s, b.apply(&op.Sigmoid{}, s))
	}},
	{"windows that are exchanged", false, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3, 4}}, b.apply(&op.Reshape{Shape: []int{-1, 2, 2, 32, 1}}, s))
		y = b.apply(&op.Add{}, b.apply(&op.Reshape{Shape: []int{-1, 4, 2, 4, 4}}, y), b.constants(4, 1, 4, 4))
		return b.apply(&op.Reshape{Shape: []int{-1, 2, 4, 4}}, y)
	}},
}

// ofPhotos adds a table to scores that have an axis of windows for it.
func (b *tiny) ofPhotos(scores, table *gorgonia.Node) *gorgonia.Node {
	y := b.apply(&op.Add{}, b.apply(&op.Reshape{Shape: []int{-1, 4, 2, 4, 4}}, scores), table)
	return b.apply(&op.Reshape{Shape: []int{-1, 2, 4, 4}}, y)
}

// TestWindows compares attention in windows with the network as it is spelled, in inference and training.
func TestWindows(t *testing.T) {
	for _, c := range windowed {
		t.Run(c.name, func(t *testing.T) {
			build := func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
				x = b.apply(&op.Reshape{Shape: []int{-1, 2, 2, 2, 2, 8}}, b.tokens(x, 8))
				x = b.apply(&op.Reshape{Shape: []int{-1, 4, 8}}, b.apply(&op.Transpose{Perm: []int{0, 1, 3, 2, 4, 5}}, x))
				layer := func() *gorgonia.Node { return b.apply(&op.Linear{}, x, b.param(8, 8)) }
				y := b.attend(2, layer(), layer(), layer(), func(s *gorgonia.Node) *gorgonia.Node { return c.add(b, s) })
				return b.apply(&op.Reshape{Shape: []int{-1, 16, 8}}, y)
			}
			if c.name != "masks of pairs of photos" { // for two only
				compareInference(t, build)
			}
			found := compareSlopes(t, 2, func(b *tiny) *gorgonia.Node { return b.form(2, build) })
			if found.heads > 0 != c.joins {
				t.Errorf("%+v", found)
			}
		})
	}
}
