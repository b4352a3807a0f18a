package plan

import (
	"slices"

	"regraft/engine/kernel"
)

func init() {
	register(row[*moved]{channels: anywhere, emit: (*emitter).moved})
}

// moved emits copies of what lies side by side in the memory of both sides.
func (e *emitter) moved(i *instr, o *moved) error {
	photos := e.p.Batch
	var operand, at, apart []int // of the elements that o.from counts, and what lies between the photos
	for k, x := range i.in {
		offsets, distance := shareOf(x, photos)
		operand = append(operand, slices.Repeat([]int{k}, len(offsets))...)
		at, apart = append(at, offsets...), append(apart, distance)
	}
	to, distance := shareOf(i.out, photos)
	runs := make([]kernel.Run, len(o.from))
	for k, from := range o.from {
		runs[k] = kernel.Run{From: -1, To: to[k], Count: 1}
		if from > 0 {
			runs[k].Operand, runs[k].From = operand[from-1], at[from-1]
		}
	}
	runs = append(runs, paddingOf(i.out, photos)...)
	prim, err := kernel.NewMoves(joined(runs), apart, distance)
	operands := make([]any, 0, len(i.in)+1)
	for _, x := range i.in {
		operands = append(operands, x)
	}
	return e.primitive(i, prim, err, photos, append(operands, i.out)...)
}

// shareOf is where the elements of a photo's share of v lie, in row-major order, and how far the photos are apart.
func shareOf(v *value, photos int) (offsets []int, apart int) {
	rows := v.Shape[0] / photos
	p := placeOf(v)
	if !p.packed {
		size := v.Shape.TotalSize() / photos
		return upTo(size), size
	}
	image := p.offsets()
	for row := range rows {
		for _, at := range image {
			offsets = append(offsets, row*p.layout.Image+at)
		}
	}
	return offsets, rows * p.layout.Image
}

// paddingOf is the lanes past the last channel in a photo's share of v, which are zero.
func paddingOf(v *value, photos int) (runs []kernel.Run) {
	p := placeOf(v)
	l := p.layout
	used := l.C % kernel.Lanes
	if !p.packed || used == 0 || l.Pixel != kernel.Lanes {
		return nil
	}
	for row := range v.Shape[0] / photos {
		for y := range l.H {
			for x := range l.W {
				at := row*l.Image + l.Base + (l.Blocks()-1)*l.Plane + y*l.Row + x*l.Pixel + used
				runs = append(runs, kernel.Run{From: -1, To: at, Count: kernel.Lanes - used})
			}
		}
	}
	return runs
}

// joined sorts runs by where they go, and makes one of those that go on with one another.
func joined(runs []kernel.Run) []kernel.Run {
	slices.SortFunc(runs, func(a, b kernel.Run) int { return a.To - b.To })
	whole := runs[:1]
	for _, r := range runs[1:] {
		last := &whole[len(whole)-1]
		follows := r.Operand == last.Operand && (r.From == last.From+last.Count && last.From >= 0 || r.From < 0 && last.From < 0)
		if follows && r.To == last.To+last.Count {
			last.Count += r.Count
			continue
		}
		whole = append(whole, r)
	}
	return slices.Clone(whole)
}
