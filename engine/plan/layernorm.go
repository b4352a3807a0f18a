package plan

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*pixelNorm]{choice: choice{overwrites: []int{0}}, emit: (*emitter).pixelNorm})
	register(row[*pixelNormGradX]{choice: choice{overwrites: []int{2}}, emit: (*emitter).pixelNormGradX})
	register(row[*pixelNormGradGamma]{emit: (*emitter).pixelNormGradGamma})
}

// The planner's own operators for LayerNorm over the channels of images (N, C, H, W).
type (
	// pixelNorm: x, gamma, beta -> y.
	pixelNorm struct{ epsilon float64 }
	// pixelNormGradX: x, gamma, dy -> dx.
	pixelNormGradX struct{ epsilon float64 }
	// pixelNormGradGamma: x, dy -> dgamma.
	pixelNormGradGamma struct{ epsilon float64 }
)

func (*pixelNorm) title() string          { return "LayerNorm" }
func (*pixelNormGradX) title() string     { return "LayerNormGradX" }
func (*pixelNormGradGamma) title() string { return "LayerNormGradGamma" }

// channelsFirst takes LayerNorms of images whose channels were put last, (N, H, W, C), and their gradients to
// (N, C, H, W): then the Transposes around them move nothing.
func (g *graph) channelsFirst() {
	last := g.channelsLast()
	for _, i := range g.instrs {
		if in, _, first := channelsOf(i); len(in) > 0 && last[in[0]] {
			i.op = first
		}
	}
	for v := range last {
		s := v.shape
		v.shape = tensor.Shape{s[0], s[3], s[1], s[2]}
		v.form = formOf(v.shape)
	}
}

// channelsLast finds the values (N, H, W, C) that only such steps make and read.
func (g *graph) channelsLast() map[*value]bool {
	found := map[*value]bool{}
	for _, i := range g.instrs {
		last, _, _ := channelsOf(i)
		for _, v := range last {
			found[v] = v.param == nil
		}
	}
	for _, o := range g.net.Outputs {
		delete(found, g.value(o.Node))
	}
	for changed := true; changed; {
		changed = false
		for _, i := range g.instrs {
			last, others, _ := channelsOf(i)
			if !slices.ContainsFunc(last, func(v *value) bool { return !found[v] }) &&
				!slices.ContainsFunc(others, func(v *value) bool { return found[v] }) {
				continue
			}
			for _, v := range slices.Concat(last, others) {
				changed = changed || found[v]
				delete(found, v)
			}
		}
	}
	return found
}

// channelsOf lists the operands and results of i that have their channels last, and the others; first is the operator that does
// the same where all have them first. Only steps that channelsFirst rewrites have any of the first kind.
func channelsOf(i *instr) (last, others []*value, first any) {
	if len(i.in) == 0 {
		return nil, []*value{i.out}, nil
	}
	x := i.in[0]
	switch o := i.op.(type) {
	case *op.Transpose:
		switch {
		case slices.Equal(o.Perm, []int{0, 2, 3, 1}):
			return []*value{i.out}, i.in, &op.Identity{}
		case slices.Equal(o.Perm, []int{0, 3, 1, 2}):
			return i.in, []*value{i.out}, &op.Identity{}
		}
	case *op.LayerNorm:
		if len(i.in) == 3 && ofPixels(o, x) {
			return []*value{x, i.out}, nil, &pixelNorm{float64(o.Epsilon)}
		}
	case *op.LayerNormGradX:
		if ofPixels(&o.LayerNorm, x) {
			return []*value{x, i.in[2], i.out}, nil, &pixelNormGradX{float64(o.Epsilon)}
		}
	case *op.LayerNormGradGamma:
		if ofPixels(&o.LayerNorm, x) {
			return i.in, nil, &pixelNormGradGamma{float64(o.Epsilon)}
		}
	case *op.SumTo:
		if s := x.shape; s.Dims() == 4 && i.out.shape.Eq(tensor.Shape{s[3]}) {
			return i.in, nil, &op.ChannelSum{}
		}
	}
	return nil, append(slices.Clone(i.in), i.out), nil
}

// ofPixels tells whether o normalises the last of the four dimensions of x.
func ofPixels(o *op.LayerNorm, x *value) bool {
	return x.shape.Dims() == 4 && (o.Axis == 3 || o.Axis == -1)
}

func (e *emitter) pixelNorm(i *instr, o *pixelNorm) error {
	x, gamma, beta, y := i.in[0], i.in[1], i.in[2], i.out
	prim, err := kernel.NewLayerNorm(x.images(), y.images(), o.epsilon)
	return e.primitive(i, prim, err, 0, x, e.vector(gamma), e.vector(beta), y)
}

func (e *emitter) pixelNormGradX(i *instr, o *pixelNormGradX) error {
	x, gamma, dy, dx := i.in[0], i.in[1], i.in[2], i.out
	prim, err := kernel.NewLayerNormGradX(x.images(), dy.images(), dx.images(), o.epsilon)
	return e.primitive(i, prim, err, 0, x, e.vector(gamma), dy, dx)
}

func (e *emitter) pixelNormGradGamma(i *instr, o *pixelNormGradGamma) error {
	x, dy := i.in[0], i.in[1]
	sums, err := kernel.NewLayerNormGradGamma(x.images(), dy.images(), o.epsilon)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.label, err)
	}
	slots := e.temporary(i.label+" slots", sums.Slots(x.shape[0]))
	e.step(i, sums, 0, []*value{slots}, x, dy, slots)
	return e.primitive(i, kernel.NewLayerNormGradGammaFinish(x.images()), nil, 0, slots, i.out)
}
