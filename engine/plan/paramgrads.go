package plan

import (
	"regraft/engine/kernel"
)

func init() {
	register(row[*storeGrad]{emit: (*emitter).storeGrad})
	register(row[*loadGrad]{emit: (*emitter).loadGrad})
}

// The planner's own operators between gradients that lie as parameters do and values like others.
type (
	// storeGrad brings a gradient computed elsewhere into the layout of its parameter.
	storeGrad struct {
		packing packing
		still   []bool // elements that are left out
	}
	// loadGrad makes a value of a gradient in the layout of a parameter, where it is not all of the gradient or that lies in another.
	loadGrad struct{ packing packing }
)

func (*storeGrad) title() string { return "StoreGrad" }
func (*loadGrad) title() string  { return "LoadGrad" }

// gradStore is the primitive of storeGrad. Operands: 0 the gradient as it was computed, 1 the parameter's.
type gradStore struct {
	from   place
	still  []bool
	length int
	pack   func(dst, src []float32)
}

func (*gradStore) Name() string { return "store_gradient" }

// Items is one.
func (*gradStore) Items(int) int { return 1 }

func (s *gradStore) Item(_ *kernel.Worker, _ int, a *kernel.Args) {
	dst := kernel.Floats(a.Operand[1], s.length)
	clear(dst)
	values := s.from.read(a.Operand[0])
	for k, still := range s.still {
		if still {
			values[k] = 0
		}
	}
	s.pack(dst, values)
}

func (e *emitter) storeGrad(i *instr, o *storeGrad) error {
	prim := &gradStore{placeOf(i.in[0]), o.still, o.packing.length, o.packing.pack}
	return e.primitive(i, prim, nil, 0, i.in[0], i.out)
}

// gradLoad is the primitive of loadGrad. Operands: 0 the gradient as it lies, 1 the value.
type gradLoad struct {
	to     place
	length int
	unpack func(dst, src []float32)
}

func (*gradLoad) Name() string { return "load_gradient" }

// Items is one.
func (*gradLoad) Items(int) int { return 1 }

func (l *gradLoad) Item(_ *kernel.Worker, _ int, a *kernel.Args) {
	values := make([]float32, l.to.Shape.TotalSize())
	l.unpack(values, kernel.Floats(a.Operand[0], l.length))
	l.to.write(a.Operand[1], values)
}

func (e *emitter) loadGrad(i *instr, o *loadGrad) error {
	prim := &gradLoad{placeOf(i.out), o.packing.length, o.packing.unpack}
	return e.primitive(i, prim, nil, 1, i.in[0], i.out)
}
