package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Linear is the fully connected layer in PyTorch's layout (ONNX Gemm with transB = 1): x (N, F), w (O, F)
// and optionally b (O) give x·wᵀ + b, (N, O).
type Linear struct{ base }

// Name is Linear.
func (*Linear) Name() string { return "Linear" }

// OutShape is (N, O).
func (*Linear) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	ranks := []int{2, 2, 1}
	if len(in) == 2 {
		ranks = ranks[:2]
	}
	if err := wantRanks(in, ranks...); err != nil {
		return nil, err
	}
	x, w := in[0], in[1]
	if err := wantEqual(in, 1, w[0], x[1]); err != nil {
		return nil, err
	}
	if len(in) == 3 {
		if err := wantEqual(in, 2, w[0]); err != nil {
			return nil, err
		}
	}
	return tensor.Shape{x[0], w[0]}, nil
}

// Do multiplies, summing in float64.
func (o *Linear) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for all operands.
func (*Linear) DiffWRT(inputs int) []bool { return wrt(3, inputs) }

// SymDiff gives LinearGradX, LinearGradW and ChannelSum.
func (*Linear) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	grads := gorgonia.Nodes{c.apply(&LinearGradX{}, in[1], dy), c.apply(&LinearGradW{}, in[0], dy)}
	if len(in) == 3 {
		grads = append(grads, c.apply(&ChannelSum{}, dy))
	}
	return grads, c.err
}

func (*Linear) eval(in []array, out array) {
	parallel(out.shape[0], func(n int) {
		for o := range out.shape[1] {
			sum := 0.0
			w := in[1].row(o)
			for f, v := range in[0].row(n) {
				sum += float64(v * w[f])
			}
			if len(in) == 3 {
				sum += in[2].data[o]
			}
			out.row(n)[o] = sum
		}
	})
}

// LinearGradX is the gradient of Linear in x: w (O, F) and dy (N, O) give dy·w, (N, F).
type LinearGradX struct{ undifferentiable }

// Name is LinearGradX.
func (*LinearGradX) Name() string { return "LinearGradX" }

// OutShape is (N, F).
func (*LinearGradX) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 2, 2); err != nil {
		return nil, err
	}
	w, dy := in[0], in[1]
	return tensor.Shape{dy[0], w[1]}, wantEqual(in, 1, dy[0], w[0])
}

// Do computes the gradient.
func (o *LinearGradX) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*LinearGradX) eval(in []array, out array) {
	parallel(out.shape[0], func(n int) {
		for o, g := range in[1].row(n) {
			axpy(g, in[0].row(o), 1, out.row(n), 1, out.shape[1])
		}
	})
}

// LinearGradW is the gradient of Linear in w: x (N, F) and dy (N, O) give dyᵀ·x, (O, F).
type LinearGradW struct{ undifferentiable }

// Name is LinearGradW.
func (*LinearGradW) Name() string { return "LinearGradW" }

// OutShape is (O, F).
func (*LinearGradW) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 2, 2); err != nil {
		return nil, err
	}
	x, dy := in[0], in[1]
	return tensor.Shape{dy[1], x[1]}, wantEqual(in, 1, x[0], dy[1])
}

// Do computes the gradient.
func (o *LinearGradW) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*LinearGradW) eval(in []array, out array) {
	parallel(out.shape[0], func(o int) {
		for n := range in[0].shape[0] {
			axpy(in[1].row(n)[o], in[0].row(n), 1, out.row(o), 1, out.shape[1])
		}
	})
}
