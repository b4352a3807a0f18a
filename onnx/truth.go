package onnx

import (
	"math"
	"slices"

	"regraft/engine/op"
)

// Truth values that are computed from the image are 0 and 1 in float32.

// lowerTruth builds an operator of floats whose result is true or false.
func lowerTruth(o op.Op) func(*call) error {
	return func(c *call) error {
		in, err := c.tensors()
		if err != nil {
			return err
		}
		for i := range in {
			in[i] = ranked(in[i])
		}
		if out := c.node.out[0]; out != nil {
			out.truth = true
		}
		return c.emit(o, in...)
	}
}

// lowerWhere takes a condition that is known or computed.
func lowerWhere(c *call) error {
	condition, err := c.condition(0)
	if err != nil {
		return err
	}
	in := []*value{nil, nil, condition}
	for i := range 2 {
		v, err := c.tensor(i + 1)
		if err != nil {
			return err
		}
		in[i] = ranked(v)
	}
	return c.emit(&op.Where{}, in...)
}

// condition is an operand of truth values as numbers.
func (c *call) condition(i int) (*value, error) {
	v := c.operand(i)
	k := v.constant
	if source := repeatedFrom(v); source != nil {
		k = source.constant
	}
	switch {
	case k == nil && v.unknown():
		return nil, errUnknown
	case k == nil && v.truth:
		return v, nil
	case k == nil || k.dtype != typeBool:
		return nil, c.refused("the condition is no bool")
	}
	numbers, err := c.cast(k, typeFloat)
	if err != nil {
		return nil, err
	}
	return ranked(known(v.name, numbers[0])), nil
}

// foldTruth asks something of every known value.
func foldTruth(f func(v float64) bool) func(*call, []*constant) ([]*constant, error) {
	return func(c *call, in []*constant) ([]*constant, error) {
		result, err := c.allocate(typeBool, in[0].shape)
		if err != nil {
			return nil, err
		}
		for i := range in[0].size() {
			if f(in[0].at(i)) {
				result.ints[i] = 1
			}
		}
		return []*constant{result}, nil
	}
}

func foldIsInf(c *call, in []*constant) ([]*constant, error) {
	negative, positive := c.flag("detect_negative", true), c.flag("detect_positive", true)
	return foldTruth(func(v float64) bool { return negative && math.IsInf(v, -1) || positive && math.IsInf(v, 1) })(c, in)
}

// nanOfSoftmax takes away the Where that puts zeros in the place of a Softmax that is not a number, as PyTorch's attention does for
// rows that are masked altogether: without a mask, or with one that leaves something in every row, there is none.
func (n *normaliser) nanOfSoftmax(s *step) bool {
	if _, ok := s.op.(*op.Where); !ok || s.out.same != nil || s.in[2].step == nil || !zero(s.in[0]) {
		return false
	}
	x := s.in[1]
	if _, ok := s.in[2].step.op.(*op.IsNaN); !ok || s.in[2].step.in[0] != x || x.step == nil {
		return false
	}
	if o, ok := x.step.op.(*op.Softmax); !ok || masksRows(x.step.in[0], (o.Axis+len(x.shape))%len(x.shape)-len(x.shape)) {
		return false
	}
	s.out.same = x
	return true
}

// masksRows tells whether a known summand of v may make all along an axis, counted from the end, minus infinity.
func masksRows(v *value, axis int) bool {
	if v.step == nil {
		return false
	}
	if _, add := v.step.op.(*op.Add); !add {
		return false
	}
	for _, mask := range v.step.in {
		k := mask.constant
		if k == nil {
			continue
		}
		at := len(k.shape) + axis
		if at < 0 {
			return slices.ContainsFunc(k.floats, infinite)
		}
		step := sizeOf(k.shape[at+1:])
		for start := range k.size() {
			if start/step%k.shape[at] != 0 {
				continue
			}
			masked := true
			for i := range k.shape[at] {
				masked = masked && infinite(k.floats[start+i*step])
			}
			if masked {
				return true
			}
		}
	}
	return false
}

func infinite(f float32) bool { return math.IsInf(float64(f), 0) || f != f }

// zero tells whether v is known to be 0 everywhere.
func zero(v *value) bool { return allAre(0, v) }

// eachElement are the operators on known values, of any type, that compute element by element.
var eachElement = []string{
	"Cast", "Where", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or", "Xor", "Not", "Add", "Sub", "Mul", "Div", "IsNaN", "IsInf",
}

// foldRepeated folds an operator on what is known and the same for every image, which may be of any type: a mask that was expanded to
// the batch. The result is nil where there is something else among the operands.
func (row *operator) foldRepeated(c *call) func() error {
	if row.fold == nil || !slices.Contains(eachElement, row.name) {
		return nil
	}
	once, rank := make([]*constant, len(c.node.in)), 0
	for i := range c.node.in {
		v := c.operand(i)
		if v == nil {
			return nil
		}
		if once[i] = v.constant; once[i] == nil {
			if v = repeatedFrom(v); v == nil || v.constant == nil || v.shape[0] != 1 {
				return nil
			}
			once[i], rank = v.constant, max(rank, len(v.shape))
		}
	}
	for _, k := range once {
		if rank == 0 || len(k.shape) > rank || len(k.shape) == rank && k.shape[0] != 1 || k.anyOpen() {
			return nil
		}
	}
	return func() error {
		results, err := row.fold(c, once)
		if err != nil {
			return err
		}
		return c.forEachImage(known(c.node.outputs[0]+"/once", results[0]))
	}
}

// writeIsNaN writes numbers out of truth values.
func writeIsNaN(e *exporter, _ *op.IsNaN, in []string) { e.truth("IsNaN", in) }

func writeCompare(e *exporter, o *op.Compare, in []string) { e.truth(o.Relation, in) }

func (e *exporter) truth(opType string, in []string) {
	found := e.names.unique(e.label + "/" + opType + "_output_0")
	e.encode(opType, e.label, found, in, nil)
	e.encode("Cast", e.labels.unique(e.label+"/Cast"), e.name, []string{found}, [][]byte{intAttribute("to", int(typeFloat))})
}

func writeWhere(e *exporter, _ *op.Where, in []string) {
	condition := e.inner("Cast", in[2:], intAttribute("to", int(typeBool)))
	e.node("Where", []string{condition, in[0], in[1]})
}
