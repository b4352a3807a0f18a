package plan

import (
	"fmt"

	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

// depthwise tells whether every channel of x (N,C,H,W) has one filter of its own in w (C,1,KH,KW).
func depthwise(o *op.Conv, channels int, w tensor.Shape) bool {
	return o.Group > 1 && o.Group == channels && o.Group == w[0]
}

func (e *emitter) depthwise(i *instr, o *op.Conv) error {
	x, w, y := i.in[0], i.in[1], i.out
	s := convShape(o, x.shape, w.shape, y.shape)
	direct, err := kernel.NewDepthwise(e.g.opt.ISA, s, x.images(), y.images(), i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	prim, err := i.followed(direct)
	return e.primitive(i, prim, err, 0, x, e.depthwiseWeights(w, i.norm, s), e.bias(i, s.Cout), y)
}

func (e *emitter) depthwiseWeights(w *value, norm *fold, s kernel.ConvShape) *value {
	return e.weights(w, norm, kernel.DepthwiseLen(s), func(dst, src []float32) { kernel.PackDepthwise(s, dst, src) })
}

func (e *emitter) depthwiseGradX(i *instr, o *op.ConvGradX) error {
	w, dy, dx := i.in[0], i.in[1], i.out
	s := convShape(&o.Conv, dx.shape, w.shape, dy.shape)
	prim, err := kernel.NewDepthwiseGradX(e.g.opt.ISA, s, dy.images(), dx.images(), i.flags())
	return e.primitive(i, prim, err, 0, dy, e.depthwiseWeights(w, nil, s), dx)
}

func (e *emitter) depthwiseGradW(i *instr, o *op.ConvGradW) error {
	x, dy, dw := i.in[0], i.in[1], i.out
	s := convShape(&o.Conv, x.shape, dw.shape, dy.shape)
	prim, err := kernel.NewDepthwiseGradW(e.g.opt.ISA, s, x.images(), dy.images())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	slots := e.temporary(i.label+" slots", prim.Slots(x.shape[0]))
	e.step(i, prim, 0, []*value{slots}, x, dy, slots)
	return e.primitive(i, kernel.NewDepthwiseGradWFinish(s), nil, 0, slots, dw)
}

func depthwisePacking(s kernel.ConvShape) packing {
	return packing{
		kernel.DepthwiseLen(s),
		func(dst, src []float32) { kernel.PackDepthwise(s, dst, src) },
		func(dst, src []float32) { kernel.UnpackDepthwise(s, dst, src) },
	}
}
