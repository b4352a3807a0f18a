package onnx

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// normaliser takes the many spellings that exporters use to one normal form, so that the rest of
// the program meets each thing in one shape only.
type normaliser struct {
	steps   []*step
	input   *value
	outputs []output
	uses    map[*value]int
	before  []*step // new ones, to come before the step at hand
	// channelsLast names the outputs that the file gives as (N, H, W, C).
	channelsLast []string
}

// output is a result of the graph under the name that the file gives it.
type output struct {
	name  string
	value *value
	place int
}

// rules look at one step at a time. A rule rewrites the step in place and tells whether it did; steps that nothing
// needs afterwards are swept out, so a rule needs no care for other users of what it skips.
var rules = []func(*normaliser, *step) bool{
	(*normaliser).flattenConcat,
	(*normaliser).padIntoWindow,
	(*normaliser).clamps,
	(*normaliser).gate,
	(*normaliser).hardSigmoid,
	(*normaliser).softplus,
	(*normaliser).softsign,
	(*normaliser).mish,
	(*normaliser).gelu,
	(*normaliser).nanOfSoftmax,
	(*normaliser).sumOfMasks,
	(*normaliser).layerNorm,
	(*normaliser).groupNorm,
	(*normaliser).groupNormAffine,
	(*normaliser).sinkTranspose,
	(*normaliser).leftWeight,
	(*normaliser).sinkColumns,
	(*normaliser).joinTransposes,
	(*normaliser).sameOrder,
	(*normaliser).batchNormAffine,
	(*normaliser).bias,
	(*normaliser).zeroBias,
	(*normaliser).channelTransform,
	(*normaliser).inputAffine,
	(*normaliser).reorderLast,
}

// newNormaliser takes over what was lowered, but for steps that the outputs do not depend on.
func newNormaliser(l *lowering, g *graph) *normaliser {
	n := &normaliser{steps: l.steps, input: g.inputs[0]}
	for i, v := range g.outputs {
		n.outputs = append(n.outputs, output{v.name, v, i})
	}
	n.sweep()
	return n
}

// normalise takes the steps to normal form. The graph's input may be (N, H, W, C).
func (n *normaliser) normalise(channelsLast bool) {
	if channelsLast {
		n.channelsFirst()
		n.tileByInput()
	}
	n.sweep()
	for n.applyRules() {
		n.sweep()
	}
	n.mapsFirst()
	n.sweep()
}

// applyRules goes through the steps once and tells whether any changed.
func (n *normaliser) applyRules() bool {
	changed := false
	var steps []*step
	for _, s := range n.steps {
		for _, rule := range rules {
			changed = rule(n, s) || changed
		}
		steps = append(append(steps, n.before...), s)
		n.before = nil
	}
	n.steps = steps
	return changed
}

// sweep removes steps that the outputs do not depend on, and counts how often each value is used.
func (n *normaliser) sweep() {
	n.uses = map[*value]int{}
	for i := range n.outputs {
		n.outputs[i].value = n.outputs[i].value.resolve()
		n.uses[n.outputs[i].value]++
	}
	var kept []*step
	for _, s := range slices.Backward(n.steps) {
		if n.uses[s.out] == 0 || s.out.same != nil {
			continue
		}
		for i, v := range s.in {
			s.in[i] = v.resolve()
			n.uses[s.in[i]]++
		}
		kept = append(kept, s)
	}
	slices.Reverse(kept)
	n.steps = kept
}

// only returns the operator of type T that computes v if nothing else uses v.
func only[T op.Op](n *normaliser, v *value) (s *step, o T, ok bool) {
	if v.step == nil || n.uses[v] != 1 {
		return nil, o, false
	}
	o, ok = v.step.op.(T)
	return v.step, o, ok
}

// maxJoined bounds the operands of a Concat that others are joined with, and so the work on long chains.
const maxJoined = 256

// flattenConcat joins a Concat of Concats along one axis.
func (n *normaliser) flattenConcat(s *step) bool {
	outer, ok := s.op.(*op.Concat)
	if !ok {
		return false
	}
	var in []*value
	joined := false
	for _, v := range s.in {
		if inner, o, ok := only[*op.Concat](n, v); ok && o.Axis == outer.Axis && len(inner.in) < maxJoined {
			in, joined = append(in, inner.in...), true
		} else {
			in = append(in, v)
		}
	}
	s.in = in
	return joined
}

// padIntoWindow moves zero padding in front of Conv and AveragePool into the operator. An average
// over padded values counts them.
func (n *normaliser) padIntoWindow(s *step) bool {
	if len(s.in) == 0 || s.in[0].step == nil {
		return false
	}
	pad, ok := s.in[0].step.op.(*op.Pad)
	if !ok || pad.Value != 0 || len(pad.Pads) != 8 || pad.Pads[0]|pad.Pads[1]|pad.Pads[4]|pad.Pads[5] != 0 {
		return false
	}
	p := [4]int{pad.Pads[2], pad.Pads[3], pad.Pads[6], pad.Pads[7]}
	for _, v := range p {
		if v < 0 {
			return false
		}
	}
	switch o := s.op.(type) {
	case *op.Conv:
		padded := *o
		for i := range p {
			padded.Pads[i] += p[i]
		}
		s.op = &padded
	case *op.AveragePool:
		if o.Pads != [4]int{} || o.CeilMode {
			return false
		}
		padded := *o
		padded.Pads, padded.CountIncludePad = p, true
		s.op = &padded
	default:
		return false
	}
	s.in = append([]*value{s.in[0].step.in[0]}, s.in[1:]...)
	return true
}

// perChannel returns a known operand of s that is a scalar or broadcasts along the channels of (N, C, ...), as
// C values, and the other operand.
func perChannel(s *step) (k, x *value, values []float32) { return alongAxis(s, 1) }

// alongAxis is perChannel where the channels lie along another axis; negative ones count from the last.
func alongAxis(s *step, axis int) (k, x *value, values []float32) {
	for i := range s.in {
		k, x = s.in[i], s.in[1-i]
		at := axis
		if at < 0 {
			at += len(x.shape)
		}
		if k.constant == nil || x.constant != nil || len(x.shape) < 2 || isOpen(x.shape[at]) || len(k.shape) > len(x.shape) {
			continue
		}
		channel := len(k.shape) - (len(x.shape) - at) // axis of k that lies along x's channels
		if channel >= 0 && channel < len(k.shape) && k.shape[channel] == x.shape[at] && sizeOf(k.shape) == x.shape[at] {
			return k, x, k.constant.floats
		}
		if sizeOf(k.shape) == 1 {
			values = make([]float32, x.shape[at])
			for c := range values {
				values[c] = k.constant.floats[0]
			}
			return k, x, values
		}
	}
	return nil, nil, nil
}

// affinePart reads a step as x times a known value per channel (mul), or plus one; x is nil where it is something else.
func affinePart(s *step) (k, x *value, values []float32, mul bool) {
	_, mul = s.op.(*op.Mul)
	if _, add := s.op.(*op.Add); !mul && !add {
		return nil, nil, nil, false
	}
	if k, x, values = perChannel(s); x == nil || k.constant.size() != len(values) {
		return nil, nil, nil, false
	}
	return k, x, values, mul
}

// batchNormAffine merges a factor or a summand per channel into the BatchNorm in front (files of
// Caffe2 spell the affine part out).
func (n *normaliser) batchNormAffine(s *step) bool {
	_, x, values, mul := affinePart(s)
	if x == nil {
		return false
	}
	norm, _, ok := only[*op.BatchNorm](n, x)
	if !ok || norm.in[1].constant == nil || norm.in[2].constant == nil {
		return false
	}
	combine := func(v *value, f func(a, b float32) float32) *value {
		out := make([]float32, len(values))
		for i, a := range v.constant.floats {
			out[i] = f(a, values[i])
		}
		return derived(v, v.shape, out)
	}
	in := append([]*value{}, norm.in...)
	if mul {
		product := func(a, b float32) float32 { return a * b }
		in[1], in[2] = combine(in[1], product), combine(in[2], product)
	} else {
		in[2] = combine(in[2], func(a, b float32) float32 { return a + b })
	}
	s.label, s.op, s.in = norm.label, norm.op, in
	return true
}

// bias merges a summand per channel into the Linear or Conv in front, if that has no bias.
func (n *normaliser) bias(s *step) bool {
	if _, ok := s.op.(*op.Add); !ok {
		return false
	}
	k, x, values := alongAxis(s, -1)
	layer, ok := layerOf[*op.Linear](n, x)
	if !ok {
		k, x, values = perChannel(s)
		layer, ok = layerOf[*op.Conv](n, x)
	}
	if !ok || k.constant.size() != len(values) || len(layer.in) != 2 {
		return false
	}
	s.label, s.op = layer.label, layer.op
	s.in = append(append([]*value{}, layer.in...), derived(k, tensor.Shape{len(values)}, values))
	return true
}

// layerOf is only for a value that may be nil.
func layerOf[T op.Op](n *normaliser, v *value) (s *step, ok bool) {
	if v == nil {
		return nil, false
	}
	s, _, ok = only[T](n, v)
	return s, ok
}

// zeroBias drops a bias of zeros that the exporter computes in front of BatchNorm (PyTorch's current
// one, unoptimised): it would be a parameter that the model never had.
func (n *normaliser) zeroBias(s *step) bool {
	if _, ok := s.op.(*op.BatchNorm); !ok {
		return false
	}
	conv, _, ok := only[*op.Conv](n, s.in[0])
	if !ok || len(conv.in) != 3 || conv.in[2].constant == nil || conv.in[2].constant.stored {
		return false
	}
	for _, v := range conv.in[2].constant.floats {
		if v != 0 {
			return false
		}
	}
	conv.in = conv.in[:2]
	return true
}
