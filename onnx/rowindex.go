package onnx

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// PyTorch's current exporter writes as_strided as a Gather from the flat value, whose indices it makes of Range(0, N): for image i
// they are i times the elements of an image, plus a table. Such indices are followed until the Gather, which then picks from every
// image by the table.

// rowIndex is a table (1, ...) of integers, to which the number of the image times stride is added.
type rowIndex struct {
	table  *constant
	stride int64
}

// lowerRange makes the numbers of the images; all other ranges are folded.
func lowerRange(c *call) error {
	c.ignore("stash_type")
	start, limit, delta := c.operand(0).constant, c.operand(1).constant, c.operand(2).constant
	if start == nil || limit == nil || delta == nil {
		return c.refused("its ends must be known at import")
	}
	numbers := start.ints != nil && limit.ints != nil && delta.ints != nil && start.size() == 1 && limit.size() == 1 && delta.size() == 1
	if !numbers || start.sizeAt(0) != (size{0, false}) || limit.sizeAt(0) != (size{1, true}) || delta.sizeAt(0) != (size{1, false}) {
		return errOpen
	}
	c.index(&rowIndex{&constant{shape: tensor.Shape{1}, dtype: typeInt64, ints: []int64{0}}, 1})
	return nil
}

// index makes the node's result row indices.
func (c *call) index(x *rowIndex) {
	if out := c.node.out[0]; out != nil {
		out.index, out.shape = x, x.table.shape.Clone()
		out.shape[0] *= images(1)
	}
}

// lowerIndex lowers a node with row indices among its operands: arithmetic with numbers, new axes, and the Gather.
func (row *operator) lowerIndex(c *call) error {
	if row.name == "Gather" {
		return c.gatherRows()
	}
	known, operand := make([]*constant, len(c.node.in)), -1
	var x rowIndex
	for i := range c.node.in {
		v := c.operand(i)
		switch {
		case v == nil:
		case v.index != nil && operand < 0:
			operand, x, known[i] = i, *v.index, v.index.table
		case v.constant != nil && !v.constant.anyOpen():
			known[i] = v.constant
		default:
			return errOpen
		}
	}
	switch row.name {
	case "Mul":
		factor := known[1-operand]
		if factor.size() != 1 {
			return errOpen
		}
		x.stride *= factor.integer(0)
	case "Sub":
		if operand == 1 {
			return errOpen
		}
	case "Add", "Identity", "Cast", "Reshape", "Unsqueeze":
	default:
		return errOpen
	}
	results, err := row.fold(c, known)
	if err != nil {
		return err
	}
	if x.table = results[0]; !x.table.integral() || len(x.table.shape) < 1 || x.table.shape[0] != 1 || len(x.table.shape) < len(known[operand].shape) ||
		row.name == "Add" && len(x.table.shape) > len(known[operand].shape) {
		return errOpen
	}
	c.index(&x)
	return nil
}

// gatherRows picks from every image's part of a flat value.
func (c *call) gatherRows() error {
	axis := c.int("axis", 0)
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	index := c.operand(1).index
	if index == nil || axis != 0 || len(x.shape) != 1 || int64(x.shape[0]) != -index.stride {
		return errOpen
	}
	shape := index.table.shape[1:]
	at, inOrder := make([]int, index.table.size()), true
	for i, v := range index.table.ints {
		if v < 0 || v >= index.stride {
			return c.refused("index %d is outside of the %d elements of an image", v, index.stride)
		}
		at[i], inOrder = int(v), inOrder && int(v) == i
	}
	to := append(tensor.Shape{images(1)}, shape...)
	whole := inOrder && int64(len(at)) == index.stride
	if before := flatOf(x); whole && before != nil && slices.Equal(before.shape, to) {
		return c.same(before)
	}
	if whole {
		return c.emit(reshape(x.shape, to), x)
	}
	rows, err := c.step("rows", &op.Reshape{Shape: []int{-1, int(index.stride)}}, x)
	if err != nil {
		return err
	}
	return c.emit(&op.Gather{Axis: 1, Indices: at, IndexShape: shape}, rows)
}

// flatOf is what x was before it was made flat; nil where it was not.
func flatOf(x *value) *value {
	if x.step == nil || len(x.shape) != 1 {
		return nil
	}
	if flat, ok := x.step.op.(*op.Reshape); !ok || len(flat.Shape) != 1 {
		return nil
	}
	return x.step.in[0].resolve()
}

// indexed tells whether an operand is row indices.
func (c *call) indexed() bool {
	return slices.ContainsFunc(c.node.in, func(v *value) bool { return v != nil && v.resolve().index != nil })
}
