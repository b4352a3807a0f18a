package plan

// recomputeAbove is the batch size above which activations behind BatchNorm are not kept for the
// backward pass but made again from the convolution's output: one streaming pass in place of half
// of the memory.
const recomputeAbove = 16

// recompute gives the backward pass its own copies of the values that normApply makes, computed
// just before they are first read. Small batches keep them.
func (g *graph) recompute() {
	if g.net.Batch() <= recomputeAbove {
		return
	}
	makersOf := map[*value][]*instr{} // by root
	for _, i := range g.instrs {
		if !i.backward {
			root, _ := i.out.base()
			makersOf[root] = append(makersOf[root], i)
		}
	}
	copies := map[*value]*value{}
	var instrs []*instr
	for _, i := range g.instrs {
		for k, v := range i.in {
			root, _ := v.base()
			if !i.backward || !onlyNormApply(makersOf[root]) {
				continue
			}
			if copies[root] == nil {
				instrs = append(instrs, g.copyRoot(root, makersOf[root], copies)...)
			}
			i.in[k] = copies[v]
			if copies[v] == nil { // a view that no step writes, such as the concatenation's prefix
				c := v.like(v.label)
				_, c.chan0 = v.base()
				c.root = copies[root]
				copies[v], i.in[k] = c, c
			}
		}
		instrs = append(instrs, i)
	}
	g.instrs = instrs
}

// copyRoot clones the instructions that fill root, with a new root.
func (g *graph) copyRoot(root *value, makers []*instr, copies map[*value]*value) []*instr {
	again := root.like(root.label + " again")
	copies[root] = again
	var clones []*instr
	for _, m := range makers {
		clone := *m
		if m.out == root {
			clone.out = again
		} else {
			out := m.out.like(m.out.label + " again")
			_, out.chan0 = m.out.base()
			out.root = again
			copies[m.out], clone.out = out, out
		}
		clones = append(clones, &clone)
	}
	return clones
}

func onlyNormApply(makers []*instr) bool {
	for _, i := range makers {
		if _, ok := i.op.(*normApply); !ok {
			return false
		}
	}
	return len(makers) > 0
}
