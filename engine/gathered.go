package engine

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// gathered is heads that are no channels of tokens yet, as those of maps (N, C, H, W): they are put side by side.
type gathered struct {
	source      *gorgonia.Node // (N, heads, T, size), or (N, heads, size, T) for keys, or without the axis of heads
	count, size int
	keys        bool
	shape       tensor.Shape
}

// gathered reads an operand of a product as such heads, times a number; nil where they depend on no image or are others.
func (j *joiner) gathered(node *gorgonia.Node, count, token, one int, scales bool) (g *gathered, factor float64) {
	factor = 1
	if scales {
		node, factor = j.factors(node)
	}
	s, ok := ofHeads(node.Shape(), j.net.Batch())
	if !ok || s[0]%j.net.Batch() != 0 || s[1] != count || !j.computed[node] {
		return nil, 1
	}
	return &gathered{node, count, s[one], token == 3, tensor.Shape{s[0], s[token], count * s[one]}}, factor
}

func (g *gathered) from() *gorgonia.Node { return g.source }

func (g *gathered) tokens() tensor.Shape { return g.shape }

func (g *gathered) heads() op.HeadChannels { return op.HeadChannels{Step: g.size, Size: g.size} }

// apply makes tokens of x, which takes the place of the source.
func (g *gathered) apply(b *Builder, name string, x *gorgonia.Node, _ map[*gorgonia.Node]*gorgonia.Node) (*gorgonia.Node, error) {
	c, perm, sizes := chained{b: b}, []int{0, 2, 1, 3}, []int{-1, g.count, g.shape[1], g.size}
	if g.keys {
		perm, sizes = []int{0, 3, 1, 2}, []int{-1, g.count, g.size, g.shape[1]}
	}
	if x.Dims() == 3 {
		x = c.apply(name+" heads", &op.Reshape{Shape: sizes}, x)
	}
	x = c.apply(name+" tokens", &op.Transpose{Perm: perm}, x)
	return c.apply(name+" gathered", &op.Reshape{Shape: []int{0, g.shape[1], g.shape[2]}}, x), c.err
}

// apart makes heads of a shape, (N, heads, T, size) or another order of these, or without an axis of heads, of the tokens (N, T, C) that an
// attention gives.
func apart(b *Builder, name string, tokens *gorgonia.Node, o *op.Attention, perm []int, shape tensor.Shape) (*gorgonia.Node, error) {
	c := chained{b: b}
	x := c.apply(name+" heads", &op.Reshape{Shape: []int{0, tokens.Shape()[1], o.Heads, o.V.Size}}, tokens)
	x = c.apply(name+" heads apart", &op.Transpose{Perm: perm}, x)
	if len(shape) == 3 {
		x = c.apply(name+" rows", &op.Reshape{Shape: append([]int{-1}, shape[1:]...)}, x)
	}
	return x, c.err
}
