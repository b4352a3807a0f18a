package onnx

import (
	"math"
	"slices"

	"regraft/engine/op"
)

// What a node's row asks of its operands.

// operand is nil where the optional operand is left out.
func (c *call) operand(i int) *value {
	if i >= len(c.node.in) {
		return nil
	}
	return c.node.in[i].resolve()
}

// tensor returns an operand with a known shape.
func (c *call) tensor(i int) (*value, error) {
	v := c.operand(i)
	if v == nil {
		return nil, c.refused("operand %d is missing", i)
	}
	if v.unknown() {
		return nil, errUnknown
	}
	if v.sequence != nil {
		return nil, c.refused("operand %d is a sequence of tensors", i)
	}
	if v.index != nil {
		return nil, errOpen
	}
	if source := repeatedFrom(v); source != nil && source.constant != nil && source.constant.dtype != typeFloat {
		return nil, c.refused("operand %d is %v: only float32 is computed on", i, source.constant.dtype)
	}
	if v.constant != nil && v.constant.dtype != typeFloat {
		return nil, c.refused("operand %d is %v: only float32 is computed on", i, v.constant.dtype)
	}
	if v.constant.anyOpen() {
		return nil, c.refused("operand %d depends on the number of images, which the file leaves open", i)
	}
	return v, nil
}

// tensors returns all operands, each with a known shape; optional ones at the end may be left out.
func (c *call) tensors() ([]*value, error) {
	count := len(c.node.in)
	for count > 0 && c.node.in[count-1] == nil {
		count--
	}
	in := make([]*value, count)
	for i := range in {
		var err error
		if in[i], err = c.tensor(i); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// constant returns an operand that must be known at import; nil when it is left out.
func (c *call) constant(i int, what string) (*constant, error) {
	v := c.operand(i)
	if v == nil {
		return nil, nil
	}
	if v.constant == nil {
		if v.unknown() {
			return nil, errUnknown
		}
		return nil, c.refused("%s must be known at import, but %s is computed from the image", what, quoted(v.name))
	}
	if v.constant.anyOpen() {
		return nil, c.refused("%s depends on the number of images, which the file leaves open", what)
	}
	return v.constant, nil
}

// integers returns an integer operand that must be known at import; nil when it is left out.
func (c *call) integers(i int, what string) ([]int, error) {
	k, err := c.constant(i, what)
	if err != nil || k == nil {
		return nil, err
	}
	if k.ints == nil {
		return nil, c.refused("%s is %v, want integers", what, k.dtype)
	}
	if err := c.spend(len(k.ints)); err != nil {
		return nil, err
	}
	values := make([]int, len(k.ints))
	for j, v := range k.ints {
		values[j] = int(v)
	}
	return values, nil
}

// fits refuses a value that, repeated along axes, does not take the shape of x.
func (c *call) fits(other, x *value) error {
	if shape, err := op.BroadcastShape(x.shape, other.shape); err != nil || !slices.Equal(shape, x.shape) {
		return c.refused("a value of shape %v does not fit one of shape %v", other.shape, x.shape)
	}
	return nil
}

// rest stands for the dimension that is worked out from the others, which files write as -1.
const rest = math.MinInt

// dims returns an operand that gives dimensions, which may be open; nil when it is left out.
func (c *call) dims(i int, what string) ([]int, error) {
	v := c.operand(i)
	if v == nil || v.constant == nil || v.constant.ints == nil {
		return c.integers(i, what)
	}
	k := v.constant
	if k.size() > maxRank {
		return nil, c.refused("%s is for %d axes", what, k.size())
	}
	list := make([]int, k.size())
	for j := range list {
		switch n := int(k.ints[j]); {
		case k.isOpen(j) && n > 0:
			list[j] = images(n)
		case n < -1 || k.isOpen(j):
			return nil, c.refused("%s has dimension %d", what, n)
		case n == -1:
			list[j] = rest
		default:
			list[j] = n
		}
	}
	return list, nil
}

// sizes is dims without a dimension that is worked out from the others.
func (c *call) sizes(i int, what string) ([]int, error) {
	list, err := c.dims(i, what)
	if err == nil && slices.Contains(list, rest) {
		return nil, c.refused("%s has dimension -1", what)
	}
	return list, err
}
