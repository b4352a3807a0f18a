package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Transpose reorders dimensions: dimension i of the result is Perm[i] of x (ONNX Transpose-13). An empty
// Perm reverses them.
type Transpose struct {
	base
	Perm []int
}

// Name is Transpose.
func (*Transpose) Name() string { return "Transpose" }

// OutShape is the reordered shape.
func (o *Transpose) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	perm := o.perm(len(in[0]))
	if len(perm) != len(in[0]) {
		return nil, fmt.Errorf("permutation %v for shape %v", perm, in[0])
	}
	if _, err := resolveAxes(perm, len(perm)); err != nil {
		return nil, fmt.Errorf("permutation %v: %w", perm, err)
	}
	out := make(tensor.Shape, len(perm))
	for i, p := range perm {
		if p < 0 {
			return nil, fmt.Errorf("permutation %v has a negative entry", perm)
		}
		out[i] = in[0][p]
	}
	return out, nil
}

func (o *Transpose) perm(rank int) []int {
	if len(o.Perm) > 0 {
		return o.Perm
	}
	perm := make([]int, rank)
	for i := range perm {
		perm[i] = rank - 1 - i
	}
	return perm
}

// Do copies the elements.
func (o *Transpose) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*Transpose) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives the inverse Transpose of dy.
func (o *Transpose) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	perm := o.perm(in[0].Dims())
	inverse := make([]int, len(perm))
	for i, p := range perm {
		inverse[p] = i
	}
	return gradient(&Transpose{Perm: inverse}, dy)
}

func (o *Transpose) eval(in []array, out array) {
	own := rowMajor(in[0].shape)
	strides := make([]int, len(own))
	for i, p := range o.perm(len(own)) {
		strides[i] = own[p]
	}
	i := 0
	forStrided(out.shape, strides, 0, func(at int) {
		out.data[i] = in[0].data[at]
		i++
	})
}
