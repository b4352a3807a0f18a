package onnx

import (
	"slices"

	"regraft/engine/op"
)

// Files of TensorFlow keep its layout, (N, H, W, C), at their ends; networks are (N, C, H, W) throughout.

// channelsFirst takes the Transpose away with which channels-last files (TensorFlow's) begin: the input
// of a network is always (N, C, H, W).
func (n *normaliser) channelsFirst() {
	var out *value
	for _, s := range n.steps {
		for _, v := range s.in {
			if v != n.input {
				continue
			}
			t, ok := s.op.(*op.Transpose)
			if !ok || len(t.Perm) != 4 || t.Perm[0] != 0 || t.Perm[1] != 3 || t.Perm[2] != 1 || t.Perm[3] != 2 {
				return
			}
			if out == nil {
				out = &value{name: n.input.name, shape: s.out.shape}
			}
		}
	}
	if out == nil {
		return
	}
	for _, s := range n.steps {
		if s.in[0] == n.input {
			s.out.same = out
		}
	}
	n.input = out
}

// mapsFirst takes the Transpose away with which feature maps leave such files: here they are (N, C, H, W) at the output too.
func (n *normaliser) mapsFirst() {
	for i, out := range n.outputs {
		if s := out.value.step; s != nil && putsChannelsLast(s) {
			n.outputs[i].value = s.in[0]
			n.channelsLast = append(n.channelsLast, out.name)
		}
	}
}

// putsChannelsLast recognises the Transpose from (N, C, H, W) to (N, H, W, C), which is a Reshape where H and W are 1.
func putsChannelsLast(s *step) bool {
	switch o := s.op.(type) {
	case *op.Transpose:
		return slices.Equal(o.Perm, toChannelsLast)
	case *op.Reshape:
		from, to := s.in[0].shape, s.out.shape
		return len(from) == 4 && len(to) == 4 && from[1] == to[3] && from[1] > 1 && from[2]*from[3]*to[1]*to[2] == 1
	}
	return false
}
