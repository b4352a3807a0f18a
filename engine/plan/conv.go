package plan

import (
	"fmt"

	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.Conv]{emit: (*emitter).conv})
	register(row[*op.ConvGradX]{emit: (*emitter).convGradX})
	register(row[*op.ConvGradW]{emit: (*emitter).convGradW})
	register(row[*op.Linear]{emit: (*emitter).linear})
	register(row[*op.LinearGradX]{emit: (*emitter).linearGradX})
	register(row[*op.LinearGradW]{emit: (*emitter).linearGradW})
}

// convShape describes one image of a convolution of x (N,C,H,W) with w (O,C,KH,KW) to y (N,O,OH,OW).
func convShape(o *op.Conv, x, w, y tensor.Shape) kernel.ConvShape {
	return kernel.ConvShape{
		Cin: x[1], Cout: y[1], H: x[2], W: x[3], OH: y[2], OW: y[3], KH: w[2], KW: w[3],
		SH: o.Strides[0], SW: o.Strides[1], DH: o.Dilations[0], DW: o.Dilations[1], PT: o.Pads[0], PL: o.Pads[1],
	}
}

// linearShape is a linear layer as a 1x1 convolution over a row of n pixels.
func linearShape(n, in, out int) kernel.ConvShape {
	return kernel.ConvShape{Cin: in, Cout: out, H: 1, W: n, OH: 1, OW: n, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}
}

// pointwiseMatrix tells whether i is a 1x1 convolution of images of one pixel: a linear layer.
func pointwiseMatrix(i *instr) bool {
	w := i.in[1].shape
	in, _ := i.in[0].base()
	out, _ := i.out.base()
	return in.form == matrix && out.form == matrix && w[2] == 1 && w[3] == 1
}

// settleForms gives images of one pixel the blocked form where a convolution wants padding around them.
func (g *graph) settleForms() {
	want := func(v *value, kernelSize int) {
		if v.form == matrix && kernelSize > 1 {
			v.form = blocked
		}
	}
	for _, i := range g.instrs {
		switch i.op.(type) {
		case *op.Conv:
			want(i.in[0], i.in[1].shape[2]*i.in[1].shape[3])
		case *op.ConvGradX:
			want(i.in[1], i.in[0].shape[2]*i.in[0].shape[3])
		case *op.ConvGradW:
			want(i.in[0], i.out.shape[2]*i.out.shape[3])
		}
	}
	for k := len(g.instrs) - 1; k >= 0; k-- {
		i := g.instrs[k]
		if _, ok := i.op.(*op.Concat); ok && i.out.form == blocked {
			for _, v := range i.in {
				if v.form == matrix {
					v.form = blocked
				}
			}
		}
	}
}

func (i *instr) flags() int {
	flags := i.clamp
	if i.onto != nil {
		flags |= kernel.Acc
	}
	return flags
}

// conv emits a convolution.
func (e *emitter) conv(i *instr, o *op.Conv) error {
	switch {
	case depthwise(o, i.in[0].shape[1], i.in[1].shape):
		return e.depthwise(i, o)
	case o.Group > 1:
		return e.grouped(i, o)
	case pointwiseMatrix(i):
		return e.linear(i, nil)
	}
	x, w, y := i.in[0], i.in[1], i.out
	s := convShape(o, x.shape, w.shape, y.shape)
	if done, err := e.winograd(i, s); done || err != nil {
		return err
	}
	prim, err := kernel.NewConv(e.g.opt.ISA, s, x.images(), y.images(), i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	return e.forward(i, prim, 0)
}

// forward emits the step of a prepared convolution of i's operands.
func (e *emitter) forward(i *instr, prim *kernel.Conv, images int) error {
	x, w, y := i.in[0], i.in[1], i.out
	step, err := i.followed(prim)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	weights, bias := e.weights(w, i.norm, prim.WeightLen(), prim.Pack), e.bias(i, prim.Shape().Cout)
	e.step(i, step, images, []*value{y}, x, weights, bias, y).step.Flops = prim.Shape().Flops()
	return nil
}

// linear emits a linear layer, or a 1x1 convolution of images of one pixel.
func (e *emitter) linear(i *instr, _ *op.Linear) error {
	x, y := i.in[0], i.out
	s := linearShape(x.shape[0], x.shape[1], y.shape[1])
	prim, err := kernel.NewConv(e.g.opt.ISA, s, x.matrix(), y.matrix(), i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	return e.forward(i, prim, 1)
}

// weights returns the packed weights: a trainable parameter where it lives, others as constants
// with BatchNorm folded in.
func (e *emitter) weights(w *value, f *fold, length int, pack func(dst, src []float32)) *value {
	if s := e.slots[w.param]; s != nil {
		return s
	}
	return e.constant(w.label, length, func(dst []float32) error {
		src := w.param.Value
		if len(src) != w.shape.TotalSize() {
			return fmt.Errorf("parameter %q has no values", w.label)
		}
		if f != nil {
			f.weights(src, func(folded []float32) { pack(dst, folded) })
		} else {
			pack(dst, src)
		}
		return nil
	})
}

// bias returns the packed bias of i, with BatchNorm's shift folded in.
func (e *emitter) bias(i *instr, n int) *value {
	var b *value
	if len(i.in) > 2 {
		b = i.in[2]
		if s := e.slots[b.param]; s != nil {
			return s
		}
	}
	if b == nil && (i.norm == nil || i.norm.beta == nil) {
		return e.zero(n)
	}
	norm := i.norm
	return e.constant(i.label+" bias", padded(n), func(dst []float32) error {
		for c := range n {
			if b != nil {
				dst[c] = b.param.Value[c]
			}
			if norm != nil {
				dst[c] = norm.shift(c, dst[c])
			}
		}
		return nil
	})
}

// convGradX emits the gradient of a convolution's input: from w and dy.
func (e *emitter) convGradX(i *instr, o *op.ConvGradX) error {
	w, dy, dx := i.in[0], i.in[1], i.out
	if depthwise(&o.Conv, dx.shape[1], w.shape) {
		return e.depthwiseGradX(i, o)
	}
	if o.Group > 1 {
		return e.groupedGradX(i, o)
	}
	s := convShape(&o.Conv, dx.shape, w.shape, dy.shape)
	dyl, dxl, images := dy.images(), dx.images(), 0
	root, _ := dy.base()
	if r, _ := dx.base(); root.form == matrix && r.form == matrix && s.KH*s.KW == 1 {
		s = linearShape(dy.shape[0], s.Cin, s.Cout)
		dyl, dxl, images = dy.matrix(), dx.matrix(), 1
	}
	return e.gradX(i, s, w, dy, dx, dyl, dxl, images)
}

func (e *emitter) linearGradX(i *instr, _ *op.LinearGradX) error {
	w, dy, dx := i.in[0], i.in[1], i.out
	s := linearShape(dy.shape[0], dx.shape[1], dy.shape[1])
	return e.gradX(i, s, w, dy, dx, dy.matrix(), dx.matrix(), 1)
}

// turned transposes packed weights for a data gradient just before it uses them, so that no second copy of all exists.
func (e *emitter) turned(i *instr, turn kernel.Primitive, packed *value, length int) *value {
	turned := e.temporary(i.label+" transposed weights", length)
	e.step(&instr{label: i.label, op: planned("TransposeWeights")}, turn, 1, []*value{turned}, packed, turned)
	return turned
}

func (e *emitter) gradX(i *instr, s kernel.ConvShape, w, dy, dx *value, dyl, dxl kernel.Layout, images int) error {
	master := e.weights(w, nil, kernel.PackedLen(s), func(dst, src []float32) { kernel.PackWeights(s, dst, src) })
	turned := e.turned(i, kernel.NewTransposeWeights(e.g.opt.ISA, s), master, kernel.PackedLen(s))
	if images == 0 {
		if done, err := e.winogradGradX(i, s, dyl, dxl, turned); done || err != nil {
			return err
		}
	}
	prim, err := kernel.NewConvGradX(e.g.opt.ISA, s, dyl, dxl, i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	e.step(i, prim, images, []*value{dx}, dy, turned, e.zero(s.Cin), dx).step.Flops = s.Flops()
	return nil
}

// convGradW emits the gradient of a convolution's weights: from x and dy.
func (e *emitter) convGradW(i *instr, o *op.ConvGradW) error {
	x, dy, dw := i.in[0], i.in[1], i.out
	if depthwise(&o.Conv, x.shape[1], dw.shape) {
		return e.depthwiseGradW(i, o)
	}
	if o.Group > 1 {
		return e.groupedGradW(i, o)
	}
	s := convShape(&o.Conv, x.shape, dw.shape, dy.shape)
	root, _ := x.base()
	if r, _ := dy.base(); root.form == matrix && r.form == matrix && s.KH*s.KW == 1 {
		return e.gradW(i, linearShape(dy.shape[0], s.Cin, s.Cout), x, dy, dw, x.matrix(), dy.matrix(), 1)
	}
	return e.gradW(i, s, x, dy, dw, x.images(), dy.images(), 0)
}

func (e *emitter) linearGradW(i *instr, _ *op.LinearGradW) error {
	x, dy, dw := i.in[0], i.in[1], i.out
	return e.gradW(i, linearShape(dy.shape[0], x.shape[1], dy.shape[1]), x, dy, dw, x.matrix(), dy.matrix(), 1)
}

func (e *emitter) gradW(i *instr, s kernel.ConvShape, x, dy, dw *value, xl, dyl kernel.Layout, images int) error {
	if images == 0 {
		if done, err := e.winogradGradW(i, s, xl, dyl); done || err != nil {
			return err
		}
	}
	prim, err := kernel.NewConvGradW(e.g.opt.ISA, s, xl, dyl)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	e.step(i, prim, images, []*value{dw}, x, dy, dw).step.Flops = s.Flops()
	return nil
}
