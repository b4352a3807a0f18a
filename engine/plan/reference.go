package plan

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

// reference is the step of an operator without a fast form: it unpacks the operands to row-major
// tensors, calls the operator's own Do, and packs the result. Slow, correct, and told by inspect.
type reference struct {
	op     op.Op
	in     []place
	out    place
	number []*float32
}

// place is how an operand of a reference step lies in memory.
type place struct {
	shape  tensor.Shape
	layout kernel.Layout // of blocked and matrix forms
	packed bool
	length int // of the memory that holds it
	images int
	param  []float32 // constant operands come from here
}

func (*reference) Name() string { return "interpreted" }

// Interpreted reports whether the step runs the operator's own Do on row-major tensors, for want of a fast form.
func (s *Step) Interpreted() bool {
	_, ok := s.Prim.(*reference)
	return ok
}

// Items is one: the operator's Do uses threads of its own.
func (*reference) Items(int) int { return 1 }

func (r *reference) Item(_ *kernel.Worker, _ int, a *kernel.Args) {
	values := make([]gorgonia.Value, len(r.in))
	at := 0
	for k, p := range r.in {
		if r.number[k] != nil {
			values[k] = gorgonia.NewF32(*r.number[k])
			continue
		}
		if p.param != nil {
			values[k] = tensor.New(tensor.WithShape(p.shape...), tensor.WithBacking(p.param))
			continue
		}
		values[k] = p.read(a.Operand[at])
		at++
	}
	result, err := r.op.Do(values...)
	if err != nil {
		panic(fmt.Sprintf("plan: %s on shapes that were checked: %v", r.op.Name(), err))
	}
	r.out.write(a.Operand[at], result)
}

// read copies the operand at address to a row-major tensor.
func (p *place) read(address uintptr) gorgonia.Value {
	data := p.values(address)
	if p.shape.Dims() == 0 {
		return gorgonia.NewF32(data[0])
	}
	return tensor.New(tensor.WithShape(p.shape...), tensor.WithBacking(data))
}

// values copies the operand at address to row-major memory.
func (p *place) values(address uintptr) []float32 {
	data := make([]float32, p.shape.TotalSize())
	if p.packed {
		p.layout.Unpack(data, kernel.Floats(address, p.length), p.images)
	} else {
		copy(data, kernel.Floats(address, len(data)))
	}
	return data
}

// write copies a result to address.
func (p *place) write(address uintptr, v gorgonia.Value) {
	data, ok := v.Data().([]float32)
	if !ok {
		data = []float32{v.Data().(float32)}
	}
	if p.packed {
		p.layout.Pack(kernel.Floats(address, p.length), data, p.images)
		return
	}
	copy(kernel.Floats(address, len(data)), data)
}

// reference emits a reference step.
func (e *emitter) reference(i *instr, o op.Op) error {
	r := &reference{op: o, out: placeOf(i.out)}
	var operands []any
	for _, v := range i.in {
		p := placeOf(v)
		if v.param != nil && e.slots[v.param] == nil {
			p.param = v.param.Value
		}
		r.in, r.number = append(r.in, p), append(r.number, v.number)
		switch {
		case v.number != nil || p.param != nil:
		case e.slots[v.param] != nil:
			operands = append(operands, e.slots[v.param])
		default:
			operands = append(operands, v)
		}
	}
	if i.clamp != 0 || i.onto != nil || i.norm != nil || i.after != nil {
		return fmt.Errorf("node %q: nothing can be fused into the reference of %s", i.label, o.Name())
	}
	if len(operands) >= maxOperands {
		return e.concatParts(i, o)
	}
	operands = append(operands, i.out)
	d := e.step(i, r, 0, []*value{i.out}, operands...)
	d.step.Why = "no fast form"
	return nil
}

func placeOf(v *value) place {
	p := place{shape: v.shape, images: 1}
	root, _ := v.base()
	if v.param == nil && (root.form == blocked || root.form == matrix) {
		p.packed, p.layout, p.length, p.images = true, v.images(), root.length, v.shape[0]
	}
	return p
}
