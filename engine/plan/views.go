package plan

import (
	"reflect"
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

// samePixels tells whether images have the same rows of pixels.
func samePixels(a, b *value) bool { return slices.Equal(a.shape[2:], b.shape[2:]) }

// reshaped is a layout of images without a halo with their pixels in other rows.
func reshaped(l kernel.Layout, h, w int) kernel.Layout {
	l.H, l.W, l.Row = h, w, w*l.Pixel
	return l
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

// keeps tells whether i's result lies in memory as its operand does.
func (i *instr) keeps() bool {
	l, ok := lowerings[reflect.TypeOf(i.op)]
	return ok && l.keeps != nil && l.keeps(i)
}

// aliasReshapes lets what leaves values where they are share its operand's memory: Identity and Dropout in inference form, reshapes, and
// transpositions of the channels alone. Where rows of pixels are cut in another way, as of a map that becomes tokens, nobody may want a
// halo around them.
func (g *graph) aliasReshapes() {
	halo := map[*value]bool{}
	for _, i := range g.instrs {
		for k, pixels := range i.choice.halo {
			halo[i.in[k]] = halo[i.in[k]] || pixels > 0
		}
	}
	dead := map[*instr]bool{}
	for _, anew := range []bool{false, true} { // rows are cut anew where it is known who wants a halo
		for _, i := range g.instrs {
			if dead[i] || !g.canAlias(i) {
				continue
			}
			x, y := i.in[0], i.out
			root, _ := x.base()
			if cut := x.form == blocked && !samePixels(x, y); cut != anew || cut && (halo[root] || halo[y]) {
				continue
			}
			y.root, halo[root] = x, halo[root] || halo[y]
			dead[i] = true
		}
	}
	g.remove(dead)
}

// canAlias tells whether i's result could share its operand's memory.
func (g *graph) canAlias(i *instr) bool {
	if len(i.in) == 0 {
		return false
	}
	x := i.in[0]
	return x.param == nil && x != g.values[g.net.Input] && x.form == i.out.form && i.out.root == nil && i.keeps()
}

// shareConcats makes the operands of a channel concatenation views of its result, so that they
// are computed in place. Later concatenations come first: those of a DenseNet block are then
// prefixes of the block's last one.
func (g *graph) shareConcats() {
	makers := g.makers()
	dead := map[*instr]bool{}
	for k := len(g.instrs) - 1; k >= 0; k-- {
		i := g.instrs[k]
		c, ok := i.op.(*op.Concat)
		if !ok || !i.alongChannels(c.Axis) || i.out.form == plain {
			continue
		}
		if g.isPrefix(i) {
			i.out.root, i.out.chan0 = i.in[0].base()
			dead[i] = true
			continue
		}
		if !g.canShare(i, makers) {
			continue
		}
		chan0 := 0
		for _, v := range i.in {
			v.root, v.chan0 = i.out, chan0
			chan0 += channels(v.shape)
		}
		dead[i] = true
	}
	g.remove(dead)
}

// canShare tells whether every operand is written by a step, starts at a block boundary, occurs
// once and is not a view already.
func (g *graph) canShare(i *instr, makers map[*value]*instr) bool {
	seen := map[*value]bool{}
	chan0 := 0
	for _, v := range i.in {
		if v.root != nil || seen[v] || makers[v] == nil || v.form != i.out.form || v.Channel != i.out.Channel || chan0%kernel.Lanes != 0 {
			return false
		}
		seen[v] = true
		chan0 += channels(v.shape)
	}
	return true
}

// isPrefix tells whether the operands lie one behind the other in one root already.
func (g *graph) isPrefix(i *instr) bool {
	root, next := i.in[0].base()
	if root == i.in[0] {
		return false
	}
	for _, v := range i.in {
		r, c := v.base()
		if r != root || c != next || c%kernel.Lanes != 0 {
			return false
		}
		next += channels(v.shape)
	}
	return true
}

// shareSlices makes slices of channels views of their operand where they start at a block boundary. Those that are part of
// a concatenation already (a ShuffleNet's unit passes half of its channels on) are copied there.
func (g *graph) shareSlices() {
	dead := map[*instr]bool{}
	for _, i := range g.instrs {
		s, ok := i.op.(*op.Slice)
		if !ok || i.out.root != nil || len(s.Axes) != 1 || !i.alongChannels(s.Axes[0]) || s.Starts[0] < 0 || s.Starts[0]%kernel.Lanes != 0 || i.out.form == plain ||
			i.in[0].form != i.out.form || i.in[0].Channel != i.out.Channel || i.in[0].param != nil || (len(s.Steps) > 0 && s.Steps[0] != 1) {
			continue
		}
		last := s.Starts[0]+channels(i.out.shape) == channels(i.in[0].shape)
		if !last && channels(i.out.shape)%kernel.Lanes != 0 {
			continue // the lanes past its last channel would not be zero
		}
		i.out.root, i.out.chan0 = i.in[0], s.Starts[0]
		dead[i] = true
	}
	g.remove(dead)
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
		return e.reference(i, o)
	}
	return e.primitive(i, newReordering(placeOf(x), placeOf(y)), nil, 0, x, y)
}
