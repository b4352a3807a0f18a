package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

// activation is the function that an elementwise operator applies, or nil.
func activation(o any) func(x float32) float32 {
	switch o := o.(type) {
	case *op.Sigmoid:
		return kernel.Sigmoid
	case *op.SiLU:
		return kernel.SiLU
	case *op.HardSwish:
		return kernel.HardSwish
	case *op.HardSigmoid:
		return func(x float32) float32 { return kernel.HardSigmoid(x, o.Alpha, o.Beta) }
	}
	return nil
}

// activationGrad is the function of x and dy that the gradient of an activation applies, or nil.
func activationGrad(o any) func(x, dy float32) float32 {
	switch o := o.(type) {
	case *op.SigmoidGrad:
		return kernel.SigmoidGrad
	case *op.SiLUGrad:
		return kernel.SiLUGrad
	case *op.HardSwishGrad:
		return kernel.HardSwishGrad
	case *op.HardSigmoidGrad:
		return func(x, dy float32) float32 { return kernel.HardSigmoidGrad(x, dy, o.Alpha, o.Beta) }
	}
	return nil
}

// elementwise emits an activation or its gradient in place of the reference.
func (e *emitter) elementwise(i *instr, o op.Op) error {
	if i.out.form == plain || i.out.form == vector {
		return e.reference(i, o)
	}
	if f := activation(o); f != nil {
		prim, err := kernel.NewMap(o.Name(), i.in[0].images(), i.out.images(), f)
		return e.primitive(i, prim, err, 0, i.in[0], i.out)
	}
	if f := activationGrad(o); f != nil {
		prim, err := kernel.NewMap2(o.Name(), i.in[0].images(), i.in[1].images(), i.out.images(), f)
		return e.primitive(i, prim, err, 0, i.in[0], i.in[1], i.out)
	}
	return e.reference(i, o)
}
