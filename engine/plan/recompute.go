package plan

import "slices"

// From these batch sizes on values are not kept for the backward pass but made again, by one streaming pass. Activations behind
// BatchNorm, made of the convolution's output, are half of the memory of a network of these; functions of elements and
// LayerNorms take a third of a transformer's memory and one or two percent of its time, of ConvNeXt's and EfficientNet's up to five.
const (
	recomputeAbove = 16
	cheapFrom      = 8
)

// recompute gives the backward pass its own copies of values that are cheap to make, computed just before they are first read, where it
// reads what they are made of anyway: that need not be kept for them.
func (g *graph) recompute() {
	r := &remaking{batch: g.net.Batch(), makers: map[*value][]*instr{}, read: map[*value]bool{}, copies: map[*value]*value{}}
	for _, i := range g.instrs {
		if !i.backward {
			root, _ := i.out.base()
			r.makers[root] = append(r.makers[root], i)
			continue
		}
		for _, v := range i.in {
			root, _ := v.base()
			r.read[root] = true
		}
	}
	for _, i := range g.instrs {
		if i.backward {
			for k, v := range i.in {
				i.in[k] = r.again(v)
			}
		}
		r.instrs = append(r.instrs, i)
	}
	g.instrs = r.instrs
}

// remaking is the pass at work.
type remaking struct {
	batch  int
	makers map[*value][]*instr // in the forward pass, by root
	read   map[*value]bool     // roots that the backward pass reads
	copies map[*value]*value
	instrs []*instr
}

// cheap tells whether all that fills root is rather done twice than kept.
func (r *remaking) cheap(root *value) bool {
	for _, m := range r.makers[root] {
		if from := m.choice.remadeFrom; from == 0 || r.batch < from {
			return false
		}
		for _, v := range m.in {
			if of, _ := v.base(); v.param == nil && !r.read[of] {
				return false
			}
		}
	}
	return len(r.makers[root]) > 0
}

// again is what the backward pass reads as v.
func (r *remaking) again(v *value) *value {
	root, _ := v.base()
	if !r.cheap(root) {
		return v
	}
	if r.copies[root] == nil {
		r.copyRoot(root)
	}
	if r.copies[v] == nil { // a view that no step writes, such as the concatenation's prefix
		r.copies[v] = v.like(v.label)
		_, r.copies[v].chan0 = v.base()
		r.copies[v].root = r.copies[root]
	}
	return r.copies[v]
}

// copyRoot clones the instructions that fill root, with a new root.
func (r *remaking) copyRoot(root *value) {
	again := root.like(root.label + " again")
	r.copies[root] = again
	for _, m := range r.makers[root] {
		clone := *m
		clone.in = slices.Clone(m.in)
		for k, v := range clone.in {
			clone.in[k] = r.again(v)
		}
		if m.out == root {
			clone.out = again
		} else {
			out := m.out.like(m.out.label + " again")
			_, out.chan0 = m.out.base()
			out.root = again
			r.copies[m.out], clone.out = out, out
		}
		r.instrs = append(r.instrs, &clone)
	}
}
