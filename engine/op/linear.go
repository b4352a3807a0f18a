package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Linear is the fully connected layer in PyTorch's layout (ONNX Gemm with transB = 1): x (..., F), w (O, F)
// and optionally b (O) give x·wᵀ + b, (..., O).
type Linear struct{ base }

// Name is Linear.
func (*Linear) Name() string { return "Linear" }

// OutShape is (..., O).
func (*Linear) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	ranks := []int{-1, 2, 1}
	if len(in) == 2 {
		ranks = ranks[:2]
	}
	if err := wantRanks(in, ranks...); err != nil {
		return nil, err
	}
	x, w := in[0], in[1]
	if len(x) < 2 {
		return nil, fmt.Errorf("operand 0 of shape %v: want at least 2 dimensions", x)
	}
	if err := wantEqual(in, 1, w[0], x[len(x)-1]); err != nil {
		return nil, err
	}
	if len(in) == 3 {
		if err := wantEqual(in, 2, w[0]); err != nil {
			return nil, err
		}
	}
	return withLast(x, w[0]), nil
}

// withLast is a shape with another size of its last dimension.
func withLast(s tensor.Shape, size int) tensor.Shape {
	s = s.Clone()
	s[len(s)-1] = size
	return s
}

// rows is a as a matrix: its last dimension makes the rows.
func (a array) rows() array {
	size := a.shape[len(a.shape)-1]
	return array{tensor.Shape{len(a.data) / size, size}, a.data, a.threads}
}

// Do multiplies, summing in float64.
func (o *Linear) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for all operands.
func (*Linear) DiffWRT(inputs int) []bool { return wrt(3, inputs) }

// SymDiff gives LinearGradX, LinearGradW and the sum of dy for every output.
func (*Linear) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	grads := gorgonia.Nodes{c.apply(&LinearGradX{}, in[1], dy), c.apply(&LinearGradW{}, in[0], dy)}
	switch {
	case len(in) < 3:
	case dy.Dims() == 2:
		grads = append(grads, c.apply(&ChannelSum{}, dy))
	default:
		grads = append(grads, c.sumTo(dy, in[2]))
	}
	return grads, c.err
}

func (*Linear) eval(in []array, out array) {
	x, y := in[0].rows(), out.rows()
	out.parallel(y.shape[0], func(n int) {
		for o := range y.shape[1] {
			sum := 0.0
			w := in[1].row(o)
			for f, v := range x.row(n) {
				sum += float64(v * w[f])
			}
			if len(in) == 3 {
				sum += in[2].data[o]
			}
			y.row(n)[o] = sum
		}
	})
}

// LinearGradX is the gradient of Linear in x: w (O, F) and dy (..., O) give dy·w, (..., F).
type LinearGradX struct{ undifferentiable }

// Name is LinearGradX.
func (*LinearGradX) Name() string { return "LinearGradX" }

// OutShape is (..., F).
func (*LinearGradX) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 2, -1); err != nil {
		return nil, err
	}
	w, dy := in[0], in[1]
	if len(dy) < 2 || dy[len(dy)-1] != w[0] {
		return nil, fmt.Errorf("dy of shape %v does not belong to weights %v", dy, w)
	}
	return withLast(dy, w[1]), nil
}

// Do computes the gradient.
func (o *LinearGradX) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*LinearGradX) eval(in []array, out array) {
	dy, dx := in[1].rows(), out.rows()
	out.parallel(dx.shape[0], func(n int) {
		for o, g := range dy.row(n) {
			axpy(g, in[0].row(o), 1, dx.row(n), 1, dx.shape[1])
		}
	})
}

// LinearGradW is the gradient of Linear in w: x (..., F) and dy (..., O) give dyᵀ·x, (O, F).
type LinearGradW struct{ undifferentiable }

// Name is LinearGradW.
func (*LinearGradW) Name() string { return "LinearGradW" }

// OutShape is (O, F).
func (*LinearGradW) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, -1); err != nil {
		return nil, err
	}
	x, dy := in[0], in[1]
	if len(x) < 2 || len(dy) < 2 || !equalSizes(withLast(x, 1), withLast(dy, 1)) {
		return nil, fmt.Errorf("x of shape %v and dy of shape %v do not belong together", x, dy)
	}
	return tensor.Shape{dy[len(dy)-1], x[len(x)-1]}, nil
}

// Do computes the gradient.
func (o *LinearGradW) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*LinearGradW) eval(in []array, out array) {
	x, dy := in[0].rows(), in[1].rows()
	out.parallel(out.shape[0], func(o int) {
		for n := range x.shape[0] {
			axpy(dy.row(n)[o], x.row(n), 1, out.row(o), 1, out.shape[1])
		}
	})
}
