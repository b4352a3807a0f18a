package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.ResponseNorm]{channelsOf: responseAxis, emit: (*emitter).responseNorm})
	register(row[*op.ResponseNormGrad]{
		channelsOf: func(o *op.ResponseNormGrad) axisRule { return responseAxis(&o.ResponseNorm) }, emit: (*emitter).responseNormGrad,
	})
}

func responseAxis(o *op.ResponseNorm) axisRule {
	if o.Last {
		return last
	}
	return second
}

// squares emits the sums of squares of the channels of images.
func (e *emitter) squares(i *instr, to *value) error {
	x := i.in[0]
	prim, err := kernel.NewPixelDot(e.g.opt.ISA, x.images(), x.images(), to.images())
	if err != nil {
		return err
	}
	e.step(&instr{node: i.node, op: planned("SumSquares"), in: i.in[:1], out: to}, prim, 0, []*value{to}, x, x, to)
	return nil
}

func (e *emitter) responseNorm(i *instr, o *op.ResponseNorm) error {
	x, y := i.in[0], i.out
	if factorOf(x, y) != perImage {
		return e.interpret(i, o)
	}
	if err := e.squares(i, y); err != nil {
		return err
	}
	prim, err := kernel.NewResponseNorm(y.images(), float64(o.Epsilon))
	return e.primitive(i, prim, err, 0, y, y)
}

// responseNormGrad multiplies the images by one factor for every channel.
func (e *emitter) responseNormGrad(i *instr, o *op.ResponseNormGrad) error {
	x, dy, dx := i.in[0], i.in[1], i.out
	if factorOf(x, dy) != perImage || !alike(x, dx) {
		return e.interpret(i, o)
	}
	factors := dy.like(i.node + " factors")
	e.g.layOutRoot(factors)
	if err := e.squares(i, factors); err != nil {
		return err
	}
	prim, err := kernel.NewResponseNormGrad(factors.images(), float64(o.Epsilon))
	if err != nil {
		return err
	}
	e.step(&instr{node: i.node, op: i.op, in: i.in[1:], out: factors}, prim, 0, []*value{factors}, factors, dy, factors)
	prim, err = kernel.NewScale(e.g.opt.ISA, x.images(), factors.images(), dx.images())
	return e.primitive(i, prim, err, 0, x, factors, dx)
}
