package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.Gather]{channels: anywhere, choice: choice{picks: pickGather}, emit: (*emitter).gather})
	register(row[*op.GatherGrad]{channels: anywhere, choice: choice{picks: pickGatherGrad}, emit: (*emitter).gatherGrad})
}

// gather emits a choice of rows or columns of images.
func (e *emitter) gather(i *instr, o *op.Gather) error {
	x, y := i.in[0], i.out
	if c, ok := tokenOf(o, x, y); ok {
		return e.cut(i, c)
	}
	rows, cols, ok := gathered(o, x, y)
	if !ok {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewGather(x.images(), y.images(), rows, cols)
	return e.primitive(i, prim, err, 0, x, y)
}

func (e *emitter) gatherGrad(i *instr, o *op.GatherGrad) error {
	dy, dx := i.in[0], i.out
	if c, ok := tokenOf(&o.Gather, dx, dy); ok {
		return e.cutGrad(i, c)
	}
	rows, cols, ok := gathered(&o.Gather, dx, dy)
	if !ok {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewGatherGrad(dy.images(), dx.images(), rows, cols)
	return e.primitive(i, prim, err, 0, dy, dx)
}

// gathered lists the rows and columns of whole that part has, where the operator picks such.
func gathered(o *op.Gather, whole, part *value) (rows, cols []int, ok bool) {
	axis := whole.pixels(o.Axis)
	if axis == 0 || whole.param != nil || whole.form != blocked || !onImages(part) || part.shape.Dims() != 4 || part.Channel != whole.Channel {
		return nil, nil, false
	}
	picked := make([]int, len(o.Indices))
	for k, index := range o.Indices {
		picked[k] = wrapped(index, whole.shape[axis])
	}
	switch axis {
	case 2:
		return picked, upTo(whole.shape[3]), true
	case 3:
		return upTo(whole.shape[2]), picked, true
	}
	return nil, nil, false
}

// upTo is 0, 1, ..., n-1.
func upTo(n int) []int {
	all := make([]int, n)
	for k := range all {
		all[k] = k
	}
	return all
}
