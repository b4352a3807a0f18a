package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// AveragePool takes the mean of every window (ONNX AveragePool-11): x (N, C, H, W) gives (N, C, OH, OW).
type AveragePool struct {
	base
	Kernel, Strides [2]int // rows, columns
	Pads            [4]int // top, left, bottom, right
	CeilMode        bool   // round the number of windows up
	// CountIncludePad makes padding count as zeros. What a window of CeilMode reaches beyond the padding never counts.
	CountIncludePad bool
}

// Name is AveragePool.
func (*AveragePool) Name() string { return "AveragePool" }

// OutShape is (N, C, OH, OW).
func (o *AveragePool) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 4); err != nil {
		return nil, err
	}
	rows, cols, err := o.windows([2]int(in[0][2:]))
	return tensor.Shape{in[0][0], in[0][1], rows.out, cols.out}, err
}

func (o *AveragePool) windows(in [2]int) (rows, cols window, err error) {
	return windows2D(in, o.Kernel, o.Strides, [2]int{1, 1}, o.Pads, o.CeilMode)
}

// Do takes the means, summing in float64.
func (o *AveragePool) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*AveragePool) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives AveragePoolGrad.
func (o *AveragePool) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&AveragePoolGrad{AveragePool: *o, In: [2]int(in[0].Shape()[2:])}, dy)
}

func (o *AveragePool) eval(in []array, out array) {
	o.forWindows(in[0], func(n, c, output, input int, share float64) {
		out.plane(n, c)[output] += float64(in[0].plane(n, c)[input] * share)
	})
}

// forWindows visits every pair of an output and an input in its window, with the reciprocal of the
// number of elements that the window counts.
func (o *AveragePool) forWindows(x array, visit func(n, c, output, input int, share float64)) {
	rows, cols, _ := o.windows([2]int(x.shape[2:]))
	channels := x.shape[1]
	x.parallel(x.shape[0]*channels, func(i int) {
		n, c := i/channels, i%channels
		for oh := range rows.out {
			for ow := range cols.out {
				share := 1 / float64(o.counted(rows, oh, o.Pads[2])*o.counted(cols, ow, o.Pads[3]))
				forWindow(rows, cols, oh, ow, func(at int) { visit(n, c, oh*cols.out+ow, at, share) })
			}
		}
	})
}

// counted is how many positions of window i count along one axis.
func (o *AveragePool) counted(w window, i, padEnd int) int {
	first, end := w.at(i, 0), w.at(i, w.kernel)
	if o.CountIncludePad {
		return min(end, w.in+padEnd) - first
	}
	return min(end, w.in) - max(first, 0)
}

// AveragePoolGrad is the gradient of AveragePool: dy gives dx (N, C, In[0], In[1]).
type AveragePoolGrad struct {
	AveragePool
	In [2]int // rows and columns of x
}

// Name is AveragePoolGrad.
func (*AveragePoolGrad) Name() string { return "AveragePoolGrad" }

// OutShape is the shape of x.
func (o *AveragePoolGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 4); err != nil {
		return nil, err
	}
	x := tensor.Shape{in[0][0], in[0][1], o.In[0], o.In[1]}
	y, err := o.AveragePool.OutShape(x)
	if err != nil {
		return nil, err
	}
	return x, wantEqual(in, 0, y...)
}

// Do computes the gradient.
func (o *AveragePoolGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*AveragePoolGrad) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *AveragePoolGrad) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *AveragePoolGrad) eval(in []array, out array) {
	o.forWindows(out, func(n, c, output, input int, share float64) {
		out.plane(n, c)[input] += float64(in[0].plane(n, c)[output] * share)
	})
}
