package plan

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// PyTorch's MultiheadAttention works on tokens (T, N, C), and takes the layer behind the heads to rows (T*N, C): torchvision's
// transformers are written so. A linear layer treats all tokens alike, so it can as well have them as (N, T, C).

// swapped tells whether i exchanges images and tokens.
func swapped(i *instr) bool {
	if i == nil {
		return false
	}
	t, ok := i.op.(*op.Transpose)
	return ok && slices.Equal(t.Perm, []int{1, 0, 2})
}

// imagesFirst puts linear layers before the exchange of images and tokens that their operand went through.
func (g *graph) imagesFirst() {
	makers := g.makers()
	var instrs []*instr
	for _, i := range g.instrs {
		instrs = append(instrs, i)
		if _, ok := i.op.(*op.Linear); !ok || !swapped(makers[i.in[0]]) {
			continue
		}
		x, y := makers[i.in[0]].in[0], i.out
		i.in[0], i.out = x, newValue(y.label, tensor.Shape{x.Shape[0], x.Shape[1], y.Shape[2]})
		turn := &instr{node: i.node, op: &op.Transpose{Perm: []int{1, 0, 2}}, in: []*value{i.out}, out: y}
		instrs, makers[y] = append(instrs, turn), turn
	}
	g.instrs = instrs
}

// joinedRows is joinedHeads where the heads become rows (T*N, C) of a linear layer, whose results become tokens (N, T, C): the step that
// makes the rows makes tokens, and so does the layer.
func (g *graph) joinedRows(i *instr, users map[*value][]*instr) *instr {
	n, heads, t, size := i.out.Shape[0], i.out.Shape[1], i.out.Shape[2], i.out.Shape[3]
	channels := heads * size
	rows := follow(i, users, func(s strided, v *value) bool {
		return slices.Equal(v.Shape, []int{t * n, channels}) && s.joins(0, run{t, size}, run{n, t * channels}) && s.joins(1, run{heads, t * size}, run{size, 1})
	})
	if rows == nil {
		return nil
	}
	layer := onlyUser(rows.out, users)
	if layer == nil || layer.in[0] != rows.out {
		return nil
	}
	if _, ok := layer.op.(*op.Linear); !ok {
		return nil
	}
	out := layer.out.Shape[1]
	tokens := follow(layer, users, func(s strided, v *value) bool {
		return slices.Equal(v.Shape, []int{n, t, out}) && s.is(0, run{n, out}) && s.is(1, run{t, n * out}) && s.is(2, run{out, 1})
	})
	if tokens == nil {
		return nil
	}
	layer.out, tokens.out = tokens.out, newValue(tokens.out.label, tokens.out.Shape) // nobody reads what the moves make
	rows.out = newValue(rows.out.label, tensor.Shape{n, t, channels})
	layer.in[0] = rows.out
	return rows
}

// follow goes on from i's result through what only moves elements, for as long as there is one reader, to the step whose result is as
// wanted.
func follow(i *instr, users map[*value][]*instr, wanted func(s strided, v *value) bool) *instr {
	for s, v := whole(i.out), i.out; ; {
		next := onlyUser(v, users)
		if next == nil {
			return nil
		}
		var ok bool
		if s, ok = next.through(s); !ok {
			return nil
		}
		if v = next.out; wanted(s, v) {
			return next
		}
	}
}
