package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.Neg]{channels: anywhere, emit: (*emitter).neg})
	register(row[*op.Scale]{channels: anywhere, emit: (*emitter).scale})
	register(row[*op.Affine]{emit: (*emitter).affine})
	register(row[*op.Sub]{channels: anywhere, emit: (*emitter).sub})
	register(row[*op.Div]{channels: anywhere, emit: (*emitter).div})
}

// line is scale*x + shift with values for every channel of x.
type line struct {
	x            *value
	scale, shift func(c int) float32
}

func always(v float32) func(int) float32 { return func(int) float32 { return v } }

// known reads an instruction with two operands as one of an image with values that are known: one for every channel or
// one for all. x is nil where it is none; reversed tells that the values come first.
func (e *emitter) known(i *instr) (x *value, k func(c int) float32, reversed bool) {
	x, v := i.in[0], i.in[1]
	if k = e.values(v, x); k != nil {
		return x, k, false
	}
	if k = e.values(x, v); k != nil {
		return v, k, true
	}
	return nil, nil, false
}

// values gives the values of v by channel of x: a constant with one for each or one for all; nil for others.
func (e *emitter) values(v, x *value) func(c int) float32 {
	switch {
	case v.number != nil:
		return always(*v.number)
	case v.param == nil || e.isTrained(v) || x.Channel < 1:
		return nil
	case len(v.values()) == 1 && v.Shape.Dims() <= x.Shape.Dims():
		return func(int) float32 { return v.values()[0] }
	case perChannelOf(x, v.Shape):
		return func(c int) float32 { return v.values()[c] }
	}
	return nil
}

func (e *emitter) neg(i *instr, o *op.Neg) error {
	return e.lineOr(i, o, line{i.in[0], always(-1), always(0)})
}

func (e *emitter) scale(i *instr, o *op.Scale) error {
	return e.lineOr(i, o, line{i.in[0], always(o.Factor), always(0)})
}

func (e *emitter) affine(i *instr, o *op.Affine) error {
	return e.lineOr(i, o, line{i.in[0], func(c int) float32 { return o.Scale[c] }, func(c int) float32 { return o.Shift[c] }})
}

func (e *emitter) sub(i *instr, o *op.Sub) error {
	x, k, reversed := e.known(i)
	switch {
	case x == nil:
		return e.interpret(i, o)
	case reversed:
		return e.lineOr(i, o, line{x, always(-1), k})
	}
	return e.lineOr(i, o, line{x, always(1), func(c int) float32 { return -k(c) }})
}

// div multiplies by the reciprocal.
func (e *emitter) div(i *instr, o *op.Div) error {
	x, k, reversed := e.known(i)
	if x == nil || reversed {
		return e.interpret(i, o)
	}
	return e.lineOr(i, o, line{x, func(c int) float32 { return 1 / k(c) }, always(0)})
}

// lineOr emits a line, or an interpreted step of values that are no images.
func (e *emitter) lineOr(i *instr, o op.Op, l line) error {
	if !l.fits(i.out) {
		return e.interpret(i, o)
	}
	return e.line(i, l)
}

// fits tells whether y, the result, and x are images of one shape.
func (l line) fits(y *value) bool {
	return l.x != nil && alike(l.x, y)
}

func (e *emitter) line(i *instr, l line) error {
	c := l.x.shape[1]
	vector := func(what string, of func(c int) float32) *value {
		return e.constant(i.node+what, padded(c), func(dst []float32) error {
			for k := range c {
				dst[k] = of(k)
			}
			return nil
		})
	}
	prim, err := kernel.NewAffine(e.g.opt.ISA, l.x.images(), i.out.images(), i.flags())
	return e.primitive(i, prim, err, 0, l.x, vector(" scale", l.scale), vector(" shift", l.shift), i.out)
}
