package head

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// TestFindsEverySpellingOfALayer: what a classifier may be spelled as, and what looks like one and is none.
func TestFindsEverySpellingOfALayer(t *testing.T) {
	conv := func(kernel, group int) *op.Conv {
		return &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: group}
	}
	for name, c := range map[string]struct {
		build    func(s *sketch, m, f *gorgonia.Node) *gorgonia.Node // of a map (2, 4, 7, 7) and features (2, 4)
		features int                                                 // 0 where there is no classifier
	}{
		"a product with a matrix": {func(s *sketch, _, f *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.MatMul{}, f, s.param("w", 4, 3))
		}, 4},
		"a matrix times a column": {func(s *sketch, _, f *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.MatMul{}, s.param("w", 3, 4), s.apply(&op.Unsqueeze{Axes: []int{2}}, f))
		}, 4},
		"a convolution as large as its map": {func(s *sketch, m, _ *gorgonia.Node) *gorgonia.Node {
			return s.apply(conv(7, 1), m, s.param("w", 3, 4, 7, 7))
		}, 4 * 7 * 7},
		"a convolution of one place": {func(s *sketch, m, _ *gorgonia.Node) *gorgonia.Node {
			return s.apply(conv(1, 1), s.apply(&op.GlobalAveragePool{}, m), s.param("w", 3, 4, 1, 1), s.param("b", 3))
		}, 4},
		"a convolution in groups": {func(s *sketch, m, _ *gorgonia.Node) *gorgonia.Node {
			return s.apply(conv(1, 2), s.apply(&op.GlobalAveragePool{}, m), s.param("w", 4, 2, 1, 1))
		}, 0},
		"maps averaged by ReduceMean": {func(s *sketch, m, _ *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.ReduceMean{Axes: []int{2, -1}}, s.apply(conv(1, 1), m, s.param("w", 3, 4, 1, 1), s.param("b", 3)))
		}, 4},
		"maps averaged by a pool of the whole": {func(s *sketch, m, _ *gorgonia.Node) *gorgonia.Node {
			y := s.apply(conv(1, 1), m, s.param("w", 3, 4, 1, 1), s.param("b", 3))
			return s.apply(&op.AveragePool{Kernel: [2]int{7, 7}, Strides: [2]int{1, 1}}, s.apply(&op.Dropout{Ratio: 0.5, ID: "d"}, y))
		}, 4},
		"a pool of a part": {func(s *sketch, m, _ *gorgonia.Node) *gorgonia.Node {
			y := s.apply(conv(1, 1), m, s.param("w", 3, 4, 1, 1), s.param("b", 3))
			return s.apply(&op.AveragePool{Kernel: [2]int{6, 6}, Strides: [2]int{2, 2}}, y)
		}, 0},
		"maps of larger convolutions": {func(s *sketch, m, _ *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.Softmax{Axis: 1}, s.pooled(s.apply(conv(3, 1), m, s.param("w", 3, 4, 3, 3), s.param("b", 3))))
		}, 0},
		"computed weights": {func(s *sketch, _, f *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.Softmax{Axis: 1}, s.apply(&op.MatMul{}, f, s.apply(&op.Transpose{Perm: []int{1, 0}}, f)))
		}, 0},
	} {
		s, x := newSketch(t)
		m := s.conv("a", x, 4, 3)
		net := s.network(c.build(s, m, s.pooled(m)))
		heads, err := Find(net)
		if c.features == 0 {
			if err == nil && heads[0].Weight != nil {
				t.Errorf("%s: a classifier %+v", name, heads[0])
			}
			continue
		}
		if err != nil || heads[0].Weight == nil || heads[0].Weight.Name != "w" || heads[0].Features != c.features {
			t.Errorf("%s: %+v (%v)", name, heads, err)
		}
	}
}

// TestBentTails: behind a layer of scores lies nothing nonlinear but what makes probabilities; other functions end features.
func TestBentTails(t *testing.T) {
	for name, c := range map[string]struct {
		build  func(s *sketch, fc *gorgonia.Node) *gorgonia.Node
		scores bool
	}{
		"BatchNorm": {func(s *sketch, fc *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.BatchNorm{Epsilon: 1}, fc, s.param("g", 3), s.param("b", 3), s.param("m", 3), s.param("v", 3))
		}, true},
		"negated":          {func(s *sketch, fc *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Neg{}, fc) }, true},
		"scaled":           {func(s *sketch, fc *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Mul{}, fc, s.param("k", 3)) }, true},
		"a number by them": {func(s *sketch, fc *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Div{}, s.param("k", 3), fc) }, false},
		"squared":          {func(s *sketch, fc *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Mul{}, fc, fc) }, false},
		"Tanh":             {func(s *sketch, fc *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Tanh{}, fc) }, false},
		"Softmax of Tanh": {func(s *sketch, fc *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.Softmax{Axis: 1}, s.apply(&op.Tanh{}, fc))
		}, true},
		"HardSigmoid": {func(s *sketch, fc *gorgonia.Node) *gorgonia.Node { return s.apply(&op.HardSigmoid{Alpha: 1}, fc) }, true},
		"shares of exp": {func(s *sketch, fc *gorgonia.Node) *gorgonia.Node {
			e := s.apply(&op.Exp{}, fc)
			return s.apply(&op.Div{}, e, s.apply(&op.Reduce{Kind: op.SumOf, ReduceMean: op.ReduceMean{Axes: []int{1}, KeepDims: true}}, e))
		}, true},
	} {
		s, x := newSketch(t)
		net := s.network(c.build(s, s.linear("fc", s.pooled(s.conv("a", x, 4, 3)), 3)))
		if h := mustFind(t, net)[0]; (h.Weight != nil) != c.scores {
			t.Errorf("%s: a classifier %v, want %v", name, h.Weight != nil, c.scores)
		}
	}
}

// TestLastMapOfEveryPool: the map of which a layer reads the means, however they are taken.
func TestLastMapOfEveryPool(t *testing.T) {
	for name, c := range map[string]struct {
		pool   func(s *sketch, m *gorgonia.Node) *gorgonia.Node // of (2, 4, 7, 7)
		linear bool
	}{
		"GlobalAveragePool": {func(s *sketch, m *gorgonia.Node) *gorgonia.Node { return s.pooled(m) }, true},
		"ReduceMean": {func(s *sketch, m *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.ReduceMean{Axes: []int{-1, 2}}, m)
		}, true},
		"AveragePool": {func(s *sketch, m *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.Flatten{Axis: 1}, s.apply(&op.AveragePool{Kernel: [2]int{7, 7}, Strides: [2]int{1, 1}}, m))
		}, true},
		"the largest": {func(s *sketch, m *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.Flatten{Axis: 1}, s.apply(&op.MaxPool{Kernel: [2]int{7, 7}, Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}}, m))
		}, false},
		"all places": {func(s *sketch, m *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Flatten{Axis: 1}, m) }, false},
	} {
		s, x := newSketch(t)
		m := s.conv("a", x, 4, 3)
		a := &Answers{Net: s.network(s.linear("fc", c.pool(s, m), 3)), Classes: 3}
		last, err := a.LastMap()
		if err != nil || last.Node != m || (last.Weights != nil) != c.linear {
			t.Errorf("%s: %+v (%v)", name, last, err)
			continue
		}
		behind, err := a.BehindMap(last)
		if err != nil {
			t.Fatal(err)
		}
		var free []string
		for _, p := range behind.Params {
			if !p.Frozen {
				free = append(free, p.Name)
			}
		}
		if !slices.Equal(free, []string{Shift}) || behind.Outputs[0].Node.Shape()[1] != 4 {
			t.Errorf("%s: %v are not frozen, scores %v", name, free, behind.Outputs[0].Node.Shape())
		}
	}
}

// TestNoMap: why there is no map to show.
func TestNoMap(t *testing.T) {
	of := func(classes int, build func(s *sketch, x *gorgonia.Node) *gorgonia.Node) *Answers {
		s, x := newSketch(t)
		return &Answers{Net: s.network(build(s, x)), Classes: classes}
	}
	for says, a := range map[string]*Answers{
		"it has no classifier": of(0, func(s *sketch, x *gorgonia.Node) *gorgonia.Node { return s.pooled(s.conv("a", x, 4, 3)) }),
		"do not all come from one map": of(3, func(s *sketch, x *gorgonia.Node) *gorgonia.Node {
			return s.linear("fc", s.apply(&op.Flatten{Axis: 1}, x), 3)
		}),
	} {
		var none *NoMapError
		if _, err := a.LastMap(); !errors.As(err, &none) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// TestBehindMapHasNoBatchNorm: behind the map BatchNorm is the constant scale and shift that it is in inference; one of computed numbers is refused.
func TestBehindMapHasNoBatchNorm(t *testing.T) {
	for _, computed := range []bool{false, true} {
		s, x := newSketch(t)
		m := s.conv("a", x, 4, 3)
		named := func(name string, values ...float32) *gorgonia.Node {
			node, err := s.Param(&engine.Param{Name: name, Shape: []int{4}, Value: values})
			if err != nil {
				t.Fatal(err)
			}
			return node
		}
		gamma := named("gamma", 1, 2, 3, 4)
		if computed {
			gamma = s.apply(&op.Neg{}, gamma)
		}
		norm := s.apply(&op.BatchNorm{Epsilon: 0.25}, m, gamma, named("beta", 1, 1, 1, 1), named("mean", 1, 2, 3, 4), named("variance", 0, 0.75, 2, 3.75))
		a := &Answers{Net: s.network(s.linear("fc", s.pooled(norm), 3)), Classes: 3}
		behind, err := a.BehindMap(&LastMap{Node: m})
		if computed {
			if err == nil || !strings.Contains(err.Error(), "normalises by computed numbers") {
				t.Error(err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(behind.Nodes(), func(n *gorgonia.Node) bool { _, is := n.Op().(*op.Affine); return is })
		if at < 0 {
			t.Fatal("there is no Affine")
		}
		// gamma / Sqrt(variance + 0.25), and beta less mean times that.
		if o := behind.Nodes()[at].Op().(*op.Affine); !near(o.Scale, []float32{2, 2, 2, 2}) || !near(o.Shift, []float32{-1, -3, -5, -7}) {
			t.Errorf("%v and %v", o.Scale, o.Shift)
		}
	}
}

// TestFingerprint: equal networks have one whatever their names are, and any change of operators, values, shapes or connections another.
func TestFingerprint(t *testing.T) {
	of := func(name string, o op.Op, value float32, classes int, swapped bool) string {
		s, x := newSketch(t)
		f := s.pooled(x)
		p, err := s.Param(&engine.Param{Name: name, Shape: []int{classes, 3}, Value: slices.Repeat([]float32{value}, 3*classes)})
		if err != nil {
			t.Fatal(err)
		}
		y := s.apply(&op.Linear{}, f, p)
		a, b := y, s.apply(o, y)
		if swapped {
			a, b = b, a
		}
		return new(Hasher).Fingerprint(s.network(s.apply(&op.Sub{}, a, b)))
	}
	want := of("w", &op.LeakyRelu{Alpha: 0.5}, 1, 2, false)
	if got := of("other", &op.LeakyRelu{Alpha: 0.5}, 1, 2, false); got != want {
		t.Error("it depends on a name")
	}
	for change, got := range map[string]string{
		"attribute": of("w", &op.LeakyRelu{Alpha: 0.25}, 1, 2, false), "operator": of("w", &op.Tanh{}, 1, 2, false), "value": of("w", &op.LeakyRelu{Alpha: 0.5}, 2, 2, false),
		"shape": of("w", &op.LeakyRelu{Alpha: 0.5}, 1, 4, false), "connection": of("w", &op.LeakyRelu{Alpha: 0.5}, 1, 2, true),
	} {
		if got == want {
			t.Errorf("another %s has the same", change)
		}
	}
	sized := func(side int) string {
		b := engine.NewBuilder()
		x, err := b.Placeholder("input", 2, 3, side, side)
		if err != nil {
			t.Fatal(err)
		}
		y, err := b.Apply("pool", &op.GlobalAveragePool{}, x)
		if err != nil {
			t.Fatal(err)
		}
		net, err := b.Network(engine.Meta{}, engine.Output{Name: "y", Node: y})
		if err != nil {
			t.Fatal(err)
		}
		return new(Hasher).Fingerprint(net)
	}
	if sized(8) == sized(9) {
		t.Error("the size of photos plays no part")
	}
	dropped := func(id string) string {
		s, x := newSketch(t)
		return new(Hasher).Fingerprint(s.network(s.apply(&op.Dropout{Ratio: 0.5, ID: id}, s.pooled(x))))
	}
	if dropped("a") != dropped("b") {
		t.Error("it depends on the name of a Dropout")
	}
	inOrder := func(names ...string) string {
		s, x := newSketch(t)
		y := s.pooled(x)
		for _, name := range names {
			y = s.apply(&op.Add{}, y, s.param(name, 3))
		}
		return new(Hasher).Hash(s.network(y), nil)
	}
	if inOrder("p", "q") != inOrder("q", "p") {
		t.Error("the order of parameters plays a part in the hash of a trunk")
	}
	s, x := newSketch(t)
	a, b := s.pooled(x), s.pooled(s.apply(&op.Neg{}, x))
	if new(Hasher).Fingerprint(s.network(a, b)) == new(Hasher).Fingerprint(s.network(b, a)) {
		t.Error("the order of the outputs plays no part")
	}
}
