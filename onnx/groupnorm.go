package onnx

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Normalisation over groups of channels.

func lowerInstanceNorm(c *call) error {
	o := &op.GroupNorm{Epsilon: c.float("epsilon", 1e-5)}
	in, err := c.tensors()
	if err != nil {
		return err
	}
	return c.emit(o, in...)
}

// lowerGroupNorm repeats factors and summands per group, which opset 18 to 20 have, for every channel.
func lowerGroupNorm(c *call) error {
	o := &op.GroupNorm{Groups: c.int("num_groups", 0), Epsilon: c.float("epsilon", 1e-5)}
	c.ignore("stash_type") // the precision of the statistics: ours is at least float32
	in, err := c.tensors()
	if err != nil {
		return err
	}
	if len(in[0].shape) < 2 || o.Groups < 1 || openAxis(in[0].shape) > 0 || in[0].shape[1]%o.Groups != 0 {
		return c.refused("%d groups of the channels of shape %v", o.Groups, in[0].shape)
	}
	if c.opset() < 21 {
		for k, v := range in[1:] {
			if v.constant == nil || len(v.shape) != 1 || v.shape[0] != o.Groups {
				return c.refused("operand %d has shape %v: a known value per group is wanted before opset 21", k+1, v.shape)
			}
			in[k+1] = perGroup(v, in[0].shape[1])
		}
	}
	return c.emit(o, in...)
}

// perGroup repeats the values of groups for each of their channels.
func perGroup(v *value, channels int) *value {
	groups := len(v.constant.floats)
	if groups == channels {
		return v
	}
	values := make([]float32, channels)
	for c := range values {
		values[c] = v.constant.floats[c*groups/channels]
	}
	return derived(v, tensor.Shape{channels}, values)
}

// groupNorm recognises the InstanceNormalization of images whose channels were gathered in groups.
func (n *normaliser) groupNorm(s *step) bool {
	if _, ok := s.op.(*op.Reshape); !ok {
		return false
	}
	norm, o, ok := only[*op.GroupNorm](n, s.in[0])
	if !ok || o.Groups != 0 || norm.in[1].constant == nil || norm.in[2].constant == nil {
		return false
	}
	gather, _, ok := only[*op.Reshape](n, norm.in[0])
	if !ok {
		return false
	}
	x, groups := gather.in[0], norm.in[0].shape[1]
	if !slices.Equal(x.shape, s.out.shape) || len(x.shape) < 2 || norm.in[0].shape[0] != x.shape[0] || x.shape[1]%groups != 0 {
		return false
	}
	s.op = &op.GroupNorm{Groups: groups, Epsilon: o.Epsilon}
	s.in = []*value{x, perGroup(norm.in[1], x.shape[1]), perGroup(norm.in[2], x.shape[1])}
	return true
}

// groupNormAffine merges a factor or a summand per channel into a GroupNorm that has none.
func (n *normaliser) groupNormAffine(s *step) bool {
	k, x, values, mul := affinePart(s)
	if x == nil {
		return false
	}
	norm, o, ok := only[*op.GroupNorm](n, x)
	if !ok || !allAre(0, norm.in[2]) || mul && !allAre(1, norm.in[1]) {
		return false
	}
	in := slices.Clone(norm.in)
	own := derived(k, tensor.Shape{len(values)}, values)
	if mul {
		in[1] = own
	} else {
		in[2] = own
	}
	s.op, s.in = o, in
	return true
}

// allAre tells whether v is known and holds nothing but that number.
func allAre(number float32, v *value) bool {
	return v.constant != nil && !slices.ContainsFunc(v.constant.floats, func(f float32) bool { return f != number })
}

// writeGroupNorm writes an InstanceNormalization, of channels gathered in groups where they are fewer.
func writeGroupNorm(e *exporter, o *op.GroupNorm, in []string) {
	shape := e.current.Shape()
	channels, epsilon := shape[1], floatAttribute("epsilon", o.Epsilon)
	groups := o.GroupsOf(channels)
	if groups == channels {
		e.node("InstanceNormalization", in, epsilon)
		return
	}
	ones := make([]float32, groups)
	for k := range ones {
		ones[k] = 1
	}
	gathered := e.inner("Reshape", []string{in[0], e.ints("groups", 0, groups, -1)})
	scale, bias := e.floats("ones", []int{groups}, ones), e.floats("zeros", []int{groups}, make([]float32, groups))
	normal := e.inner("InstanceNormalization", []string{gathered, scale, bias}, epsilon)
	normal = e.inner("Reshape", []string{normal, e.ints("shape", append([]int{-1}, shape[1:]...)...)})
	column := []int{channels}
	for range shape[2:] {
		column = append(column, 1)
	}
	target := e.ints("column", column...)
	scaled := e.inner("Mul", []string{normal, e.inner("Reshape", []string{in[1], target})})
	e.node("Add", []string{scaled, e.inner("Reshape", []string{in[2], target})})
}
