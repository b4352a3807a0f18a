package run

import (
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/plan"
)

// parameterForms read parameters in several ways, in which they lie differently in memory, or compute what mostly is a parameter.
var parameterForms = []form{
	{"one convolution twice", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		c, w := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}, Group: 1}, b.param(8, 8, 3, 3)
		return b.apply(c, b.apply(&op.Sigmoid{}, b.apply(c, x, w)), w)
	}},
	{"one layer twice", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		w := b.param(16, 16)
		x = b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x)
		return b.apply(&op.Linear{}, b.apply(&op.Sigmoid{}, b.apply(&op.Linear{}, x, w)), w)
	}},
	{"one weight in a layer and in a product", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		w := b.param(16, 16)
		x = b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x)
		return b.apply(&op.MatMul{}, b.apply(&op.Sigmoid{}, b.apply(&op.Linear{}, x, w)), w)
	}},
	{"one filter for every channel and for all", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		w := b.param(8, 1, 3, 3)
		c := op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}, Group: 1}
		each := c
		each.Group = 8
		one := b.apply(&op.Slice{Starts: []int{0}, Ends: []int{1}, Axes: []int{1}}, x)
		return b.apply(&op.Add{}, b.apply(&each, x, w), b.apply(&c, one, w))
	}},
	{"weights and their norm", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		w := b.param(6, 8, 1, 1)
		c := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}
		y := b.apply(c, x, w)
		norm := b.apply(&op.ReduceMean{Axes: []int{0, 1, 2, 3}, KeepDims: true}, b.apply(&op.Mul{}, w, w))
		return b.apply(&op.Div{}, y, norm)
	}},
	{"position table of maps", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Relu{}, b.apply(&op.Add{}, x, b.param(8, 4, 4)))
	}},
	{"tables that are factors of one pixel", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		c := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}
		y := b.apply(&op.GlobalAveragePool{}, b.apply(c, x, b.param(40, 8, 1, 1)))
		y = b.apply(&op.Add{}, b.apply(&op.Mul{}, b.apply(&op.Sigmoid{}, y), b.param(1, 40, 1, 1)), b.param(40, 1, 1))
		return b.apply(&op.Mul{}, y, b.param(40, 1, 1))
	}},
	{"weights of a convolution standardised", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		w := b.param(6, 8, 3, 3)
		w = b.apply(&op.Sub{}, w, b.apply(&op.ReduceMean{Axes: []int{1, 2, 3}, KeepDims: true}, w))
		return b.apply(&op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}, x, w)
	}},
	{"factors of a layer that are computed", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x)
		return b.apply(&op.Linear{}, x, b.apply(&op.Sigmoid{}, b.param(6, 16)), b.apply(&op.Sigmoid{}, b.param(6)))
	}},
	{"one bias in two layers", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		bias := b.param(16)
		x = b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x)
		y := b.apply(&op.Sigmoid{}, b.apply(&op.Linear{}, x, b.param(16, 16), bias))
		return b.apply(&op.Linear{}, y, b.param(16, 16), bias)
	}},
	{"two layers with one gradient", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		c := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}
		return b.apply(&op.Add{}, b.apply(c, x, b.param(6, 8, 1, 1)), b.apply(c, x, b.param(6, 8, 1, 1)))
	}},
}

// TestSumsOfSums: what is computed of a parameter is computed once, however often it is read: here 2^60 paths lead back to one.
func TestSumsOfSums(t *testing.T) {
	compareInference(t, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		p := b.apply(&op.Sigmoid{}, b.param(8, 4, 4))
		for range 60 {
			p = b.apply(&op.Mul{}, b.apply(&op.Add{}, p, p), b.number(0.5))
		}
		return b.apply(&op.Relu{}, b.apply(&op.Add{}, x, p))
	})
}

// TestNormOfComputedFactors: in inference the scale of a BatchNorm may be computed; training refuses it.
func TestNormOfComputedFactors(t *testing.T) {
	norm := func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		gamma := b.apply(&op.Sigmoid{}, b.param(8))
		return b.apply(&op.Relu{}, b.apply(&op.BatchNorm{Epsilon: 1e-3, Momentum: 0.9}, x, gamma, b.param(8), b.param(8), b.param(8)))
	}
	compareInference(t, norm)
	compareInference(t, func(b *tiny, x *gorgonia.Node) *gorgonia.Node { // behind a convolution, into which it cannot go
		return norm(b, b.apply(&op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}, x, b.param(8, 8, 1, 1)))
	})
	b := &tiny{t: t, b: engine.NewBuilder()}
	_, err := plan.Training(b.objective(b.form(2, norm)), plan.Options{ISA: isas(t)[0]})
	if err == nil || !strings.Contains(err.Error(), "computed") {
		t.Errorf("got %v, want an error about factors that are computed", err)
	}
}
