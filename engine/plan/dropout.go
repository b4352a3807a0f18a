package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.DropoutTrain]{channels: anywhere, emit: (*emitter).dropout})
}

// dropout is the step of op.DropoutTrain. Operands: 0 X, 1 the key of the step (4 floats), 2 Y. Item: one image.
type dropout struct {
	masks    op.DropoutMasks
	x, y     place
	from, to []int // of the elements of an image
}

func newDropout(o *op.DropoutTrain, x, y place) *dropout {
	return &dropout{o.Masks(), x, y, x.offsets(), y.offsets()}
}

// dropout emits a DropoutTrain, of dy as of x.
func (e *emitter) dropout(i *instr, o *op.DropoutTrain) error {
	x, y := i.in[0], i.out
	if !alike(x, y) {
		return e.interpret(i, o)
	}
	return e.primitive(i, newDropout(o, placeOf(x), placeOf(y)), nil, 0, x, i.in[1], y)
}

func (*dropout) Name() string         { return "dropout_f32_go" }
func (*dropout) Items(images int) int { return images }

// Scratch holds the mask of an image.
func (d *dropout) Scratch() int { return len(d.from) }

func (d *dropout) Item(w *kernel.Worker, image int, a *kernel.Args) {
	key := op.JoinKey([4]float32(kernel.Floats(a.Operand[1], 4)))
	mask := w.Scratch[:d.Scratch()]
	d.masks.Fill(mask, key, image)
	x, y := d.x.image(a.Operand[0], image), d.y.image(a.Operand[2], image)
	for k, v := range mask {
		y[d.to[k]] = x[d.from[k]] * v
	}
	d.y.clearPadding(y)
}
