package engine

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// PyTorch's MultiheadAttention works on tokens (T, N, C), and takes the layer behind the heads to rows (T*N, C): torchvision's
// transformers are written so. A linear layer treats all tokens alike, so it can as well have them as (N, T, C).

// swapped tells whether a node exchanges images and tokens.
func swapped(node *gorgonia.Node) bool {
	t, ok := node.Op().(*op.Transpose)
	return ok && slices.Equal(t.Perm, []int{1, 0, 2})
}

// layersBeforeSwaps puts linear layers before the exchange of images and tokens that their operand went through, and drops exchanges of
// what was exchanged already.
func (n *Network) layersBeforeSwaps() (*Network, error) {
	if !slices.ContainsFunc(n.Nodes(), swapped) {
		return n, nil
	}
	return n.Rewrite(nil, func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		if !swapped(in[0]) {
			return nil, nil
		}
		before := op.Inputs(in[0])[0]
		if swapped(old) {
			return before, nil
		}
		if _, ok := old.Op().(*op.Linear); !ok {
			return nil, nil
		}
		in[0] = before
		layer, err := b.Apply(n.Label(old), old.Op().(op.Op), in...)
		if err != nil {
			return nil, err
		}
		return b.Apply(n.Label(old), &op.Transpose{Perm: []int{1, 0, 2}}, layer)
	})
}

// joinedRows is joinedHeads where the heads become rows (T*N, C) of a linear layer, whose results become tokens (N, T, C): the node that
// makes the rows, which can make tokens, the layer, which then makes tokens too, and the node that made tokens of the layer's results.
func (j *joiner) joinedRows(mix *gorgonia.Node, shape tensor.Shape) (rows, layer, tokens *gorgonia.Node) {
	n, heads, t, size := sizes(shape)
	channels := heads * size
	rows = j.follow(mix, func(s strided, shape tensor.Shape) bool {
		return slices.Equal(shape, []int{t * n, channels}) && s.joins(0, run{t, size}, run{n, t * channels}) && s.joins(1, run{heads, t * size}, run{size, 1})
	})
	if rows == nil {
		return nil, nil, nil
	}
	layer = j.onlyReader(rows)
	if layer == nil || op.Inputs(layer)[0] != rows {
		return nil, nil, nil
	}
	if _, ok := layer.Op().(*op.Linear); !ok {
		return nil, nil, nil
	}
	out := layer.Shape()[1]
	tokens = j.follow(layer, func(s strided, shape tensor.Shape) bool {
		return slices.Equal(shape, []int{n, t, out}) && s.is(0, run{n, out}) && s.is(1, run{t, n * out}) && s.is(2, run{out, 1})
	})
	if tokens == nil {
		return nil, nil, nil
	}
	return rows, layer, tokens
}
