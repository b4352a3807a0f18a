package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

// aliasReshapes lets reshapes between (N,C,1,1) and (N,C), and Identity and Dropout in inference
// form, share their operand's memory.
func (g *graph) aliasReshapes() {
	dead := map[*instr]bool{}
	for _, i := range g.instrs {
		switch i.op.(type) {
		case *op.Identity, *op.Dropout:
		case *op.Flatten, *op.Reshape, *op.Squeeze, *op.Unsqueeze:
			if i.in[0].form != matrix || i.out.form != matrix || i.in[0].shape[1] != i.out.shape[1] {
				continue
			}
		default:
			continue
		}
		if i.in[0].param != nil || i.in[0] == g.values[g.net.Input] {
			continue
		}
		i.out.root = i.in[0]
		dead[i] = true
	}
	g.remove(dead)
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
		if !ok || c.Axis != 1 || i.out.form == plain {
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
		if v.root != nil || seen[v] || makers[v] == nil || v.form != i.out.form || chan0%kernel.Lanes != 0 {
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
		if !ok || i.out.root != nil || len(s.Axes) != 1 || s.Axes[0] != 1 || s.Starts[0] < 0 || s.Starts[0]%kernel.Lanes != 0 || i.out.form == plain ||
			i.in[0].form != i.out.form || i.in[0].param != nil || (len(s.Steps) > 0 && s.Steps[0] != 1) {
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
