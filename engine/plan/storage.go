package plan

import (
	"slices"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

// packInput is the planner's own operator that brings the caller's row-major images into a layout
// of the kernels, through a scale and a shift per channel where the network begins with one.
type packInput struct {
	affine *op.Affine
}

// packInputs puts a packing step between the network's input and its readers. A per-channel
// affine step that is the input's only reader becomes part of the packing: padding comes after it
// either way.
func (g *graph) packInputs() {
	input := g.values[g.net.Input]
	if input == nil {
		return
	}
	input.ref, input.placed = Ref{Space: Input}, true
	packed := newValue(input.label, input.shape)
	pack := &instr{node: input.label, op: &packInput{}, in: []*value{input}, out: packed}
	if users := g.users()[input]; len(users) == 1 {
		if a, ok := users[0].op.(*op.Affine); ok {
			pack.op = &packInput{a}
			pack.out = users[0].out
			g.remove(map[*instr]bool{users[0]: true})
			g.instrs = append([]*instr{pack}, g.instrs...)
			return
		}
	}
	for _, i := range g.instrs {
		for k, v := range i.in {
			if v == input {
				i.in[k] = packed
			}
		}
	}
	g.instrs = append([]*instr{pack}, g.instrs...)
}

// layOut gives every root its layout: halos as wide as the widest reader wants.
func (g *graph) layOut() {
	for _, i := range g.instrs {
		for k, halo := range i.choice.halo {
			i.in[k].need(halo)
		}
	}
	for _, i := range g.instrs {
		for _, v := range slices.Concat([]*value{i.out}, i.in, i.also) {
			if v == nil {
				continue
			}
			root, _ := v.base()
			if root.length == 0 && !root.placed {
				g.layOutRoot(root)
			}
		}
	}
}

func (g *graph) layOutRoot(v *value) {
	switch v.form {
	case blocked:
		v.layout = kernel.Blocked(v.shape[1], v.shape[2], v.shape[3], v.halo)
		if g.isPixels(v) {
			v.layout = kernel.Pixels(v.shape[1], v.shape[2], v.shape[3], v.halo)
		}
		v.length = v.layout.Len(v.shape[0])
	case matrix:
		v.layout = kernel.Matrix(v.shape[0], v.shape[1])
		v.length = v.layout.Len(1)
	case vector:
		v.length = padded(v.shape[0])
	case plain:
		v.length = max(v.shape.TotalSize(), 1)
	}
}

// isPixels tells whether v is the packed input and all its readers are convolutions that take
// pixels with their channels side by side.
func (g *graph) isPixels(v *value) bool {
	if v.shape[1] > 4 {
		return false
	}
	isInput := false
	for _, i := range g.instrs {
		if _, ok := i.op.(*packInput); ok && i.out == v {
			isInput = true
		}
		for _, in := range i.in {
			if root, _ := in.base(); root == v && (!in.shape.Eq(v.shape) || !takesPixels(i, in)) {
				return false
			}
		}
	}
	return isInput
}

// takesPixels asks a reader of the input; the input may be another operand than the first.
func takesPixels(i *instr, v *value) bool {
	return i.choice.pixels != nil && i.in[0] == v && i.choice.pixels(kernel.Pixels(v.shape[1], v.shape[2], v.shape[3], v.halo))
}

// images is v's layout seen as v.shape[0] images: a matrix becomes images of one pixel.
func (v *value) images() kernel.Layout {
	l := v.place()
	if root, _ := v.base(); root.form == matrix {
		l.H, l.W = 1, 1
		l.Row, l.Image = kernel.Lanes, kernel.Lanes
	}
	return l
}

// matrix is v's layout seen as a matrix; only values whose root is one have it.
func (v *value) matrix() kernel.Layout { return v.place() }
