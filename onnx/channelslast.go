package onnx

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// TensorFlow's files put channels last: (N, H, W, C). The rules of this file take their steps to (N, C, H, W), by pushing Transposes
// towards the end until they meet their opposites, so that classifiers, averages and normalisations are found where they always are.
// What is left, such as the layers of ConvNeXt's blocks, costs nothing: where channels lie is the planner's business.

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

// sinkTranspose computes before the channels are put last what does not need them there.
func (n *normaliser) sinkTranspose(s *step) bool {
	if op.Elementwise(s.op) {
		return n.sinkElementwise(s)
	}
	var in []*value
	for _, v := range s.in {
		y, ok := channelsLastOf(v)
		if !ok {
			return false
		}
		in = append(in, y)
	}
	switch o := s.op.(type) {
	case *op.Pad:
		pads := append(channelsFirstOrder(o.Pads[:4]), channelsFirstOrder(o.Pads[4:])...)
		n.insertFirst(s, &op.Pad{Pads: pads, Value: o.Value}, in...)
	case *op.Slice:
		axes := make([]int, len(o.Axes))
		for i, axis := range o.Axes {
			axes[i] = toChannelsLast[axis]
		}
		n.insertFirst(s, &op.Slice{Starts: o.Starts, Ends: o.Ends, Axes: axes, Steps: o.Steps}, in...)
	case *op.Resize:
		first := *o
		first.Shape, first.Scales = channelsFirstOrder(o.Shape), channelsFirstOrder(o.Scales)
		n.insertFirst(s, &first, in...)
	case *op.Gather:
		if len(o.IndexShape) != 1 {
			return false
		}
		n.insertFirst(s, &op.Gather{Axis: toChannelsLast[o.Axis], Indices: o.Indices, IndexShape: o.IndexShape}, in...)
	case *op.Concat:
		n.insertFirst(s, &op.Concat{Axis: toChannelsLast[o.Axis]}, in...)
	case *op.ReduceMean:
		if !slices.Equal(o.Axes, []int{1, 2}) {
			return false
		}
		if o.KeepDims {
			n.insertFirst(s, &op.GlobalAveragePool{}, in...)
			break
		}
		shape := in[0].shape
		pooled := n.insert(s.label+"/pool", &op.GlobalAveragePool{}, tensor.Shape{shape[0], shape[1], 1, 1}, in...)
		s.op, s.in = &op.Flatten{Axis: 1}, []*value{pooled}
	default:
		return false
	}
	return true
}

// channelsFirstOrder is a list for the axes of (N, H, W, C) as one for those of (N, C, H, W); nil stays nil.
func channelsFirstOrder[T any](list []T) []T {
	if list == nil {
		return nil
	}
	out := make([]T, len(list))
	for i, from := range toChannelsFirst {
		out[i] = list[from]
	}
	return out
}

// sinkElementwise is sinkTranspose for operators that compute element by element, with known operands transposed as well.
func (n *normaliser) sinkElementwise(s *step) bool {
	in := make([]*value, len(s.in))
	moved := false
	for i, v := range s.in {
		y, ok := channelsLastOf(v)
		switch {
		case ok:
			in[i], moved = y, true
		case v.constant != nil && len(v.shape) <= 4:
			in[i] = channelsFirstConstant(v)
		default:
			return false
		}
	}
	if moved {
		n.insertFirst(s, s.op, in...)
	}
	return moved
}

// channelsFirstConstant is a constant that broadcasts to (N, H, W, C) as one that broadcasts to (N, C, H, W).
func channelsFirstConstant(v *value) *value {
	shape := append(slices.Repeat([]int{1}, 4-len(v.shape)), v.shape...)
	pixels, channels := shape[1]*shape[2], shape[3]
	switch {
	case channels == 1 && pixels == 1:
		return v
	case shape[0]*pixels == 1:
		return derived(v, tensor.Shape{channels, 1, 1}, v.constant.floats)
	}
	floats := make([]float32, len(v.constant.floats))
	for i := range floats {
		image, pixel, channel := i/(pixels*channels), i/channels%pixels, i%channels
		floats[(image*channels+channel)*pixels+pixel] = v.constant.floats[i]
	}
	return derived(v, tensor.Shape{shape[0], channels, shape[1], shape[2]}, floats)
}

// sameOrder lets what only changes the shape read from before a Transpose that leaves the order of the values, since there is one
// channel, or one pixel.
func (n *normaliser) sameOrder(s *step) bool {
	if len(s.in) != 1 || s.out.same != nil {
		return false
	}
	y, ok := channelsLastOf(s.in[0])
	if !ok || y.shape[1] != 1 && y.shape[2]*y.shape[3] != 1 {
		return false
	}
	switch o := s.op.(type) {
	case *op.Reshape:
		target := slices.Clone(o.Shape)
		for i := range target {
			if i > 0 && target[i] == 0 {
				target[i] = s.out.shape[i]
			}
		}
		s.op = &op.Reshape{Shape: target}
	case *op.Flatten:
	case *op.Squeeze:
		if len(s.out.shape) != 2 {
			return false
		}
		s.op = &op.Flatten{Axis: 1}
	default:
		return false
	}
	s.in = []*value{y}
	if slices.Equal(s.out.shape, y.shape) {
		s.out.same = y
	}
	return true
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
