package head

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// TestRangesWithoutEnds: quotients by what may be 0, products of 0 and infinity and unknown operators may be anything.
func TestRangesWithoutEnds(t *testing.T) {
	s, x := newSketch(t)
	p := s.apply(&op.Softmax{Axis: 1}, s.pooled(x))
	raw := s.linear("fc", s.pooled(x), 3)
	for what, c := range map[string]struct {
		node *gorgonia.Node
		want interval
	}{
		"1 / p":                  {s.apply(&op.Reciprocal{}, p), anything},
		"p / p":                  {s.apply(&op.Div{}, p, p), anything},
		"p * exp(x)":             {s.apply(&op.Mul{}, p, s.apply(&op.Exp{}, raw)), anything},
		"the sum of p":           {s.apply(&op.Reduce{Kind: op.SumOf, ReduceMean: op.ReduceMean{Axes: []int{1}}}, p), anything},
		"tanh(p)":                {s.apply(&op.Tanh{}, p), anything},
		"x":                      {raw, anything},
		"softplus(x)":            {s.apply(&op.Softplus{}, raw), interval{0, math.Inf(1)}},
		"logsoftmax(x)":          {s.apply(&op.LogSoftmax{Axis: 1}, raw), interval{math.Inf(-1), 0}},
		"a share of what may be": {s.apply(&op.Div{}, raw, s.apply(&op.Reduce{Kind: op.SumOf, ReduceMean: op.ReduceMean{Axes: []int{1}, KeepDims: true}}, raw)), anything},
	} {
		net, err := s.Network(engine.Meta{}, engine.Output{Name: "y", Node: c.node})
		if err != nil {
			t.Fatal(err)
		}
		r := ranges{net: net, known: map[*gorgonia.Node]interval{}, scores: map[*gorgonia.Node]bool{}}
		for _, n := range net.Nodes(c.node) {
			r.known[n] = r.compute(n)
		}
		if got := r.of(c.node); got != c.want || probabilities(net, c.node) {
			t.Errorf("%s: %v, want %v; probabilities %v", what, got, c.want, probabilities(net, c.node))
		}
	}
}

// TestRanges: what operators make of probabilities p and of two other intervals.
func TestRanges(t *testing.T) {
	s, x := newSketch(t)
	p := s.apply(&op.Softmax{Axis: 1}, s.pooled(x))
	number := func(name string, v float32) *gorgonia.Node {
		node, err := s.Param(&engine.Param{Name: name, Shape: []int{1}, Value: []float32{v}})
		if err != nil {
			t.Fatal(err)
		}
		return node
	}
	half, minus := number("half", 0.5), number("minus", -2)
	sum := func(kind string, of *gorgonia.Node) *gorgonia.Node {
		return s.apply(&op.Reduce{Kind: kind, ReduceMean: op.ReduceMean{Axes: []int{1}, KeepDims: true}}, of)
	}
	exponential := s.apply(&op.Exp{}, s.linear("fc", s.pooled(x), 3))
	centred := s.apply(&op.Sub{}, p, half) // -0.5 to 0.5
	for _, c := range []struct {
		what string
		node *gorgonia.Node
		want interval
	}{
		{"p", p, interval{0, 1}},
		{"p - 0.5", centred, interval{-0.5, 0.5}},
		{"0.5 - p", s.apply(&op.Sub{}, half, p), interval{-0.5, 0.5}},
		{"relu(p - 0.5)", s.apply(&op.Relu{}, centred), interval{0, 0.5}},
		{"relu(-p)", s.apply(&op.Relu{}, s.apply(&op.Neg{}, p)), interval{0, 0}},
		{"-p", s.apply(&op.Neg{}, p), interval{-1, 0}},
		{"p + p", s.apply(&op.Add{}, p, p), interval{0, 2}},
		{"p + (p - 0.5)", s.apply(&op.Add{}, p, centred), interval{-0.5, 1.5}},
		{"-2 p", s.apply(&op.Mul{}, p, minus), interval{-2, 0}},
		{"(p - 0.5) * (p - 0.5)", s.apply(&op.Mul{}, centred, centred), interval{-0.25, 0.25}},
		{"p / 0.5", s.apply(&op.Div{}, p, half), interval{0, 2}},
		{"p / -2", s.apply(&op.Div{}, p, minus), interval{-0.5, 0}},
		{"clip(p - 0.5)", s.apply(&op.Clip{Min: -0.25, Max: 3}, centred), interval{-0.25, 0.5}},
		{"clip(p) above it", s.apply(&op.Clip{Min: 2, Max: 3}, p), interval{2, 2}},
		{"p and p - 0.5", s.apply(&op.Concat{Axis: 1}, p, centred), interval{-0.5, 1}},
		{"p - 0.5 and p", s.apply(&op.Concat{Axis: 1}, centred, p), interval{-0.5, 1}},
		{"the largest p", sum(op.MaxOf, p), interval{0, 1}},
		{"the smallest p - 0.5", sum(op.MinOf, centred), interval{-0.5, 0.5}},
		{"exp(x)", exponential, interval{0, math.Inf(1)}},
		{"exp(-p)", s.apply(&op.Exp{}, s.apply(&op.Neg{}, p)), interval{math.Exp(-1), 1}},
		{"a share of exp(x)", s.apply(&op.Div{}, exponential, sum(op.SumOf, exponential)), interval{0, 1}},
		{"1 / (p + 0.5)", s.apply(&op.Reciprocal{}, s.apply(&op.Add{}, p, half)), interval{1 / 1.5, 2}},
		{"p / (p + 0.5)", s.apply(&op.Div{}, p, s.apply(&op.Add{}, p, half)), interval{0, 2}},
		{"p, padded", s.apply(&op.Dropout{Ratio: 0.5}, p), interval{0, 1}},
		{"exp(p - 0.5), at least", s.apply(&op.Relu{}, s.apply(&op.Sub{}, s.apply(&op.Exp{}, s.apply(&op.Relu{}, s.apply(&op.Neg{}, p))), p)), interval{0, 1}},
	} {
		net, err := s.Network(engine.Meta{}, engine.Output{Name: "y", Node: c.node})
		if err != nil {
			t.Fatal(err)
		}
		r := ranges{net: net, known: map[*gorgonia.Node]interval{}, scores: map[*gorgonia.Node]bool{}}
		for _, n := range net.Nodes(c.node) {
			r.known[n] = r.compute(n)
		}
		if got := r.of(c.node); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
		if !r.scores[c.node] {
			t.Errorf("%s: not of probabilities", c.what)
		}
	}
}
