package onnx

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Files that were exported for a batch of one may lose its axis on the way: squeeze() makes one vector of (1, F, 1, 1), and the
// output is (K). Here every value keeps the axis, so that the network takes any number of photos.

// batchAxis gives values without a batch axis one: what the file has as (F) is (1, F) here.
type batchAxis struct {
	lost map[*value]bool // has an axis in front that the file's value has not
}

// keepBatch rewrites the steps of a file whose batch is one. The list names steps for which no form with a batch is known.
func keepBatch(steps []*step) []Unsupported {
	b := &batchAxis{lost: map[*value]bool{}}
	for _, s := range steps {
		rewritten := false
		if slices.ContainsFunc(s.in, func(v *value) bool { return b.lost[v.resolve()] }) {
			if !b.carry(s) {
				return []Unsupported{{s.op.Name(), s.label, "it works on a value that has lost the batch of one photo (squeeze), which is not supported here: export with a batch of 2 or more"}}
			}
			rewritten = true
		} else if b.loses(s) {
			rewritten = true
		}
		if !rewritten {
			continue
		}
		if err := s.infer(); err != nil {
			return []Unsupported{{s.op.Name(), s.label, fmt.Sprintf("with an axis for the batch that the file squeezes away: %v", err)}}
		}
	}
	return nil
}

// loses recognises a step that makes a vector (F) of the values of one photo, and keeps the batch instead.
func (b *batchAxis) loses(s *step) bool {
	if len(s.in) == 0 {
		return false
	}
	x := s.in[0].resolve()
	if x.constant != nil || len(s.out.shape) != 1 || len(x.shape) < 2 || x.shape[0] != 1 {
		return false
	}
	switch o := s.op.(type) {
	case *op.Squeeze, *op.Reshape:
	case *op.Gather: // x[0]
		if o.Axis != 0 || len(o.IndexShape) != 0 {
			return false
		}
	default:
		return false
	}
	s.op = &op.Flatten{Axis: 1}
	b.lost[s.out] = true
	return true
}

// carry takes a step on values with an added axis to the form for them; ok tells that there is one.
func (b *batchAxis) carry(s *step) (ok bool) {
	x := s.in[0].resolve()
	b.lost[s.out] = true
	switch o := s.op.(type) {
	case *op.Softmax:
		s.op = &op.Softmax{Axis: o.Axis + 1}
	case *op.LogSoftmax:
		s.op = &op.LogSoftmax{Axis: o.Axis + 1}
	case *op.Unsqueeze:
		axes := slices.Clone(o.Axes)
		if b.lost[s.out] = !slices.Contains(axes, 0); b.lost[s.out] {
			shift(axes)
		} else {
			axes = slices.DeleteFunc(axes, func(a int) bool { return a == 0 })
		}
		s.op = &op.Unsqueeze{Axes: axes}
		if len(axes) == 0 {
			s.op = &op.Identity{}
		}
	case *op.Reshape:
		target := s.out.shape
		if len(target) == 0 {
			return false
		}
		if b.lost[s.out] = target[0] != 1; !b.lost[s.out] {
			target = target[1:]
		}
		s.op = &op.Reshape{Shape: append([]int{0}, target...)}
	case *op.Flatten:
		if o.Axis != 0 {
			return false
		}
		b.lost[s.out] = false
		s.op = &op.Flatten{Axis: 1}
	case *op.Concat:
		s.op = &op.Concat{Axis: o.Axis + 1}
		return !slices.ContainsFunc(s.in, func(v *value) bool { return !b.lost[v.resolve()] })
	case *op.Gather:
		s.op = &op.Gather{Axis: o.Axis + 1, Indices: o.Indices, IndexShape: o.IndexShape}
	case *op.Slice:
		axes := slices.Clone(o.Axes)
		for i := len(axes); i < len(o.Starts); i++ {
			axes = append(axes, i)
		}
		shift(axes)
		s.op = &op.Slice{Starts: o.Starts, Ends: o.Ends, Axes: axes, Steps: o.Steps}
	case *op.MatMul:
		return b.product(s)
	case *op.Add, *op.Sub, *op.Mul, *op.Div, *op.Pow:
		return b.binary(s)
	case *op.Relu, *op.Clip, *op.Sigmoid, *op.Tanh, *op.HardSigmoid, *op.HardSwish, *op.Exp, *op.Log, *op.Neg, *op.Sqrt, *op.Reciprocal,
		*op.Identity, *op.Dropout:
		return b.lost[x]
	default:
		return false
	}
	return b.lost[x]
}

// shift counts axes from behind the batch.
func shift(axes []int) {
	for i := range axes {
		if axes[i] >= 0 {
			axes[i]++
		}
	}
}

// product makes a linear layer of a vector times a known matrix, on either side.
func (b *batchAxis) product(s *step) bool {
	x, w := s.in[0].resolve(), s.in[1].resolve()
	turned := b.lost[w]
	if turned {
		x, w = w, x
	}
	if w.constant == nil || len(w.shape) != 2 || len(x.shape) != 2 {
		return false
	}
	if !turned {
		w = transposed(w)
	}
	s.op, s.in = &op.Linear{}, []*value{x, w}
	return true
}

// binary broadcasts as before: what the other operand lacks in front is the batch.
func (b *batchAxis) binary(s *step) bool {
	var computed, known tensor.Shape
	for _, v := range s.in {
		v = v.resolve()
		switch {
		case b.lost[v]:
			computed = v.shape
		case v.constant != nil:
			known = v.shape
		default: // has a batch
			if computed = v.shape; len(v.shape) != len(s.out.shape) {
				return false
			}
			b.lost[s.out] = false
		}
	}
	return len(known) < len(computed) || len(known) == len(computed) && known[0] == 1
}
