package run

import (
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// movings move elements of maps (N, 8, 4, 4) in ways for which a value has no form, and nearly so.
var movings = []form{
	{"windows rolled there and elsewhere", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Linear{}, b.windows(b.roll(b.roll(x, 2, 1), 3, 3), 2, 2), b.param(8, 8))
		return b.roll(b.roll(b.unwindowed(y, 2, 2), 2, 2), 3, 1)
	}},
	{"windows with zeros beside them", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Pad{Pads: []int{0, 0, 1, 0, 0, 0, 1, 2}}, x)
		y = b.unwindowed(b.apply(&op.Linear{}, b.windows(y, 2, 3), b.param(8, 8)), 3, 2)
		return b.part(b.part(y, 2, 1, 5), 3, 0, 4)
	}},
	{"windows with other numbers beside them", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.windows(b.apply(&op.Pad{Pads: []int{0, 0, 0, 0, 0, 0, 0, 2}, Value: -1.5}, x), 2, 3)
	}},
	{"windows with a margin cut off", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.windows(b.apply(&op.Pad{Pads: []int{0, 0, -1, 1, 0, 0, 1, 1}}, x), 2, 3)
	}},
	{"a sum of what lies apart", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		left := b.apply(&op.Pad{Pads: []int{0, 0, 0, 0, 0, 0, 0, 2}}, b.part(x, 3, 2, 4))
		return b.windows(b.apply(&op.Add{}, left, b.apply(&op.Pad{Pads: []int{0, 0, 0, 2, 0, 0, 0, 0}}, b.part(x, 3, 0, 2))), 2, 2)
	}},
	{"a sum of what overlaps", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		left := b.apply(&op.Pad{Pads: []int{0, 0, 0, 0, 0, 0, 0, 1}}, b.part(x, 3, 1, 4))
		return b.windows(b.apply(&op.Add{}, left, b.apply(&op.Pad{Pads: []int{0, 0, 0, 1, 0, 0, 0, 0}}, b.part(x, 3, 0, 3))), 2, 2)
	}},
	{"rows in reverse, every other column twice", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Slice{Starts: []int{-1}, Ends: []int{-100}, Axes: []int{2}, Steps: []int{-1}}, x)
		y = b.apply(&op.Gather{Axis: 3, Indices: []int{2, 0, -2, 0}, IndexShape: []int{2, 2}}, y)
		return b.apply(&op.Transpose{Perm: []int{0, 3, 1, 2, 4}}, y)
	}},
	{"windows of two values", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		both := b.apply(&op.Concat{Axis: 3}, b.windows(x, 2, 2), b.windows(b.apply(&op.Sigmoid{}, b.roll(x, 2, 1)), 2, 2), b.windows(x, 2, 2))
		return b.apply(&op.Linear{}, both, b.param(5, 24))
	}},
	{"windows that are rows, in another order", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Transpose{Perm: []int{1, 0, 2, 3}}, b.windows(x, 2, 2))
		return b.apply(&op.Transpose{Perm: []int{1, 2, 0, 3}}, b.apply(&op.Relu{}, b.roll(y, 2, 1)))
	}},
}

// roll moves the elements along an axis by so many, round the end.
func (b *tiny) roll(x *gorgonia.Node, axis, by int) *gorgonia.Node {
	size := x.Shape()[axis]
	return b.apply(&op.Concat{Axis: axis}, b.part(x, axis, by, size), b.part(x, axis, 0, by))
}

// windows cuts a map into windows (N, windows, pixels, C) of h x w pixels.
func (b *tiny) windows(x *gorgonia.Node, h, w int) *gorgonia.Node {
	s := x.Shape()
	x = b.apply(&op.Reshape{Shape: []int{-1, s[1], s[2] / h, h, s[3] / w, w}}, x)
	x = b.apply(&op.Transpose{Perm: []int{0, 2, 4, 3, 5, 1}}, x)
	return b.apply(&op.Reshape{Shape: []int{-1, s[2] / h * (s[3] / w), h * w, s[1]}}, x)
}

// unwindowed makes a map of rows x columns windows, which are 2 pixels high.
func (b *tiny) unwindowed(x *gorgonia.Node, rows, columns int) *gorgonia.Node {
	s := x.Shape()
	w := s[2] / 2
	x = b.apply(&op.Reshape{Shape: []int{-1, rows, columns, 2, w, s[3]}}, x)
	x = b.apply(&op.Transpose{Perm: []int{0, 5, 1, 3, 2, 4}}, x)
	return b.apply(&op.Reshape{Shape: []int{-1, s[3], rows * 2, columns * w}}, x)
}

// TestMoves compares inference and a step of training with the interpreter.
func TestMoves(t *testing.T) {
	for _, f := range movings {
		t.Run(f.name, func(t *testing.T) {
			compareInference(t, f.build)
			for _, images := range []int{2, 1} {
				b := &tiny{t: t, b: engine.NewBuilder()}
				compareRow(t, b.objective(b.form(images, f.build)), false)
			}
		})
	}
}
