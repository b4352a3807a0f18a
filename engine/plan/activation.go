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
	case *op.LeakyRelu:
		return kernel.LeakyReLU(o.Alpha), true
	case *op.ThresholdedRelu:
		return kernel.Threshold(o.Alpha), true
	case *op.Elu:
		return kernel.Elu(o.Alpha, o.Gamma, o.Rate), true
	case *op.Softplus:
		return kernel.Softplus(), true
	case *op.Softsign:
		return kernel.Softsign(), true
	case *op.Mish:
		return kernel.Mish(), true
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

// gradMaker makes the primitive of an activation's gradient, of x and dy.
type gradMaker func(isa kernel.ISA, x, dy, dx kernel.Layout) (kernel.Primitive, error)

// activationGradOf makes primitives of the gradient that an operator is; nil for other operators.
func activationGradOf(o any) gradMaker {
	switch o := o.(type) {
	case *op.SigmoidGrad:
		return kernel.NewSigmoidGrad
	case *op.SiLUGrad:
		return kernel.NewSiLUGrad
	case *op.HardSwishGrad:
		return kernel.NewHardSwishGrad
	case *op.GeluGrad:
		if !o.Tanh {
			return kernel.NewGeluGrad
		}
	case *op.SoftsignGrad:
		return kernel.NewSoftsignGrad
	case *op.MishGrad:
		return kernel.NewMishGrad
	case *op.HardSigmoidGrad:
		return func(isa kernel.ISA, x, dy, dx kernel.Layout) (kernel.Primitive, error) {
			return kernel.NewHardSigmoidGrad(isa, x, dy, dx, o.Alpha, o.Beta)
		}
	case *op.LeakyReluGrad:
		return func(isa kernel.ISA, x, dy, dx kernel.Layout) (kernel.Primitive, error) {
			return kernel.NewLeakyReLUGrad(isa, x, dy, dx, o.Alpha)
		}
	case *op.ThresholdedReluGrad:
		return func(isa kernel.ISA, x, dy, dx kernel.Layout) (kernel.Primitive, error) {
			return kernel.NewThresholdGrad(isa, x, dy, dx, o.Alpha)
		}
	case *op.EluGrad:
		return func(isa kernel.ISA, x, dy, dx kernel.Layout) (kernel.Primitive, error) {
			return kernel.NewEluGrad(isa, x, dy, dx, o.Alpha, o.Gamma, o.Rate)
		}
	}
	return nil
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
	if grad := activationGradOf(o); grad != nil && onImages(i.in[1]) {
		prim, err := grad(e.g.opt.ISA, i.in[0].images(), i.in[1].images(), i.out.images())
		return e.primitive(i, prim, err, 0, i.in[0], i.in[1], i.out)
	}
	return e.reference(i, o)
}

// onImages tells whether v lies in blocks of channels.
func onImages(v *value) bool { return v.param == nil && (v.form == blocked || v.form == matrix) }
