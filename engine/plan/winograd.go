package plan

import (
	"fmt"

	"regraft/engine/kernel"
)

// winograd computes convolutions out of products of transformed tiles.
var winograd = &algorithm{
	epilogue: epilogue{clamps: kernel.ReLU, accumulates: true},
	halo:     true,
	packing:  convPacking,
	forward:  (*emitter).winograd,
	gradX:    (*emitter).winogradGradX,
	gradW:    (*emitter).winogradGradW,
}

func (e *emitter) winograd(i *instr, c *convolution) error {
	x, y := i.in[0], i.out
	prim, err := kernel.NewWinograd(e.g.opt.ISA, c.shape, x.images(), y.images(), i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	var u *value
	if e.isTrained(i.in[1]) {
		u = e.transform(i, prim, e.weights(i, c.packed(1)))
	} else {
		u = e.weights(i, &packing{length: prim.WeightLen(), pack: prim.Pack, operand: 1})
	}
	e.step(i, prim, 0, []*value{y}, x, u, e.bias(i, c.shape.Cout), y).step.Flops = c.shape.Flops()
	return nil
}

func (e *emitter) winogradGradX(i *instr, c *convolution) error {
	dy, dx := i.in[1], i.out
	turned := e.transposed(i, c)
	prim, err := kernel.NewWinogradGradX(e.g.opt.ISA, c.shape, dy.images(), dx.images(), i.flags())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(i, prim, 0, []*value{dx}, dy, e.transform(i, prim, turned), e.zero(c.shape.Cin), dx).step.Flops = c.shape.Flops()
	return nil
}

// transform emits the step that makes Winograd's weights from packed ones, anew in every training step.
func (e *emitter) transform(i *instr, prim *kernel.Winograd, packed *value) *value {
	u := e.temporary(i.node+" transformed weights", prim.WeightLen())
	e.step(&instr{node: i.node, op: planned("TransformWeights")}, prim.TransformWeights(), 1, []*value{u}, packed, u)
	return u
}

// winogradGradW emits the weight gradient in two steps: sums of products, and their transform.
func (e *emitter) winogradGradW(i *instr, c *convolution) error {
	x, dy, dw := i.in[0], i.in[1], i.out
	prim, err := kernel.NewWinogradGradW(e.g.opt.ISA, c.shape, x.images(), dy.images())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	sums := e.temporary(i.node+" sums", prim.Sums())
	e.step(i, prim, 0, []*value{sums}, x, dy, sums).step.Flops = c.shape.Flops()
	return e.primitive(&instr{node: i.node, op: planned("ConvGradWFinish"), out: dw}, prim.Finish(), nil, 1, sums, dw)
}
