package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.DropoutTrain]{emit: (*emitter).dropout})
}

// dropout is the step of op.DropoutTrain. Operands: 0 X, 1 the key of the step (4 floats), 2 Y. Item: one image.
type dropout struct {
	masks op.DropoutMasks
	x, y  kernel.Layout
}

// dropout emits a DropoutTrain, of dy as of x.
func (e *emitter) dropout(i *instr, o *op.DropoutTrain) error {
	x, y := i.in[0], i.out
	if x.form == plain || x.form == vector || y.form != x.form || x.param != nil {
		return e.reference(i, o)
	}
	d := &dropout{masks: op.NewDropoutMasks(o.Ratio, o.ID), x: x.images(), y: y.images()}
	return e.primitive(i, d, nil, 0, x, i.in[1], y)
}

func (*dropout) Name() string         { return "dropout_f32_go" }
func (*dropout) Items(images int) int { return images }

// Scratch holds the mask of an image.
func (d *dropout) Scratch() int { return d.x.C * d.x.H * d.x.W }

func (d *dropout) Item(w *kernel.Worker, image int, a *kernel.Args) {
	key := op.JoinKey([4]float32(kernel.Floats(a.Operand[1], 4)))
	mask := w.Scratch[:d.Scratch()]
	d.masks.Fill(mask, key, image)
	x := kernel.Floats(a.Operand[0]+uintptr(4*image*d.x.Image), d.x.Base+d.x.Blocks()*d.x.Plane)
	y := kernel.Floats(a.Operand[2]+uintptr(4*image*d.y.Image), d.y.Base+d.y.Blocks()*d.y.Plane)
	plane := d.x.H * d.x.W
	for c := range d.x.C {
		block, lane := c/kernel.Lanes, c%kernel.Lanes
		for p := range plane {
			row, column := p/d.x.W, p%d.x.W
			from := d.x.Base + block*d.x.Plane + row*d.x.Row + column*d.x.Pixel + lane
			to := d.y.Base + block*d.y.Plane + row*d.y.Row + column*d.y.Pixel + lane
			y[to] = x[from] * mask[c*plane+p]
		}
	}
	d.clearPadding(y)
}

// clearPadding zeroes the lanes past the last channel.
func (d *dropout) clearPadding(y []float32) {
	used := d.y.C % kernel.Lanes
	if used == 0 {
		return
	}
	last := d.y.Base + (d.y.Blocks()-1)*d.y.Plane
	for row := range d.y.H {
		for column := range d.y.W {
			at := last + row*d.y.Row + column*d.y.Pixel
			clear(y[at+used : at+kernel.Lanes])
		}
	}
}
