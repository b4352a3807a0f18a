package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Conv is the two-dimensional convolution (cross-correlation) of ONNX Conv-11:
// x (N, C, H, W), w (O, C/Group, KH, KW) and optionally b (O) give (N, O, OH, OW).
type Conv struct {
	base
	Strides, Dilations [2]int // rows, columns
	Pads               [4]int // top, left, bottom, right
	Group              int
}

// Name is Conv.
func (*Conv) Name() string { return "Conv" }

// OutShape checks the operands and gives (N, O, OH, OW).
func (o *Conv) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	ranks := []int{4, 4, 1}
	if len(in) == 2 {
		ranks = ranks[:2]
	}
	if err := wantRanks(in, ranks...); err != nil {
		return nil, err
	}
	x, w := in[0], in[1]
	if err := o.checkGroups(x[1], w); err != nil {
		return nil, err
	}
	if len(in) == 3 {
		if err := wantEqual(in, 2, w[0]); err != nil {
			return nil, err
		}
	}
	rows, cols, err := o.windows([2]int{x[2], x[3]}, [2]int{w[2], w[3]})
	return tensor.Shape{x[0], w[0], rows.out, cols.out}, err
}

func (o *Conv) checkGroups(channels int, w tensor.Shape) error {
	if o.Group < 1 || w[0]%o.Group != 0 || channels%o.Group != 0 {
		return fmt.Errorf("group %d does not divide %d input and %d output channels", o.Group, channels, w[0])
	}
	if channels/o.Group != w[1] {
		return fmt.Errorf("weights of shape %v need %d input channels per group, but there are %d", w, w[1], channels/o.Group)
	}
	return nil
}

func (o *Conv) windows(in, kernel [2]int) (rows, cols window, err error) {
	return windows2D(in, kernel, o.Strides, o.Dilations, o.Pads, false)
}

// Do computes the convolution, summing in float64 over channels, rows and columns of the kernel.
func (o *Conv) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for all operands.
func (*Conv) DiffWRT(inputs int) []bool { return wrt(3, inputs) }

// SymDiff gives ConvGradX, ConvGradW and ChannelSum.
func (o *Conv) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	x, w := in[0].Shape(), in[1].Shape()
	var c chain
	grads := gorgonia.Nodes{
		c.apply(&ConvGradX{Conv: *o, In: [2]int{x[2], x[3]}}, in[1], dy),
		c.apply(&ConvGradW{Conv: *o, Kernel: [2]int{w[2], w[3]}}, in[0], dy),
	}
	if len(in) == 3 {
		grads = append(grads, c.apply(&ChannelSum{}, dy))
	}
	return grads, c.err
}

func (o *Conv) eval(in []array, out array) {
	x, w := in[0], in[1]
	rows, cols, _ := o.windows([2]int(x.shape[2:]), [2]int(w.shape[2:]))
	images, outs := out.shape[0], out.shape[1]
	inPerGroup, outPerGroup := w.shape[1], outs/o.Group
	parallel(images*outs, func(i int) {
		image, oc := i/outs, i%outs
		y := out.plane(image, oc)
		if len(in) == 3 {
			fill(y, in[2].data[oc])
		}
		for c := range inPerGroup {
			plane := x.plane(image, oc/outPerGroup*inPerGroup+c)
			forTaps(rows, cols, w.plane(oc, c), func(tap float64, yAt, xAt, n int) {
				axpy(tap, plane[xAt:], cols.stride, y[yAt:], 1, n)
			})
		}
	})
}

// forTaps visits every weight of a (KH, KW) kernel and every output row in which it meets the input:
// n outputs from index yAt on meet inputs from xAt on, each a column stride further.
func forTaps(rows, cols window, kernel []float64, visit func(tap float64, yAt, xAt, n int)) {
	for kh := range rows.kernel {
		firstRow, lastRow := rows.outputs(kh)
		for kw := range cols.kernel {
			firstCol, lastCol := cols.outputs(kw)
			if firstCol == lastCol {
				continue
			}
			for oh := firstRow; oh < lastRow; oh++ {
				visit(kernel[kh*cols.kernel+kw], oh*cols.out+firstCol,
					rows.at(oh, kh)*cols.in+cols.at(firstCol, kw), lastCol-firstCol)
			}
		}
	}
}

// axpy adds a*x to y for n elements that lie the given strides apart.
func axpy(a float64, x []float64, xStride int, y []float64, yStride, n int) {
	if xStride == 1 && yStride == 1 {
		y = y[:n]
		for i, v := range x[:n] {
			y[i] += float64(a * v)
		}
		return
	}
	for i := range n {
		y[i*yStride] += float64(a * x[i*xStride])
	}
}

func fill(s []float64, v float64) {
	for i := range s {
		s[i] = v
	}
}
