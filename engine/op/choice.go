package op

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Truth values are numbers here: 1 for true, 0 for false.

// Where takes elements of x where a condition is not 0, and of y elsewhere (ONNX Where-16, whose first operand is the last here); the
// three operands broadcast.
type Where struct{ base }

// Name is Where.
func (*Where) Name() string { return "Where" }

// OutShape is the shape that all operands are broadcast to.
func (*Where) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, -1, -1); err != nil {
		return nil, err
	}
	shape, err := BroadcastShape(in[0], in[1])
	if err != nil {
		return nil, err
	}
	return BroadcastShape(shape, in[2])
}

// Do copies elements: what is not taken may be anything, NaN included.
func (o *Where) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for x and y.
func (*Where) DiffWRT(inputs int) []bool { return wrt(2, inputs) }

// SymDiff gives dy to the operand that was taken.
func (*Where) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	taken := c.apply(&Mul{}, dy, in[2])
	left := c.apply(&Sub{}, dy, taken)
	return gorgonia.Nodes{c.sumTo(taken, in[0]), c.sumTo(left, in[1]), nil}, c.err
}

func (*Where) elementwise() {}

func (*Where) eval(in []array, out array) {
	var at [3][]int
	for k, x := range in {
		forStrided(out.shape, broadcastStrides(x.shape, out.shape), 0, func(i int) { at[k] = append(at[k], i) })
	}
	for i := range out.data {
		from := 1
		if in[2].data[at[2][i]] != 0 {
			from = 0
		}
		out.data[i] = in[from].data[at[from][i]]
	}
}

// IsNaN is 1 where x is not a number, 0 elsewhere (ONNX IsNaN-13). It has no derivative.
type IsNaN struct{ unary }

// Name is IsNaN.
func (*IsNaN) Name() string { return "IsNaN" }

// Do compares.
func (o *IsNaN) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*IsNaN) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error.
func (o *IsNaN) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (*IsNaN) eval(in []array, out array) {
	in[0].mapTo(out, func(x float64) float64 { return truth(math.IsNaN(x)) })
}

// Relations that Compare knows, by ONNX's names.
const (
	EqualTo        = "Equal"
	GreaterThan    = "Greater"
	LessThan       = "Less"
	GreaterOrEqual = "GreaterOrEqual"
	LessOrEqual    = "LessOrEqual"
)

var relations = []string{EqualTo, GreaterThan, LessThan, GreaterOrEqual, LessOrEqual}

// Compare is 1 where the relation holds between the elements of two operands that broadcast, 0 elsewhere (ONNX Equal-19,
// Greater-13 and others). It has no derivative.
type Compare struct {
	binary
	Relation string
}

// Name is ONNX's for the relation.
func (o *Compare) Name() string { return o.Relation }

// OutShape is the shape that both operands are broadcast to.
func (o *Compare) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if !slices.Contains(relations, o.Relation) {
		return nil, fmt.Errorf("there is no relation %q", o.Relation)
	}
	return o.binary.OutShape(in...)
}

// Do compares.
func (o *Compare) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*Compare) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error.
func (o *Compare) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *Compare) point() func(x, y float64) float64 {
	return func(x, y float64) float64 {
		switch o.Relation {
		case EqualTo:
			return truth(x == y)
		case GreaterThan:
			return truth(x > y)
		case LessThan:
			return truth(x < y)
		case GreaterOrEqual:
			return truth(x >= y)
		}
		return truth(x <= y)
	}
}

func (o *Compare) eval(in []array, out array) { broadcast(in[0], in[1], out, o.point()) }

func truth(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}
