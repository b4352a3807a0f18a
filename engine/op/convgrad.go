package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// ConvGradX is the gradient of Conv in x: w (O, C/Group, KH, KW) and dy (N, O, OH, OW) give dx (N, C, In[0], In[1]).
type ConvGradX struct {
	Conv
	In [2]int // rows and columns of x
}

// Name is ConvGradX.
func (*ConvGradX) Name() string { return "ConvGradX" }

// OutShape checks the operands and gives the shape of x.
func (o *ConvGradX) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 4, 4); err != nil {
		return nil, err
	}
	w, dy := in[0], in[1]
	if o.Group < 1 || w[1] > MaxElements/o.Group {
		return nil, fmt.Errorf("group %d", o.Group)
	}
	x := tensor.Shape{dy[0], w[1] * o.Group, o.In[0], o.In[1]}
	y, err := o.Conv.OutShape(x, w)
	if err != nil {
		return nil, err
	}
	return x, wantEqual(in, 1, y...)
}

// Do computes the gradient.
func (o *ConvGradX) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false for all operands.
func (*ConvGradX) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *ConvGradX) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *ConvGradX) eval(in []array, out array) {
	w, dy := in[0], in[1]
	rows, cols, _ := o.windows(o.In, [2]int(w.shape[2:]))
	channels := out.shape[1]
	inPerGroup, outPerGroup := w.shape[1], dy.shape[1]/o.Group
	parallel(out.shape[0]*channels, func(i int) {
		image, c := i/channels, i%channels
		dx := out.plane(image, c)
		for k := range outPerGroup {
			oc := c/inPerGroup*outPerGroup + k
			plane := dy.plane(image, oc)
			forTaps(rows, cols, w.plane(oc, c%inPerGroup), func(tap float64, yAt, xAt, n int) {
				axpy(tap, plane[yAt:], 1, dx[xAt:], cols.stride, n)
			})
		}
	})
}

// ConvGradW is the gradient of Conv in w: x (N, C, H, W) and dy (N, O, OH, OW) give
// dw (O, C/Group, Kernel[0], Kernel[1]).
type ConvGradW struct {
	Conv
	Kernel [2]int // rows and columns of w
}

// Name is ConvGradW.
func (*ConvGradW) Name() string { return "ConvGradW" }

// OutShape checks the operands and gives the shape of w.
func (o *ConvGradW) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 4, 4); err != nil {
		return nil, err
	}
	x, dy := in[0], in[1]
	if o.Group < 1 {
		return nil, fmt.Errorf("group %d", o.Group)
	}
	w := tensor.Shape{dy[1], x[1] / o.Group, o.Kernel[0], o.Kernel[1]}
	y, err := o.Conv.OutShape(x, w)
	if err != nil {
		return nil, err
	}
	return w, wantEqual(in, 1, y...)
}

// Do computes the gradient.
func (o *ConvGradW) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false for all operands.
func (*ConvGradW) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *ConvGradW) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *ConvGradW) eval(in []array, out array) {
	x, dy := in[0], in[1]
	rows, cols, _ := o.windows([2]int(x.shape[2:]), o.Kernel)
	outs, inPerGroup := out.shape[0], out.shape[1]
	outPerGroup := outs / o.Group
	parallel(outs*inPerGroup, func(i int) {
		oc, c := i/inPerGroup, i%inPerGroup
		dw := out.plane(oc, c)
		for image := range x.shape[0] {
			plane, dyPlane := x.plane(image, oc/outPerGroup*inPerGroup+c), dy.plane(image, oc)
			for k := range dw {
				dw[k] += tapGradient(rows, cols, k/cols.kernel, k%cols.kernel, plane, dyPlane)
			}
		}
	})
}

// tapGradient sums x*dy over the outputs at which tap (kh, kw) meets the input.
func tapGradient(rows, cols window, kh, kw int, x, dy []float64) float64 {
	firstRow, lastRow := rows.outputs(kh)
	firstCol, lastCol := cols.outputs(kw)
	sum := 0.0
	for oh := firstRow; oh < lastRow; oh++ {
		g := dy[oh*cols.out+firstCol : oh*cols.out+lastCol]
		at := rows.at(oh, kh)*cols.in + cols.at(firstCol, kw)
		for _, v := range g {
			sum += float64(v * x[at])
			at += cols.stride
		}
	}
	return sum
}
