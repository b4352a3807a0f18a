package plan

import (
	"regraft/engine/kernel"
)

func init() {
	register(row[*storeGrad]{emit: (*emitter).storeGrad})
}

// storeGrad is the planner's own operator that brings a gradient computed elsewhere into the layout of its parameter.
type storeGrad struct{ packing packing }

func (*storeGrad) title() string { return "StoreGrad" }

// gradStore is the primitive of storeGrad. Operands: 0 the gradient as it was computed, 1 the parameter's.
type gradStore struct {
	from   place
	length int
	pack   func(dst, src []float32)
}

func (*gradStore) Name() string { return "store_gradient" }

// Items is one.
func (*gradStore) Items(int) int { return 1 }

func (s *gradStore) Item(_ *kernel.Worker, _ int, a *kernel.Args) {
	dst := kernel.Floats(a.Operand[1], s.length)
	clear(dst)
	s.pack(dst, s.from.read(a.Operand[0]))
}

func (e *emitter) storeGrad(i *instr, o *storeGrad) error {
	prim := &gradStore{placeOf(i.in[0]), o.packing.length, o.packing.pack}
	return e.primitive(i, prim, nil, 0, i.in[0], i.out)
}
