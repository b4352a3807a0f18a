package op

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Gather picks elements along Axis (ONNX Gather-13 with constant indices): the result has IndexShape in place
// of that dimension. Negative indices count from the end.
type Gather struct {
	base
	Axis       int
	Indices    []int
	IndexShape []int // empty for a single index: the dimension disappears
}

// Name is Gather.
func (*Gather) Name() string { return "Gather" }

// OutShape has IndexShape in place of dimension Axis.
func (o *Gather) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	axis, err := resolveAxis(o.Axis, len(in[0]))
	if err != nil {
		return nil, err
	}
	if err := checkSizes(o.IndexShape); err != nil {
		return nil, fmt.Errorf("indices: %w", err)
	}
	if product(o.IndexShape) != len(o.Indices) {
		return nil, fmt.Errorf("%d indices for shape %v", len(o.Indices), o.IndexShape)
	}
	for _, i := range o.Indices {
		if _, err := resolveAxis(i, in[0][axis]); err != nil {
			return nil, fmt.Errorf("index %d is outside dimension %d of shape %v", i, axis, in[0])
		}
	}
	return slices.Concat(in[0][:axis], o.IndexShape, in[0][axis+1:]), nil
}

// Do copies the elements.
func (o *Gather) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*Gather) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives GatherGrad.
func (o *Gather) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&GatherGrad{Gather: *o, In: in[0].Shape()}, dy)
}

func (o *Gather) eval(in []array, out array) {
	o.forParts(in[0], out, func(whole, part []float64) { copy(part, whole) })
}

// forParts visits every picked run of elements, in the operand of Gather and in its result.
func (o *Gather) forParts(x, y array, visit func(whole, part []float64)) {
	axis, _ := resolveAxis(o.Axis, len(x.shape))
	outer, size, inner := around(x.shape, axis)
	for i := range outer {
		for k, index := range o.Indices {
			index, _ = resolveAxis(index, size)
			from, to := (i*size+index)*inner, (i*len(o.Indices)+k)*inner
			visit(x.data[from:from+inner], y.data[to:to+inner])
		}
	}
}

// GatherGrad is the gradient of Gather: dy gives dx of shape In.
type GatherGrad struct {
	Gather
	In []int // shape of x
}

// Name is GatherGrad.
func (*GatherGrad) Name() string { return "GatherGrad" }

// OutShape is the shape of x.
func (o *GatherGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	x := tensor.Shape(o.In).Clone()
	if err := checkSizes(x); err != nil {
		return nil, err
	}
	y, err := o.Gather.OutShape(x)
	if err != nil {
		return nil, err
	}
	return x, wantEqual(in, 0, y...)
}

// Do computes the gradient.
func (o *GatherGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*GatherGrad) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *GatherGrad) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *GatherGrad) eval(in []array, out array) {
	o.forParts(out, in[0], func(whole, part []float64) { axpy(1, part, 1, whole, 1, len(part)) })
}
