package plan

import (
	"fmt"

	"regraft/engine/kernel"
)

// depthwise is for convolutions in which every channel has one filter of its own.
var depthwise = &algorithm{
	epilogue: epilogue{clamps: everyClamp, activates: true},
	packing:  depthwisePacking,
	forward:  (*emitter).depthwise,
	gradX:    (*emitter).depthwiseGradX,
	gradW:    (*emitter).depthwiseGradW,
}

func (e *emitter) depthwise(i *instr, c *convolution) error {
	x, y, s := i.in[0], i.out, c.shape
	direct, err := kernel.NewDepthwise(e.g.opt.ISA, s, x.images(), y.images(), i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	prim, err := i.followed(direct)
	return e.primitive(i, prim, err, 0, x, e.weights(i, c.packed(1)), e.bias(i, s.Cout), y)
}

func (e *emitter) depthwiseGradX(i *instr, c *convolution) error {
	dy, dx, s := i.in[1], i.out, c.shape
	prim, err := kernel.NewDepthwiseGradX(e.g.opt.ISA, s, dy.images(), dx.images(), i.flags())
	return e.primitive(i, prim, err, 0, dy, e.weights(i, c.packed(0)), dx)
}

func (e *emitter) depthwiseGradW(i *instr, c *convolution) error {
	x, dy, dw, s := i.in[0], i.in[1], i.out, c.shape
	prim, err := kernel.NewDepthwiseGradW(e.g.opt.ISA, s, x.images(), dy.images())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	slots := e.temporary(i.node+" slots", prim.Slots(x.shape[0]))
	e.step(i, prim, 0, []*value{slots}, x, dy, slots)
	return e.primitive(i, kernel.NewDepthwiseGradWFinish(s), nil, 0, slots, dw)
}

func depthwisePacking(c *convolution) packing {
	s := c.shape
	return packing{
		key:    c.key("depthwise"),
		length: kernel.DepthwiseLen(s),
		pack:   func(dst, src []float32) { kernel.PackDepthwise(s, dst, src) },
		unpack: func(dst, src []float32) { kernel.UnpackDepthwise(s, dst, src) },
	}
}
