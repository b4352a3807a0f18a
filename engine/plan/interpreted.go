package plan

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

// interpreted is the step of an operator without a fast form: it unpacks the operands to row-major
// tensors, calls the operator's own Do, and packs the result. Slow, correct, and told by inspect.
type interpreted struct {
	op     op.Op
	in     []place
	out    place
	number []*float32
}

func (*interpreted) Name() string { return "interpreted" }

// Interpreted reports whether the step runs the operator's own Do on row-major tensors, for want of a fast form.
func (s *Step) Interpreted() bool {
	_, ok := s.Prim.(*interpreted)
	return ok
}

// Items is one: the operator uses the worker's threads by itself.
func (*interpreted) Items(int) int { return 1 }

func (r *interpreted) Item(w *kernel.Worker, _ int, a *kernel.Args) {
	values := make([]gorgonia.Value, len(r.in))
	at := 0
	for k, p := range r.in {
		if r.number[k] != nil {
			values[k] = gorgonia.NewF32(*r.number[k])
			continue
		}
		if p.param != nil {
			values[k] = tensor.New(tensor.WithShape(p.Shape...), tensor.WithBacking(p.param))
			continue
		}
		values[k] = p.tensor(a.Operand[at])
		at++
	}
	result, err := op.Compute(r.op, w.Threads, values...)
	if err != nil {
		panic(fmt.Sprintf("plan: %s on shapes that were checked: %v", r.op.Name(), err))
	}
	data, ok := result.Data().([]float32)
	if !ok {
		data = []float32{result.Data().(float32)}
	}
	r.out.write(a.Operand[at], data)
}

// tensor copies the operand at address to a row-major tensor.
func (p *place) tensor(address uintptr) gorgonia.Value {
	data := p.read(address)
	if p.Shape.Dims() == 0 {
		return gorgonia.NewF32(data[0])
	}
	return tensor.New(tensor.WithShape(p.Shape...), tensor.WithBacking(data))
}

// interpret emits a step over elements, or an interpreted one where the operator is none of elements.
func (e *emitter) interpret(i *instr, o op.Op) error {
	if i.clamp != 0 || i.sumTo != nil || i.norm != nil || i.activation != nil {
		return fmt.Errorf("node %q: nothing can be fused into the interpreted %s", i.node, o.Name())
	}
	if done, err := e.strided(i, o); done {
		return err
	}
	r := &interpreted{op: o, out: placeOf(i.out)}
	var operands []any
	for _, v := range i.in {
		p := placeOf(v)
		if v.param != nil && !e.isTrained(v) {
			p.param = v.values()
		}
		r.in, r.number = append(r.in, p), append(r.number, v.number)
		switch {
		case v.number != nil || p.param != nil:
		case v.param != nil:
			operands = append(operands, e.trained(v, plainPacking(v.param)))
		default:
			operands = append(operands, v)
		}
	}
	if len(operands) >= maxOperands {
		return e.concatParts(i, o)
	}
	operands = append(operands, i.out)
	d := e.step(i, r, 0, []*value{i.out}, operands...)
	d.step.Why = "no fast form"
	return nil
}
