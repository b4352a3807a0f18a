package plan

import (
	"gorgonia.org/tensor"

	"regraft/engine/kernel"
)

// Type is what a value is.
type Type struct {
	Elem  kernel.Elem
	Shape tensor.Shape
	// Channel is the axis of the channels, which lie side by side in blocks; -1 for values in row-major order. The first axis of
	// values with channels is that of images, the others are those of pixels: tokens (N, T, C) with channels along axis 2 are
	// images (N, C, 1, T) in memory.
	Channel int
}

// undecided is the channel axis of values that no step has asked for yet.
const undecided = -2

// typeOf is the type of values of a shape of which nothing else is known.
func typeOf(s tensor.Shape) Type {
	switch s.Dims() {
	case 1:
		return Type{Shape: s, Channel: 0}
	case 2, 4:
		return Type{Shape: s, Channel: 1}
	}
	return Type{Shape: s, Channel: -1}
}

// imageShape is the shape of values of the type as the kernels see it: (N, C), (N, C, H, W), or that of the type where it has no channels.
func (t Type) imageShape() tensor.Shape {
	if t.Channel < 1 || t.Shape.Dims() == 2 {
		return t.Shape
	}
	s := tensor.Shape{t.Shape[0], t.Shape[t.Channel]}
	if t.Shape.Dims() == 3 {
		s = append(s, 1)
	}
	for axis, size := range t.Shape[1:] {
		if axis+1 != t.Channel {
			s = append(s, size)
		}
	}
	return s
}

// channelsLast tells whether the channels lie along the last axis.
func (t Type) channelsLast() bool { return t.Channel == t.Shape.Dims()-1 }

// axis is an axis of the type's shape; negative ones count from the last.
func (t Type) axis(axis int) int {
	if axis < 0 {
		return axis + t.Shape.Dims()
	}
	return axis
}

// pixels is the place of an axis among those of pixels in imageShape(), 2 or 3; 0 for other axes.
func (t Type) pixels(axis int) int {
	axis = t.axis(axis)
	switch {
	case t.Channel < 1 || axis < 1 || axis == t.Channel || t.Shape.Dims() < 3:
		return 0
	case t.Shape.Dims() == 3:
		return 3
	case axis < t.Channel:
		return axis + 1
	}
	return axis
}

// axisRule is where a step wants the channels of its operands and its result.
type axisRule uint8

const (
	second   axisRule = iota // (N, C, ...)
	last                     // (N, ..., C)
	anywhere                 // along the same axis in all
	rowMajor                 // nowhere: its values lie in row-major order
)

// axis is the axis that the rule asks for in values of a shape, or undecided.
func (r axisRule) axis(s tensor.Shape) int {
	switch {
	case s.Dims() != 3 && s.Dims() != 4:
	case r == rowMajor:
		return -1
	case r == second:
		return 1
	case r == last:
		return s.Dims() - 1
	}
	return undecided
}

// wrapped is an index of so many; negative ones count from the end.
func wrapped(index, size int) int {
	if index < 0 {
		return index + size
	}
	return index
}
