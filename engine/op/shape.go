package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// The operators of this file give x another shape and leave the order of its elements.

// Reshape gives x another shape (ONNX Reshape-14): a 0 in Shape keeps the operand's size, one -1 stands for
// what remains.
type Reshape struct {
	reshaping
	Shape []int
}

// Name is Reshape.
func (*Reshape) Name() string { return "Reshape" }

// OutShape resolves 0 and -1.
func (o *Reshape) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	total, known, open := product(in[0]), 1, -1
	out := tensor.Shape(o.Shape).Clone()
	for i, n := range out {
		switch {
		case n == 0 && i < len(in[0]):
			out[i] = in[0][i]
		case n == -1 && open < 0:
			open = i
			continue
		case n < 1:
			return nil, fmt.Errorf("shape %v: size %d at position %d", o.Shape, n, i)
		}
		if out[i] > total/known {
			return nil, o.mismatch(in[0])
		}
		known *= out[i]
	}
	if open >= 0 {
		out[open] = total / known
		known *= out[open]
	}
	if known != total {
		return nil, o.mismatch(in[0])
	}
	return out, nil
}

func (o *Reshape) mismatch(x tensor.Shape) error {
	return fmt.Errorf("the %d elements of shape %v do not fit shape %v", product(x), x, o.Shape)
}

// Do copies x.
func (o *Reshape) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// Flatten makes x a matrix: the dimensions before Axis are the rows, the others the columns (ONNX Flatten-13).
type Flatten struct {
	reshaping
	Axis int // 0 to the number of dimensions; negative counts from the end
}

// Name is Flatten.
func (*Flatten) Name() string { return "Flatten" }

// OutShape is that of the matrix.
func (o *Flatten) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	axis := o.Axis
	if axis < 0 {
		axis += len(in[0])
	}
	if axis < 0 || axis > len(in[0]) {
		return nil, fmt.Errorf("axis %d is outside the %d dimensions", o.Axis, len(in[0]))
	}
	return tensor.Shape{product(in[0][:axis]), product(in[0][axis:])}, nil
}

// Do copies x.
func (o *Flatten) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// Squeeze removes the given dimensions, which must have size 1 (ONNX Squeeze-13); all of size 1 when Axes is empty.
type Squeeze struct {
	reshaping
	Axes []int
}

// Name is Squeeze.
func (*Squeeze) Name() string { return "Squeeze" }

// OutShape lacks the dimensions.
func (o *Squeeze) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	marked, err := resolveAxes(o.Axes, len(in[0]))
	if err != nil {
		return nil, err
	}
	out := tensor.Shape{}
	for i, n := range in[0] {
		switch {
		case marked[i] && n != 1:
			return nil, fmt.Errorf("dimension %d of shape %v has size %d, not 1", i, in[0], n)
		case !marked[i] && (n != 1 || len(o.Axes) > 0):
			out = append(out, n)
		}
	}
	return out, nil
}

// Do copies x.
func (o *Squeeze) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// Unsqueeze inserts dimensions of size 1 so that they lie at Axes of the result (ONNX Unsqueeze-13).
type Unsqueeze struct {
	reshaping
	Axes []int
}

// Name is Unsqueeze.
func (*Unsqueeze) Name() string { return "Unsqueeze" }

// OutShape has the new dimensions.
func (o *Unsqueeze) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	marked, err := resolveAxes(o.Axes, len(in[0])+len(o.Axes))
	if err != nil {
		return nil, err
	}
	rest := in[0]
	out := make(tensor.Shape, len(marked))
	for i := range out {
		if marked[i] {
			out[i] = 1
			continue
		}
		out[i], rest = rest[0], rest[1:]
	}
	return out, nil
}

// Do copies x.
func (o *Unsqueeze) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// Identity is x (ONNX Identity-13).
type Identity struct{ reshaping }

// Name is Identity.
func (*Identity) Name() string { return "Identity" }

// OutShape is the shape of x.
func (*Identity) OutShape(in ...tensor.Shape) (tensor.Shape, error) { return sameShape(in, 1) }

// Do copies x.
func (o *Identity) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// reshaping is the base of operators that keep the elements and their order.
type reshaping struct{ base }

// DiffWRT is true.
func (*reshaping) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives dy in the shape of x.
func (*reshaping) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&Reshape{Shape: in[0].Shape()}, dy)
}

func (*reshaping) eval(in []array, out array) { copy(out.data, in[0].data) }
