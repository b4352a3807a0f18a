package onnx

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Files of TensorFlow keep its layout, (N, H, W, C), at their ends; networks are (N, C, H, W) throughout.

// channelsFirst gives a channels-last file an input (N, C, H, W), like that of every network, and a Transpose behind it. The
// rules push that towards the Transpose back, with which such files reach their convolutions.
func (n *normaliser) channelsFirst() {
	last := n.input
	shape := last.shape
	n.input = &value{name: last.name, shape: tensor.Shape{shape[0], shape[3], shape[1], shape[2]}}
	last.step = &step{label: last.name + "/Transpose", op: &op.Transpose{Perm: toChannelsLast}, in: []*value{n.input}, out: last}
	n.steps = slices.Insert(n.steps, 0, last.step)
}

// mapsFirst removes the Transpose behind feature maps that leave such files: here they are (N, C, H, W) at the output too.
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
