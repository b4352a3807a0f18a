package plan

import (
	"slices"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.ReduceMean]{channels: anywhere, emit: (*emitter).reduceMean})
	register(row[*op.ReduceMeanGrad]{channels: anywhere, emit: (*emitter).reduceMeanGrad})
}

// ofPixels tells whether means over these axes are one of all pixels of an image of x for every channel, as y holds them.
func ofPixels(o *op.ReduceMean, x, y *value) bool {
	if !onImages(x) || !onImages(y) || x.Shape.Dims() < 3 || len(o.Axes) != x.Shape.Dims()-2 || y.shape[0] != x.shape[0] || y.shape[1] != x.shape[1] {
		return false
	}
	return !slices.ContainsFunc(o.Axes, func(axis int) bool { return x.pixels(axis) == 0 })
}

func (e *emitter) reduceMean(i *instr, o *op.ReduceMean) error {
	x, y := i.in[0], i.out
	if !ofPixels(o, x, y) {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewGlobalAveragePool(e.g.opt.ISA, x.images(), y.images())
	return e.primitive(i, prim, err, 0, x, y)
}

func (e *emitter) reduceMeanGrad(i *instr, o *op.ReduceMeanGrad) error {
	dy, dx := i.in[0], i.out
	if !ofPixels(&o.ReduceMean, dx, dy) {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewGlobalAveragePoolGrad(e.g.opt.ISA, dy.images(), dx.images())
	return e.primitive(i, prim, err, 0, dy, dx)
}
