package onnx

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
)

// Baked preprocessing: arithmetic per channel, and another order of channels, at the beginning of the network.

// channelTransform recognises torchvision's transform_input: every channel picked out, scaled and
// shifted, and all of them put together again.
func (n *normaliser) channelTransform(s *step) bool {
	if o, ok := s.op.(*op.Concat); !ok || o.Axis != 1 || s.out.same != nil {
		return false
	}
	var source *value
	affine := &op.Affine{Scale: make([]float32, len(s.in)), Shift: make([]float32, len(s.in))}
	order := make([]int, len(s.in))
	for c, v := range s.in {
		x, channel, scale, shift, ok := pickedChannel(v)
		if !ok || channel >= len(order) || slices.Contains(order[:c], channel) || source != nil && x != source {
			return false
		}
		source, order[c] = x, channel
		affine.Scale[channel], affine.Shift[channel] = float32(scale), float32(shift)
	}
	if source == nil || len(source.shape) != 4 || source.shape[1] != len(s.in) || !finiteAffine(affine) {
		return false
	}
	plain := !slices.ContainsFunc(affine.Scale, func(v float32) bool { return v != 1 }) && !slices.ContainsFunc(affine.Shift, func(v float32) bool { return v != 0 })
	switch ordered := slices.IsSorted(order); {
	case plain && ordered:
		s.out.same = source
	case plain:
		s.op, s.in = reorder(order), []*value{source}
	case source != n.input: // Affine is for preprocessing
		return false
	case ordered:
		s.op, s.in = affine, []*value{source}
	default:
		transformed := n.insert(s.label+"/transform", affine, source.shape, source)
		s.op, s.in = reorder(order), []*value{transformed}
	}
	return true
}

// reorder is the operator that gives channels another order.
func reorder(order []int) *op.Gather {
	return &op.Gather{Axis: 1, Indices: order, IndexShape: tensor.Shape{len(order)}}
}

// channelOrder recognises a step that only gives the channels of (N, C, H, W) another order, as BGR for RGB.
func channelOrder(s *step) ([]int, bool) {
	if s == nil || len(s.in) == 0 || len(s.in[0].shape) != 4 {
		return nil, false
	}
	channels := s.in[0].shape[1]
	var order []int
	switch o := s.op.(type) {
	case *op.Gather:
		if o.Axis != 1 || len(o.IndexShape) != 1 {
			return nil, false
		}
		order = o.Indices
	case *op.Slice:
		if !slices.Equal(o.Axes, []int{1}) || !slices.Equal(o.Steps, []int{-1}) || s.out.shape[1] != channels {
			return nil, false
		}
		for c := range channels {
			order = append(order, channels-1-c)
		}
	default:
		return nil, false
	}
	if len(order) != channels {
		return nil, false
	}
	for c := range channels {
		if !slices.Contains(order, c) {
			return nil, false
		}
	}
	return order, true
}

// reorderLast does arithmetic per channel on the input before its channels are reordered, so that inputAffine sees it.
func (n *normaliser) reorderLast(s *step) bool {
	if len(s.in) != 2 || !op.Elementwise(s.op) {
		return false
	}
	k, x, values := perChannel(s)
	if x == nil {
		return false
	}
	order, ok := channelOrder(x.step)
	if !ok || !n.isTransformed(x.step.in[0]) {
		return false
	}
	before := make([]float32, len(values))
	for c, from := range order {
		before[from] = values[c]
	}
	in := []*value{x.step.in[0], derived(k, tensor.Shape{len(values), 1, 1}, before)}
	if k == s.in[0] {
		slices.Reverse(in)
	}
	computed := n.insert(s.label, s.op, x.step.in[0].shape, in...)
	s.label, s.op, s.in = x.step.label, reorder(order), []*value{computed}
	return true
}

// isTransformed tells whether x is the network's input, or that after arithmetic per channel.
func (n *normaliser) isTransformed(x *value) bool {
	if x == n.input {
		return true
	}
	if x.step == nil {
		return false
	}
	_, affine := x.step.op.(*op.Affine)
	return affine && x.step.in[0] == n.input
}

// pickedChannel follows v back to one channel of a value: v = scale * x[:, channel] + shift.
func pickedChannel(v *value) (x *value, channel int, scale, shift float64, ok bool) {
	scale = 1
	const farthest = 8 // steps of one channel: Gather, Unsqueeze and some arithmetic
	for range farthest {
		if v.step == nil {
			break
		}
		s := v.step
		switch o := s.op.(type) {
		case *op.Gather:
			if o.Axis == 1 && len(o.Indices) == 1 {
				return s.in[0], o.Indices[0], scale, shift, true
			}
			return nil, 0, 0, 0, false
		case *op.Slice:
			if len(s.in[0].shape) == 4 && slices.Equal(o.Axes, []int{1}) && s.out.shape[1] == 1 && o.Starts[0] >= 0 {
				return s.in[0], o.Starts[0], scale, shift, true
			}
			return nil, 0, 0, 0, false
		case *op.Unsqueeze:
			v = s.in[0]
			continue
		}
		// scale*(a*y + b) + shift
		a, b, y, linear := scalarStep(s)
		if !linear {
			return nil, 0, 0, 0, false
		}
		scale, shift, v = scale*a, shift+float64(scale*b), y
	}
	return nil, 0, 0, 0, false
}

// scalarStep reads an arithmetic step with a known scalar as a*y + b.
func scalarStep(s *step) (a, b float64, y *value, ok bool) {
	if k, y, ok := binaryWith[*op.Mul](s); ok {
		return k, 0, y, true
	}
	if k, y, ok := binaryWith[*op.Add](s); ok {
		return 1, k, y, true
	}
	if k, y, ok := binaryWith[*op.Div](s); ok {
		return 1 / k, 0, y, true
	}
	if _, ok := s.op.(*op.Sub); ok {
		if k := s.in[1].constant; k != nil && k.size() == 1 {
			return 1, -k.at(0), s.in[0], true
		}
	}
	return 0, 0, nil, false
}

// inputAffine gathers arithmetic per channel on the network's input into one Affine: baked
// preprocessing, which is not to be trained.
func (n *normaliser) inputAffine(s *step) bool {
	if len(s.in) != 2 {
		return false
	}
	k, x, values := perChannel(s)
	if x == nil || len(x.shape) != 4 {
		return false
	}
	before := &op.Affine{}
	source := x
	if x != n.input {
		first, o, ok := only[*op.Affine](n, x)
		if !ok || first.in[0] != n.input {
			return false
		}
		before, source = o, n.input
	}
	affine := &op.Affine{Scale: make([]float32, len(values)), Shift: make([]float32, len(values))}
	for c, v := range values {
		scale, shift := 1.0, 0.0
		if before.Scale != nil {
			scale, shift = float64(before.Scale[c]), float64(before.Shift[c])
		}
		switch s.op.(type) {
		case *op.Mul:
			scale, shift = scale*float64(v), shift*float64(v)
		case *op.Div:
			scale, shift = scale/float64(v), shift/float64(v)
		case *op.Add:
			shift += float64(v)
		case *op.Sub:
			shift -= float64(v)
		default:
			return false
		}
		affine.Scale[c], affine.Shift[c] = float32(scale), float32(shift)
	}
	if reversed := k == s.in[0]; reversed {
		switch s.op.(type) {
		case *op.Sub, *op.Div:
			return false
		}
	}
	if !finiteAffine(affine) {
		return false
	}
	s.op, s.in = affine, []*value{source}
	return true
}

// finiteAffine tells whether all numbers are finite: with others, Affine would not compute what the steps that it gathers do.
func finiteAffine(o *op.Affine) bool { return engine.Finite(o.Scale) && engine.Finite(o.Shift) }
