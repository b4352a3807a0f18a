package onnx

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Operators that move values without computing on them.

// axisIn resolves a negative axis and checks the range.
func axisIn(axis, rank int) (int, error) {
	if axis < -rank || axis >= rank {
		return 0, fmt.Errorf("axis %d is outside of %d dimensions", axis, rank)
	}
	return (axis + rank) % rank, nil
}

func axisSet(axes []int, rank int) (map[int]bool, error) {
	set := map[int]bool{}
	for _, axis := range axes {
		a, err := axisIn(axis, rank)
		if err != nil {
			return nil, err
		}
		if set[a] {
			return nil, fmt.Errorf("axis %d appears twice", axis)
		}
		set[a] = true
	}
	return set, nil
}

// sizeOf is the number of elements of (part of) a checked shape.
func sizeOf(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// permutation checks perm; nil reverses the axes.
func permutation(perm []int, rank int) ([]int, error) {
	if perm == nil {
		for i := rank - 1; i >= 0; i-- {
			perm = append(perm, i)
		}
	}
	if len(perm) != rank {
		return nil, fmt.Errorf("perm has %d entries for %d axes", len(perm), rank)
	}
	if _, err := axisSet(perm, rank); err != nil {
		return nil, fmt.Errorf("perm %v does not permute %d axes", perm, rank)
	}
	return perm, nil
}

// axisList reads axes that moved from an attribute to operand 1 in opset 13 (ReduceMean: 18).
func (c *call) axisList() ([]int, error) {
	axes := c.ints("axes")
	if len(c.node.in) > 1 {
		return c.few(1, "the list of axes")
	}
	return axes, nil
}

// axes is axisList resolved for a rank.
func (c *call) axes(rank int) (map[int]bool, error) {
	list, err := c.axisList()
	if err != nil {
		return nil, err
	}
	return axisSet(list, rank)
}

// sorted lists a set of axes in order.
func sorted(set map[int]bool, rank int) []int {
	var axes []int
	for i := range rank {
		if set[i] {
			axes = append(axes, i)
		}
	}
	return axes
}

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

// few is integers for a list with an entry for each of some axes.
func (c *call) few(i int, what string) ([]int, error) {
	if v := c.operand(i); v != nil && v.constant != nil && v.constant.size() > maxRank {
		return nil, c.refused("%s is for %d axes", what, v.constant.size())
	}
	return c.integers(i, what)
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

// lowerSqueeze turns the squeeze of 1x1 maps into Flatten, the form that heads are looked for.
func lowerSqueeze(c *call) error {
	list, err := c.axisList()
	if err != nil {
		return err
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	set, err := axisSet(list, len(x.shape))
	if err != nil {
		return err
	}
	if list == nil {
		for i, d := range x.shape {
			set[i] = d == 1
		}
	}
	axes := sorted(set, len(x.shape))
	if len(x.shape) == 4 && len(axes) == 2 && axes[0] == 2 && axes[1] == 3 && x.shape[2] == 1 && x.shape[3] == 1 {
		return c.emit(&op.Flatten{Axis: 1}, x)
	}
	return c.emit(&op.Squeeze{Axes: axes}, x)
}

func lowerUnsqueeze(c *call) error {
	list, err := c.axisList()
	if err != nil {
		return err
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	rank := len(x.shape) + len(list)
	set, err := axisSet(list, rank)
	if err != nil {
		return err
	}
	return c.emit(&op.Unsqueeze{Axes: sorted(set, rank)}, x)
}

func lowerTranspose(c *call) error {
	perm := c.ints("perm")
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	if perm, err = permutation(perm, len(x.shape)); err != nil {
		return err
	}
	return c.emit(&op.Transpose{Perm: perm}, x)
}

func lowerIdentity(c *call) error {
	return c.same(c.operand(0))
}

func lowerConcat(c *call) error {
	axis, err := c.concatAxis()
	if err != nil {
		return err
	}
	in, err := c.tensors()
	if err != nil {
		return err
	}
	return c.join(axis, in)
}

// concatAxis is required since opset 4; before that, 1 was the default.
func (c *call) concatAxis() (int, error) {
	if !c.has("axis") && c.opset() >= 4 {
		return 0, c.refused("attribute axis is missing")
	}
	return c.int("axis", 1), nil
}

// join puts tensors together along an axis.
func (c *call) join(axis int, in []*value) error {
	in = slices.DeleteFunc(slices.Clone(in), func(v *value) bool { return v.constant != nil && v.constant.size() == 0 }) // as networks without registers have
	if len(in) == 0 {
		return c.refused("nothing is joined")
	}
	axis, err := axisIn(axis, len(in[0].shape))
	if err != nil {
		return err
	}
	if len(in) == 1 {
		return c.same(in[0])
	}
	return c.emit(&op.Concat{Axis: axis}, in...)
}

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

// sized returns an operand of any type whose shape is known.
func (c *call) sized(i int) (*value, error) {
	v := c.operand(i)
	if v.constant != nil {
		return v, nil
	}
	return c.tensor(i)
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

// lowerShape makes the operand's shape a constant.
func lowerShape(c *call) error {
	start, end := c.int("start", 0), c.int("end", math.MaxInt)
	v, err := c.sized(0)
	if err != nil {
		return err
	}
	start, end = clampSlice(start, end, 1, len(v.shape))
	c.define(0, sizesOf(v.shape[start:end], tensor.Shape{end - start}))
	return nil
}

// sizesOf is a constant that holds dimensions.
func sizesOf(dims []int, shape tensor.Shape) *constant {
	k := &constant{shape: shape, dtype: typeInt64, ints: make([]int64, len(dims))}
	for i, d := range dims {
		if k.ints[i] = int64(d); isOpen(d) {
			k.ints[i] = int64(-d)
			k.markOpen(i)
		}
	}
	return k
}

func lowerSize(c *call) error {
	v, err := c.sized(0)
	if err != nil {
		return err
	}
	total, ok := dimProduct(v.shape)
	if !ok {
		return c.refused("shape %v is too large", v.shape)
	}
	c.define(0, sizesOf([]int{total}, tensor.Shape{}))
	return nil
}

func writeFlatten(e *exporter, o *op.Flatten, in []string) {
	e.node("Flatten", in, intAttribute("axis", o.Axis))
}

func writeReshape(e *exporter, o *op.Reshape, in []string) {
	e.node("Reshape", append(in, e.ints("shape", o.Shape...)))
}

func writeSqueeze(e *exporter, o *op.Squeeze, in []string) {
	e.node("Squeeze", append(in, e.ints("axes", o.Axes...)))
}

func writeUnsqueeze(e *exporter, o *op.Unsqueeze, in []string) {
	e.node("Unsqueeze", append(in, e.ints("axes", o.Axes...)))
}

func writeTranspose(e *exporter, o *op.Transpose, in []string) {
	e.node("Transpose", in, intsAttribute("perm", o.Perm...))
}

func writeConcat(e *exporter, o *op.Concat, in []string) {
	e.node("Concat", in, intAttribute("axis", o.Axis))
}

func writeExpand(e *exporter, o *op.Expand, in []string) {
	e.node("Expand", append(in, e.ints("shape", o.Shape...)))
}
