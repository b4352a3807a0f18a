package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

// activation makes the primitive of an activation on images; nil for other operators.
func (e *emitter) activation(o op.Op, x, y kernel.Layout) (kernel.Primitive, error) {
	isa := e.g.opt.ISA
	switch o := o.(type) {
	case *op.Sigmoid:
		return kernel.NewSigmoid(isa, x, y)
	case *op.SiLU:
		return kernel.NewSiLU(isa, x, y)
	case *op.HardSwish:
		return kernel.NewHardSwish(isa, x, y)
	case *op.Gelu:
		if !o.Tanh {
			return kernel.NewGelu(isa, x, y)
		}
	case *op.HardSigmoid:
		return kernel.NewHardSigmoid(isa, x, y, o.Alpha, o.Beta)
	}
	return nil, nil
}

// activationGrad likewise for gradients, of x and dy.
func (e *emitter) activationGrad(o op.Op, x, dy, dx kernel.Layout) (kernel.Primitive, error) {
	isa := e.g.opt.ISA
	switch o := o.(type) {
	case *op.SigmoidGrad:
		return kernel.NewSigmoidGrad(isa, x, dy, dx)
	case *op.SiLUGrad:
		return kernel.NewSiLUGrad(isa, x, dy, dx)
	case *op.HardSwishGrad:
		return kernel.NewHardSwishGrad(isa, x, dy, dx)
	case *op.GeluGrad:
		if !o.Tanh {
			return kernel.NewGeluGrad(isa, x, dy, dx)
		}
	case *op.HardSigmoidGrad:
		return kernel.NewHardSigmoidGrad(isa, x, dy, dx, o.Alpha, o.Beta)
	}
	return nil, nil
}

// elementwise emits an activation or its gradient; other operators run through their reference.
func (e *emitter) elementwise(i *instr, o op.Op) error {
	if !onImages(i.out) || !onImages(i.in[0]) {
		return e.reference(i, o)
	}
	if prim, err := e.activation(o, i.in[0].images(), i.out.images()); prim != nil || err != nil {
		return e.primitive(i, prim, err, 0, i.in[0], i.out)
	}
	if len(i.in) == 2 && onImages(i.in[1]) {
		if prim, err := e.activationGrad(o, i.in[0].images(), i.in[1].images(), i.out.images()); prim != nil || err != nil {
			return e.primitive(i, prim, err, 0, i.in[0], i.in[1], i.out)
		}
	}
	return e.reference(i, o)
}

// onImages tells whether v lies in blocks of channels.
func onImages(v *value) bool { return v.param == nil && (v.form == blocked || v.form == matrix) }
