package op

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// BroadcastShape joins two shapes by NumPy's rules: aligned at the last dimension, sizes are equal or
// one of them is 1.
func BroadcastShape(a, b tensor.Shape) (tensor.Shape, error) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := a.Clone()
	lead := len(a) - len(b)
	for i, n := range b {
		switch {
		case out[lead+i] == 1:
			out[lead+i] = n
		case n != 1 && n != out[lead+i]:
			return nil, fmt.Errorf("shapes %v and %v do not broadcast", a, b)
		}
	}
	return out, nil
}

// broadcast sets every element of out to f of the elements of a and b that it falls on.
func broadcast(a, b, out array, f func(x, y float64) float64) {
	if len(a.data) == len(out.data) && len(b.data) == len(out.data) {
		zip(a, b, out, f)
		return
	}
	indices := make([]int, 0, len(out.data))
	forStrided(out.shape, broadcastStrides(a.shape, out.shape), 0, func(at int) { indices = append(indices, at) })
	i := 0
	forStrided(out.shape, broadcastStrides(b.shape, out.shape), 0, func(at int) {
		out.data[i] = f(a.data[indices[i]], b.data[at])
		i++
	})
}

// Expand repeats x to the shape that it and Shape are broadcast to (ONNX Expand-13).
type Expand struct {
	base
	Shape []int
}

// Name is Expand.
func (*Expand) Name() string { return "Expand" }

// OutShape is the shape that x and Shape are broadcast to.
func (o *Expand) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	return BroadcastShape(in[0], o.Shape)
}

// Do copies elements.
func (o *Expand) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*Expand) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives SumTo.
func (*Expand) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	return gorgonia.Nodes{c.sumTo(dy, in[0])}, c.err
}

func (*Expand) point() func(x float64) float64 {
	return func(x float64) float64 { return x }
}

func (*Expand) eval(in []array, out array) {
	i := 0
	forStrided(out.shape, broadcastStrides(in[0].shape, out.shape), 0, func(at int) {
		out.data[i] = in[0].data[at]
		i++
	})
}

// SumTo sums x over the dimensions along which Shape was broadcast to the shape of x: the gradient of Expand.
type SumTo struct {
	base
	Shape []int
}

// Name is SumTo.
func (*SumTo) Name() string { return "SumTo" }

// OutShape is Shape.
func (o *SumTo) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	full, err := BroadcastShape(in[0], o.Shape)
	if err != nil {
		return nil, err
	}
	return tensor.Shape(o.Shape).Clone(), wantEqual(in, 0, full...)
}

// Do sums in float64 in the order of the elements.
func (o *SumTo) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*SumTo) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives Expand.
func (*SumTo) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&Expand{Shape: in[0].Shape()}, dy)
}

func (o *SumTo) reduction(x tensor.Shape) Reduction {
	kept := slices.Repeat(tensor.Shape{1}, len(x)-len(o.Shape))
	return Reduction{Kept: append(kept, o.Shape...), Add: plus, End: same}
}

func plus(sum, x float64) float64 { return sum + x }

func same(sum float64) float64 { return sum }

func (*SumTo) eval(in []array, out array) {
	i := 0
	forStrided(in[0].shape, broadcastStrides(out.shape, in[0].shape), 0, func(at int) {
		out.data[at] += in[0].data[i]
		i++
	})
}

// sumTo gives n summed to the shape of like: n itself where the shapes are equal.
func (c *chain) sumTo(n, like *gorgonia.Node) *gorgonia.Node {
	if c.err != nil || equalSizes(n.Shape(), like.Shape()) {
		return n
	}
	return c.apply(&SumTo{Shape: like.Shape()}, n)
}
