package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Slice takes every Steps[i]-th element from Starts[i] up to, but without, Ends[i] along Axes[i]
// (ONNX Slice-13). Negative starts and ends count from the end, and all are clamped to the operand;
// empty Axes stand for the first ones, empty Steps for 1. Steps may be negative.
type Slice struct {
	base
	Starts, Ends, Axes, Steps []int
}

// Name is Slice.
func (*Slice) Name() string { return "Slice" }

// OutShape has the number of taken elements along the axes.
func (o *Slice) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	cuts, err := o.cuts(in[0])
	if err != nil {
		return nil, err
	}
	out := make(tensor.Shape, len(cuts))
	for i, c := range cuts {
		out[i] = c.count
	}
	return out, nil
}

// cut is what Slice takes along one axis: count elements from start on, step apart.
type cut struct{ start, step, count int }

// cuts resolves the attributes for every axis of x.
func (o *Slice) cuts(x tensor.Shape) ([]cut, error) {
	axes := o.Axes
	if len(axes) == 0 {
		for i := range o.Starts {
			axes = append(axes, i)
		}
	}
	if len(o.Starts) != len(axes) || len(o.Ends) != len(axes) || len(o.Steps) != 0 && len(o.Steps) != len(axes) {
		return nil, fmt.Errorf("%d starts, %d ends, %d steps for %d axes", len(o.Starts), len(o.Ends), len(o.Steps), len(axes))
	}
	if _, err := resolveAxes(axes, len(x)); err != nil {
		return nil, err
	}
	cuts := make([]cut, len(x))
	for i, n := range x {
		cuts[i] = cut{0, 1, n}
	}
	for i, axis := range axes {
		step := 1
		if len(o.Steps) > 0 {
			step = o.Steps[i]
		}
		a, _ := resolveAxis(axis, len(x))
		var err error
		if cuts[a], err = newCut(x[a], o.Starts[i], o.Ends[i], step); err != nil {
			return nil, fmt.Errorf("axis %d: %w", axis, err)
		}
	}
	return cuts, nil
}

func newCut(size, start, end, step int) (cut, error) {
	if step == 0 {
		return cut{}, fmt.Errorf("step 0")
	}
	// A step beyond the size takes one element only; the limit keeps the arithmetic from overflowing.
	step = max(-size, min(step, size))
	low, high := 0, size // range of start and end
	if step < 0 {
		low, high = -1, size-1
	}
	clamp := func(i int) int {
		if i < 0 {
			i += size
		}
		return max(low, min(i, high))
	}
	first, last := clamp(start), clamp(end)
	count := (last - first + step - sign(step)) / step
	if count < 1 {
		return cut{}, fmt.Errorf("nothing lies between %d and %d by steps of %d in size %d", start, end, step, size)
	}
	return cut{first, step, count}, nil
}

func sign(i int) int {
	if i < 0 {
		return -1
	}
	return 1
}

// Do copies the elements.
func (o *Slice) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*Slice) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives SliceGrad.
func (o *Slice) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&SliceGrad{Slice: *o, In: in[0].Shape()}, dy)
}

func (o *Slice) eval(in []array, out array) {
	o.forElements(in[0].shape, func(whole, part int) { out.data[part] = in[0].data[whole] })
}

// forElements visits every taken element: its index in x and its index in the result.
func (o *Slice) forElements(x tensor.Shape, visit func(whole, part int)) {
	cuts, _ := o.cuts(x)
	start, strides, sizes := 0, make([]int, len(x)), make([]int, len(x))
	stride := 1
	for i := len(x) - 1; i >= 0; i-- {
		start += cuts[i].start * stride
		strides[i], sizes[i] = cuts[i].step*stride, cuts[i].count
		stride *= x[i]
	}
	part := 0
	forStrided(sizes, strides, start, func(whole int) {
		visit(whole, part)
		part++
	})
}

// SliceGrad is the gradient of Slice: dy gives dx of shape In, zero where nothing was taken.
type SliceGrad struct {
	Slice
	In []int // shape of x
}

// Name is SliceGrad.
func (*SliceGrad) Name() string { return "SliceGrad" }

// OutShape is the shape of x.
func (o *SliceGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	x := tensor.Shape(o.In).Clone()
	if err := checkSizes(x); err != nil {
		return nil, err
	}
	y, err := o.Slice.OutShape(x)
	if err != nil {
		return nil, err
	}
	return x, wantEqual(in, 0, y...)
}

// Do computes the gradient.
func (o *SliceGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*SliceGrad) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *SliceGrad) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *SliceGrad) eval(in []array, out array) {
	o.forElements(out.shape, func(whole, part int) { out.data[whole] += in[0].data[part] })
}
