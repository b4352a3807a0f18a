package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

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
