package onnx

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Operators that repeat values along axes, the batch among them.

func lowerExpand(c *call) error {
	shape, err := c.sizes(1, "the shape")
	if err != nil {
		return err
	}
	if k := c.operand(0).constant; k != nil && openAxis(shape) >= 0 { // of any type
		return c.expand(c.operand(0), shape)
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	return c.expand(x, shape)
}

// expand broadcasts x to a shape that may be open. What the batch itself repeats is told by a BatchTile.
func (c *call) expand(x *value, shape []int) error {
	out, err := op.BroadcastShape(x.shape, shape)
	if err != nil {
		return err
	}
	if x.constant != nil && x.constant.size() == 0 { // the same for any number of images: nothing
		c.define(0, &constant{shape: forImages(out, 1), dtype: x.constant.dtype, floats: x.constant.floats, ints: x.constant.ints})
		return nil
	}
	axis := openAxis(out)
	lead := len(out) - len(x.shape)
	if axis < 0 || axis >= lead && x.shape[axis-lead] == out[axis] {
		// A size of 1 keeps the operand's, which leaves the batch free.
		numbers := out.Clone()
		if axis >= 0 {
			numbers[axis] = 1
		}
		if slices.Equal(out, x.shape) {
			return c.same(x)
		}
		return c.emit(&op.Expand{Shape: numbers}, x)
	}
	if axis != 0 {
		return c.refused("it repeats shape %v along axis %d of %v for every image: only the first axis is supported", x.shape, axis, out)
	}
	rows := out.Clone()
	if rows[0] = -out[0]; !slices.Equal(rows, x.shape) {
		if x, err = c.expanded(x, rows); err != nil {
			return err
		}
	}
	return c.forEachImage(x)
}

// expanded broadcasts x, of any type where it is known.
func (c *call) expanded(x *value, shape tensor.Shape) (*value, error) {
	if x.constant == nil {
		return c.step("rows", &op.Expand{Shape: shape}, x)
	}
	shape, err := op.BroadcastShape(x.shape, shape)
	if err != nil {
		return nil, err
	}
	k, err := c.copyView(x.constant, x.constant.view().expand(shape))
	if err != nil {
		return nil, err
	}
	return known(x.name, k[0]), nil
}

// lowerConstantOfShape makes what is the same for every image; all others are folded.
func lowerConstantOfShape(c *call) error {
	value, err := c.filling()
	if err != nil {
		return err
	}
	shape, err := c.sizes(0, "the shape")
	if err != nil {
		return err
	}
	return c.expand(known("", value), shape)
}

// lowerTile repeats along axes: those of size 1 by Expand, as a grey image becomes one of three channels, the first axis of what is no
// image yet for every image, others by Concat.
func lowerTile(c *call) error {
	repeats, err := c.sizes(1, "the list of repeats")
	if err != nil {
		return err
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	if len(repeats) != len(x.shape) || len(repeats) == 0 {
		return c.refused("%d repeats for shape %v", len(repeats), x.shape)
	}
	expanded := make([]int, len(repeats))
	for axis, n := range repeats {
		expanded[axis] = 1
		switch {
		case axis == 0 && isOpen(n) && !isOpen(x.shape[0]) && (n == images(1) || x.shape[0] == 1):
			expanded[0] = x.shape[0] * n
			continue
		case n < 1 || n > maxOperands:
			return c.refused("%s repeats of axis %d of shape %v", dimText(n), axis, x.shape)
		case x.shape[axis] == 1:
			expanded[axis] = n
			continue
		case n == 1:
			continue
		}
		if x, err = c.step(fmt.Sprint("axis", axis), &op.Concat{Axis: axis}, slices.Repeat([]*value{x}, n)...); err != nil {
			return err
		}
	}
	return c.tile(x, expanded)
}

// tile repeats axes of size 1, and the first for every image.
func (c *call) tile(x *value, expanded []int) error {
	if !isOpen(expanded[0]) || x.shape[0] == 1 {
		return c.expand(x, expanded)
	}
	rows := slices.Clone(expanded)
	rows[0] = 1
	x, err := c.expanded(x, rows)
	if err != nil {
		return err
	}
	return c.forEachImage(x)
}

func writeExpand(e *exporter, o *op.Expand, in []string) {
	e.node("Expand", append(in, e.ints("shape", o.Shape...)))
}
