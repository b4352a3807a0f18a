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

// Pointwise reports whether, with these weights, it is a product of a matrix with the channels of every pixel.
func (o *Conv) Pointwise(weight tensor.Shape) bool {
	return o.Group <= 1 && weight[2]*weight[3] == 1 && o.Strides == [2]int{1, 1} && o.Pads == [4]int{}
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
	out.parallel(images*outs, func(i int) {
		image, oc := i/outs, i%outs
		y := out.plane(image, oc)
		if len(in) == 3 {
			fill(y, in[2].data[oc])
		}
		first := oc / outPerGroup * inPerGroup
		forQuads(inPerGroup, func(from, to int) {
			var q quad
			for c := from; c < to; c++ {
				q.add(w.plane(oc, c), x.plane(image, first+c))
			}
			forTaps(rows, cols, func(tap, yAt, xAt, n int) {
				q.multiplyAdd(tap, xAt, cols.stride, y[yAt:], 1, n)
			})
		})
	})
}

// forTaps visits every tap of a (KH, KW) kernel and every output row in which it meets the input: n outputs
// from index yAt on meet inputs from xAt on, each a column stride further.
func forTaps(rows, cols window, visit func(tap, yAt, xAt, n int)) {
	for kh := range rows.kernel {
		firstRow, lastRow := rows.outputs(kh)
		for kw := range cols.kernel {
			firstCol, lastCol := cols.outputs(kw)
			if firstCol == lastCol || firstRow == lastRow {
				continue
			}
			n, height := lastCol-firstCol, lastRow-firstRow
			if n == cols.in && n == cols.out && cols.stride*rows.stride == 1 {
				n, height = n*height, 1 // whole rows follow one another in both planes
			}
			for oh := firstRow; oh < firstRow+height; oh++ {
				visit(kh*cols.kernel+kw, oh*cols.out+firstCol, rows.at(oh, kh)*cols.in+cols.at(firstCol, kw), n)
			}
		}
	}
}

// quad is up to four planes with their kernels. Working on four at a time halves the time and leaves the
// order of the sums as it is.
type quad struct {
	kernels, planes [4][]float64
	n               int
}

// forQuads cuts n planes into runs of at most four.
func forQuads(n int, visit func(from, to int)) {
	for from := 0; from < n; from += 4 {
		visit(from, min(from+4, n))
	}
}

func (q *quad) add(kernel, plane []float64) {
	q.kernels[q.n], q.planes[q.n] = kernel, plane
	q.n++
}

// multiplyAdd adds kernel[tap]*plane to y for every plane: n elements from index at on, the given strides apart.
func (q *quad) multiplyAdd(tap, at, stride int, y []float64, yStride, n int) {
	if q.n < 4 {
		for j := range q.n {
			axpy(q.kernels[j][tap], q.planes[j][at:], stride, y, yStride, n)
		}
		return
	}
	a, b, c, d := q.kernels[0][tap], q.kernels[1][tap], q.kernels[2][tap], q.kernels[3][tap]
	last := (n-1)*stride + 1
	w, x := q.planes[0][at:at+last], q.planes[1][at:at+last]
	u, v := q.planes[2][at:at+last], q.planes[3][at:at+last]
	if stride*yStride == 1 {
		y, x, u, v = y[:len(w)], x[:len(w)], u[:len(w)], v[:len(w)]
		for i := range w {
			y[i] = y[i] + float64(a*w[i]) + float64(b*x[i]) + float64(c*u[i]) + float64(d*v[i])
		}
		return
	}
	for i := range n {
		k := i * stride
		y[i*yStride] = y[i*yStride] + float64(a*w[k]) + float64(b*x[k]) + float64(c*u[k]) + float64(d*v[k])
	}
}

// axpy adds a*x to y for n elements that lie the given strides apart.
func axpy(a float64, x []float64, xStride int, y []float64, yStride, n int) {
	for i := range n {
		y[i*yStride] += float64(a * x[i*xStride])
	}
}

func fill(s []float64, v float64) {
	for i := range s {
		s[i] = v
	}
}
