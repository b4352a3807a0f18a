package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.Rotary]{channels: last, choice: choice{overwrites: []int{0}}, emit: (*emitter).rotary})
}

func (e *emitter) rotary(i *instr, o *op.Rotary) error {
	x, y := i.in[0], i.out
	for _, table := range i.in[1:] {
		if table.param == nil || e.isTrained(table) {
			return e.interpret(i, o)
		}
	}
	if !onTokens(x) || !onTokens(y) {
		return e.interpret(i, o)
	}
	at := kernel.Heads{Layout: x.images(), First: o.At.First, Step: o.At.Step, Size: o.At.Size}
	prim, err := kernel.NewRotary(at, o.Heads, o.Pairs, o.Back, y.images())
	return e.primitive(i, prim, err, 0, x, e.vector(i.in[1]), e.vector(i.in[2]), y)
}
