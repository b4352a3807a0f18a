package run

import (
	"fmt"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/plan"
)

// form is a small piece of a network behind x (N, 8, 4, 4), which is not negative.
type form struct {
	name  string
	build func(b *tiny, x *gorgonia.Node) *gorgonia.Node
}

// forms are small pieces of networks that several operators spell together, or that use values in ways of their own.
var forms = []form{
	{"L2 norm", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		sum := b.apply(&op.ReduceMean{Axes: []int{1}, KeepDims: true}, b.apply(&op.Pow{}, x, b.number(2)))
		return b.apply(&op.Div{}, x, b.apply(&op.Sqrt{}, b.apply(&op.Add{}, sum, b.number(1e-6))))
	}},
	{"GeM pool", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		cube := b.apply(&op.Pow{}, b.apply(&op.Clip{Min: 1e-6, Max: 1e6}, x), b.number(3))
		return b.apply(&op.Pow{}, b.apply(&op.GlobalAveragePool{}, cube), b.number(1.0/3))
	}},
	{"LayerNorm spelled out", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Transpose{Perm: []int{0, 2, 3, 1}}, x)
		d := b.apply(&op.Sub{}, x, b.apply(&op.ReduceMean{Axes: []int{-1}, KeepDims: true}, x))
		variance := b.apply(&op.ReduceMean{Axes: []int{-1}, KeepDims: true}, b.apply(&op.Pow{}, d, b.number(2)))
		y := b.apply(&op.Div{}, d, b.apply(&op.Sqrt{}, b.apply(&op.Add{}, variance, b.number(1e-3))))
		y = b.apply(&op.Add{}, b.apply(&op.Mul{}, y, b.param(8)), b.param(8))
		return b.apply(&op.Transpose{Perm: []int{0, 3, 1, 2}}, y)
	}},
	{"one token by itself, and among others", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		tokens := b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		one := b.apply(&op.Slice{Starts: []int{0}, Ends: []int{1}, Axes: []int{1}}, tokens)
		one = b.apply(&op.Linear{}, one, b.param(8, 8), b.param(8))
		return b.apply(&op.Reshape{Shape: []int{0, 17 * 8}}, b.apply(&op.Concat{Axis: 1}, one, tokens))
	}},
	{"two norms of one value", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		norm := func() *gorgonia.Node {
			return b.apply(&op.BatchNorm{Epsilon: 1e-3, Momentum: 0.9}, x, b.param(8), b.param(8), b.param(8), b.param(8))
		}
		return b.apply(&op.Add{}, norm(), norm())
	}},
	{"standardised by its own root", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Sqrt{}, b.apply(&op.Add{}, x, b.number(0.5)))
	}},
	{"focus", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		var parts gorgonia.Nodes
		for k := range 4 {
			parts = append(parts, b.apply(&op.Slice{Starts: []int{k / 2, k % 2}, Ends: []int{9, 9}, Axes: []int{2, 3}, Steps: []int{2, 2}}, x))
		}
		return b.apply(&op.Concat{Axis: 1}, parts...)
	}},
	{"a channel that is picked twice", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Gather{Axis: 1, Indices: []int{3, 1, 3, 6}, IndexShape: []int{4}}, x)
	}},
	{"a rectifier behind an average pool", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}, x, b.param(12, 8, 1, 1))
		return b.apply(&op.Relu{}, b.apply(&op.AveragePool{Kernel: [2]int{2, 2}, Strides: [2]int{1, 1}}, y))
	}},
	{"more maps in one than a step takes", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		var parts gorgonia.Nodes
		for k := range 20 {
			y := b.apply(&op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}, x, b.param(1+k, 8, 1, 1))
			parts = append(parts, b.apply(&op.Tanh{}, y), y)
		}
		return b.apply(&op.Concat{Axis: 1}, parts...)
	}},
	{"channel shuffle", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Reshape{Shape: []int{0, 2, 4, 4, 4}}, x)
		y = b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3, 4}}, y)
		return b.apply(&op.Reshape{Shape: []int{0, 8, 4, 4}}, y)
	}},
	{"attention", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		tokens := b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		q, k, v := b.apply(&op.MatMul{}, tokens, b.param(8, 8)), b.apply(&op.MatMul{}, tokens, b.param(8, 8)), b.apply(&op.MatMul{}, tokens, b.param(8, 8))
		scores := b.apply(&op.MatMul{}, q, b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, k))
		scores = b.apply(&op.Softmax{Axis: -1}, b.apply(&op.Mul{}, scores, b.number(0.125)))
		return b.apply(&op.Add{}, b.apply(&op.MatMul{}, scores, v), tokens)
	}},
	{"second half of a transformer's block", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		y := b.apply(&op.Linear{}, b.apply(&op.LayerNorm{Axis: -1, Epsilon: 1e-3}, x, b.param(8), b.param(8)), b.param(20, 8), b.param(20))
		x = b.apply(&op.Add{}, b.apply(&op.Linear{}, b.apply(&op.Gelu{}, y), b.param(8, 20), b.param(8)), x)
		return b.apply(&op.ReduceMean{Axes: []int{1}}, b.apply(&op.Mul{}, x, b.param(8)))
	}},
	{"layers of channels that come last", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Linear{}, b.apply(&op.Transpose{Perm: []int{0, 2, 3, 1}}, x), b.param(20, 8))
		x = b.apply(&op.Relu{}, b.apply(&op.Sub{}, x, b.apply(&op.ReduceMean{Axes: []int{1, 2}, KeepDims: true}, x)))
		return b.apply(&op.Softmax{Axis: 2}, b.apply(&op.Slice{Starts: []int{3}, Ends: []int{17}, Axes: []int{3}}, x))
	}},
	{"tokens that are a map again", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		c := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}, Group: 1}
		y := b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		z := b.apply(c, b.apply(&op.Identity{}, x), b.param(8, 8, 3, 3))
		y = b.apply(&op.LayerNorm{Axis: -1, Epsilon: 1e-3}, y, b.param(8), b.param(8))
		y = b.apply(&op.Reshape{Shape: []int{0, 8, 4, 4}}, b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, y))
		return b.apply(&op.Add{}, b.apply(c, y, b.param(8, 8, 3, 3)), z)
	}},
	{"residual blocks of one pixel, which convolutions pad", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		conv := func(x *gorgonia.Node, stride int) *gorgonia.Node {
			return b.apply(&op.Conv{Strides: [2]int{stride, stride}, Dilations: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}, Group: 1}, x, b.param(8, 8, 3, 3))
		}
		y := b.apply(&op.Relu{}, b.apply(&op.Add{}, conv(conv(x, 4), 1), conv(x, 4)))
		return b.apply(&op.Add{}, y, conv(y, 1))
	}},
	{"layer norm of the width", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.LayerNorm{Axis: 3, Epsilon: 1e-3}, x, b.param(4), b.param(4))
		y = b.apply(&op.Transpose{Perm: []int{0, 3, 2, 1}}, b.apply(&op.Add{}, x, y))
		return b.apply(&op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}, y, b.param(6, 4, 1, 1))
	}},
	{"layer norm with factors that are computed", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Transpose{Perm: []int{0, 2, 3, 1}}, x)
		return b.apply(&op.LayerNorm{Axis: 3, Epsilon: 1e-3}, x, b.apply(&op.Sigmoid{}, b.param(8)), b.apply(&op.Sigmoid{}, b.param(8)))
	}},
	{"tokens dropped", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		return b.apply(&op.Linear{}, b.apply(&op.Dropout{Ratio: 0.5, ID: "tokens"}, x), b.param(5, 8))
	}},
	{"position table", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Relu{}, b.apply(&op.Add{}, x, b.param(1, 8, 4, 4)))
	}},
	{"class token", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		tokens := b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		token := b.apply(&op.Expand{Shape: []int{x.Shape()[0], 1, 8}}, b.param(1, 1, 8))
		return b.apply(&op.Gather{Axis: 1, Indices: []int{0, 3}, IndexShape: []int{2}}, b.apply(&op.Concat{Axis: 1}, token, tokens))
	}},
	{"attention of heads in one layer", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		qkv := b.apply(&op.Reshape{Shape: []int{0, 16, 3, 2, 16}}, b.apply(&op.Linear{}, x, b.param(96, 8), b.param(96)))
		qkv = b.apply(&op.Transpose{Perm: []int{2, 0, 3, 1, 4}}, qkv)
		part := func(k int) *gorgonia.Node { return b.apply(&op.Gather{Axis: 0, Indices: []int{k}}, qkv) }
		key := b.apply(&op.Squeeze{Axes: []int{0}}, b.apply(&op.Slice{Starts: []int{1}, Ends: []int{2}, Axes: []int{0}}, qkv))
		q, k := b.apply(&op.Mul{}, part(0), b.number(0.5)), b.apply(&op.Transpose{Perm: []int{0, 1, 3, 2}}, key)
		scores := b.apply(&op.Add{}, b.apply(&op.MatMul{}, q, b.apply(&op.Mul{}, b.number(0.5), k)), b.constants(2, 1, 16))
		scores = b.apply(&op.Softmax{Axis: 3}, scores)
		y := b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, b.apply(&op.MatMul{}, scores, part(-1)))
		return b.apply(&op.Linear{}, b.apply(&op.Reshape{Shape: []int{0, 16, 32}}, y), b.param(4, 32))
	}},
	{"attention of three layers", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		heads := func(perm ...int) *gorgonia.Node {
			y := b.apply(&op.Linear{}, x, b.param(15, 8)) // a bias of keys has no gradient
			return b.apply(&op.Transpose{Perm: perm}, b.apply(&op.Reshape{Shape: []int{0, 16, 3, 5}}, y))
		}
		scores := b.apply(&op.MatMul{}, heads(0, 2, 1, 3), heads(0, 2, 3, 1))
		scores = b.apply(&op.Add{}, b.apply(&op.Div{}, scores, b.number(2.2)), b.constants(1, 3, 16, 16))
		scores = b.apply(&op.Softmax{Axis: -1}, scores)
		y := b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, b.apply(&op.MatMul{}, scores, heads(0, 2, 1, 3)))
		return b.apply(&op.Add{}, b.apply(&op.Reshape{Shape: []int{0, 16, 15}}, y), b.param(15))
	}},
	{"PyTorch's MultiheadAttention", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		n := x.Shape()[0]
		x = b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		qkv := b.apply(&op.Linear{}, b.apply(&op.Transpose{Perm: []int{1, 0, 2}}, x), b.param(24, 8))
		qkv = b.apply(&op.Unsqueeze{Axes: []int{0}}, b.apply(&op.Reshape{Shape: []int{16, n, 3, 8}}, qkv))
		qkv = b.apply(&op.Squeeze{Axes: []int{3}}, b.apply(&op.Transpose{Perm: []int{3, 1, 2, 0, 4}}, qkv))
		heads := func(k int) *gorgonia.Node {
			y := b.apply(&op.Reshape{Shape: []int{16, 2 * n, 4}}, b.apply(&op.Gather{Axis: 0, Indices: []int{k}}, qkv))
			return b.apply(&op.Reshape{Shape: []int{n, 2, 16, 4}}, b.apply(&op.Transpose{Perm: []int{1, 0, 2}}, y))
		}
		scores := b.apply(&op.MatMul{}, heads(0), b.apply(&op.Transpose{Perm: []int{0, 1, 3, 2}}, heads(1)))
		y := b.apply(&op.MatMul{}, b.apply(&op.Softmax{Axis: -1}, scores), heads(2))
		y = b.apply(&op.Reshape{Shape: []int{16 * n, 8}}, b.apply(&op.Transpose{Perm: []int{2, 0, 1, 3}}, y))
		y = b.apply(&op.Reshape{Shape: []int{16, n, 6}}, b.apply(&op.Linear{}, y, b.param(6, 8), b.param(6)))
		return b.apply(&op.Relu{}, b.apply(&op.Transpose{Perm: []int{1, 0, 2}}, y))
	}},
	{"attention of exchanged tokens", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		heads := func() *gorgonia.Node {
			y := b.apply(&op.Reshape{Shape: []int{0, 2, 2, 4, 2, 4}}, b.apply(&op.Linear{}, x, b.param(8, 8)))
			return b.apply(&op.Reshape{Shape: []int{0, 2, 16, 4}}, b.apply(&op.Transpose{Perm: []int{0, 4, 2, 1, 3, 5}}, y))
		}
		scores := b.apply(&op.MatMul{}, heads(), b.apply(&op.Transpose{Perm: []int{0, 1, 3, 2}}, heads()))
		y := b.apply(&op.MatMul{}, b.apply(&op.Softmax{Axis: -1}, scores), heads())
		return b.apply(&op.Reshape{Shape: []int{0, 16, 8}}, b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y))
	}},
	{"attention with a bias for every image", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		tokens := b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		heads := func() *gorgonia.Node {
			y := b.apply(&op.Reshape{Shape: []int{0, 16, 2, 4}}, b.apply(&op.Linear{}, tokens, b.param(8, 8)))
			return b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y)
		}
		scores := b.apply(&op.MatMul{}, heads(), b.apply(&op.Transpose{Perm: []int{0, 1, 3, 2}}, heads()))
		scores = b.apply(&op.Add{}, scores, b.constants(x.Shape()[0], 1, 16, 16))
		y := b.apply(&op.MatMul{}, b.apply(&op.Softmax{Axis: -1}, scores), heads())
		return b.apply(&op.Reshape{Shape: []int{0, 16, 8}}, b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y))
	}},
	{"tokens read as channels", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		x = b.apply(&op.Reshape{Shape: []int{0, 16, 4, 4}}, b.apply(&op.Linear{}, x, b.param(16, 8)))
		return b.apply(&op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}, Group: 1}, x, b.param(5, 16, 3, 3))
	}},
	{"rows of channels that come last put together", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Linear{}, b.apply(&op.Transpose{Perm: []int{0, 2, 3, 1}}, x), b.param(6, 8))
		part := func(axis, from, to int) *gorgonia.Node {
			return b.apply(&op.Slice{Starts: []int{from}, Ends: []int{to}, Axes: []int{axis}}, x)
		}
		x = b.apply(&op.Concat{Axis: 1}, part(1, 3, 4), x, part(1, 0, 2))
		return b.apply(&op.Relu{}, b.apply(&op.Concat{Axis: 2}, part(2, 1, 4), part(2, 0, 2)))
	}},
	{"scores that are kept", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Reshape{Shape: []int{0, 2, 4, 16}}, x)
		scores := b.apply(&op.Softmax{Axis: -1}, b.apply(&op.MatMul{}, x, b.apply(&op.Transpose{Perm: []int{0, 1, 3, 2}}, x)))
		y := b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, b.apply(&op.MatMul{}, scores, x))
		return b.apply(&op.Concat{Axis: 1}, b.apply(&op.Reshape{Shape: []int{0, 128}}, y), b.apply(&op.Reshape{Shape: []int{0, 32}}, scores))
	}},
	{"transformer's ends", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x))
		y = b.apply(&op.Concat{Axis: 1}, b.apply(&op.BatchTile{}, b.param(1, 1, 8), x), y)
		y = b.apply(&op.LayerNorm{Axis: -1, Epsilon: 1e-3}, b.apply(&op.Add{}, y, b.param(1, 17, 8)), b.param(8), b.param(8))
		rest := b.apply(&op.ReduceMean{Axes: []int{1}}, b.apply(&op.Slice{Starts: []int{-9}, Ends: []int{17}, Axes: []int{1}}, y))
		return b.apply(&op.Add{}, b.apply(&op.Gather{Axis: 1, Indices: []int{-17}}, y), rest)
	}},
	{"one table added and multiplied", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		table := b.param(8, 4, 4)
		return b.apply(&op.Mul{}, b.apply(&op.Add{}, table, x), table)
	}},
	{"one table added to two layouts", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		table := b.param(1, 4, 4, 4)
		x = b.apply(&op.Slice{Starts: []int{0}, Ends: []int{4}, Axes: []int{1}}, x)
		y := b.apply(&op.Add{}, b.apply(&op.Transpose{Perm: []int{0, 2, 3, 1}}, x), table)
		return b.apply(&op.Add{}, b.apply(&op.Transpose{Perm: []int{0, 3, 1, 2}}, y), b.apply(&op.Relu{}, b.apply(&op.Add{}, x, table)))
	}},
	{"rows put together", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		part := func(axis, from, to int) *gorgonia.Node {
			return b.apply(&op.Slice{Starts: []int{from}, Ends: []int{to}, Axes: []int{axis}}, x)
		}
		x = b.apply(&op.Concat{Axis: 2}, part(2, 2, 4), x, part(2, 0, 1))
		x = b.apply(&op.Concat{Axis: 3}, part(3, 3, 4), part(3, 0, 2))
		return b.apply(&op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}, Group: 1}, x, b.param(5, 8, 3, 3))
	}},
	{"parts of images as rows", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Reshape{Shape: []int{-1, 4, 4, 4}}, x) // (2N, 4, 4, 4)
		c := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}, Group: 1}
		y = b.apply(&op.Sigmoid{}, b.apply(c, y, b.param(6, 4, 3, 3), b.param(6)))
		y = b.apply(&op.BatchNorm{Epsilon: 1e-3, Momentum: 0.9}, y, b.param(6), b.param(6), b.param(6), b.param(6))
		y = b.apply(&op.MaxPool{Kernel: [2]int{2, 2}, Strides: [2]int{2, 2}, Dilations: [2]int{1, 1}}, b.apply(&op.Relu{}, y))
		return b.apply(&op.Reshape{Shape: []int{x.Shape()[0], -1}}, y)
	}},
	{"tokens as rows", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Reshape{Shape: []int{-1, 16}}, x) // (8N, 16)
		y = b.apply(&op.Gelu{}, b.apply(&op.Linear{}, y, b.param(5, 16), b.param(5)))
		return b.apply(&op.Reshape{Shape: []int{x.Shape()[0], -1}}, y)
	}},
	{"squeeze and excitation", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		s := b.apply(&op.GlobalAveragePool{}, x)
		c := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}
		s = b.apply(&op.Sigmoid{}, b.apply(c, s, b.param(8, 8, 1, 1), b.param(8)))
		return b.apply(&op.Mul{}, s, x)
	}},
	{"one weight in two layers", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		w := b.param(8)
		y := b.apply(&op.Mul{}, b.apply(&op.Transpose{Perm: []int{0, 2, 3, 1}}, x), w)
		return b.apply(&op.Add{}, y, w)
	}},
	{"arithmetic with numbers", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Sub{}, b.number(1), b.apply(&op.Div{}, b.apply(&op.Sub{}, x, b.number(0.5)), b.number(3)))
		y = b.apply(&op.Mul{}, b.number(-2), b.apply(&op.Neg{}, b.apply(&op.Add{}, y, b.number(0.25))))
		y = b.apply(&op.Add{}, y, b.constants(8, 1, 1))
		return b.apply(&op.Relu{}, b.apply(&op.Div{}, b.apply(&op.Mul{}, y, b.constants(1, 8, 1, 1)), b.constants(1, 8, 1, 1)))
	}},
	{"numbers along the width", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Add{}, b.apply(&op.Mul{}, x, b.constants(4)), b.constants(4, 4))
	}},
	{"softplus spelled out", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Log{}, b.apply(&op.Add{}, b.apply(&op.Exp{}, x), b.number(1)))
	}},
	{"mish spelled out", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		s := b.apply(&op.Log{}, b.apply(&op.Add{}, b.apply(&op.Exp{}, x), b.number(1)))
		return b.apply(&op.Mul{}, x, b.apply(&op.Tanh{}, s))
	}},
	{"global response normalisation", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		g := b.apply(&op.Sqrt{}, b.apply(&op.Add{}, b.apply(&op.ReduceMean{Axes: []int{2, 3}, KeepDims: true}, b.apply(&op.Mul{}, x, x)), b.number(1e-6)))
		n := b.apply(&op.Div{}, g, b.apply(&op.Add{}, b.apply(&op.ReduceMean{Axes: []int{1}, KeepDims: true}, g), b.number(1e-6)))
		return b.apply(&op.Add{}, b.apply(&op.Mul{}, b.apply(&op.Mul{}, x, n), b.param(1, 8, 1, 1)), x)
	}},
	{"local response normalisation", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.LRN{Size: 5, Alpha: 1e-1, Beta: 0.75, Bias: 1}, x)
	}},
	{"two GroupNorms of one value", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		one := b.apply(&op.Relu{}, b.apply(&op.GroupNorm{Groups: 2, Epsilon: 1e-3}, x, b.param(8), b.param(8)))
		two := b.apply(&op.GroupNorm{Groups: 2, Epsilon: 1e-3}, x, b.param(8), b.param(8))
		return b.apply(&op.Mul{}, one, two)
	}},
	{"weights standardised", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		w := b.param(8, 4)
		w = b.apply(&op.Sub{}, w, b.apply(&op.ReduceMean{Axes: []int{1}, KeepDims: true}, w))
		return b.apply(&op.MatMul{}, b.apply(&op.Transpose{Perm: []int{0, 2, 3, 1}}, x), w)
	}},
}

// number is a constant of one element.
func (b *tiny) number(v float32) *gorgonia.Node { return b.constant([]int{1}, []float32{v}) }

// constants is a tensor that is not trained.
func (b *tiny) constants(shape ...int) *gorgonia.Node {
	size := 1
	for _, n := range shape {
		size *= n
	}
	values := noise(size, uint64(b.n))
	for k, v := range values {
		values[k] = v/4 + 1
	}
	return b.constant(shape, values)
}

func (b *tiny) constant(shape []int, values []float32) *gorgonia.Node {
	b.n++
	node, err := b.b.Param(&engine.Param{Name: fmt.Sprint("constant", b.n), Shape: shape, Value: values, Constant: true})
	b.check(err)
	return node
}

// form starts a network of an input, a convolution and a Relu in front of a form.
func (b *tiny) form(images int, build func(b *tiny, x *gorgonia.Node) *gorgonia.Node) *gorgonia.Node {
	x, err := b.b.Placeholder("x", images, 3, 8, 8)
	b.check(err)
	c := &op.Conv{Strides: [2]int{2, 2}, Dilations: [2]int{1, 1}, Group: 1}
	x = b.apply(&op.Relu{}, b.apply(c, x, b.param(8, 3, 2, 2), b.param(8)))
	return build(b, x)
}

// TestFormsTrain compares one training step with the interpreter.
func TestFormsTrain(t *testing.T) {
	for _, f := range slices.Concat(forms, parameterForms) {
		t.Run(f.name, func(t *testing.T) {
			for _, images := range []int{2, 1} {
				b := &tiny{t: t, b: engine.NewBuilder()}
				compareRow(t, b.objective(b.form(images, f.build)), false)
			}
		})
	}
}

// TestFormsInfer compares inference with the interpreter.
func TestFormsInfer(t *testing.T) {
	for _, f := range slices.Concat(forms, parameterForms) {
		t.Run(f.name, func(t *testing.T) { compareInference(t, f.build) })
	}
}

// compareInference compares a form with the interpreter, for all images of the plan and for fewer.
func compareInference(t *testing.T, build func(b *tiny, x *gorgonia.Node) *gorgonia.Node) {
	t.Helper()
	b := &tiny{t: t, b: engine.NewBuilder()}
	y := b.apply(&op.Flatten{Axis: 1}, b.form(3, build))
	net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: y})
	b.check(err)
	x := noise(net.Input.Shape().TotalSize(), 3)
	want, err := Interpret(net, map[*gorgonia.Node][]float32{net.Input: x}, net.Outputs[0].Node)
	if err != nil {
		t.Fatal(err)
	}
	features := y.Shape()[1]
	for _, isa := range isas(t) {
		for _, images := range []int{3, 2} {
			got := infer(t, net, plan.Options{ISA: isa}, 2, x[:images*3*8*8], images)[0]
			if d := distance(t, "y", got[:images*features], want[0][:images*features]); d > relativeBound {
				t.Errorf("%s, %d images: relative distance %g to the interpreter", isa, images, d)
			}
		}
	}
}

// TestTokensOut: outputs (N, T, C) come in that order, whoever makes them.
func TestTokensOut(t *testing.T) {
	for name, last := range map[string]func(b *tiny, x *gorgonia.Node) *gorgonia.Node{
		"layer":       func(b *tiny, x *gorgonia.Node) *gorgonia.Node { return b.apply(&op.Linear{}, x, b.param(5, 8)) },
		"transposed":  func(_ *tiny, x *gorgonia.Node) *gorgonia.Node { return x },
		"interpreted": func(b *tiny, x *gorgonia.Node) *gorgonia.Node { return b.apply(&op.MatMul{}, b.param(2, 16), x) },
		"of less dimensions": func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
			return b.apply(&op.ReduceMean{Axes: []int{1}}, b.apply(&op.Reshape{Shape: []int{0, 2, 8, 8}}, x))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := &tiny{t: t, b: engine.NewBuilder()}
			y := b.form(3, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
				return last(b, b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x)))
			})
			net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: y}, engine.Output{Name: "z", Node: b.apply(&op.Relu{}, y)})
			b.check(err)
			x := noise(net.Input.Shape().TotalSize(), 3)
			want, err := Interpret(net, map[*gorgonia.Node][]float32{net.Input: x}, net.Outputs[0].Node, net.Outputs[1].Node)
			b.check(err)
			for k, got := range infer(t, net, plan.Options{ISA: isas(t)[0]}, 1, x, 3) {
				if d := distance(t, name, got, want[k]); d > relativeBound {
					t.Errorf("output %d: relative distance %g to the interpreter", k, d)
				}
			}
		})
	}
}

// TestLogitsOfOnePixel trains a network whose output is (N, classes, 1, 1).
func TestLogitsOfOnePixel(t *testing.T) {
	b := &tiny{t: t, b: engine.NewBuilder()}
	y := b.form(2, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		c := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}
		return b.apply(c, b.apply(&op.GlobalAveragePool{}, x), b.param(4, 8, 1, 1), b.param(4))
	})
	net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: y})
	b.check(err)
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: 2})
	b.check(err)
	compareRow(t, obj, true)
}

// TestShuffleUnits trains units of ShuffleNetV2, whose halves do not begin at a block of channels: no step is interpreted.
func TestShuffleUnits(t *testing.T) {
	b := &tiny{t: t, b: engine.NewBuilder()}
	y := b.form(2, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		c := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}
		x = b.apply(c, x, b.param(36, 8, 1, 1))
		for range 3 {
			left := b.apply(&op.Slice{Starts: []int{0}, Ends: []int{18}, Axes: []int{1}}, x)
			right := b.apply(&op.Slice{Starts: []int{18}, Ends: []int{36}, Axes: []int{1}}, x)
			right = b.apply(&op.Relu{}, b.apply(c, right, b.param(18, 18, 1, 1)))
			x = b.apply(&op.Reshape{Shape: []int{0, 2, 18, 4, 4}}, b.apply(&op.Concat{Axis: 1}, left, right))
			x = b.apply(&op.Reshape{Shape: []int{0, 36, 4, 4}}, b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3, 4}}, x))
		}
		return x
	})
	compareRow(t, b.objective(y), true)
	net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: b.apply(&op.Flatten{Axis: 1}, y)})
	b.check(err)
	p, err := plan.Inference(net, plan.Options{ISA: isas(t)[0]})
	b.check(err)
	checkFast(t, p)
	if n := len(p.Steps); n > 14 {
		t.Errorf("%d steps: slices, concatenations and shuffles of channels are to become one\n%s", n, p)
	}
}
