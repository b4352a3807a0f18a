package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// BatchTile repeats x (K, ...) for every image of like (N, ...): the result is (N*K, ...), as a class token is there for every
// image (ONNX Tile-13 with the batch as the first repeat). The values of like do not matter.
type BatchTile struct{ base }

// Name is BatchTile.
func (*BatchTile) Name() string { return "BatchTile" }

// OutShape is the shape of x with N times as many rows.
func (*BatchTile) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, -1); err != nil {
		return nil, err
	}
	if len(in[0]) == 0 || len(in[1]) == 0 {
		return nil, fmt.Errorf("shapes %v and %v: a scalar has no rows", in[0], in[1])
	}
	out := in[0].Clone()
	if out[0] > MaxElements/in[1][0] {
		return nil, fmt.Errorf("%d rows for each of %d images are too many", in[0][0], in[1][0])
	}
	out[0] *= in[1][0]
	return out, nil
}

// Do copies x for every image.
func (o *BatchTile) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for x.
func (*BatchTile) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff sums dy over the images.
func (*BatchTile) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	x := in[0].Shape()
	var c chain
	if x[0] == 1 {
		return gorgonia.Nodes{c.sumTo(dy, in[0]), nil}, c.err
	}
	images := c.apply(&Reshape{Shape: append([]int{-1}, x...)}, dy)
	return gorgonia.Nodes{c.apply(&Reduce{ReduceMean: ReduceMean{Axes: []int{0}}, Kind: SumOf}, images), nil}, c.err
}

func (*BatchTile) eval(in []array, out array) {
	for at := 0; at < len(out.data); at += len(in[0].data) {
		copy(out.data[at:], in[0].data)
	}
}
