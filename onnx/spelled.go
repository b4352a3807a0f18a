package onnx

import (
	"math"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Functions that exporters spell out.

// softplus recognises Log(Exp(x) + 1), which overflows where Softplus does not.
func (n *normaliser) softplus(s *step) bool {
	if _, ok := s.op.(*op.Log); !ok || s.in[0].step == nil {
		return false
	}
	one, exp, ok := binaryWith[*op.Add](s.in[0].step)
	if !ok || one != 1 || exp.step == nil {
		return false
	}
	if _, ok := exp.step.op.(*op.Exp); !ok {
		return false
	}
	s.op, s.in = &op.Softplus{}, exp.step.in
	return true
}

// softsign recognises x / (1 + |x|).
func (n *normaliser) softsign(s *step) bool {
	if _, ok := s.op.(*op.Div); !ok || s.in[1].step == nil {
		return false
	}
	one, size, ok := binaryWith[*op.Add](s.in[1].step)
	if !ok || one != 1 || size.step == nil || size.step.in[0] != s.in[0] {
		return false
	}
	if o, ok := size.step.op.(*op.LeakyRelu); !ok || o.Alpha != -1 {
		return false
	}
	s.op, s.in = &op.Softsign{}, s.in[:1]
	return true
}

// mish recognises x * Tanh(Softplus(x)).
func (n *normaliser) mish(s *step) bool {
	if _, ok := s.op.(*op.Mul); !ok {
		return false
	}
	for i := range 2 {
		x, tanh := s.in[i], s.in[1-i].step
		if tanh == nil || tanh.in[0].step == nil {
			continue
		}
		_, isTanh := tanh.op.(*op.Tanh)
		_, isSoftplus := tanh.in[0].step.op.(*op.Softplus)
		if isTanh && isSoftplus && tanh.in[0].step.in[0] == x {
			s.op, s.in = &op.Mish{}, []*value{x}
			return true
		}
	}
	return false
}

// hardSigmoid recognises Clip(x + b, 0, k) / k, and the x * Clip(x + b, 0, k) / k of a hard swish.
func (n *normaliser) hardSigmoid(s *step) bool {
	k, y, ok := binaryWith[*op.Div](s)
	if !ok {
		if k, y, ok = binaryWith[*op.Mul](s); !ok {
			return false
		}
		k = 1 / k
	}
	if y.step == nil {
		return false
	}
	if x, o, ok := hardRamp(y.step, k); ok {
		s.op, s.in = o, []*value{x}
		return true
	}
	if _, ok := y.step.op.(*op.Mul); !ok || n.uses[y] != 1 {
		return false
	}
	for i := range 2 {
		ramp := y.step.in[1-i]
		if ramp.step == nil {
			continue
		}
		if x, o, ok := hardRamp(ramp.step, k); ok && x == y.step.in[i] {
			gate := &step{label: ramp.step.label, op: o, in: []*value{x}, out: &value{name: ramp.name, shape: x.shape}}
			gate.out.step = gate
			n.before = append(n.before, gate)
			s.op, s.in = &op.Mul{}, []*value{x, gate.out}
			return true
		}
	}
	return false
}

// hardRamp reads a step as Clip(x + b, 0, k).
func hardRamp(s *step, k float64) (x *value, o *op.HardSigmoid, ok bool) {
	c, ok := s.op.(*op.Clip)
	if !ok || c.Min != 0 || math.Abs(float64(c.Max)-k) > 1e-6*k || s.in[0].step == nil {
		return nil, nil, false
	}
	b, x, ok := binaryWith[*op.Add](s.in[0].step)
	return x, &op.HardSigmoid{Alpha: float32(1 / k), Beta: float32(b / k)}, ok
}

// layerNorm recognises (x - mean) / Sqrt(variance + epsilon) * gamma over the last axes, and the beta that is added.
func (n *normaliser) layerNorm(s *step) bool {
	if _, ok := s.op.(*op.Add); ok {
		return n.layerNormBeta(s)
	}
	if _, ok := s.op.(*op.Mul); !ok {
		return false
	}
	for i := range 2 {
		gamma, normal := s.in[i], s.in[1-i]
		if gamma.constant == nil || normal.step == nil {
			continue
		}
		x, o, ok := standardised(normal.step)
		if !ok {
			continue
		}
		if g := alongAxes(gamma, x.shape[o.Axis:]); g != nil {
			s.op, s.in = o, []*value{x, g}
			return true
		}
	}
	return false
}

func (n *normaliser) layerNormBeta(s *step) bool {
	for i := range 2 {
		norm, o, ok := only[*op.LayerNorm](n, s.in[1-i])
		if !ok || len(norm.in) != 2 || s.in[i].constant == nil {
			continue
		}
		axis := (o.Axis + len(norm.in[0].shape)) % len(norm.in[0].shape)
		if beta := alongAxes(s.in[i], norm.in[0].shape[axis:]); beta != nil {
			s.op, s.in = o, append(slices.Clone(norm.in), beta)
			return true
		}
	}
	return false
}

// alongAxes is a constant in the shape of the last axes, leading sizes of 1 left out; nil where it has another.
func alongAxes(v *value, axes tensor.Shape) *value {
	if sizeOf(v.shape) != sizeOf(axes) || len(v.shape) < len(axes) || !slices.Equal(v.shape[len(v.shape)-len(axes):], axes) {
		return nil
	}
	return derived(v, axes.Clone(), v.constant.floats)
}

// standardised reads a step as d / Sqrt(ReduceMean(d*d) + epsilon) with d = x - ReduceMean(x), over the last axes.
func standardised(s *step) (x *value, o *op.LayerNorm, ok bool) {
	if len(s.in) != 2 || s.in[0].step == nil || s.in[1].step == nil {
		return nil, nil, false
	}
	d, root := s.in[0], s.in[1].step
	switch s.op.(type) {
	case *op.Div:
	case *op.Mul:
		if _, ok := root.op.(*op.Reciprocal); !ok || root.in[0].step == nil {
			return nil, nil, false
		}
		root = root.in[0].step
	default:
		return nil, nil, false
	}
	if _, ok := root.op.(*op.Sqrt); !ok || root.in[0].step == nil {
		return nil, nil, false
	}
	epsilon, variance, ok := binaryWith[*op.Add](root.in[0].step)
	if !ok || variance.step == nil {
		return nil, nil, false
	}
	squares, axis, ok := meanOfLast(variance.step)
	if !ok || squares.step == nil || !isSquareOf(squares.step, d) {
		return nil, nil, false
	}
	if _, ok := d.step.op.(*op.Sub); !ok || d.step.in[1].step == nil {
		return nil, nil, false
	}
	x, again, ok := meanOfLast(d.step.in[1].step)
	if !ok || again != axis || x != d.step.in[0] {
		return nil, nil, false
	}
	return x, &op.LayerNorm{Axis: axis, Epsilon: float32(epsilon)}, true
}

// meanOfLast reads a step as the mean over all axes from one on.
func meanOfLast(s *step) (x *value, axis int, ok bool) {
	o, ok := s.op.(*op.ReduceMean)
	if !ok || !o.KeepDims {
		return nil, 0, false
	}
	rank := len(s.in[0].shape)
	axis = rank - len(o.Axes)
	for k, a := range o.Axes {
		if a != axis+k {
			return nil, 0, false
		}
	}
	return s.in[0], axis, axis > 0 && axis < rank
}

// isSquareOf tells whether the step computes d*d.
func isSquareOf(s *step, d *value) bool {
	switch s.op.(type) {
	case *op.Mul:
		return s.in[0] == d && s.in[1] == d
	case *op.Pow:
		return s.in[0] == d && s.in[1].constant != nil && allAre(2, s.in[1])
	}
	return false
}
