package plan

import (
	"fmt"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.LayerNorm]{channelsOf: normalisedAxis, choose: chooseLayerNorm, emit: (*emitter).layerNorm})
	register(row[*op.LayerNormGradX]{
		channelsOf: func(o *op.LayerNormGradX) axisRule { return normalisedAxis(&o.LayerNorm) },
		choice:     choice{overwrites: []int{2}}, emit: (*emitter).layerNormGradX,
	})
	register(row[*op.LayerNormGradGamma]{
		channelsOf: func(o *op.LayerNormGradGamma) axisRule { return normalisedAxis(&o.LayerNorm) }, emit: (*emitter).layerNormGradGamma,
	})
}

// normalisedAxis: what is normalised over its last axis has its channels there.
func normalisedAxis(o *op.LayerNorm) axisRule {
	if o.Axis == -1 || o.Axis > 1 {
		return last
	}
	return anywhere
}

// ofChannels tells whether o normalises every pixel of x over its channels.
func ofChannels(o *op.LayerNorm, x *value) bool {
	return onImages(x) && x.channelsLast() && x.axis(o.Axis) == x.Channel
}

func chooseLayerNorm(_ *graph, i *instr, o *op.LayerNorm) choice {
	if !known(i.in[1:]) || !ofChannels(o, i.in[0]) {
		return choice{}
	}
	return choice{overwrites: []int{0}, remadeFrom: cheapFrom}
}

func (e *emitter) layerNorm(i *instr, o *op.LayerNorm) error {
	x, y := i.in[0], i.out
	if !known(i.in[1:]) || !ofChannels(o, x) || !alike(x, y) {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewLayerNorm(e.g.opt.ISA, x.images(), y.images(), float64(o.Epsilon))
	return e.primitive(i, prim, err, 0, x, e.vector(i.in[1]), e.vector(i.in[2]), y)
}

func (e *emitter) layerNormGradX(i *instr, o *op.LayerNormGradX) error {
	x, gamma, dy, dx := i.in[0], i.in[1], i.in[2], i.out
	if !ofChannels(&o.LayerNorm, x) || !alike(x, dy, dx) || gamma.param == nil {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewLayerNormGradX(e.g.opt.ISA, x.images(), dy.images(), dx.images(), float64(o.Epsilon))
	return e.primitive(i, prim, err, 0, x, e.vector(gamma), dy, dx)
}

func (e *emitter) layerNormGradGamma(i *instr, o *op.LayerNormGradGamma) error {
	x, dy := i.in[0], i.in[1]
	if !ofChannels(&o.LayerNorm, x) || !alike(x, dy) {
		return e.interpret(i, o)
	}
	sums, err := kernel.NewLayerNormGradGamma(e.g.opt.ISA, x.images(), dy.images(), float64(o.Epsilon))
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	slots := e.temporary(i.node+" slots", sums.Slots(x.shape[0]))
	e.step(i, sums, 0, []*value{slots}, x, dy, slots)
	return e.primitive(i, kernel.NewLayerNormGradGammaFinish(x.images()), nil, 0, slots, i.out)
}
