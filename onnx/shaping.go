package onnx

import (
	"fmt"
	"math"
	"slices"

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

// few is integers for a list with an entry for each of some axes.
func (c *call) few(i int, what string) ([]int, error) {
	if v := c.operand(i); v != nil && v.constant != nil && v.constant.size() > maxRank {
		return nil, c.refused("%s is for %d axes", what, v.constant.size())
	}
	return c.integers(i, what)
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
	c.ints("axes")
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	axes, rank, err := c.newAxes(len(x.shape))
	if err != nil {
		return err
	}
	return c.emit(&op.Unsqueeze{Axes: sorted(axes, rank)}, x)
}

// newAxes are the axes that Unsqueeze adds to those of a value, and how many there are then.
func (c *call) newAxes(rank int) (axes map[int]bool, sum int, err error) {
	list, err := c.axisList()
	if err == nil && list == nil {
		err = fmt.Errorf("the axes are missing")
	}
	if err != nil {
		return nil, 0, err
	}
	sum = rank + len(list)
	axes, err = axisSet(list, sum)
	return axes, sum, err
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

// sized returns an operand of any type whose shape is known.
func (c *call) sized(i int) (*value, error) {
	v := c.operand(i)
	if v.constant != nil {
		return v, nil
	}
	return c.tensor(i)
}

// lowerShape makes the operand's shape a constant.
func lowerShape(c *call) error {
	start, end := c.int("start", 0), c.int("end", math.MaxInt)
	v, err := c.sized(0)
	if err != nil {
		return err
	}
	start, end = clampSlice(start, end, 1, len(v.shape))
	end = max(start, end)
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
