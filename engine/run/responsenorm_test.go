package run

import (
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// responses are ConvNeXt V2's factors of channels, and what looks like them, of maps (N, 8, 4, 4).
var responses = []struct {
	name  string
	joins bool
	spell func(b *tiny, x *gorgonia.Node) *gorgonia.Node
}{
	{"as it is", true, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 2, 3)
		return b.apply(&op.Div{}, n, b.apply(&op.Add{}, b.mean(n, 1), b.number(1e-3)))
	}},
	{"epsilon first, axes from the end", true, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, -1, -2)
		return b.apply(&op.Div{}, n, b.apply(&op.Add{}, b.number(1e-3), b.mean(n, -3)))
	}},
	{"no epsilon", true, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 2, 3)
		return b.apply(&op.Div{}, n, b.mean(n, 1))
	}},
	{"the mean of others' norms", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		others := b.norms(op.L2Of, b.apply(&op.Add{}, x, b.number(1)), 2, 3)
		return b.apply(&op.Div{}, b.norms(op.L2Of, x, 2, 3), b.mean(others, 1))
	}},
	{"the mean of the images", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 2, 3)
		return b.apply(&op.Div{}, n, b.mean(n, 0))
	}},
	{"the mean of the images and channels", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 2, 3)
		return b.apply(&op.Div{}, n, b.mean(n, 1, 0))
	}},
	{"norms of rows", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 3)
		return b.apply(&op.Div{}, n, b.mean(n, 1))
	}},
	{"norms of pixels", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 1)
		return b.apply(&op.Div{}, n, b.mean(n, 2))
	}},
	{"norms of channels and rows", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 1, 2)
		return b.apply(&op.Div{}, n, b.mean(n, 1))
	}},
	{"L1 norms", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L1Of, x, 2, 3)
		return b.apply(&op.Div{}, n, b.mean(n, 1))
	}},
	{"the sum of the norms", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 2, 3)
		return b.apply(&op.Div{}, n, b.norms(op.SumOf, n, 1))
	}},
	{"the largest norm", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 2, 3)
		return b.apply(&op.Div{}, n, b.norms(op.MaxOf, n, 1))
	}},
	{"turned over", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 2, 3)
		return b.apply(&op.Div{}, b.mean(n, 1), n)
	}},
	{"epsilons that are trained", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 2, 3)
		return b.apply(&op.Div{}, n, b.apply(&op.Add{}, b.mean(n, 1), b.param(1)))
	}},
	{"an epsilon for every channel", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 2, 3)
		return b.apply(&op.Div{}, n, b.apply(&op.Add{}, b.mean(n, 1), b.constants(8, 1, 1)))
	}},
	{"a negative number", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 2, 3)
		return b.apply(&op.Div{}, n, b.apply(&op.Add{}, b.mean(n, 1), b.number(-0.1)))
	}},
	{"an epsilon with an axis more", false, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := b.norms(op.L2Of, x, 2, 3)
		y := b.apply(&op.Div{}, n, b.apply(&op.Add{}, b.mean(n, 1), b.constant([]int{1, 1, 1, 1, 1}, []float32{1e-3})))
		return b.apply(&op.Squeeze{Axes: []int{0}}, y)
	}},
}

func (b *tiny) norms(kind string, x *gorgonia.Node, axes ...int) *gorgonia.Node {
	return b.apply(&op.Reduce{ReduceMean: op.ReduceMean{Axes: axes, KeepDims: true}, Kind: kind}, x)
}

func (b *tiny) mean(x *gorgonia.Node, axes ...int) *gorgonia.Node {
	return b.apply(&op.ReduceMean{Axes: axes, KeepDims: true}, x)
}

// TestResponseNorms compares factors of channels with the network as it is spelled, in training with differences of the loss.
func TestResponseNorms(t *testing.T) {
	for _, c := range responses {
		t.Run(c.name, func(t *testing.T) {
			build := func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
				x = b.apply(&op.Add{}, x, b.number(0.1)) // no norm is 0
				return b.apply(&op.Mul{}, x, c.spell(b, x))
			}
			if !strings.Contains(c.name, "images") { // which depend on one another then
				compareInference(t, build)
			}
			if found := compareSlopes(t, 2, func(b *tiny) *gorgonia.Node { return b.form(2, build) }); found.norms > 0 != c.joins {
				t.Errorf("%+v", found)
			}
		})
	}
}
