package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

// line is scale*x + shift with values for every channel of x.
type line struct {
	x            *value
	scale, shift func(c int) float32
}

func always(v float32) func(int) float32 { return func(int) float32 { return v } }

// lineOf reads an instruction as arithmetic of images with known values, one for every channel or one for all; x is nil where
// it is none. A division multiplies by the reciprocal.
func (e *emitter) lineOf(i *instr) (l line) {
	switch o := i.op.(type) {
	case *op.Neg:
		return line{i.in[0], always(-1), always(0)}
	case *op.Scale:
		return line{i.in[0], always(o.Factor), always(0)}
	case *op.Affine:
		return line{i.in[0], func(c int) float32 { return o.Scale[c] }, func(c int) float32 { return o.Shift[c] }}
	}
	if len(i.in) != 2 {
		return l
	}
	x, v := i.in[0], i.in[1]
	k, reversed := e.known(v, x), false
	if k == nil {
		x, v = v, x
		k, reversed = e.known(v, x), true
	}
	if k == nil {
		return l
	}
	switch i.op.(type) {
	case *op.Add:
		return line{x, always(1), k}
	case *op.Mul:
		if factorOf(x, v) == noFactor { // others have a kernel of their own
			return line{x, k, always(0)}
		}
	case *op.Sub:
		if reversed {
			return line{x, always(-1), k}
		}
		return line{x, always(1), func(c int) float32 { return -k(c) }}
	case *op.Div:
		if !reversed {
			return line{x, func(c int) float32 { return 1 / k(c) }, always(0)}
		}
	}
	return l
}

// known gives the values of v by channel of x: a constant with one for each or one for all; nil for others.
func (e *emitter) known(v, x *value) func(c int) float32 {
	switch {
	case v.number != nil:
		return always(*v.number)
	case v.param == nil || e.slots[v.param] != nil || x.shape.Dims() < 2:
		return nil
	case len(v.param.Value) == 1 && v.shape.Dims() <= x.shape.Dims():
		return func(int) float32 { return v.param.Value[0] }
	case perChannelOf(x, v.shape):
		return func(c int) float32 { return v.param.Value[c] }
	}
	return nil
}

// arithmetic emits arithmetic with known values; false where i is none.
func (e *emitter) arithmetic(i *instr) (bool, error) {
	l := e.lineOf(i)
	if l.x == nil || !onImages(l.x) || !onImages(i.out) || !l.x.shape.Eq(i.out.shape) {
		return false, nil
	}
	c := l.x.shape[1]
	vector := func(what string, of func(c int) float32) *value {
		return e.constant(i.label+what, padded(c), func(dst []float32) error {
			for k := range c {
				dst[k] = of(k)
			}
			return nil
		})
	}
	prim, err := kernel.NewAffine(e.g.opt.ISA, l.x.images(), i.out.images(), i.flags())
	return true, e.primitive(i, prim, err, 0, l.x, vector(" scale", l.scale), vector(" shift", l.shift), i.out)
}
