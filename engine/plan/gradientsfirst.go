package plan

// gradientsFirst computes what no other step reads, the gradients of parameters, as soon as what it is made of is there: that need not be kept
// while others are computed, and may still be in the cache.
func (g *graph) gradientsFirst() {
	users, makers, o := g.users(), g.makers(), g.order()
	behind := map[*instr][]*instr{}
	for _, i := range g.instrs {
		if !i.backward || len(users[i.out]) > 0 || len(i.also) > 0 {
			continue
		}
		var last *instr
		for _, v := range i.in {
			if m := makers[v]; m != nil && (last == nil || o.at[m] > o.at[last]) {
				last = m
			}
		}
		if last != nil {
			behind[last] = append(behind[last], i)
		}
	}
	moved := map[*instr]bool{}
	for _, list := range behind {
		for _, i := range list {
			moved[i] = true
		}
	}
	var instrs []*instr
	var add func(i *instr)
	add = func(i *instr) {
		instrs = append(instrs, i)
		for _, next := range behind[i] {
			add(next)
		}
	}
	for _, i := range g.instrs {
		if !moved[i] {
			add(i)
		}
	}
	g.instrs = instrs
}
