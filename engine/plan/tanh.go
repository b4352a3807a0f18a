package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.Tanh]{channels: anywhere, choice: choice{overwrites: []int{0}}, emit: (*emitter).tanh})
	register(row[*op.TanhGrad]{channels: anywhere, choice: choice{overwrites: []int{1}}, emit: (*emitter).tanhGrad})
}

// tanh emits a hyperbolic tangent, in plain Go: networks of today have it behind one token.
func (e *emitter) tanh(i *instr, o *op.Tanh) error {
	if !alike(i.in[0], i.out) {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewMap("tanh", i.in[0].images(), i.out.images(), func(x float32) float32 { return float32(kernel.Tanh(float64(x))) })
	return e.primitive(i, prim, err, 0, i.in[0], i.out)
}

// tanhGrad emits dy (1 - y y), of the result y.
func (e *emitter) tanhGrad(i *instr, o *op.TanhGrad) error {
	y, dy, dx := i.in[0], i.in[1], i.out
	if !alike(y, dy, dx) {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewZip("tanhgrad", y.images(), dy.images(), dx.images(), func(y, dy float32) float32 {
		return float32(float64(dy) * (1 - float64(float64(y)*float64(y))))
	})
	return e.primitive(i, prim, err, 0, y, dy, dx)
}
