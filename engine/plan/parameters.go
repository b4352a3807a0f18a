package plan

import "regraft/engine/kernel"

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

// vector is a parameter of one value per channel: trainable or running where it lives, else a constant.
func (e *emitter) vector(v *value) *value {
	if e.isTrained(v) {
		return e.trained(v, plainPacking(v.param))
	}
	return e.constant(v.label, padded(v.shape.TotalSize()), func(dst []float32) error {
		copy(dst, v.values())
		return nil
	})
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
