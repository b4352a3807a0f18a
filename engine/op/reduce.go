package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// ReduceMean takes the mean over Axes, over all dimensions when Axes is empty (ONNX ReduceMean-18).
type ReduceMean struct {
	base
	Axes     []int // negative ones count from the end
	KeepDims bool  // keep the dimensions, with size 1
}

// Name is ReduceMean.
func (*ReduceMean) Name() string { return "ReduceMean" }

// OutShape lacks the dimensions or has them with size 1.
func (o *ReduceMean) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	if _, err := resolveAxes(o.Axes, len(in[0])); err != nil {
		return nil, err
	}
	out := tensor.Shape{}
	for i, n := range o.kept(in[0]) {
		if o.KeepDims || !o.reduces(i, len(in[0])) {
			out = append(out, n)
		}
	}
	return out, nil
}

// reduces tells whether the mean is taken over the dimension.
func (o *ReduceMean) reduces(dimension, rank int) bool {
	if len(o.Axes) == 0 {
		return true
	}
	marked, _ := resolveAxes(o.Axes, rank)
	return marked[dimension]
}

// kept is the shape of the result with dimensions kept.
func (o *ReduceMean) kept(x tensor.Shape) tensor.Shape {
	kept := x.Clone()
	for i := range kept {
		if o.reduces(i, len(x)) {
			kept[i] = 1
		}
	}
	return kept
}

// Do takes the means, summing in float64 in the order of the elements.
func (o *ReduceMean) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*ReduceMean) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff spreads dy evenly.
func (o *ReduceMean) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&ReduceMeanGrad{ReduceMean: *o, In: in[0].Shape()}, dy)
}

func (o *ReduceMean) reduction(x tensor.Shape) Reduction {
	kept := o.kept(x)
	count := float64(product(x) / product(kept))
	return Reduction{Kept: kept, Add: plus, End: func(sum float64) float64 { return sum / count }}
}

func (o *ReduceMean) eval(in []array, out array) {
	i := 0
	forStrided(in[0].shape, broadcastStrides(o.kept(in[0].shape), in[0].shape), 0, func(at int) {
		out.data[at] += in[0].data[i]
		i++
	})
	count := float64(len(in[0].data) / len(out.data))
	for i := range out.data {
		out.data[i] /= count
	}
}

// ReduceMeanGrad is the gradient of ReduceMean: dy gives dx of shape In.
type ReduceMeanGrad struct {
	ReduceMean
	In []int // shape of x
}

// Name is ReduceMeanGrad.
func (*ReduceMeanGrad) Name() string { return "ReduceMeanGrad" }

// OutShape is the shape of x.
func (o *ReduceMeanGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	x := tensor.Shape(o.In).Clone()
	y, err := o.ReduceMean.OutShape(x)
	if err != nil {
		return nil, err
	}
	return x, wantEqual(in, 0, y...)
}

// Do computes the gradient.
func (o *ReduceMeanGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*ReduceMeanGrad) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *ReduceMeanGrad) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *ReduceMeanGrad) spread([]tensor.Shape) Point {
	kept := o.kept(o.In)
	count := float64(product(o.In) / product(kept))
	return Point{func(x []float64) float64 { return x[0] / count }, []tensor.Shape{kept}}
}

// reduction is none: it spreads.
func (*ReduceMeanGrad) reduction(tensor.Shape) Reduction { return Reduction{} }

func (o *ReduceMeanGrad) eval(in []array, out array) {
	count := float64(len(out.data) / len(in[0].data))
	i := 0
	forStrided(out.shape, broadcastStrides(o.kept(out.shape), out.shape), 0, func(at int) {
		out.data[i] = in[0].data[at] / count
		i++
	})
}
