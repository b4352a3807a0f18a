package onnx

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// A classifier may be spelled with its weight on the left, W (K, F) times (F, N), as columns of a matrix. Here every photo is a
// row: the Transpose behind is moved towards the end until it meets the one that the file has there.

// columnsOf returns the matrix (N, K) whose transpose v is.
func columnsOf(v *value) (*value, bool) {
	if v.step == nil {
		return nil, false
	}
	t, ok := v.step.op.(*op.Transpose)
	return v.step.in[0], ok && slices.Equal(t.Perm, []int{1, 0})
}

// leftWeight makes a linear layer of a known matrix times columns.
func (n *normaliser) leftWeight(s *step) bool {
	if _, ok := s.op.(*op.MatMul); !ok || s.in[0].constant == nil || len(s.in[0].shape) != 2 {
		return false
	}
	x, ok := columnsOf(s.in[1])
	if !ok {
		return false
	}
	n.insertRows(s, &op.Linear{}, x, s.in[0])
	return true
}

// sinkColumns computes on rows what a step computes on columns, and transposes afterwards.
func (n *normaliser) sinkColumns(s *step) bool {
	if len(s.in) == 0 || len(s.out.shape) != 2 {
		return false
	}
	switch o := s.op.(type) {
	case *op.Softmax:
		if x, ok := columnsOf(s.in[0]); ok {
			n.insertRows(s, &op.Softmax{Axis: 1 - o.Axis}, x)
			return true
		}
		return false
	case *op.LogSoftmax:
		if x, ok := columnsOf(s.in[0]); ok {
			n.insertRows(s, &op.LogSoftmax{Axis: 1 - o.Axis}, x)
			return true
		}
		return false
	}
	if !op.Elementwise(s.op) {
		return false
	}
	in := make([]*value, len(s.in))
	moved := false
	for i, v := range s.in {
		x, ok := columnsOf(v)
		switch {
		case ok:
			in[i], moved = x, true
		case v.constant != nil && len(v.shape) == 2 && v.shape[1] == 1:
			in[i] = derived(v, tensor.Shape{v.shape[0]}, v.constant.floats)
		case v.constant != nil && sizeOf(v.shape) == 1:
			in[i] = v
		default:
			return false
		}
	}
	if moved {
		n.insertRows(s, s.op, in...)
	}
	return moved
}

// insertRows computes (N, K) in front of s, which is left to transpose it.
func (n *normaliser) insertRows(s *step, o op.Op, in ...*value) {
	rows := tensor.Shape{s.out.shape[1], s.out.shape[0]}
	y := n.insert(s.label, o, rows, in...)
	s.label += "/Transpose"
	s.op, s.in = &op.Transpose{Perm: []int{1, 0}}, []*value{y}
}
