package plan

import (
	"slices"

	"gorgonia.org/tensor"

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
	if v.param == nil {
		return nil
	}
	return broadcast(v.Shape, x)
}

// broadcast reads a shape as that of a table; nil where it is none.
func broadcast(shape tensor.Shape, x *value) *table {
	if !onImages(x) || x.Shape.Dims() < 3 {
		return nil
	}
	one := append(tensor.Shape{1}, x.Shape[1:]...)
	if !slices.Equal(shape, one) && !slices.Equal(shape, one[1:]) { // Eq takes (C) for (1, C)
		return nil
	}
	l := kernel.Blocked(x.shape[1], x.shape[2], x.shape[3], 0)
	return &table{place{Type: Type{Shape: one, Channel: x.Channel}, layout: l, packed: true, length: l.Len(1), images: 1}}
}

// packing is the layout of a table that is trained, where it is operand k.
func (t *table) packing(k int) *packing {
	return &packing{
		key:     tableKey{t.layout, t.Channel},
		length:  t.length,
		pack:    func(dst, src []float32) { t.walk(dst, src, func(at, element *float32) { *at = *element }) },
		unpack:  func(dst, src []float32) { t.walk(src, dst, func(at, element *float32) { *element = *at }) },
		operand: k,
	}
}

// every is the table's layout as that of as many images as one wants, which all are the same.
func (t *table) every() kernel.Layout {
	l := t.layout
	l.Image = 0
	return l
}

// tableKey tells the packings of tables apart.
type tableKey struct {
	layout  kernel.Layout
	channel int
}

// table is the values of v, packed as t.
func (e *emitter) table(v *value, t *table) *value {
	if e.isTrained(v) {
		return e.trained(v, *t.packing(0))
	}
	return e.constant(v.label, t.length, func(dst []float32) error {
		t.packing(0).pack(dst, v.values())
		return nil
	})
}

func chooseTile(_ *graph, i *instr, _ *op.BatchTile) choice {
	if t := tableOf(i.in[0], i.out); t != nil {
		return choice{packing: t.packing(0)}
	}
	return choice{}
}

// untieTables: a step that copies a table does not read the images, of which only the number matters: they may lie as others want them.
func (g *graph) untieTables() {
	for _, i := range g.instrs {
		if _, tile := i.op.(*op.BatchTile); tile && tableOf(i.in[0], i.out) != nil {
			i.in = i.in[:1]
		}
	}
}

// tile copies a table for every image.
func (e *emitter) tile(i *instr, o *op.BatchTile) error {
	t := tableOf(i.in[0], i.out)
	if t == nil {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewCopy(e.g.opt.ISA, t.every(), i.out.images())
	return e.primitive(i, prim, err, 0, e.table(i.in[0], t), i.out)
}

// addTable emits x + table.
func (e *emitter) addTable(i *instr, o *op.Add) error {
	k := i.choice.packing.operand
	x := i.in[1-k]
	if !alike(x, i.out) {
		return e.interpret(i, o)
	}
	t := tableOf(i.in[k], x)
	prim, err := kernel.NewAdd(e.g.opt.ISA, x.images(), t.every(), i.out.images(), i.flags())
	return e.primitive(i, prim, err, 0, x, e.table(i.in[k], t), i.out)
}

// sumImages emits the gradient of a table.
func (e *emitter) sumImages(i *instr, t *table) error {
	prim, err := kernel.NewImageSum(i.in[0].images(), t.layout)
	return e.primitive(i, prim, err, 0, i.in[0], i.out)
}
