package plan

import (
	"regraft/engine"
	"regraft/engine/kernel"
)

// packing is how a parameter's plain values lie in memory.
type packing struct {
	// key is the same in packings that are the same; nil for plainPacking.
	key          any
	length       int
	pack, unpack func(dst, src []float32)
	// operand is which one of the step's operands lies so.
	operand int
}

// plainPacking pads vectors to whole blocks and leaves everything else row-major.
func plainPacking(p *engine.Param) packing {
	n := p.Shape.TotalSize()
	cp := func(dst, src []float32) { copy(dst[:n], src[:n]) }
	return packing{length: padded(n), pack: cp, unpack: cp}
}

// home is where a parameter that training changes lives, and how it lies there.
type home struct {
	value   *value
	packing packing
}

// isTrained tells whether v is a parameter that training changes.
func (e *emitter) isTrained(v *value) bool { return v.param != nil && e.homes[v.param].value != nil }

// trained is where the values of v, a parameter that training changes, lie as p: at its home, or where a step packs them anew.
func (e *emitter) trained(v *value, p packing) *value {
	from := e.homes[v.param]
	if from.packing.key == p.key {
		return from.value
	}
	packed := e.temporary(v.label+" packed", p.length)
	prim := &repack{size: v.Shape.TotalSize(), from: from.packing, to: p}
	e.step(&instr{node: v.label, op: planned("Repack")}, prim, 1, []*value{packed}, from.value, packed)
	return packed
}

// repack packs a parameter in another way. Operands: 0 the parameter, 1 the result.
type repack struct {
	size     int
	from, to packing
}

func (*repack) Name() string { return "repack" }

// Items is one.
func (*repack) Items(int) int { return 1 }

func (r *repack) Item(_ *kernel.Worker, _ int, a *kernel.Args) {
	values, dst := make([]float32, r.size), kernel.Floats(a.Operand[1], r.to.length)
	r.from.unpack(values, kernel.Floats(a.Operand[0], r.from.length))
	clear(dst)
	r.to.pack(dst, values)
}
