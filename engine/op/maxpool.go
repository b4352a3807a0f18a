package op

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// MaxPool takes the largest element of every window (ONNX MaxPool-12): x (N, C, H, W) gives (N, C, OH, OW).
// Padding never wins. A window that holds no element of x gives -Inf.
type MaxPool struct {
	base
	Kernel, Strides, Dilations [2]int // rows, columns
	Pads                       [4]int // top, left, bottom, right
	CeilMode                   bool   // round the number of windows up
}

// Name is MaxPool.
func (*MaxPool) Name() string { return "MaxPool" }

// OutShape is (N, C, OH, OW).
func (o *MaxPool) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 4); err != nil {
		return nil, err
	}
	rows, cols, err := o.windows(in[0])
	return tensor.Shape{in[0][0], in[0][1], rows.out, cols.out}, err
}

func (o *MaxPool) windows(x tensor.Shape) (rows, cols window, err error) {
	return windows2D([2]int(x[2:]), o.Kernel, o.Strides, o.Dilations, o.Pads, o.CeilMode)
}

// Do takes the maxima; NaN counts as larger than everything.
func (o *MaxPool) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*MaxPool) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives MaxPoolGrad.
func (o *MaxPool) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&MaxPoolGrad{MaxPool: *o}, in[0], dy)
}

func (o *MaxPool) eval(in []array, out array) {
	o.forMaxima(in[0], func(n, c, output, input int) {
		v := math.Inf(-1)
		if input >= 0 {
			v = in[0].plane(n, c)[input]
		}
		out.plane(n, c)[output] = v
	})
}

// forMaxima visits every output with the index in its plane of the input that wins, or -1. The first
// of equal elements in row-major order wins, and any NaN, as in PyTorch.
func (o *MaxPool) forMaxima(x array, visit func(n, c, output, input int)) {
	rows, cols, _ := o.windows(x.shape)
	channels := x.shape[1]
	x.parallel(x.shape[0]*channels, func(i int) {
		n, c := i/channels, i%channels
		plane := x.plane(n, c)
		for oh := range rows.out {
			for ow := range cols.out {
				best, winner := math.Inf(-1), -1
				forWindow(rows, cols, oh, ow, func(at int) {
					if v := plane[at]; v > best || math.IsNaN(v) || winner < 0 {
						best, winner = v, at
					}
				})
				visit(n, c, oh*cols.out+ow, winner)
			}
		}
	})
}

// forWindow visits the inputs of output (oh, ow), in row-major order, that are not padding.
func forWindow(rows, cols window, oh, ow int, visit func(at int)) {
	for kh := range rows.kernel {
		ih := rows.at(oh, kh)
		if ih < 0 || ih >= rows.in {
			continue
		}
		for kw := range cols.kernel {
			if iw := cols.at(ow, kw); iw >= 0 && iw < cols.in {
				visit(ih*cols.in + iw)
			}
		}
	}
}

// MaxPoolGrad is the gradient of MaxPool: x and dy give dx, where every dy goes to the element that won.
type MaxPoolGrad struct{ MaxPool }

// Name is MaxPoolGrad.
func (*MaxPoolGrad) Name() string { return "MaxPoolGrad" }

// OutShape is the shape of x.
func (o *MaxPoolGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 4, 4); err != nil {
		return nil, err
	}
	y, err := o.MaxPool.OutShape(in[0])
	if err != nil {
		return nil, err
	}
	return in[0].Clone(), wantEqual(in, 1, y...)
}

// Do computes the gradient.
func (o *MaxPoolGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*MaxPoolGrad) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *MaxPoolGrad) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *MaxPoolGrad) eval(in []array, out array) {
	o.forMaxima(in[0], func(n, c, output, input int) {
		if input >= 0 {
			out.plane(n, c)[input] += in[1].plane(n, c)[output]
		}
	})
}
