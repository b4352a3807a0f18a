package plan

import (
	"slices"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.Identity]{channels: anywhere, keeps: sameType, emit: move[*op.Identity]})
	register(row[*op.Dropout]{channels: anywhere, keeps: sameType, emit: move[*op.Dropout]})
	register(row[*op.Reshape]{
		channels: anywhere, choice: choice{moves: true, picks: pickShuffle}, carries: carriesReshaped, keeps: keepsReshaped, emit: (*emitter).reshape,
	})
	register(row[*op.Flatten]{channels: anywhere, carries: carriesReshaped, keeps: keepsReshaped, emit: (*emitter).flatten})
	register(row[*op.Squeeze]{channels: anywhere, carries: carriesReshaped, keeps: keepsReshaped, emit: move[*op.Squeeze]})
	register(row[*op.Unsqueeze]{channels: anywhere, carries: carriesReshaped, keeps: keepsReshaped, emit: move[*op.Unsqueeze]})
	register(row[*op.Transpose]{channels: anywhere, choice: choice{moves: true}, carries: carriesTransposed, keeps: keepsTransposed, emit: move[*op.Transpose]})
}

func sameType(i *instr) bool {
	return i.in[0].Channel == i.out.Channel && i.in[0].Shape.Eq(i.out.Shape)
}

// carriesReshaped: channels stay what they are where the result has that dimension at the same end.
func carriesReshaped(_ *instr, from, to *value) int {
	a, b := from.Shape, to.Shape
	switch {
	case a[0] != b[0]:
	case from.channelsLast() && a[from.Channel] == b[b.Dims()-1]:
		return b.Dims() - 1
	case from.Channel == 1 && a[1] == b[1]:
		return 1
	}
	return undecided
}

// keepsReshaped: the order of the elements is as before, so images of as many pixels and channels lie in the same way, if the
// channels are at the same end.
func keepsReshaped(i *instr) bool {
	x, y := i.in[0], i.out
	if !onImages(x) || !onImages(y) || x.shape[0] != y.shape[0] || x.shape[1] != y.shape[1] {
		return false
	}
	return pixels(x) == 1 || x.channelsLast() && y.channelsLast() || x.Channel == 1 && y.Channel == 1
}

// pixels is the number of pixels of an image.
func pixels(v *value) int {
	count := 1
	for _, size := range v.shape[2:] {
		count *= size
	}
	return count
}

func carriesTransposed(i *instr, from, to *value) int {
	perm := i.op.(*op.Transpose).Perm
	switch {
	case len(perm) != from.Shape.Dims() || perm[0] != 0:
		return undecided
	case to == i.out:
		return slices.Index(perm, from.Channel)
	}
	return perm[from.Channel]
}

// keepsTransposed: only the channels change their place among the axes, or others of size 1.
func keepsTransposed(i *instr) bool {
	x, y, perm := i.in[0], i.out, i.op.(*op.Transpose).Perm
	if !onImages(x) || !onImages(y) || len(perm) != x.Shape.Dims() || perm[0] != 0 || perm[y.Channel] != x.Channel {
		return false
	}
	before := 0
	for k, axis := range perm {
		if k == y.Channel || x.Shape[axis] == 1 {
			continue
		}
		if axis < before {
			return false
		}
		before = axis
	}
	return true
}

// move copies what could not share its operand's memory, and elements that keep their order while channels change.
func move[O op.Op](e *emitter, i *instr, o O) error {
	x, y := i.in[0], i.out
	if i.keeps() && onImages(x) {
		from, to := x.images(), y.images()
		switch {
		case from.Halo == 0:
			from = reshaped(from, to.H, to.W)
		case to.Halo == 0:
			to = reshaped(to, from.H, from.W)
		}
		if from.H == to.H && from.W == to.W {
			prim, err := kernel.NewCopy(e.g.opt.ISA, from, to)
			return e.primitive(i, prim, err, 0, x, y)
		}
	}
	if _, transposed := any(o).(*op.Transpose); transposed || !onImages(x) || !onImages(y) || x.shape[0] != y.shape[0] {
		return e.interpret(i, o)
	}
	return e.primitive(i, newReordering(placeOf(x), placeOf(y)), nil, 0, x, y)
}

// flatten emits (N,C,H,W) -> (N, C*H*W).
func (e *emitter) flatten(i *instr, o *op.Flatten) error {
	if i.in[0].form != blocked || i.in[0].Channel != 1 || i.out.form != matrix || o.Axis != 1 {
		return move(e, i, o)
	}
	prim, err := kernel.NewFlatten(i.in[0].images(), i.out.matrix())
	return e.primitive(i, prim, err, 0, i.in[0], i.out)
}

// reshape emits (N, C*H*W) -> (N,C,H,W), the gradient of flatten.
func (e *emitter) reshape(i *instr, o *op.Reshape) error {
	if x, y := i.in[0], i.out; x.form != matrix || x.Shape.Dims() != 2 || y.form != blocked || y.Channel != 1 || x.shape[0] != y.shape[0] {
		return move(e, i, o)
	}
	prim, err := kernel.NewFlattenGrad(i.in[0].matrix(), i.out.images())
	return e.primitive(i, prim, err, 0, i.in[0], i.out)
}
