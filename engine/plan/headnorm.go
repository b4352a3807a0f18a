package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.HeadNorm]{channels: last, choice: choice{overwrites: []int{0}}, emit: (*emitter).headNorm})
	register(row[*op.HeadNormGradX]{channels: last, emit: (*emitter).headNormGradX})
	register(row[*op.HeadNormGradFactor]{channels: anywhere, carries: carriesToTokens, choice: choice{gradient: true}, emit: (*emitter).headNormGradFactor})
}

// normedHeads are the heads of x, and what they are multiplied by.
func normedHeads(o *op.HeadNorm, x *value) (kernel.Heads, kernel.HeadFactor) {
	at := kernel.Heads{Layout: x.images(), First: o.At.First, Step: o.At.Step, Size: o.At.Size}
	return at, kernel.HeadFactor{Exponential: o.Exponential, Most: o.Most}
}

func (e *emitter) headNorm(i *instr, o *op.HeadNorm) error {
	x, y := i.in[0], i.out
	factors, ok := e.rows(i.in[1:])
	if !ok || !onTokens(x) || !onTokens(y) {
		return e.interpret(i, o)
	}
	at, factor := normedHeads(o, x)
	prim, err := kernel.NewHeadNorm(at, o.Heads, factorIf(factors, factor), float64(o.Epsilon), y.images())
	return e.primitive(i, prim, err, 0, append(append([]any{x}, factors...), y)...)
}

// factorIf is the factor, nil where there are no values of it.
func factorIf(values []any, f kernel.HeadFactor) *kernel.HeadFactor {
	if len(values) == 0 {
		return nil
	}
	return &f
}

func (e *emitter) headNormGradX(i *instr, o *op.HeadNormGradX) error {
	last := len(i.in) - 1
	x, dy, dx := i.in[0], i.in[last], i.out
	factors, ok := e.rows(i.in[1:last])
	if !ok || !onTokens(x) || !onTokens(dy) || !onTokens(dx) {
		return e.interpret(i, o)
	}
	at, factor := normedHeads(&o.HeadNorm, x)
	prim, err := kernel.NewHeadNormGradX(at, o.Heads, factorIf(factors, factor), float64(o.Epsilon), dy.images(), dx.images())
	return e.primitive(i, prim, err, 0, append(append([]any{x}, factors...), dy, dx)...)
}

func (e *emitter) headNormGradFactor(i *instr, o *op.HeadNormGradFactor) error {
	x, dy := i.in[0], i.in[2]
	factors, ok := e.rows(i.in[1:2])
	if !ok || !onTokens(x) || !onTokens(dy) || i.out.form != plain {
		return e.interpret(i, o)
	}
	at, factor := normedHeads(&o.HeadNorm, x)
	prim, err := kernel.NewHeadNormGradFactor(at, o.Heads, factor, float64(o.Epsilon), dy.images())
	return e.primitive(i, prim, err, 0, x, factors[0], dy, i.out)
}
