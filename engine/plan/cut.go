package plan

import (
	"slices"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

// Concatenations and slices along rows, columns or tokens: the pixels of images. Those along the channels are in concat.go and pick.go.

func init() {
	register(row[*op.SliceGrad]{channels: anywhere, choice: choice{picks: pickSliceGrad}, emit: (*emitter).sliceGrad})
}

// cut is count rows or columns of an image from one on.
type cut struct{ axis, from, count int }

// of is the cut as a layout of its own; axis 2 of images is that of rows, 3 that of columns.
func (c cut) of(l kernel.Layout) kernel.Layout {
	if c.axis == 2 {
		l.Base, l.H = l.Base+c.from*l.Row, c.count
		return l
	}
	l.Base, l.W = l.Base+c.from*l.Pixel, c.count
	return l
}

// concatPixels emits a copy of every operand.
func (e *emitter) concatPixels(i *instr, o *op.Concat) error {
	at, from := i.out.pixels(o.Axis), 0
	if at == 0 || !onImages(i.out) || slices.ContainsFunc(i.in, func(v *value) bool { return !onImages(v) || v.Channel != i.out.Channel }) {
		return e.interpret(i, o)
	}
	for _, v := range i.in {
		x := v.images()
		c := cut{at, from, v.Shape[i.out.axis(o.Axis)]}
		prim, err := kernel.NewCopy(e.g.opt.ISA, x, c.of(i.out.images()))
		if err := e.primitive(i, prim, err, 0, v, i.out); err != nil {
			return err
		}
		from += c.count
	}
	return nil
}

// cutOf reads a slice of whole as a cut of neighbouring pixels.
func cutOf(o *op.Slice, whole, part *value) (c cut, ok bool) {
	if len(o.Axes) != 1 || len(o.Steps) > 0 && o.Steps[0] != 1 || !onImages(whole) || !onImages(part) || part.Channel != whole.Channel {
		return cut{}, false
	}
	at, axis := whole.pixels(o.Axes[0]), whole.axis(o.Axes[0])
	from := o.Starts[0]
	if from < 0 {
		from = max(0, from+whole.Shape[axis])
	}
	return cut{at, from, part.Shape[axis]}, at > 0
}

// tokenOf reads a choice of one token as a cut.
func tokenOf(o *op.Gather, whole, part *value) (c cut, ok bool) {
	at := whole.pixels(o.Axis)
	if at == 0 || len(o.Indices) != 1 || len(o.IndexShape) > 0 || whole.Shape.Dims() != 3 || !onImages(whole) || !onImages(part) ||
		part.shape[1] != whole.shape[1] {
		return cut{}, false
	}
	return cut{at, wrapped(o.Indices[0], whole.Shape[whole.axis(o.Axis)]), 1}, true
}

// cut emits a copy of part of x.
func (e *emitter) cut(i *instr, c cut) error {
	prim, err := kernel.NewCopy(e.g.opt.ISA, c.of(i.in[0].images()), i.out.images())
	return e.primitive(i, prim, err, 0, i.in[0], i.out)
}

// cutGrad emits the gradient of a cut: zeros around dy.
func (e *emitter) cutGrad(i *instr, c cut) error {
	dy, dx := i.in[0], i.out
	l := dx.images()
	zeros := l
	zeros.Row, zeros.Plane, zeros.Image, zeros.Base, zeros.Halo = 0, 0, 0, 0, 0
	prim, err := kernel.NewCopy(e.g.opt.ISA, zeros, l)
	if err := e.primitive(i, prim, err, 0, e.zero(l.W*l.Pixel), dx); err != nil {
		return err
	}
	prim, err = kernel.NewCopy(e.g.opt.ISA, dy.images(), c.of(l))
	return e.primitive(i, prim, err, 0, dy, dx)
}

func (e *emitter) sliceGrad(i *instr, o *op.SliceGrad) error {
	c, ok := cutOf(&o.Slice, i.out, i.in[0])
	if !ok {
		return e.interpret(i, o)
	}
	return e.cutGrad(i, c)
}
