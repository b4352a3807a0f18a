package plan

import "slices"

// settleTypes decides along which axis the channels of every value lie: where the step that makes it puts them, or else where those that
// read it want them. Steps for which it makes no difference hand the axis on. Where a reader wants another axis than a value has, a step
// brings it there.
func (g *graph) settleTypes() {
	open := map[*value]bool{}
	for _, i := range g.instrs {
		for _, v := range append(slices.Clone(i.in), i.out) {
			if d := v.Shape.Dims(); v.param == nil && v != g.values[g.net.Input] && (d == 3 || d == 4) {
				open[v] = true
			}
		}
	}
	changed := true
	decide := func(v *value, axis int) {
		if axis != undecided && open[v] {
			delete(open, v)
			v.retype(axis)
			changed = true
		}
	}
	handOn := func(i *instr, from, to *value) {
		if open[to] && !open[from] && from.param == nil && from.Channel > 0 {
			decide(to, carried(i, from, to))
		}
	}
	for changed {
		changed = false
		for _, i := range g.instrs {
			decide(i.out, i.rule().axis(i.out.Shape))
			for _, v := range i.in {
				handOn(i, v, i.out)
			}
		}
		for _, i := range slices.Backward(g.instrs) {
			for _, v := range i.in {
				decide(v, i.rule().axis(v.Shape))
				handOn(i, i.out, v)
				for _, from := range i.in {
					handOn(i, from, v)
				}
			}
		}
	}
	for _, o := range g.net.Outputs {
		if v := g.value(o.Node); open[v] && v.Shape.Dims() == 3 {
			v.retype(1)
		}
	}
	g.untieTables()
	g.reorder()
}
