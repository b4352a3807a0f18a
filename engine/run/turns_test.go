package run

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// turnings are rotary positions as networks spell them, and what looks like them: y is made of heads x (N, 2, 16, 4), cos and sin are tables
// (16, 4).
var turnings = []struct {
	name  string
	joins int // becomes attention for up to so many images
	spell func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node
}{
	{"halves", 2, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		return b.turned(x, b.halves(x), cos, sin)
	}},
	{"neighbours", 2, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		return b.turned(x, b.neighbours(x), cos, sin)
	}},
	{"halves of scaled heads", 2, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Mul{}, x, b.number(0.5))
		return b.apply(&op.Scale{Factor: 3}, b.turned(x, b.halves(x), cos, sin))
	}},
	{"all but the first token", 2, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		rest := b.part(x, 2, 1, 16)
		return b.apply(&op.Concat{Axis: 2}, b.part(x, 2, 0, 1), b.turned(rest, b.halves(rest), b.constants(15, 4), b.constants(15, 4)))
	}},
	{"half of the channels", 2, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		some := b.part(x, 3, 0, 2)
		return b.apply(&op.Concat{Axis: 3}, b.turned(some, b.halves(some), b.constants(16, 2), b.constants(16, 2)), b.part(x, 3, 2, 4))
	}},
	{"channels that shift round", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		return b.turned(x, b.apply(&op.Concat{Axis: 3}, b.part(x, 3, 1, 4), b.part(x, 3, 0, 1)), cos, sin)
	}},
	{"the first channel for all", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		return b.turned(x, b.apply(&op.Gather{Axis: 3, Indices: []int{0, 0, 0, 0}, IndexShape: []int{4}}, x), cos, sin)
	}},
	{"three terms", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		y := b.turned(x, b.halves(x), cos, sin)
		return b.apply(&op.Add{}, y, b.apply(&op.Mul{}, b.neighbours(x), sin))
	}},
	{"tokens that shift", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Concat{Axis: 2}, b.part(x, 2, 3, 16), b.part(x, 2, 0, 3))
		return b.turned(y, b.halves(y), cos, sin)
	}},
	{"channels of the next token", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Concat{Axis: 2}, b.part(x, 2, 1, 16), b.part(x, 2, 0, 1))
		return b.turned(x, b.halves(y), cos, sin)
	}},
	{"a table for every head", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		return b.turned(x, b.halves(x), b.constants(2, 16, 4), b.constants(2, 16, 4))
	}},
	{"one head only", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Add{}, b.apply(&op.Mul{}, x, cos), b.apply(&op.Mul{}, b.apply(&op.Mul{}, b.halves(x), sin), b.constant([]int{2, 1, 1}, []float32{1, 0})))
	}},
	{"the other head only", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Add{}, b.apply(&op.Mul{}, x, cos), b.apply(&op.Mul{}, b.apply(&op.Mul{}, b.halves(x), sin), b.constant([]int{2, 1, 1}, []float32{0, 1})))
	}},
	{"halves of exchanged heads", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Gather{Axis: 1, Indices: []int{1, 0}, IndexShape: []int{2}}, x)
		return b.turned(x, b.halves(x), cos, sin)
	}},
	{"halves of something else", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Reshape{Shape: []int{0, 16, 8}}, b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, x))
		y = b.apply(&op.Reshape{Shape: []int{0, 16, 2, 4}}, b.apply(&op.Relu{}, y))
		return b.turned(x, b.halves(b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y)), cos, sin)
	}},
	{"images in reverse", 1, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Slice{Starts: []int{-1}, Ends: []int{-100}, Axes: []int{0}, Steps: []int{-1}}, x)
		return b.turned(x, b.halves(x), cos, sin)
	}},
	{"images with their neighbours' channels", 1, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		if n := x.Shape()[0]; n > 1 {
			x = b.apply(&op.Concat{Axis: 0}, b.part(x, 0, 0, 1), b.part(x, 0, 0, n-1))
		}
		return b.turned(x, b.halves(x), cos, sin)
	}},
	{"other pairs in other tokens", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.Concat{Axis: 2}, b.part(b.halves(x), 2, 0, 8), b.part(b.neighbours(x), 2, 8, 16))
		return b.turned(x, y, cos, sin)
	}},
	{"tables that are trained", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		return b.turned(x, b.halves(x), b.param(16, 4), b.param(16, 4))
	}},
	{"a number more", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Add{}, b.turned(x, b.halves(x), cos, sin), b.constants(16, 4))
	}},
	{"halves multiplied with one another", 0, func(b *tiny, x, cos, sin *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Mul{}, b.apply(&op.Mul{}, x, cos), b.apply(&op.Mul{}, b.halves(x), sin))
	}},
}

func (b *tiny) part(x *gorgonia.Node, axis, from, to int) *gorgonia.Node {
	return b.apply(&op.Slice{Starts: []int{from}, Ends: []int{to}, Axes: []int{axis}}, x)
}

// turned is x cos + other sin.
func (b *tiny) turned(x, other, cos, sin *gorgonia.Node) *gorgonia.Node {
	return b.apply(&op.Add{}, b.apply(&op.Mul{}, x, cos), b.apply(&op.Mul{}, sin, other))
}

// halves exchanges the halves of x's channels, one of them negated.
func (b *tiny) halves(x *gorgonia.Node) *gorgonia.Node {
	size := x.Shape()[3]
	return b.apply(&op.Concat{Axis: 3}, b.apply(&op.Neg{}, b.part(x, 3, size/2, size)), b.part(x, 3, 0, size/2))
}

// neighbours exchanges channels with their neighbours, every other one negated.
func (b *tiny) neighbours(x *gorgonia.Node) *gorgonia.Node {
	s := x.Shape()
	pairs := b.apply(&op.Reshape{Shape: []int{0, s[1], s[2], s[3] / 2, 2}}, x)
	pairs = b.apply(&op.Concat{Axis: 4}, b.apply(&op.Neg{}, b.part(pairs, 4, 1, 2)), b.part(pairs, 4, 0, 1))
	return b.apply(&op.Reshape{Shape: []int{0, s[1], s[2], s[3]}}, pairs)
}

// angles are cosines and sines (16, 4).
func (b *tiny) angles(by float64) (cos, sin *gorgonia.Node) {
	var c, s []float32
	for k := range 64 {
		c, s = append(c, float32(math.Cos(by*float64(k/4)))), append(s, float32(math.Sin(by*float64(k/4))))
	}
	return b.constant([]int{16, 4}, c), b.constant([]int{16, 4}, s)
}

// TestTurns compares attention of turned queries and keys with the network as it is spelled, in inference and training: with heads of
// two layers, and of one.
func TestTurns(t *testing.T) {
	for _, c := range turnings {
		for _, layers := range []int{2, 1} {
			t.Run(fmt.Sprint(c.name, layers), func(t *testing.T) {
				build := func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
					return b.twoHeads(x, layers, func(b *tiny, q, k *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node) {
						cos, sin := b.angles(0.3)
						q = c.spell(b, q, cos, sin)
						cos, sin = b.angles(-0.2)
						return q, c.spell(b, k, cos, sin)
					}, func(scores *gorgonia.Node) *gorgonia.Node { return scores })
				}
				if c.joins != 1 { // the images do not depend on one another
					compareInference(t, build)
				}
				for _, images := range []int{2, 1} {
					found := compareSlopes(t, images, func(b *tiny) *gorgonia.Node { return b.form(images, build) })
					if found.heads > 0 != (images <= c.joins) {
						t.Errorf("%d images: %+v", images, found)
					}
				}
			})
		}
	}
}
