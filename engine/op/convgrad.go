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
	out.parallel(out.shape[0]*channels, func(i int) {
		image, c := i/channels, i%channels
		dx := out.plane(image, c)
		first := c / inPerGroup * outPerGroup
		forQuads(outPerGroup, func(from, to int) {
			var q quad
			for oc := first + from; oc < first+to; oc++ {
				q.add(w.plane(oc, c%inPerGroup), dy.plane(image, oc))
			}
			forTaps(rows, cols, func(tap, yAt, xAt, n int) {
				q.multiplyAdd(tap, yAt, 1, dx[xAt:], cols.stride, n)
			})
		})
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
	out.parallel(outs, func(oc int) {
		first := oc / outPerGroup * inPerGroup
		forQuads(inPerGroup, func(from, to int) {
			for image := range x.shape[0] {
				var q quad
				for c := from; c < to; c++ {
					q.add(out.plane(oc, c), x.plane(image, first+c))
				}
				g := dy.plane(image, oc)
				forTaps(rows, cols, func(tap, yAt, xAt, n int) {
					q.addProducts(tap, xAt, cols.stride, g[yAt:yAt+n])
				})
			}
		})
	})
}

// addProducts adds the scalar product of g and every plane, from index at on with the given stride, to kernel[tap].
func (q *quad) addProducts(tap, at, stride int, g []float64) {
	if q.n < 4 {
		for j := range q.n {
			plane := q.planes[j][at:]
			sum := q.kernels[j][tap]
			for i, v := range g {
				sum += float64(v * plane[i*stride])
			}
			q.kernels[j][tap] = sum
		}
		return
	}
	last := (len(g)-1)*stride + 1
	w, x := q.planes[0][at:at+last], q.planes[1][at:at+last]
	y, z := q.planes[2][at:at+last], q.planes[3][at:at+last]
	a, b, c, d := q.kernels[0][tap], q.kernels[1][tap], q.kernels[2][tap], q.kernels[3][tap]
	for i, v := range g {
		a += float64(v * w[i*stride])
		b += float64(v * x[i*stride])
		c += float64(v * y[i*stride])
		d += float64(v * z[i*stride])
	}
	q.kernels[0][tap], q.kernels[1][tap], q.kernels[2][tap], q.kernels[3][tap] = a, b, c, d
}
