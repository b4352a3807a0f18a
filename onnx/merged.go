package onnx

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// PyTorch's attention puts tokens before images, (T, N, C), and makes one axis of both for its last linear layer, (T*N, C). For the one
// image, or the few, of a file's own batch nothing tells that axis from others; here it is remembered until it is taken apart.

// merged holds, for values whose first axis is tokens times images with the images of a token one behind the other, the number of tokens,
// which may be 1.
type merged map[*value]int

// freeReshape opens the batch of a Reshape to a shape that was exported for so many images; ok tells that a form for N is known.
func (m merged) freeReshape(s *step, to tensor.Shape, own int) (ok bool) {
	x := s.in[0].resolve()
	shape := x.shape
	if tokens := m[x]; tokens > 0 {
		shape = slices.Concat(tensor.Shape{tokens, images(1)}, shape[1:])
	}
	if openAxis(shape) < 0 {
		return true
	}
	free := freedShape(shape, to, own)
	// Rows of features are those of one token of one image, whose axes stay whole or become one.
	if rows := len(to) == 2 || len(to) == len(shape)-1 && slices.Equal(to[1:], shape[2:]); openAxis(shape) == 1 && rows &&
		to[0] == shape[0]*own*-shape[1] && sizeOf(to[1:]) == sizeOf(shape[2:]) {
		free = to.Clone()
		free[0] = shape[0] * shape[1]
		m[s.out] = shape[0]
	} else if openAxis(shape) == 1 && shape[0] == 1 && openAxis(free) == 0 {
		m[s.out] = 1
	}
	if free == nil {
		return false
	}
	s.op = reshape(x.shape, free)
	return true
}

// follow tells whether a step other than a Reshape works on such values, row by row, and remembers its result.
func (m merged) follow(s *step) bool {
	tokens := 0
	for _, v := range s.in {
		tokens = max(tokens, m[v.resolve()])
	}
	if tokens == 0 {
		return true
	}
	if tokens == 1 && !rowwise(s.op) { // one token of every image: as good as images
		return true
	}
	for _, v := range s.in {
		if v = v.resolve(); v.constant == nil && m[v] != tokens || v.constant != nil && len(v.shape) > 1 && v.shape[0] != 1 && op.Elementwise(s.op) {
			return false
		}
	}
	if rowwise(s.op) {
		m[s.out] = tokens
	}
	return rowwise(s.op)
}

// rowwise tells whether an operator computes every row from the operands' same one.
func rowwise(o op.Op) bool {
	switch o.(type) {
	case *op.Linear, *op.Identity, *op.Dropout:
		return true
	}
	return op.Elementwise(o)
}
