package onnx

import (
	"math"

	"regraft/engine/op"
)

// Activations that exporters spell out.

// gate recognises x * Sigmoid(x) and x * HardSigmoid(x).
func (n *normaliser) gate(s *step) bool {
	if _, ok := s.op.(*op.Mul); !ok {
		return false
	}
	for i := range 2 {
		x, g := s.in[i], s.in[1-i]
		if g.step == nil || len(g.step.in) != 1 || g.step.in[0] != x {
			continue
		}
		switch o := g.step.op.(type) {
		case *op.Sigmoid:
			s.op, s.in = &op.SiLU{}, []*value{x}
			return true
		case *op.HardSigmoid:
			if math.Abs(float64(o.Alpha)-1.0/6) < 1e-6 && o.Beta == 0.5 {
				s.op, s.in = &op.HardSwish{}, []*value{x}
				return true
			}
		}
	}
	return false
}

// gelu recognises x * (1 + Erf(x / sqrt 2)) * 0.5, as exporters spell it before opset 20.
func (n *normaliser) gelu(s *step) bool {
	half, product, ok := binaryWith[*op.Mul](s)
	if !ok || half != 0.5 || product.step == nil {
		return false
	}
	if _, ok := product.step.op.(*op.Mul); !ok {
		return false
	}
	for i := range 2 {
		x, factor := product.step.in[i], product.step.in[1-i]
		if factor.step == nil {
			continue
		}
		one, erf, ok := binaryWith[*op.Add](factor.step)
		if !ok || one != 1 || erf.step == nil {
			continue
		}
		if _, ok := erf.step.op.(*op.Erf); !ok || erf.step.in[0].step == nil {
			continue
		}
		root, arg, ok := binaryWith[*op.Div](erf.step.in[0].step)
		if ok && arg == x && math.Abs(root-math.Sqrt2) < 1e-6 {
			s.op, s.in = &op.Gelu{}, []*value{x}
			return true
		}
	}
	return false
}

// binaryWith matches an operator of type T on a value and a known scalar (the divisor in case of Div).
func binaryWith[T op.Op](s *step) (scalar float64, x *value, ok bool) {
	if _, ok = s.op.(T); !ok {
		return 0, nil, false
	}
	for i := 1; i >= 0; i-- {
		if k := s.in[i].constant; k != nil && k.size() == 1 {
			return k.at(0), s.in[1-i], true
		}
		if _, div := s.op.(*op.Div); div {
			break
		}
	}
	return 0, nil, false
}

// clamps makes one of two limits in a row: Min behind Max, or Clip behind Clip.
func (n *normaliser) clamps(s *step) bool {
	outer, ok := limits(s.op)
	if !ok || s.in[0].step == nil {
		return false
	}
	inner, ok := limits(s.in[0].step.op)
	if !ok {
		return false
	}
	cut := func(v float32) float32 { return min(max(v, outer.Min), outer.Max) }
	joined := &op.Clip{Min: cut(inner.Min), Max: cut(inner.Max)}
	s.op, s.in = joined, s.in[0].step.in
	if joined.Min == 0 && joined.Max == math.MaxFloat32 {
		s.op = &op.Relu{}
	}
	return true
}

func limits(o op.Op) (*op.Clip, bool) {
	switch o := o.(type) {
	case *op.Clip:
		return o, true
	case *op.Relu:
		return &op.Clip{Min: 0, Max: math.MaxFloat32}, true
	}
	return nil, false
}
