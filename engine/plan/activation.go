package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	activation(func(*op.Sigmoid) kernel.Activation { return kernel.Sigmoid() })
	activation(func(*op.SiLU) kernel.Activation { return kernel.SiLU() })
	activation(func(*op.HardSwish) kernel.Activation { return kernel.HardSwish() })
	activation(func(o *op.HardSigmoid) kernel.Activation { return kernel.HardSigmoid(o.Alpha, o.Beta) })
	activation(func(o *op.LeakyRelu) kernel.Activation { return kernel.LeakyReLU(o.Alpha) })
	activation(func(o *op.ThresholdedRelu) kernel.Activation { return kernel.Threshold(o.Alpha) })
	activation(func(o *op.Elu) kernel.Activation { return kernel.Elu(o.Alpha, o.Gamma, o.Rate) })
	activation(func(*op.Softplus) kernel.Activation { return kernel.Softplus() })
	activation(func(*op.Softsign) kernel.Activation { return kernel.Softsign() })
	activation(func(*op.Mish) kernel.Activation { return kernel.Mish() })
	activation(func(o *op.Gelu) kernel.Activation {
		if o.Tanh {
			return kernel.GeluTanh()
		}
		return kernel.Gelu()
	})

	gradient(func(*op.SigmoidGrad) gradMaker { return kernel.NewSigmoidGrad })
	gradient(func(*op.SiLUGrad) gradMaker { return kernel.NewSiLUGrad })
	gradient(func(*op.HardSwishGrad) gradMaker { return kernel.NewHardSwishGrad })
	gradient(func(*op.SoftsignGrad) gradMaker { return kernel.NewSoftsignGrad })
	gradient(func(*op.MishGrad) gradMaker { return kernel.NewMishGrad })
	gradient(func(o *op.GeluGrad) gradMaker {
		if o.Tanh {
			return kernel.NewGeluTanhGrad
		}
		return kernel.NewGeluGrad
	})
	gradient(func(o *op.HardSigmoidGrad) gradMaker {
		return func(isa *kernel.Set, x, dy, dx kernel.Layout) (kernel.Primitive, error) {
			return kernel.NewHardSigmoidGrad(isa, x, dy, dx, o.Alpha, o.Beta)
		}
	})
	gradient(func(o *op.LeakyReluGrad) gradMaker {
		return func(isa *kernel.Set, x, dy, dx kernel.Layout) (kernel.Primitive, error) {
			return kernel.NewLeakyReLUGrad(isa, x, dy, dx, o.Alpha)
		}
	})
	gradient(func(o *op.ThresholdedReluGrad) gradMaker {
		return func(isa *kernel.Set, x, dy, dx kernel.Layout) (kernel.Primitive, error) {
			return kernel.NewThresholdGrad(isa, x, dy, dx, o.Alpha)
		}
	})
	gradient(func(o *op.EluGrad) gradMaker {
		return func(isa *kernel.Set, x, dy, dx kernel.Layout) (kernel.Primitive, error) {
			return kernel.NewEluGrad(isa, x, dy, dx, o.Alpha, o.Gamma, o.Rate)
		}
	})
}

// activation registers an operator that applies a function to every element.
func activation[O op.Op](f func(O) kernel.Activation) {
	register(row[O]{
		channels: anywhere,
		choose: func(_ *graph, _ *instr, o O) choice {
			return choice{activation: new(f(o)), overwrites: []int{0}, remadeFrom: cheapFrom}
		},
		emit: func(e *emitter, i *instr, o O) error {
			if !alike(i.in[0], i.out) {
				return e.interpret(i, o)
			}
			prim, err := kernel.NewActivation(e.g.opt.ISA, *i.choice.activation, i.in[0].images(), i.out.images())
			return e.primitive(i, prim, err, 0, i.in[0], i.out)
		},
	})
}

// gradMaker makes the primitive of an activation's gradient, of x and dy.
type gradMaker func(isa *kernel.Set, x, dy, dx kernel.Layout) (kernel.Primitive, error)

// gradient registers the gradient of an activation, of x and dy.
func gradient[O op.Op](maker func(O) gradMaker) {
	register(row[O]{
		channels: anywhere,
		choice:   choice{overwrites: []int{1}},
		emit: func(e *emitter, i *instr, o O) error {
			x, dy, dx := i.in[0], i.in[1], i.out
			if !alike(x, dy, dx) {
				return e.interpret(i, o)
			}
			prim, err := maker(o)(e.g.opt.ISA, x.images(), dy.images(), dx.images())
			return e.primitive(i, prim, err, 0, x, dy, dx)
		},
	})
}

// followed is prim with the activation behind it.
func (i *instr) followed(prim interface {
	kernel.Primitive
	Followed(kernel.Activation) (kernel.Primitive, error)
}) (kernel.Primitive, error) {
	if i.activation == nil {
		return prim, nil
	}
	return prim.Followed(*i.activation.choice.activation)
}
