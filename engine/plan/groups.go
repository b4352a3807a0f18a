package plan

import (
	"fmt"

	"regraft/engine/kernel"
)

// grouped is for convolutions in groups of more than one channel.
var grouped = &algorithm{
	epilogue: epilogue{clamps: everyClamp, accumulates: true},
	halo:     true,
	packing:  groupedPacking,
	forward:  (*emitter).grouped,
	gradX:    (*emitter).groupedGradX,
	gradW:    (*emitter).groupedGradW,
}

func (c *convolution) groups() (*kernel.Groups, error) { return kernel.NewGroups(c.shape, c.group) }

// grouped emits a convolution in groups.
func (e *emitter) grouped(i *instr, c *convolution) error {
	x, y := i.in[0], i.out
	g, err := c.groups()
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	prim, err := g.Conv(e.g.opt.ISA, x.images(), y.images(), i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(i, prim, 0, []*value{y}, x, e.weights(i, c.packed(1)), e.bias(i, y.shape[1]), y).step.Flops = g.Flops()
	return nil
}

func (e *emitter) groupedGradX(i *instr, c *convolution) error {
	dy, dx := i.in[1], i.out
	g, err := c.groups()
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	turn, err := g.Transpose(e.g.opt.ISA)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	turned := e.turned(i, turn, e.weights(i, c.packed(0)), g.WeightLen())
	prim, err := g.GradX(e.g.opt.ISA, dy.images(), dx.images(), i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(i, prim, 0, []*value{dx}, dy, turned, e.zero(dx.shape[1]), dx).step.Flops = g.Flops()
	return nil
}

func (e *emitter) groupedGradW(i *instr, c *convolution) error {
	x, dy, dw := i.in[0], i.in[1], i.out
	g, err := c.groups()
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	prim, err := g.GradW(e.g.opt.ISA, x.images(), dy.images())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(i, prim, 0, []*value{dw}, x, dy, dw).step.Flops = g.Flops()
	return e.primitive(&instr{node: i.node, op: planned("ClearBetweenGroups"), out: dw}, g.ClearBetween(), nil, 1, dw)
}

// groupedPacking is the layout that convolutions in these groups take; where there is none, their steps say why.
func groupedPacking(c *convolution) packing {
	g, err := c.groups()
	if err != nil {
		return convPacking(c)
	}
	return packing{key: c.key("groups"), length: g.WeightLen(), pack: g.Pack, unpack: g.Unpack}
}
