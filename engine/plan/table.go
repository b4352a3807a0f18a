package plan

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.BatchTile]{channels: anywhere, choose: chooseTile, emit: (*emitter).tile})
}

// table is a parameter or a constant with a value for every pixel and every channel, the same for all images, as a transformer's position
// table or class token: one image in memory.
type table struct{ place }

// tableOf reads v as a table that is broadcast to the images x; nil where it is none.
func tableOf(v, x *value) *table {
	if v.param == nil || !onImages(x) || x.Shape.Dims() < 3 {
		return nil
	}
	one := append(tensor.Shape{1}, x.Shape[1:]...)
	if !v.Shape.Eq(one) && !v.Shape.Eq(one[1:]) {
		return nil
	}
	l := kernel.Blocked(x.shape[1], x.shape[2], x.shape[3], 0)
	return &table{place{Type: Type{Shape: one, Channel: x.Channel}, layout: l, packed: true, length: l.Len(1), images: 1}}
}

// packing is the layout of a table that is trained, where it is operand k.
func (t *table) packing(k int) *packing {
	return &packing{
		length:  t.length,
		pack:    func(dst, src []float32) { t.walk(dst, src, func(at, element *float32) { *at = *element }) },
		unpack:  func(dst, src []float32) { t.walk(src, dst, func(at, element *float32) { *element = *at }) },
		operand: k, image: &t.place,
	}
}

// every is the table's layout as that of as many images as one wants, which all are the same.
func (t *table) every() kernel.Layout {
	l := t.layout
	l.Image = 0
	return l
}

// table is where the values of v lie, read as t; nil where they lie in another way since others read them too.
func (e *emitter) table(v *value, t *table) *value {
	if s := e.slots[v.param]; s != nil {
		if s.form == plain {
			return nil
		}
		return s
	}
	return e.constant(v.label, t.length, func(dst []float32) error {
		t.packing(0).pack(dst, v.param.Value)
		return nil
	})
}

// tables drops the packings of tables that not all readers take.
func (g *graph) tables(packings map[*engine.Param]packing) {
	for _, i := range g.instrs {
		for k, v := range i.in {
			image, p := packings[v.param].image, i.choice.packing
			if image == nil {
				continue
			}
			if p == nil || p.operand != k || p.image == nil || p.image.layout != image.layout || p.image.Channel != image.Channel {
				delete(packings, v.param)
			}
		}
	}
}

func chooseTile(_ *graph, i *instr, _ *op.BatchTile) choice {
	if t := tableOf(i.in[0], i.out); t != nil {
		return choice{packing: t.packing(0)}
	}
	return choice{}
}

// tile copies a table for every image.
func (e *emitter) tile(i *instr, o *op.BatchTile) error {
	if t := tableOf(i.in[0], i.out); t != nil {
		if from := e.table(i.in[0], t); from != nil {
			prim, err := kernel.NewCopy(e.g.opt.ISA, t.every(), i.out.images())
			return e.primitive(i, prim, err, 0, from, i.out)
		}
	}
	return e.interpret(i, o)
}

// addTable emits x + table.
func (e *emitter) addTable(i *instr, o *op.Add) error {
	k := i.choice.packing.operand
	x := i.in[1-k]
	t := tableOf(i.in[k], x)
	from := e.table(i.in[k], t)
	if from == nil || !alike(x, i.out) {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewAdd(e.g.opt.ISA, x.images(), t.every(), i.out.images(), i.flags())
	return e.primitive(i, prim, err, 0, x, from, i.out)
}

// sumImages emits the gradient of a table.
func (e *emitter) sumImages(i *instr, o *op.SumTo) error {
	x, y := i.in[0], i.out
	if !alike(x) || !onImages(y) || y.Channel != x.Channel || y.Shape[0] != 1 || !slices.Equal(x.Shape[1:], y.Shape[1:]) {
		return e.interpret(i, o)
	}
	to := kernel.Blocked(x.shape[1], x.shape[2], x.shape[3], 0)
	if root, _ := y.base(); !root.placed { // elsewhere than with the gradients of parameters
		to = y.images()
	}
	prim, err := kernel.NewImageSum(x.images(), to)
	return e.primitive(i, prim, err, 0, x, y)
}
