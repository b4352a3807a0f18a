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

// gelu recognises x * (1 + Erf(x / sqrt 2)) * 0.5 and x * (1 + Tanh(sqrt(2/pi) * (x + 0.044715*x*x*x))) * 0.5, in any order of the
// three factors, as exporters spell it before opset 20.
func (n *normaliser) gelu(s *step) bool {
	if _, ok := s.op.(*op.Mul); !ok {
		return false
	}
	_, all := factorsOf(s, 2, nil)
	for _, curve := range all {
		x, o := geluCurve(curve.step)
		if x == nil {
			continue
		}
		half, factors := factorsOf(s, 2, x)
		if half == 0.5 && len(factors) == 2 && (factors[0] == x && factors[1] == curve || factors[0] == curve && factors[1] == x) {
			s.op, s.in = o, []*value{x}
			return true
		}
	}
	return false
}

// geluCurve recognises the factor 1 + Erf(x / sqrt 2), or 1 + Tanh of the approximation.
func geluCurve(s *step) (x *value, o op.Op) {
	if s == nil {
		return nil, nil
	}
	one, curve, ok := binaryWith[*op.Add](s)
	if !ok || one != 1 || curve.step == nil || len(curve.step.in) != 1 {
		return nil, nil
	}
	slope, arg := factorsOf(curve.step.in[0].step, 0, nil)
	if len(arg) != 1 {
		return nil, nil
	}
	switch curve.step.op.(type) {
	case *op.Erf:
		if near(slope, math.Sqrt2/2) {
			return arg[0], &op.Gelu{}
		}
	case *op.Tanh:
		if x := cubicOf(arg[0].step); x != nil && near(slope, math.Sqrt(2/math.Pi)) {
			return x, &op.Gelu{Tanh: true}
		}
	}
	return nil, nil
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-5*b }

// factorsOf reads a step as the product of a number and values, through so many products within it, but not through that which makes
// whole.
func factorsOf(s *step, within int, whole *value) (number float64, factors []*value) {
	if s == nil {
		return 1, nil
	}
	number = 1
	_, mul := s.op.(*op.Mul)
	if _, div := s.op.(*op.Div); !mul && !div || div && s.in[1].constant == nil {
		return number, []*value{s.out}
	}
	for i, v := range s.in {
		switch k := v.constant; {
		case k != nil && k.size() == 1 && !mul && i == 1:
			number /= k.at(0)
		case k != nil && k.size() == 1:
			number *= k.at(0)
		case v.step != nil && v != whole && within > 0:
			inner, more := factorsOf(v.step, within-1, whole)
			number, factors = number*inner, append(factors, more...)
		default:
			factors = append(factors, v)
		}
	}
	return number, factors
}

// cubicOf recognises x + 0.044715*x*x*x, also with Pow(x, 3), and x * (1 + 0.044715*x*x); nil is everything else.
func cubicOf(s *step) (x *value) {
	if s == nil || len(s.in) != 2 {
		return nil
	}
	for i := range 2 {
		x, other := s.in[i], s.in[1-i].step
		if other == nil {
			continue
		}
		switch s.op.(type) {
		case *op.Add:
			if number, factors := factorsOf(other, 2, x); near(number, 0.044715) && isPower(factors, x, 3) {
				return x
			}
		case *op.Mul:
			one, square, ok := binaryWith[*op.Add](other)
			if !ok || one != 1 {
				continue
			}
			if number, factors := factorsOf(square.step, 2, x); near(number, 0.044715) && isPower(factors, x, 2) {
				return x
			}
		}
	}
	return nil
}

// isPower tells whether factors multiply to the power of x.
func isPower(factors []*value, x *value, power int) bool {
	for _, f := range factors {
		if f == x {
			power--
			continue
		}
		if f.step == nil || f.step.in[0] != x {
			return false
		}
		if _, pow := f.step.op.(*op.Pow); !pow || f.step.in[1].constant == nil || f.step.in[1].constant.size() != 1 {
			return false
		}
		power -= int(f.step.in[1].constant.at(0))
	}
	return power == 0
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
