package plan

import (
	"fmt"

	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

// groupsOf is the convolution of x (N,C,H,W) with w (O,C/Group,KH,KW) to y in groups.
func groupsOf(o *op.Conv, x, w, y tensor.Shape) (*kernel.Groups, error) {
	return kernel.NewGroups(convShape(o, x, w, y), o.Group)
}

// grouped emits a convolution in groups.
func (e *emitter) grouped(i *instr, o *op.Conv) error {
	x, w, y := i.in[0], i.in[1], i.out
	g, err := groupsOf(o, x.shape, w.shape, y.shape)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	prim, err := g.Conv(e.g.opt.ISA, x.images(), y.images(), i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	weights := e.weights(w, i.norm, g.WeightLen(), g.Pack)
	e.step(i, prim, 0, []*value{y}, x, weights, e.bias(i, y.shape[1]), y).step.Flops = g.Flops()
	return nil
}

func (e *emitter) groupedGradX(i *instr, o *op.ConvGradX) error {
	w, dy, dx := i.in[0], i.in[1], i.out
	g, err := groupsOf(&o.Conv, dx.shape, w.shape, dy.shape)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	turn, err := g.Transpose(e.g.opt.ISA)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	turned := e.turned(i, turn, e.weights(w, nil, g.WeightLen(), g.Pack), g.WeightLen())
	prim, err := g.GradX(e.g.opt.ISA, dy.images(), dx.images(), i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	e.step(i, prim, 0, []*value{dx}, dy, turned, e.zero(dx.shape[1]), dx).step.Flops = g.Flops()
	return nil
}

func (e *emitter) groupedGradW(i *instr, o *op.ConvGradW) error {
	x, dy, dw := i.in[0], i.in[1], i.out
	g, err := groupsOf(&o.Conv, x.shape, dw.shape, dy.shape)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	prim, err := g.GradW(e.g.opt.ISA, x.images(), dy.images())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	e.step(i, prim, 0, []*value{dw}, x, dy, dw).step.Flops = g.Flops()
	return e.primitive(&instr{label: i.label, op: planned("ClearBetweenGroups"), out: dw}, g.ClearBetween(), nil, 1, dw)
}

func groupedPacking(g *kernel.Groups) packing {
	return packing{g.WeightLen(), g.Pack, g.Unpack}
}
