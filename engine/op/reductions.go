package op

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/kernel"
)

// Reductions that Reduce knows; ONNX calls them ReduceSum and so on.
const (
	SumOf       = "Sum"
	SumSquareOf = "SumSquare"
	L1Of        = "L1"
	L2Of        = "L2"
	MaxOf       = "Max"
	MinOf       = "Min"
	LogSumOf    = "LogSum"
	LogSumExpOf = "LogSumExp"
)

var reductions = []string{SumOf, SumSquareOf, L1Of, L2Of, MaxOf, MinOf, LogSumOf, LogSumExpOf}

// Reduce takes one number of all elements along Axes, over all dimensions when Axes is empty: their sum, the sum of
// their squares or of their absolute values, the root of the former, the largest or smallest, the logarithm of their
// sum, or of the sum of their exponentials (ONNX ReduceSum-13, ReduceMax-20 and others).
type Reduce struct {
	ReduceMean
	Kind string
}

// Name is ReduceSum and so on.
func (o *Reduce) Name() string { return "Reduce" + o.Kind }

// OutShape lacks the dimensions or has them with size 1.
func (o *Reduce) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if !slices.Contains(reductions, o.Kind) {
		return nil, fmt.Errorf("there is no reduction %q", o.Kind)
	}
	return o.ReduceMean.OutShape(in...)
}

// Do reduces in float64 in the order of the elements.
func (o *Reduce) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives ReduceGrad.
func (o *Reduce) SymDiff(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&ReduceGrad{Reduce: *o}, in[0], y, dy)
}

// each visits the elements of x in order with the position of the result that they belong to.
func (o *Reduce) each(x array, visit func(i, at int)) {
	i := 0
	forStrided(x.shape, broadcastStrides(o.kept(x.shape), x.shape), 0, func(at int) {
		visit(i, at)
		i++
	})
}

// reduction is none for the sum of exponentials, which wants the largest element first.
func (o *Reduce) reduction(x tensor.Shape) Reduction {
	f := Reduction{Kept: o.kept(x), Add: plus, End: same}
	switch o.Kind {
	case SumSquareOf, L2Of:
		f.Add = func(sum, x float64) float64 { return sum + float64(x*x) }
	case L1Of:
		f.Add = func(sum, x float64) float64 { return sum + math.Abs(x) }
	case MaxOf: // NaN wins
		f.Start, f.Add = math.Inf(-1), func(sum, x float64) float64 { return max(sum, x) }
	case MinOf:
		f.Start, f.Add = math.Inf(1), func(sum, x float64) float64 { return min(sum, x) }
	case LogSumExpOf:
		f.Add = nil
	}
	switch o.Kind {
	case L2Of:
		f.End = math.Sqrt
	case LogSumOf:
		f.End = kernel.Log
	}
	return f
}

func (o *Reduce) eval(in []array, out array) {
	f := o.reduction(in[0].shape)
	if f.Add == nil {
		o.logSumExp(in[0], out)
		return
	}
	fill(out.data, f.Start)
	o.each(in[0], func(i, at int) { out.data[at] = f.Add(out.data[at], in[0].data[i]) })
	out.mapTo(out, f.End)
}

// logSumExp takes the largest element out of the exponentials, so that they do not overflow.
func (o *Reduce) logSumExp(x, out array) {
	largest := array{out.shape, make([]float64, len(out.data)), out.threads}
	(&Reduce{ReduceMean: o.ReduceMean, Kind: MaxOf}).eval([]array{x}, largest)
	o.each(x, func(i, at int) { out.data[at] += kernel.Exp(x.data[i] - finite(largest.data[at])) })
	for at := range out.data {
		out.data[at] = kernel.Log(out.data[at]) + finite(largest.data[at])
	}
}

// finite is v, or 0 where it is infinite.
func finite(v float64) float64 {
	if math.IsInf(v, 0) {
		return 0
	}
	return v
}

// ReduceGrad is the gradient of Reduce: x, its result y and dy give dx. Of several largest or smallest elements the first
// gets the gradient, and where an L2 norm is 0 nothing does.
type ReduceGrad struct{ Reduce }

// Name is ReduceSumGrad and so on.
func (o *ReduceGrad) Name() string { return o.Reduce.Name() + "Grad" }

// OutShape is the shape of x.
func (o *ReduceGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, -1, -1); err != nil {
		return nil, err
	}
	y, err := o.Reduce.OutShape(in[0])
	if err != nil {
		return nil, err
	}
	if err := wantEqual(in, 1, y...); err != nil {
		return nil, err
	}
	return in[0].Clone(), wantEqual(in, 2, y...)
}

// Do computes the gradient.
func (o *ReduceGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*ReduceGrad) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *ReduceGrad) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

// slope is that of the result y in an element x; extremes, of which only the first element has one, are no matter of elements alone.
func (o *ReduceGrad) slope(x, y float64) float64 {
	switch o.Kind {
	case SumSquareOf:
		return 2 * x
	case L1Of:
		return signOf(x)
	case L2Of:
		if y == 0 {
			return 0
		}
		return x / y
	case LogSumOf:
		return 1 / kernel.Exp(y)
	case LogSumExpOf:
		return kernel.Exp(x - y)
	}
	return 1
}

func (o *ReduceGrad) isExtreme() bool { return o.Kind == MaxOf || o.Kind == MinOf }

func (o *ReduceGrad) spread(in []tensor.Shape) Point {
	if o.isExtreme() {
		return Point{}
	}
	kept := o.kept(in[0])
	return Point{func(v []float64) float64 { return o.slope(v[0], v[1]) * v[2] }, []tensor.Shape{in[0], kept, kept}}
}

// reduction is none: it spreads.
func (*ReduceGrad) reduction(tensor.Shape) Reduction { return Reduction{} }

func (o *ReduceGrad) eval(in []array, out array) {
	x, y, dy := in[0].data, in[1].data, in[2].data
	given := make([]bool, len(y)) // the extreme has been met
	o.each(in[0], func(i, at int) {
		switch {
		case !o.isExtreme():
			out.data[i] = o.slope(x[i], y[at]) * dy[at]
		case !given[at] && x[i] == y[at]:
			out.data[i], given[at] = dy[at], true
		}
	})
}

func signOf(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
