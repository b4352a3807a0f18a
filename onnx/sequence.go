package onnx

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Sequences of tensors (PyTorch's chunk, split and unbind before opset 13) exist at import only: all lengths and
// positions must be known, and what comes out is parts of tensors.

// sequence returns an operand that must be a sequence.
func (c *call) sequence(i int) ([]*value, error) {
	v := c.operand(i)
	switch {
	case v == nil:
		return nil, c.refused("operand %d is missing", i)
	case v.unknown():
		return nil, errUnknown
	case v.sequence == nil:
		return nil, c.refused("operand %d is no sequence", i)
	}
	return v.sequence, nil
}

// put makes the node's result a sequence, whose memory counts as that of constants does.
func (c *call) put(list []*value) error {
	const pointer = 8
	if c.budget -= pointer * len(list); len(list) > maxOperands || c.budget < 0 {
		return c.refused("a sequence of %d tensors is too long", len(list))
	}
	if out := c.node.out[0]; out != nil {
		out.sequence = append([]*value{}, list...)
	}
	return nil
}

// position reads a known position in a sequence of the given length, missing where the operand is left out. Negative
// ones count from the end; most is the greatest.
func (c *call) position(i, length, missing, most int) (int, error) {
	given, err := c.integers(i, "the position")
	switch {
	case err != nil:
		return 0, err
	case given == nil:
		given = []int{missing}
	case len(given) != 1:
		return 0, c.refused("%d positions, want one", len(given))
	}
	at := given[0]
	if at < 0 && at >= -length {
		at += length
	}
	if at < 0 || at > most {
		return 0, c.refused("position %d is outside of a sequence of %d tensors", given[0], length)
	}
	return at, nil
}

func lowerSequenceEmpty(c *call) error {
	c.ignore("dtype")
	return c.put(nil)
}

func lowerSequenceConstruct(c *call) error {
	var list []*value
	for i := range c.node.in {
		v, err := c.sized(i)
		if err != nil {
			return err
		}
		list = append(list, v)
	}
	return c.put(list)
}

func lowerSequenceAt(c *call) error {
	list, err := c.sequence(0)
	if err != nil {
		return err
	}
	at, err := c.position(1, len(list), -1, len(list)-1)
	if err != nil {
		return err
	}
	return c.same(list[at])
}

func lowerSequenceInsert(c *call) error {
	list, err := c.sequence(0)
	if err != nil {
		return err
	}
	v, err := c.sized(1)
	if err != nil {
		return err
	}
	at, err := c.position(2, len(list), len(list), len(list))
	if err != nil {
		return err
	}
	return c.put(slices.Insert(slices.Clone(list), at, v))
}

func lowerSequenceErase(c *call) error {
	list, err := c.sequence(0)
	if err != nil {
		return err
	}
	at, err := c.position(1, len(list), -1, len(list)-1)
	if err != nil {
		return err
	}
	return c.put(slices.Delete(slices.Clone(list), at, at+1))
}

func lowerSequenceLength(c *call) error {
	list, err := c.sequence(0)
	if err != nil {
		return err
	}
	c.define(0, &constant{shape: tensor.Shape{}, dtype: typeInt64, ints: []int64{int64(len(list))}})
	return nil
}

// lowerSplitToSequence cuts a tensor into pieces of the given sizes, of one size, or of size 1 without that axis.
func lowerSplitToSequence(c *call) error {
	axis, keep := c.int("axis", 0), c.flag("keepdims", true)
	sizes, err := c.integers(1, "the list of sizes")
	if err != nil {
		return err
	}
	x, err := c.sized(0)
	if err != nil {
		return err
	}
	if axis, err = axisIn(axis, len(x.shape)); err != nil {
		return err
	}
	size := x.shape[axis]
	if isOpen(size) {
		return c.refused("it divides the images of a batch (axis %d of shape %v)", axis, x.shape)
	}
	switch {
	case sizes == nil:
		sizes, err = chunks(size, 1)
	case len(c.operand(1).shape) == 0:
		sizes, err = chunks(size, sizes[0])
	}
	if err != nil {
		return err
	}
	if len(sizes) > maxOperands {
		return c.refused("%d parts are too many", len(sizes))
	}
	var list []*value
	start := 0
	for i, n := range sizes {
		if n < 0 || n > size-start {
			return c.refused("%d parts do not make up axis %d of shape %v", len(sizes), axis, x.shape)
		}
		part, err := c.part(fmt.Sprint("part", i), x, axis, start, n)
		if err == nil && !keep && c.operand(1) == nil {
			part, err = c.squeezed(fmt.Sprint("squeezed", i), part, axis)
		}
		if err != nil {
			return err
		}
		list, start = append(list, part), start+n
	}
	if start != size {
		return c.refused("%d parts do not make up axis %d of shape %v", len(sizes), axis, x.shape)
	}
	return c.put(list)
}

// chunks are the sizes of equal parts, of which the last may be smaller.
func chunks(size, each int) (sizes []int, err error) {
	if each < 1 || (size+each-1)/each > maxOperands {
		return nil, fmt.Errorf("%d cannot be cut into parts of %d", size, each)
	}
	for start := 0; start < size; start += each {
		sizes = append(sizes, min(each, size-start))
	}
	return sizes, nil
}

// part is what lies from start on along an axis.
func (c *call) part(suffix string, x *value, axis, start, size int) (*value, error) {
	if x.constant == nil {
		return c.step(suffix, &op.Slice{Starts: []int{start}, Ends: []int{start + size}, Axes: []int{axis}, Steps: []int{1}}, x)
	}
	k, err := c.cut(x.constant, axis, start, size)
	return known(x.name+"/"+suffix, k), err
}

// squeezed drops an axis of size 1.
func (c *call) squeezed(suffix string, x *value, axis int) (*value, error) {
	if x.constant == nil {
		return c.step(suffix, &op.Squeeze{Axes: []int{axis}}, x)
	}
	k, err := reshaped(x.constant, slices.Delete(x.shape.Clone(), axis, axis+1))
	if err != nil {
		return nil, err
	}
	return known(x.name, k[0]), nil
}

// unsqueezed adds an axis of size 1.
func (c *call) unsqueezed(suffix string, x *value, axis int) (*value, error) {
	if x.constant == nil {
		return c.step(suffix, &op.Unsqueeze{Axes: []int{axis}}, x)
	}
	k, err := reshaped(x.constant, slices.Insert(x.shape.Clone(), axis, 1))
	if err != nil {
		return nil, err
	}
	return known(x.name, k[0]), nil
}

// known is a value that holds k.
func known(name string, k *constant) *value {
	if k == nil {
		return nil
	}
	named := *k
	named.name = name
	return &value{name: name, shape: k.shape, constant: &named}
}

// lowerConcatFromSequence joins the tensors of a sequence along an axis, or along a new one.
func lowerConcatFromSequence(c *call) error {
	axis, stack := c.int("axis", 0), c.flag("new_axis", false)
	list, err := c.sequence(0)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return c.refused("the sequence is empty")
	}
	list = slices.Clone(list)
	for i, v := range list {
		if v.constant == nil && v.shape == nil {
			return errUnknown
		}
		if !stack {
			continue
		}
		if axis, err = axisIn(axis, len(v.shape)+1); err != nil {
			return err
		}
		if list[i], err = c.unsqueezed(fmt.Sprint("stacked", i), v, axis); err != nil {
			return err
		}
	}
	var constants []*constant
	for _, v := range list {
		if v.constant != nil {
			constants = append(constants, v.constant)
		}
	}
	if len(constants) < len(list) {
		for _, k := range constants {
			if k.dtype != typeFloat {
				return c.refused("the sequence mixes float32 with %v", k.dtype)
			}
		}
		return c.join(axis, list)
	}
	joined, err := c.concat(axis, constants)
	if err != nil {
		return err
	}
	c.define(0, joined[0])
	return nil
}
