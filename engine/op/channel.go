package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// ChannelSum sums dy (N, C, ...) over everything but channels, giving (C): the gradient of a bias.
type ChannelSum struct{ undifferentiable }

// Name is ChannelSum.
func (*ChannelSum) Name() string { return "ChannelSum" }

// OutShape is (C).
func (*ChannelSum) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	if err := wantChannels(in[0]); err != nil {
		return nil, err
	}
	return tensor.Shape{in[0][1]}, nil
}

// Do sums in float64 in the order of the elements.
func (o *ChannelSum) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*ChannelSum) eval(in []array, out array) {
	out.parallel(len(out.data), func(c int) {
		for n := range in[0].shape[0] {
			for _, v := range in[0].plane(n, c) {
				out.data[c] += v
			}
		}
	})
}

// ChannelScale multiplies every channel of x (N, C, ...) by its element of a (C) vector.
type ChannelScale struct{ undifferentiable }

// Name is ChannelScale.
func (*ChannelScale) Name() string { return "ChannelScale" }

// OutShape is the shape of x.
func (*ChannelScale) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, 1); err != nil {
		return nil, err
	}
	return in[0].Clone(), wantChannels(in[0], in[1])
}

// Do multiplies.
func (o *ChannelScale) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*ChannelScale) eval(in []array, out array) {
	mapChannels(in[0], out, func(c int, v float64) float64 { return v * in[1].data[c] })
}

// mapChannels computes every element of out from the same element of x (N, C, ...) and its channel.
func mapChannels(x, out array, f func(c int, v float64) float64) {
	channels := x.shape[1]
	out.parallel(x.shape[0]*channels, func(i int) {
		c := i % channels
		y := out.plane(i/channels, c)
		for k, v := range x.plane(i/channels, c) {
			y[k] = f(c, v)
		}
	})
}

// Row takes row Index of an (R, C) matrix, giving (C).
type Row struct {
	undifferentiable
	Index int
}

// Name is Row.
func (*Row) Name() string { return "Row" }

// OutShape is (C).
func (o *Row) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 2); err != nil {
		return nil, err
	}
	if o.Index < 0 || o.Index >= in[0][0] {
		return nil, fmt.Errorf("row %d of a matrix of shape %v", o.Index, in[0])
	}
	return tensor.Shape{in[0][1]}, nil
}

// Do copies the row.
func (o *Row) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *Row) eval(in []array, out array) { copy(out.data, in[0].row(o.Index)) }

// Stack makes vectors of shape (C) the rows of a matrix (R, C).
type Stack struct{ undifferentiable }

// Name is Stack.
func (*Stack) Name() string { return "Stack" }

// OutShape is (R, C).
func (*Stack) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if len(in) == 0 || len(in[0]) != 1 {
		return nil, fmt.Errorf("operands are no vectors: %v", in)
	}
	if _, err := sameShape(in, len(in)); err != nil {
		return nil, err
	}
	return tensor.Shape{len(in), in[0][0]}, nil
}

// Do copies the vectors.
func (o *Stack) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*Stack) eval(in []array, out array) {
	for i, v := range in {
		copy(out.row(i), v.data)
	}
}
