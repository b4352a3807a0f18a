package onnx

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Operators that give values another shape and leave the order of their elements.

// reshapeTo resolves Reshape's target: 0 copies a size (unless allowZero), one may be rest.
func reshapeTo(shape tensor.Shape, target []int, allowZero bool) (tensor.Shape, error) {
	if len(target) > maxRank {
		return nil, fmt.Errorf("a shape of %d axes", len(target))
	}
	mismatch := fmt.Errorf("shape %s cannot become %s", shapeText(shape), targetText(target))
	out, last := slices.Clone(tensor.Shape(target)), -1
	for i, d := range target {
		switch {
		case d == rest && last < 0:
			last, out[i] = i, 1
		case d == 0 && !allowZero && i < len(shape):
			out[i] = shape[i]
		case d == rest || d == 0 && !allowZero:
			return nil, mismatch
		}
	}
	total, ok := dimProduct(shape)
	known, fits := dimProduct(out)
	if !ok || !fits {
		return nil, fmt.Errorf("shape %s is too large", targetText(target))
	}
	if last >= 0 {
		if known == 0 || total%known != 0 || isOpen(known) && !isOpen(total) {
			return nil, mismatch
		}
		out[last] = total / known
		known = total
	}
	if known != total {
		return nil, mismatch
	}
	return out, nil
}

func targetText(target []int) string {
	words := make([]string, len(target))
	for i, d := range target {
		if words[i] = dimText(d); d == rest {
			words[i] = "-1"
		}
	}
	return "(" + strings.Join(words, ", ") + ")"
}

// target is the shape to take, which was an attribute before opset 5.
func (c *call) target() ([]int, error) {
	if c.opset() < 5 {
		target := c.ints("shape")
		for i, d := range target {
			if d == -1 {
				target[i] = rest
			} else if d < 0 {
				return nil, c.refused("the shape has dimension %d", d)
			}
		}
		return target, nil
	}
	if len(c.node.in) < 2 {
		return nil, c.refused("the shape is missing")
	}
	return c.dims(1, "the shape")
}

// lowerReshape leaves out a Reshape that changes nothing: tf2onnx makes such ones of Transposes of a single channel.
func lowerReshape(c *call) error {
	allowZero := c.flag("allowzero", false)
	target, err := c.target()
	if err != nil {
		return err
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	out, err := reshapeTo(x.shape, target, allowZero)
	if err != nil {
		return err
	}
	if slices.Equal(out, x.shape) {
		return c.same(x)
	}
	return c.emit(reshape(x.shape, out), x)
}

// reshape is the operator that gives values of one shape another of the same size. Where that has an open dimension, it is worked
// out from the others when the number of images is known.
func reshape(from, to tensor.Shape) op.Op {
	if len(to) == 2 && len(from) > 0 && from[0] == to[0] {
		return &op.Flatten{Axis: 1}
	}
	target := slices.Clone(to)
	if axis := openAxis(to); axis >= 0 {
		if target[axis] = -1; axis < len(from) && from[axis] == to[axis] {
			target[axis] = 0
		}
	}
	return &op.Reshape{Shape: target}
}

// flattenAxis resolves Flatten's axis, which may be one past the last.
func flattenAxis(axis, rank int) (int, error) {
	if axis == rank {
		return axis, nil
	}
	return axisIn(axis, rank)
}

func lowerFlatten(c *call) error {
	axis := c.int("axis", 1)
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	if axis, err = flattenAxis(axis, len(x.shape)); err != nil {
		return err
	}
	return c.emit(&op.Flatten{Axis: axis}, x)
}

func writeFlatten(e *exporter, o *op.Flatten, in []string) {
	e.node("Flatten", in, intAttribute("axis", o.Axis))
}

func writeReshape(e *exporter, o *op.Reshape, in []string) {
	e.node("Reshape", append(in, e.ints("shape", o.Shape...)))
}
