package plan

import (
	"fmt"

	"regraft/engine/kernel"
)

// direct adds up products of pixels and weights.
var direct = &algorithm{
	epilogue: epilogue{clamps: everyClamp, activates: true, accumulates: true},
	halo:     true,
	pixels:   func(c *convolution, x kernel.Layout) bool { return kernel.ConvTakes(c.shape, x) },
	packing:  convPacking,
	forward: func(e *emitter, i *instr, c *convolution) error {
		return e.direct(i, c, i.in[0].images(), i.out.images(), 0)
	},
	gradX: func(e *emitter, i *instr, c *convolution) error {
		return e.directGradX(i, c, i.in[1].images(), i.out.images(), 0)
	},
	gradW: func(e *emitter, i *instr, c *convolution) error {
		return e.directGradW(i, c, i.in[0].images(), i.in[1].images(), 0)
	},
}

// asMatrix likewise for a linear layer: the images are the pixels of one.
var asMatrix = &algorithm{
	epilogue: direct.epilogue,
	packing:  convPacking,
	forward: func(e *emitter, i *instr, c *convolution) error {
		return e.direct(i, c, i.in[0].matrix(), i.out.matrix(), 1)
	},
	gradX: func(e *emitter, i *instr, c *convolution) error {
		return e.directGradX(i, c, i.in[1].matrix(), i.out.matrix(), 1)
	},
	gradW: func(e *emitter, i *instr, c *convolution) error {
		return e.directGradW(i, c, i.in[0].matrix(), i.in[1].matrix(), 1)
	},
}

func (e *emitter) direct(i *instr, c *convolution, x, y kernel.Layout, images int) error {
	prim, err := kernel.NewConv(e.g.opt.ISA, c.shape, x, y, i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	return e.forward(i, c, prim, images, i.in[0])
}

func (e *emitter) directGradX(i *instr, c *convolution, dy, dx kernel.Layout, images int) error {
	turned := e.transposed(i, c)
	prim, err := kernel.NewConvGradX(e.g.opt.ISA, c.shape, dy, dx, i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(i, prim, images, []*value{i.out}, i.in[1], turned, e.zero(c.shape.Cin), i.out).step.Flops = c.shape.Flops()
	return nil
}

func (e *emitter) directGradW(i *instr, c *convolution, x, dy kernel.Layout, images int) error {
	prim, err := kernel.NewConvGradW(e.g.opt.ISA, c.shape, x, dy)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(i, prim, images, []*value{i.out}, i.in[0], i.in[1], i.out).step.Flops = c.shape.Flops()
	return nil
}
