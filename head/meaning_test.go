package head

import (
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// TestMeaning: what the numbers of an output mean, and the scores behind them.
func TestMeaning(t *testing.T) {
	sum := func(kind string, axis int) *op.Reduce {
		return &op.Reduce{Kind: kind, ReduceMean: op.ReduceMean{Axes: []int{axis}, KeepDims: true}}
	}
	for _, c := range []struct {
		name  string
		build func(s *sketch, map4, scores *gorgonia.Node) *gorgonia.Node
		want  Meaning
		bare  bool // the scores are those of the layer
	}{
		{"scores", func(s *sketch, _, x *gorgonia.Node) *gorgonia.Node { return x }, Logits, true},
		{"Softmax", func(s *sketch, _, x *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Softmax{Axis: 1}, x) }, Logits, true},
		{"Softmax over the last axis", func(s *sketch, _, x *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Softmax{Axis: -1}, x) }, Logits, true},
		{"LogSoftmax", func(s *sketch, _, x *gorgonia.Node) *gorgonia.Node { return s.apply(&op.LogSoftmax{Axis: -1}, x) }, Logits, true},
		{"Log of Softmax", func(s *sketch, _, x *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.Log{}, s.apply(&op.Softmax{Axis: 1}, x))
		}, Logits, true},
		{"Exp of LogSoftmax", func(s *sketch, _, x *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.Exp{}, s.apply(&op.LogSoftmax{Axis: 1}, x))
		}, Logits, true},
		{"Sigmoid", func(s *sketch, _, x *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Sigmoid{}, x) }, Independent, true},
		{"means of Softmax", func(s *sketch, m, _ *gorgonia.Node) *gorgonia.Node { return s.pooled(s.apply(&op.Softmax{Axis: 1}, m)) }, Given, false},
		{"Log of their means", func(s *sketch, m, _ *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.Log{}, s.pooled(s.apply(&op.Softmax{Axis: 1}, m)))
		}, Given, false},
	} {
		s, x := newSketch(t)
		m := s.conv("a", x, 5, 3)
		scores := s.linear("fc", s.pooled(m), 5)
		net := s.network(c.build(s, m, scores))
		r := read(net, net.Outputs[0].Node)
		if r.meaning != c.want {
			t.Errorf("%s: %q, want %q", c.name, r.meaning, c.want)
		}
		if _, is := shaped(r.scores).Op().(*op.Linear); is != c.bare {
			t.Errorf("%s: the scores are those of %v", c.name, r.scores.Op())
		}
	}
	for kind, want := range map[string]bool{op.SumOf: true, op.MaxOf: false, op.L2Of: false} {
		s, x := newSketch(t)
		e := s.apply(&op.Exp{}, s.linear("fc", s.pooled(x), 5))
		if node := s.apply(&op.Div{}, e, s.apply(sum(kind, 1), e)); isShare(node) != want {
			t.Errorf("shares of %s: %v", kind, !want)
		}
		if isShare(s.apply(&op.Mul{}, e, s.apply(sum(kind, 1), e))) {
			t.Errorf("a product with %s is a share", kind)
		}
	}
}

// TestSwappedMeaning: new heads give scores, whatever the old ones gave.
func TestSwappedMeaning(t *testing.T) {
	net := twoHeaded(t)
	net.Meta.Probabilities = string(Independent)
	if got := mustSwap(t, net, 1).Meta.Probabilities; got != string(Logits) {
		t.Errorf("%q", got)
	}
}

// TestLinearMap: scores that are means of a map rest on one channel each, those of a layer on its weights.
func TestLinearMap(t *testing.T) {
	s, x := newSketch(t)
	m := s.conv("a", x, 3, 3)
	mean := s.pooled(m)
	layer := s.linear("fc", mean, 2)
	bent := s.apply(&op.Relu{}, layer)
	a := &Answers{Net: s.network(mean, layer, bent)}
	if got := a.linearMap(mean); got == nil || got.Node != m || !slices.Equal(got.Weights, []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}) {
		t.Errorf("means: %+v", got)
	}
	weights, err := a.Net.Param("fc.weight")
	if err != nil {
		t.Fatal(err)
	}
	if got := a.linearMap(layer); got == nil || got.Node != m || !slices.Equal(got.Weights, weights.Value) {
		t.Errorf("a layer: %+v, want %v", got, weights.Value)
	}
	if got := a.linearMap(bent); got != nil {
		t.Errorf("what is neither: %+v", got)
	}
}

// TestWithZero puts a score of 0 behind the others, which stay.
func TestWithZero(t *testing.T) {
	s, x := newSketch(t)
	net := s.network(s.linear("fc", s.pooled(x), 2))
	whole, err := net.Extend(net.Outputs, withZero)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(whole.Params, func(p *engine.Param) bool { return p.Name == "scores and 0" })
	if p := whole.Params[at]; !slices.Equal(p.Shape, []int{3, 2}) || !slices.Equal(p.Value, []float32{1, 0, 0, 1, 0, 0}) {
		t.Errorf("%v: %v", p.Shape, p.Value)
	}
}

// TestNodeCalled: a node is found by its own name, and a layer by that of its weight; the last one counts.
func TestNodeCalled(t *testing.T) {
	s, x := newSketch(t)
	a := s.conv("a", x, 3, 3)
	layer := s.linear("fc", s.pooled(a), 2)
	net := s.network(s.apply(&op.Softmax{Axis: 1}, layer))
	if got := nodeCalled(net, "fc"); got != layer {
		t.Errorf("the layer of fc.weight: %v", got)
	}
	if got := nodeCalled(net, net.Label(a)); got != a {
		t.Errorf("%s: %v", net.Label(a), got)
	}
	if got := nodeCalled(net, "b"); got != nil {
		t.Errorf("no node: %v", got)
	}
}
