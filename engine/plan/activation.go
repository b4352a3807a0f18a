package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

// activationOf is the function that an operator applies to every element.
func activationOf(o any) (f kernel.Activation, ok bool) {
	switch o := o.(type) {
	case *op.Sigmoid:
		return kernel.Sigmoid(), true
	case *op.SiLU:
		return kernel.SiLU(), true
	case *op.HardSwish:
		return kernel.HardSwish(), true
	case *op.Gelu:
		return kernel.Gelu(), !o.Tanh
	case *op.HardSigmoid:
		return kernel.HardSigmoid(o.Alpha, o.Beta), true
	}
	return kernel.Activation{}, false
}

// fuseActivations applies activations in the convolution that makes their operand.
func (g *graph) fuseActivations() {
	users, makers := g.users(), g.makers()
	dead := map[*instr]bool{}
	for _, i := range g.instrs {
		if _, ok := activationOf(i.op); !ok {
			continue
		}
		into := makers[i.in[0]]
		if into == nil || len(users[into.out]) != 1 || into.clamp != 0 || into.after != nil || into.onto != nil || !g.takesActivation(into) {
			continue
		}
		into.after = i.op.(op.Op)
		into.out = i.out
		makers[i.out] = into
		dead[i] = true
	}
	g.remove(dead)
}

// takesActivation tells whether the step of i can apply one. Winograd's algorithm and groups cannot.
func (g *graph) takesActivation(i *instr) bool {
	switch o := i.op.(type) {
	case *op.Linear:
		return true
	case *op.Conv:
		return !g.byWinograd(i, o) && (o.Group == 1 || depthwise(o, i.in[0].shape[1], i.in[1].shape))
	}
	return false
}

// followed is prim with the activation behind it.
func (i *instr) followed(prim interface {
	kernel.Primitive
	Followed(kernel.Activation) (kernel.Primitive, error)
}) (kernel.Primitive, error) {
	f, ok := activationOf(i.after)
	if !ok {
		return prim, nil
	}
	return prim.Followed(f)
}

// activationGrad makes the primitive of an activation's gradient, of x and dy; nil for other operators.
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
	if f, ok := activationOf(o); ok {
		prim, err := kernel.NewActivation(e.g.opt.ISA, f, i.in[0].images(), i.out.images())
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
