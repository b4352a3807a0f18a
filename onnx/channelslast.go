package onnx

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// ConvNeXt's blocks put channels last for some steps: (N, H, W, C). The rules of this file take all of these but
// LayerNormalization to (N, C, H, W), by pushing Transposes towards the end until they meet their opposites.

var toChannelsLast, toChannelsFirst = []int{0, 2, 3, 1}, []int{0, 3, 1, 2}

// channelsLastOf gives y where v is y with its channels put last.
func channelsLastOf(v *value) (y *value, ok bool) {
	if v.step == nil {
		return nil, false
	}
	t, ok := v.step.op.(*op.Transpose)
	if !ok || !slices.Equal(t.Perm, toChannelsLast) {
		return nil, false
	}
	return v.step.in[0], true
}

// insert puts a new step in front of the one at hand and returns its result.
func (n *normaliser) insert(label string, o op.Op, shape tensor.Shape, in ...*value) *value {
	s := &step{label: label, op: o, in: in, out: &value{name: label, shape: shape}}
	s.out.step = s
	n.before = append(n.before, s)
	return s.out
}

// insertFirst computes in (N, C, H, W) what s computes, and leaves to s to put the channels last.
func (n *normaliser) insertFirst(s *step, o op.Op, in ...*value) {
	shape := s.out.shape
	y := n.insert(s.label, o, tensor.Shape{shape[0], shape[3], shape[1], shape[2]}, in...)
	s.label += "/Transpose"
	s.op, s.in = &op.Transpose{Perm: toChannelsLast}, []*value{y}
}

// pointwise makes the product of (N, H, W, C) with a known matrix a convolution of 1x1.
func (n *normaliser) pointwise(s *step) bool {
	if _, ok := s.op.(*op.MatMul); !ok {
		return false
	}
	x, w := s.in[0], s.in[1]
	if x.constant != nil || w.constant == nil || len(x.shape) != 4 || len(w.shape) != 2 {
		return false
	}
	t := transposed(w)
	first := n.insert(s.label+"/first", &op.Transpose{Perm: toChannelsFirst}, tensor.Shape{x.shape[0], x.shape[3], x.shape[1], x.shape[2]}, x)
	conv := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}
	n.insertFirst(s, conv, first, derived(t, tensor.Shape{t.shape[0], t.shape[1], 1, 1}, t.constant.floats))
	return true
}

// sinkTranspose computes element by element before the channels are put last.
func (n *normaliser) sinkTranspose(s *step) bool {
	switch s.op.(type) {
	case *op.Gelu:
		y, ok := channelsLastOf(s.in[0])
		if ok {
			n.insertFirst(s, s.op, y)
		}
		return ok
	case *op.Add, *op.Mul:
		for i := range 2 {
			k, x := s.in[i], s.in[1-i]
			y, ok := channelsLastOf(x)
			if ok && k.constant != nil && len(k.shape) == 1 && k.shape[0] == x.shape[3] {
				n.insertFirst(s, s.op, y, derived(k, tensor.Shape{k.shape[0], 1, 1}, k.constant.floats))
				return true
			}
		}
	}
	return false
}

// joinTransposes makes one of two, or none where the second undoes the first.
func (n *normaliser) joinTransposes(s *step) bool {
	outer, ok := s.op.(*op.Transpose)
	if !ok || s.out.same != nil || s.in[0].step == nil {
		return false
	}
	inner, ok := s.in[0].step.op.(*op.Transpose)
	if !ok {
		return false
	}
	joined := make([]int, len(outer.Perm))
	identity := true
	for i, p := range outer.Perm {
		joined[i] = inner.Perm[p]
		identity = identity && joined[i] == i
	}
	x := s.in[0].step.in[0]
	s.op, s.in = &op.Transpose{Perm: joined}, []*value{x}
	if identity {
		s.out.same = x
	}
	return true
}
