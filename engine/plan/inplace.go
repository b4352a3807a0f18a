package plan

import "regraft/engine/op"

// order knows when values are read.
type order struct {
	at    map[*instr]int
	reads map[*value][]int // by root
}

func (g *graph) order() *order {
	o := &order{at: map[*instr]int{}, reads: map[*value][]int{}}
	for k, i := range g.instrs {
		o.at[i] = k
		for _, v := range i.in {
			root, _ := v.base()
			o.reads[root] = append(o.reads[root], k)
		}
	}
	return o
}

// free tells whether v's memory may be overwritten by instruction `at`, which is the last to read
// it: v is no parameter or input, and nothing that shares its channels is read later but by the instruction `but`.
func (g *graph) free(o *order, v *value, at int, but *instr) bool {
	root, _ := v.base()
	if v.param != nil || root.param != nil || v.number != nil || root.placed {
		return false
	}
	for _, k := range o.reads[root] {
		if i := g.instrs[k]; k > at && i != but && i.overlaps(v) {
			return false
		}
	}
	for _, out := range g.net.Outputs {
		if r, _ := g.value(out.Node).base(); r == root {
			return false
		}
	}
	return true
}

// overlaps tells whether i reads channels of v.
func (i *instr) overlaps(v *value) bool {
	root, chan0 := v.base()
	for _, in := range i.in {
		if r, c := in.base(); r == root && c < chan0+channels(v.shape) && chan0 < c+channels(in.shape) {
			return true
		}
	}
	return false
}

// accumulate lets a convolution add its result to the other operand of the addition behind it, in
// place: residual connections in inference, and the sums of gradients in training.
func (g *graph) accumulate() {
	for g.accumulateOne() {
	}
}

// accumulateOne does away with the first addition that can be made in place.
func (g *graph) accumulateOne() bool {
	users, makers, o := g.users(), g.makers(), g.order()
	for _, i := range g.instrs {
		if _, ok := i.op.(*op.Add); !ok || !sameBlocked(i) || i.in[0] == i.in[1] || i.out.root != nil {
			continue // a sum that is part of a concatenation has its place there
		}
		for k := range i.in {
			a, b := i.in[1-k], i.in[k]
			first, last := firstOfSum(b, makers), makers[b]
			if first == nil || first.clamp != 0 || first.out.root != nil || !first.choice.accumulates || a.form != b.form || a.form != i.out.form || len(users[b]) != 1 {
				continue
			}
			if first.overlaps(a) { // x + conv(x): neighbours of what is written are still to be read
				continue
			}
			if m := makers[a]; m == nil || o.at[m] > o.at[first] || !g.free(o, a, o.at[first], i) {
				continue
			}
			if i.clamp != 0 && (last.clamp != 0 || last.choice.clamps&i.clamp == 0) {
				continue
			}
			first.sumTo, first.out.root = a, a
			last.clamp, last.out, i.out.root = i.clamp, i.out, b
			g.remove(map[*instr]bool{i: true})
			return true
		}
	}
	return false
}

// firstOfSum follows the chain of results that v was summed up from in place to its first term.
func firstOfSum(v *value, makers map[*value]*instr) *instr {
	i := makers[v]
	for i != nil && i.sumTo != nil {
		i = makers[i.sumTo]
	}
	return i
}

// overwrite lets elementwise steps write over the operand that they are the last to read.
func (g *graph) overwrite() {
	o := g.order()
	for k, i := range g.instrs {
		v := overwritten(i)
		if v == nil || i.out.root != nil || v.form != i.out.form || i.out.placed {
			continue
		}
		if isRootOfViews(g, i.out) || !g.free(o, v, k, nil) {
			continue
		}
		i.out.root = v
		o = g.order()
	}
}

// overwritten is the operand that i's steps may write over, or nil.
func overwritten(i *instr) *value {
	for _, k := range i.choice.overwrites {
		if v := i.in[k]; v.shape.Eq(i.out.shape) {
			return v
		}
	}
	return nil
}

// isRootOfViews tells whether other values live in v's memory.
func isRootOfViews(g *graph, v *value) bool {
	for _, i := range g.instrs {
		for _, x := range append([]*value{i.out}, i.in...) {
			if x.root == v {
				return true
			}
		}
	}
	return false
}
