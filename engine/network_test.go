package engine

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// sketch builds small networks; the first error fails the test.
type sketch struct {
	*testing.T
	*Builder
	n int
}

// newSketch has an input x of that shape.
func newSketch(t *testing.T, shape ...int) (*sketch, *gorgonia.Node) {
	s := &sketch{T: t, Builder: NewBuilder()}
	x, err := s.Placeholder("x", shape...)
	if err != nil {
		t.Fatal(err)
	}
	return s, x
}

func (s *sketch) apply(o op.Op, in ...*gorgonia.Node) *gorgonia.Node {
	s.Helper()
	s.n++
	node, err := s.Apply(o.Name()+string(rune('0'+s.n)), o, in...)
	if err != nil {
		s.Fatal(err)
	}
	return node
}

func (s *sketch) param(p Param) *gorgonia.Node {
	s.Helper()
	node, err := s.Param(&p)
	if err != nil {
		s.Fatal(err)
	}
	return node
}

func (s *sketch) network(outputs ...*gorgonia.Node) *Network {
	s.Helper()
	var named []Output
	for i, o := range outputs {
		named = append(named, Output{Name: "y" + string(rune('0'+i)), Node: o})
	}
	net, err := s.Network(Meta{}, named...)
	if err != nil {
		s.Fatal(err)
	}
	return net
}

// names are those of the operators of a network.
func names(net *Network) string {
	var list []string
	for _, node := range net.Nodes() {
		list = append(list, node.Op().(op.Op).Name())
	}
	return strings.Join(list, " ")
}

// TestBuilderRefuses: names that are taken, values that do not fit, operands that do not fit and networks without ends, each by name.
func TestBuilderRefuses(t *testing.T) {
	s, x := newSketch(t, 2, 3)
	s.param(Param{Name: "p", Shape: tensor.Shape{3}, Value: []float32{1, 2, 3}})
	for says, f := range map[string]func() error{
		`the name "x" is used twice`: func() error { _, err := s.Placeholder("x", 1); return err },
		`the name "p" is used twice`: func() error { _, err := s.Param(&Param{Name: "p"}); return err },
		`parameter "q": 2 values for shape (3)`: func() error {
			_, err := s.Param(&Param{Name: "q", Shape: tensor.Shape{3}, Value: []float32{1, 2}})
			return err
		},
		`node "label": Transpose: permutation [0]`:   func() error { _, err := s.Apply("label", &op.Transpose{Perm: []int{0}}, x); return err },
		"a network needs an input and an output":     func() error { _, err := s.Network(Meta{}); return err },
		"a network needs an input and an output\x00": func() error { _, err := NewBuilder().Network(Meta{}, Output{Node: x}); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(says, "\x00")) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	if scalar := s.param(Param{Name: "scalar", Value: []float32{2}}); scalar.Shape().Dims() != 0 {
		t.Errorf("a scalar has shape %v", scalar.Shape())
	}
}

// TestRewritersThatFail: what goes wrong while a network is rebuilt ends it, and nothing half-built comes back.
func TestRewritersThatFail(t *testing.T) {
	s, x := newSketch(t, 2, 3, 4, 4)
	pooled := s.apply(&op.GlobalAveragePool{}, x)
	relu := s.apply(&op.Relu{}, pooled)
	net := s.network(relu, s.apply(&op.Add{}, relu, pooled))
	broken := errors.New("broken")
	fail := func(*Builder, *gorgonia.Node, gorgonia.Nodes) (*gorgonia.Node, error) { return nil, broken }
	for name, f := range map[string]func() (*Network, error){
		"Rewrite": func() (*Network, error) { return net.Rewrite(nil, fail) },
		"replaced": func() (*Network, error) {
			return net.replaced(func(*Builder, *gorgonia.Node, gorgonia.Nodes, map[*gorgonia.Node]*gorgonia.Node) (*gorgonia.Node, error) {
				return nil, broken
			})
		},
		"Extend": func() (*Network, error) {
			return net.Extend(net.Outputs, func(*Builder, int, *gorgonia.Node) (*gorgonia.Node, error) { return nil, broken })
		},
	} {
		if got, err := f(); !errors.Is(err, broken) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := net.Behind(relu, net.Outputs[1]); err == nil || got != nil || !strings.Contains(err.Error(), "is neither a parameter nor computed before it is used") {
		t.Errorf("an output that depends on more: %v, %v", got, err)
	}
	if got, err := net.Behind(pooled, net.Outputs...); err != nil || names(got) != "Relu Add" || !got.Input.Shape().Eq([]int{2, 3, 1, 1}) {
		t.Errorf("%v (%v)", got, err)
	}
	if got, err := net.Rewrite(tensor.Shape{2, 3}, nil); err == nil || got != nil {
		t.Errorf("an input of another rank: %v, %v", got, err)
	}
	s, x = newSketch(t, 2, 3, 4, 4)
	tokens := s.apply(&op.Reshape{Shape: []int{2, 3, 16}}, x)
	net = s.network(s.apply(&op.Relu{}, tokens))
	if _, err := net.Behind(tokens, net.Outputs[0]); err == nil || !strings.Contains(err.Error(), "neither a map nor a row of values") {
		t.Errorf("behind tokens: %v", err)
	}
	net.DropValues()
	if _, err := net.Param("w"); err == nil || !strings.Contains(err.Error(), `no parameter "w"`) {
		t.Errorf("a parameter that is not there: %v", err)
	}
}

// TestWithGelu: all Gelus take another form; QuickGelu's are spelled out with one factor for all.
func TestWithGelu(t *testing.T) {
	for form, want := range map[Gelu]string{ExactGelu: "Relu Gelu Gelu", TanhGelu: "Relu Gelu Gelu", QuickGelu: "Relu Mul Sigmoid Mul Mul Sigmoid Mul"} {
		s, x := newSketch(t, 2, 3)
		y := s.apply(&op.Gelu{Tanh: form == ExactGelu}, s.apply(&op.Gelu{}, s.apply(&op.Relu{}, x)))
		net, err := s.network(y).WithGelu(form)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(net); got != want {
			t.Errorf("%d: %s, want %s", form, got, want)
		}
		for _, node := range net.Nodes() {
			if o, is := node.Op().(*op.Gelu); is && o.Tanh != (form == TanhGelu) {
				t.Errorf("%d: %v", form, o)
			}
		}
		if form == QuickGelu && (len(net.Params) != 1 || net.Params[0].Value[0] != 1.702 || net.Params[0].Trainable() || op.Inputs(net.Outputs[0].Node)[0] != op.Inputs(op.Inputs(op.Inputs(net.Outputs[0].Node)[1])[0])[0]) {
			t.Errorf("parameters %+v", net.Params)
		}
	}
}

// TestWithEpsilon: norms whose scale is named get another constant, and nothing else does.
func TestWithEpsilon(t *testing.T) {
	s, x := newSketch(t, 2, 3, 4, 4)
	ones := func(name string) *gorgonia.Node {
		return s.param(Param{Name: name, Shape: tensor.Shape{3}, Value: []float32{1, 1, 1}})
	}
	y := s.apply(&op.BatchNorm{Epsilon: 1}, x, ones("a"), ones("ab"), ones("am"), ones("av"))
	y = s.apply(&op.BatchNorm{Epsilon: 2}, y, ones("b"), ones("bb"), ones("bm"), ones("bv"))
	y = s.apply(&op.LayerNorm{Axis: 1, Epsilon: 3}, s.apply(&op.Flatten{Axis: 1}, s.apply(&op.GlobalAveragePool{}, y)), ones("c"), ones("cb"))
	net, err := s.network(s.apply(&op.Add{}, y, ones("a2"))).WithEpsilon(func(scale string) (float32, bool) { return 7, scale != "b" })
	if err != nil {
		t.Fatal(err)
	}
	var got []float32
	for _, node := range net.Nodes() {
		switch o := node.Op().(type) {
		case *op.BatchNorm:
			got = append(got, o.Epsilon)
		case *op.LayerNorm:
			got = append(got, o.Epsilon)
		}
	}
	if !slices.Equal(got, []float32{7, 2, 7}) {
		t.Errorf("constants %v, want 7, 2 and 7", got)
	}
}

// TestInRows: outputs that are neither rows nor maps become rows of all that belongs to an image.
func TestInRows(t *testing.T) {
	s, x := newSketch(t, 2, 3, 4, 4)
	tokens := s.apply(&op.Reshape{Shape: []int{2, 16, 3}}, x)
	row := s.apply(&op.ReduceMean{Axes: []int{1}}, tokens)
	net := s.network(tokens, row, s.apply(&op.Relu{}, x), s.apply(&op.Reshape{Shape: []int{4, 24}}, x))
	in, err := net.InRows()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []tensor.Shape{{2, 48}, {2, 3}, {2, 3, 4, 4}, {2, 48}} {
		if got := in.Outputs[i].Node.Shape(); !got.Eq(want) || in.Outputs[i].Name != net.Outputs[i].Name {
			t.Errorf("output %d has shape %v, want %v", i, got, want)
		}
	}
	if again, err := in.InRows(); err != nil || again != in {
		t.Errorf("rows became other rows: %v", err)
	}
}

// TestObjectiveRefuses: networks that cannot be trained, by what they lack.
func TestObjectiveRefuses(t *testing.T) {
	scaled := func(p Param, pooled bool) *Network {
		s, x := newSketch(t, 2, 3, 4, 4)
		p.Shape, p.Value = tensor.Shape{3, 1, 1}, []float32{1, 2, 3}
		y := s.apply(&op.Mul{}, x, s.param(p))
		if pooled {
			y = s.apply(&op.GlobalAveragePool{}, y)
		}
		return s.network(y)
	}
	s, x := newSketch(t, 2, 3, 4, 4)
	for _, c := range []struct {
		net  *Network
		says string
	}{
		{scaled(Param{Name: "w"}, true), ""}, {scaled(Param{Name: "w"}, false), "training needs logits of shape"},
		{scaled(Param{Name: "w", Frozen: true}, true), "the loss depends on no trainable parameter"}, {scaled(Param{Name: "w", Constant: true}, true), "the loss depends on no trainable parameter"},
		{s.network(s.apply(&op.GlobalAveragePool{}, x)), "the loss depends on no trainable parameter"},
	} {
		_, err := NewObjective(c.net, ObjectiveOptions{Batch: 2})
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%v, want %q", err, c.says)
		}
	}
}

// TestLinearOf: values that are sums of two known multiples of elements of another are read as such, element by element; others are not.
func TestLinearOf(t *testing.T) {
	type terms [2]float64 // the coefficients of the two terms of the first element
	table := func(s *sketch, constant bool) *gorgonia.Node {
		return s.param(Param{Name: "table", Shape: tensor.Shape{3}, Value: []float32{2, 3, 4}, Constant: constant})
	}
	for name, c := range map[string]struct {
		build func(s *sketch, x *gorgonia.Node) *gorgonia.Node
		index [2]float64 // of the first element; 0 for none
		coef  terms
		none  bool
	}{
		"itself":      {func(s *sketch, x *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Identity{}, x) }, [2]float64{1}, terms{1}, false},
		"negated":     {func(s *sketch, x *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Neg{}, x) }, [2]float64{1}, terms{-1}, false},
		"scaled":      {func(s *sketch, x *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Scale{Factor: 0.5}, x) }, [2]float64{1}, terms{0.5}, false},
		"by a table":  {func(s *sketch, x *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Mul{}, table(s, true), x) }, [2]float64{1}, terms{2}, false},
		"by a weight": {func(s *sketch, x *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Mul{}, table(s, false), x) }, [2]float64{1}, terms{1}, false},
		"a difference": {func(s *sketch, x *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.Sub{}, x, s.apply(&op.Gather{Axis: 1, Indices: []int{2, 1, 0}, IndexShape: []int{3}}, x))
		}, [2]float64{1, 3}, terms{1, -1}, false},
		"twice the same": {func(s *sketch, x *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Add{}, x, x) }, [2]float64{1}, terms{2}, false},
		"turned over": {func(s *sketch, x *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.Slice{Starts: []int{2}, Ends: []int{-4}, Axes: []int{1}, Steps: []int{-1}}, x)
		}, [2]float64{3}, terms{1}, false},
		"put together": {func(s *sketch, x *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.Concat{Axis: 1}, s.apply(&op.Neg{}, x), x)
		}, [2]float64{1}, terms{-1}, false},
		"three terms": {func(s *sketch, x *gorgonia.Node) *gorgonia.Node {
			turned := s.apply(&op.Gather{Axis: 1, Indices: []int{1, 2, 0}, IndexShape: []int{3}}, x)
			return s.apply(&op.Add{}, s.apply(&op.Add{}, x, turned), s.apply(&op.Gather{Axis: 1, Indices: []int{2, 0, 1}, IndexShape: []int{3}}, x))
		}, [2]float64{}, terms{}, true},
		"of two sources": {func(s *sketch, x *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Add{}, x, s.apply(&op.Relu{}, x)) }, [2]float64{}, terms{}, true},
		"of a parameter": {func(s *sketch, x *gorgonia.Node) *gorgonia.Node { return s.apply(&op.Add{}, x, table(s, true)) }, [2]float64{}, terms{}, true},
		"that broadcasts": {func(s *sketch, x *gorgonia.Node) *gorgonia.Node {
			return s.apply(&op.Add{}, x, s.apply(&op.Slice{Starts: []int{0}, Ends: []int{1}, Axes: []int{1}, Steps: []int{1}}, x))
		}, [2]float64{}, terms{}, true},
	} {
		s, x := newSketch(t, 1, 3)
		net := s.network(c.build(s, x))
		f, source := linearOf(net, net.Outputs[0].Node)
		if c.none {
			if f != nil {
				t.Errorf("%s: %+v", name, f)
			}
			continue
		}
		if f == nil || !f.shape.Eq(net.Outputs[0].Node.Shape()) || name != "by a weight" && source != x {
			t.Errorf("%s: %+v of %v", name, f, source)
			continue
		}
		for k := range 2 {
			if f.coef[k][0] != c.coef[k] || c.coef[k] != 0 && f.index[k][0] != c.index[k] {
				t.Errorf("%s: term %d is %g of element %g, want %g of %g", name, k, f.coef[k][0], f.index[k][0], c.coef[k], c.index[k])
			}
		}
	}
}

// TestStrided: values that operators only moved are elements of their source that lie evenly apart; what is cut, picked or dealt out otherwise is not.
func TestStrided(t *testing.T) {
	slice := func(start, end, axis, step int) op.Op {
		return &op.Slice{Starts: []int{start}, Ends: []int{end}, Axes: []int{axis}, Steps: []int{step}}
	}
	for name, c := range map[string]struct {
		ops    []op.Op // of a source (2, 3, 4)
		offset int
		runs   []run // nil where it is no such value
	}{
		"itself":                       {nil, 0, []run{{2, 12}, {3, 4}, {4, 1}}},
		"transposed":                   {[]op.Op{&op.Transpose{Perm: []int{2, 0, 1}}}, 0, []run{{4, 1}, {2, 12}, {3, 4}}},
		"cut":                          {[]op.Op{slice(1, 3, 1, 1)}, 4, []run{{2, 12}, {2, 4}, {4, 1}}},
		"cut from the end":             {[]op.Op{slice(-2, 4, -1, 1)}, 2, []run{{2, 12}, {3, 4}, {2, 1}}},
		"every second":                 {[]op.Op{slice(0, 4, 2, 2)}, 0, nil},
		"picked":                       {[]op.Op{&op.Gather{Axis: -1, Indices: []int{-1}}}, 3, []run{{2, 12}, {3, 4}}},
		"picked several":               {[]op.Op{&op.Gather{Axis: 1, Indices: []int{0, 2}, IndexShape: []int{2}}}, 0, nil},
		"picked as a row":              {[]op.Op{&op.Gather{Axis: 1, Indices: []int{2}, IndexShape: []int{1}}}, 0, nil},
		"dealt out":                    {[]op.Op{&op.Reshape{Shape: []int{6, 2, 2}}}, 0, []run{{6, 4}, {2, 2}, {2, 1}}},
		"joined":                       {[]op.Op{&op.Flatten{Axis: 1}}, 0, []run{{2, 12}, {12, 1}}},
		"with another axis":            {[]op.Op{&op.Unsqueeze{Axes: []int{0}}}, 0, []run{{1, 1}, {2, 12}, {3, 4}, {4, 1}}},
		"cut after it was joined":      {[]op.Op{&op.Reshape{Shape: []int{24}}, slice(5, 9, 0, 1)}, 5, []run{{4, 1}}},
		"joined after transposing":     {[]op.Op{&op.Transpose{Perm: []int{1, 0, 2}}, &op.Reshape{Shape: []int{6, 4}}}, 0, nil},
		"cut where it is no run":       {[]op.Op{&op.Transpose{Perm: []int{1, 0, 2}}, &op.Reshape{Shape: []int{6, 4}}, slice(0, 2, 0, 1)}, 0, nil},
		"picked where it is no run":    {[]op.Op{&op.Transpose{Perm: []int{1, 0, 2}}, &op.Reshape{Shape: []int{6, 4}}, &op.Gather{Indices: []int{1}}}, 0, nil},
		"dealt out across its axes":    {[]op.Op{&op.Reshape{Shape: []int{4, 6}}}, 0, nil},
		"computed":                     {[]op.Op{&op.Relu{}}, 0, nil},
		"cut beyond, then transposed":  {[]op.Op{slice(2, 99, 1, 1), &op.Transpose{Perm: []int{1, 2, 0}}}, 8, []run{{1, 1}, {4, 1}, {2, 12}}},
		"squeezed after it was picked": {[]op.Op{slice(1, 2, 0, 1), &op.Squeeze{Axes: []int{0}}}, 12, []run{{3, 4}, {4, 1}}},
	} {
		sk, x := newSketch(t, 2, 3, 4)
		s, ok := whole(x), true
		node := x
		for _, o := range c.ops {
			node = sk.apply(o, node)
			if ok {
				s, ok = s.through(node)
			}
		}
		var runs []run
		for axis := range s.dims {
			r, regular := s.run(axis)
			ok = ok && regular
			runs = append(runs, r)
		}
		if c.runs == nil {
			if ok {
				t.Errorf("%s: %v from %d on", name, runs, s.offset)
			}
			continue
		}
		for axis, r := range c.runs {
			if axis < len(runs) && !s.is(axis, r) {
				ok = false
			}
		}
		if !ok || len(runs) != len(c.runs) || s.offset != c.offset || s.source != x {
			t.Errorf("%s: %v from %d on, want %v from %d on", name, runs, s.offset, c.runs, c.offset)
		}
	}
}

// TestPadAsTensorFlow: strides pad as much as ceil(size / stride) results need, the odd pixel below and right; without strides nothing changes.
func TestPadAsTensorFlow(t *testing.T) {
	for _, c := range []struct {
		size, kernel, stride, dilation int
		want                           [2]int // above, below
	}{
		{8, 3, 2, 1, [2]int{0, 1}}, {7, 3, 2, 1, [2]int{1, 1}}, {8, 5, 2, 1, [2]int{1, 2}}, {8, 1, 2, 1, [2]int{0, 0}}, {9, 3, 3, 1, [2]int{0, 0}},
		{8, 3, 2, 2, [2]int{1, 2}}, {8, 3, 1, 1, [2]int{4, 4}}, {10, 7, 4, 1, [2]int{2, 3}},
	} {
		s, x := newSketch(t, 1, 1, c.size, c.size)
		w := s.param(Param{Name: "w", Shape: tensor.Shape{1, 1, c.kernel, c.kernel}, Value: make([]float32, c.kernel*c.kernel)})
		conv := &op.Conv{Strides: [2]int{c.stride, c.stride}, Dilations: [2]int{c.dilation, c.dilation}, Group: 1, Pads: [4]int{4, 4, 4, 4}}
		net, err := s.network(s.apply(conv, x, w)).PadAsTensorFlow()
		if err != nil {
			t.Fatal(err)
		}
		o := net.Outputs[0].Node.Op().(*op.Conv)
		if o.Pads != [4]int{c.want[0], c.want[0], c.want[1], c.want[1]} {
			t.Errorf("%+v: pads %v", c, o.Pads)
		}
		if results := net.Outputs[0].Node.Shape()[2]; c.stride > 1 && results != int(math.Ceil(float64(c.size)/float64(c.stride))) {
			t.Errorf("%+v: %d results", c, results)
		}
	}
}
