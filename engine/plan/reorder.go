package plan

import (
	"slices"

	"regraft/engine"
	"regraft/engine/kernel"
)

func init() {
	register(row[*reorder]{channels: anywhere, emit: (*emitter).reorder})
}

// reorder brings values into another type of the same shape.
type reorder struct{}

func (*reorder) title() string { return "Reorder" }

// reorder puts steps where readers want the channels along another axis than the value has them, and behind outputs of the network,
// which are (N, C, H, W) or (N, C, W).
func (g *graph) reorder() {
	var instrs []*instr
	put := func(from, to *value, backward bool) {
		instrs = append(instrs, &instr{node: from.label, op: &reorder{}, in: []*value{from}, out: to, backward: backward})
	}
	for _, i := range g.instrs {
		for k, v := range i.in {
			if axis := i.rule().axis(v.Shape); v.param == nil && axis >= 0 && v.Channel >= 0 && axis != v.Channel {
				i.in[k] = newValue(v.label, v.Shape)
				i.in[k].retype(axis)
				put(v, i.in[k], i.backward)
			}
		}
		instrs = append(instrs, i)
		if g.isOutput(i.out) && i.out.Channel > 1 {
			inner := i.out.like(i.out.label)
			for _, reader := range g.instrs {
				for k, v := range reader.in {
					if v == i.out {
						reader.in[k] = inner
					}
				}
			}
			i.out.retype(1)
			outer := i.out
			i.out = inner
			put(inner, outer, false)
		}
	}
	g.instrs = instrs
}

func (g *graph) isOutput(v *value) bool {
	return slices.ContainsFunc(g.net.Outputs, func(o engine.Output) bool { return g.value(o.Node) == v })
}

func (e *emitter) reorder(i *instr, _ *reorder) error {
	x, y := i.in[0], i.out
	return e.primitive(i, newReordering(placeOf(x), placeOf(y)), nil, 0, x, y)
}

// reordering copies elements in their row-major order between two types. Operands: 0 X, 1 Y. Item: one image.
type reordering struct {
	x, y     place
	from, to []int // of the elements of an image
}

func newReordering(x, y place) *reordering { return &reordering{x, y, x.offsets(), y.offsets()} }

func (*reordering) Name() string         { return "reorder" }
func (*reordering) Items(images int) int { return images }

func (r *reordering) Item(_ *kernel.Worker, image int, a *kernel.Args) {
	x, y := r.x.image(a.Operand[0], image), r.y.image(a.Operand[1], image)
	for k, at := range r.from {
		y[r.to[k]] = x[at]
	}
	r.y.clearPadding(y)
}
