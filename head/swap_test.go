package head

import (
	"math"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/op"
)

var places = []string{"coast", "forest", "street"}

func mustSwap(t *testing.T, net *engine.Network, seed uint64) *engine.Network {
	t.Helper()
	swapped, err := Swap(net, places, seed)
	if err != nil {
		t.Fatal(err)
	}
	return swapped
}

func TestSwapReplacesHeadsAndNothingElse(t *testing.T) {
	net := twoHeaded(t)
	before := new(Hasher).Hash(net, mustFind(t, net))
	all := new(Hasher).Hash(net, nil)
	swapped := mustSwap(t, net, 7)
	heads := mustFind(t, swapped)
	if new(Hasher).Hash(net, nil) != all {
		t.Error("the original network has changed")
	}
	if new(Hasher).Hash(swapped, heads) != before {
		t.Error("the trunk has changed")
	}
	for i, name := range []string{"output1", "output0"} { // main first
		if o := swapped.Outputs[i]; o.Name != name || o.Node.Shape()[1] != 3 || heads[i].Output != i || heads[i].Classes != 3 {
			t.Errorf("output %d is %s %v", i, o.Name, o.Node.Shape())
		}
	}
	for _, node := range swapped.Nodes() {
		if _, is := node.Op().(*op.Softmax); is {
			t.Error("a Softmax is left")
		}
	}
	if !slices.Equal(swapped.Meta.Labels, places) || len(swapped.Params) != len(net.Params) {
		t.Errorf("labels %v, %d parameters", swapped.Meta.Labels, len(swapped.Params))
	}
	if _, err := swapped.WithBatch(5); err != nil {
		t.Errorf("rebuilding: %v", err)
	}
}

func TestSwapInitialisation(t *testing.T) {
	s, x := newSketch(t)
	net := s.network(s.linear("fc", s.pooled(s.conv("a", x, 256, 3)), 2))
	h := mustFind(t, mustSwap(t, net, 7))[0]
	bound := 1 / math.Sqrt(256) // kaiming_uniform(a = sqrt 5) on 256 inputs
	sum, square, n := 0.0, 0.0, float64(len(h.Weight.Value))
	for _, v := range h.Weight.Value {
		if math.Abs(float64(v)) > bound {
			t.Fatalf("weight %g lies outside +-%g", v, bound)
		}
		sum += float64(v)
		square += float64(v) * float64(v)
	}
	// The standard error of the mean of 768 draws is bound/sqrt(3 n); that of the variance bound^2/3 is about
	// 0.9/sqrt(n) of it. Four of them.
	if math.Abs(sum/n) > 4*bound/math.Sqrt(3*n) || math.Abs(square/n/(bound*bound/3)-1) > 4*0.9/math.Sqrt(n) {
		t.Errorf("mean %g, mean square %g of U(-%g, %g)", sum/n, square/n, bound, bound)
	}
	again, other := mustFind(t, mustSwap(t, net, 7))[0], mustFind(t, mustSwap(t, net, 8))[0]
	if !slices.Equal(h.Weight.Value, again.Weight.Value) || !slices.Equal(h.Bias.Value, again.Bias.Value) {
		t.Error("one seed gives two heads")
	}
	if slices.Equal(h.Weight.Value, other.Weight.Value) {
		t.Error("two seeds give one head")
	}
}

func TestSwapGivesABias(t *testing.T) {
	s, x := newSketch(t)
	f := s.pooled(s.conv("a", x, 4, 3))
	net := s.network(s.apply(&op.Linear{}, f, s.param("fc.weight", 5, 4)))
	if h := mustFind(t, mustSwap(t, net, 1))[0]; h.Bias == nil || h.Bias.Name != "fc.bias" || len(h.Bias.Value) != 3 {
		t.Errorf("head %+v", h)
	}
}

func TestSwapConvolutionHead(t *testing.T) {
	s, x := newSketch(t)
	net := mustSwap(t, s.network(s.pooled(s.conv("classifier.1", s.conv("a", x, 4, 3), 7, 1))), 1)
	h := mustFind(t, net)[0]
	if !h.Convolution() || !h.Rectified || !slices.Equal(h.Weight.Shape, []int{3, 4, 1, 1}) || net.Outputs[0].Node.Shape()[1] != 3 {
		t.Errorf("head %+v", h)
	}
}

func TestSwapAppendsToFeatures(t *testing.T) {
	for name, build := range map[string]func(*testing.T) *engine.Network{
		"map": func(t *testing.T) *engine.Network {
			s, x := newSketch(t)
			return s.network(s.conv("a", x, 4, 3))
		},
		"vector": func(t *testing.T) *engine.Network {
			s, x := newSketch(t)
			return s.network(s.pooled(s.conv("a", x, 4, 3)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			net := mustSwap(t, build(t), 1)
			h := mustFind(t, net)[0]
			if h.Weight == nil || h.Features != 4 || h.Classes != 3 || net.Outputs[0].Node.Dims() != 2 {
				t.Errorf("head %+v, output %v", h, net.Outputs[0].Node.Shape())
			}
		})
	}
}

func TestSwapNeedsTwoClasses(t *testing.T) {
	if _, err := Swap(twoHeaded(t), places[:1], 1); err == nil {
		t.Error("one class is enough")
	}
}

func TestTrunkEndsInFeatures(t *testing.T) {
	net := twoHeaded(t)
	trunk, err := Trunk(net)
	if err != nil {
		t.Fatal(err)
	}
	if len(trunk.Outputs) != 2 || trunk.Outputs[0].Node.Shape()[1] != 6 || trunk.Outputs[1].Node.Shape()[1] != 4 {
		t.Errorf("outputs %v and %v", trunk.Outputs[0].Node.Shape(), trunk.Outputs[1].Node.Shape())
	}
	for _, p := range trunk.Params {
		if p.Name == "fc.weight" || p.Name == "aux.fc.bias" {
			t.Errorf("%s belongs to a head", p.Name)
		}
	}
}

func TestHashSeesEveryBitOfTheTrunk(t *testing.T) {
	net := twoHeaded(t)
	heads := mustFind(t, net)
	hash := new(Hasher).Hash(net, heads)
	for _, p := range net.Params {
		for _, i := range []int{0, len(p.Value) - 1} {
			p.Value[i] = math.Float32frombits(math.Float32bits(p.Value[i]) ^ 1)
			inHead := p == heads[0].Weight || p == heads[0].Bias || p == heads[1].Weight || p == heads[1].Bias
			if changed := new(Hasher).Hash(net, heads) != hash; changed == inHead {
				t.Errorf("%s, in a head %v: hash changed %v", p.Name, inHead, changed)
			}
			p.Value[i] = math.Float32frombits(math.Float32bits(p.Value[i]) ^ 1)
		}
	}
}

func TestFreezeTrunk(t *testing.T) {
	net := twoHeaded(t)
	FreezeTrunk(net, mustFind(t, net))
	for _, p := range net.Params {
		if inHead := p.Name[:2] == "fc" || p.Name[:3] == "aux"; p.Frozen == inHead {
			t.Errorf("%s frozen: %v", p.Name, p.Frozen)
		}
	}
	FreezeTrunk(net, nil)
	for _, p := range net.Params {
		if p.Frozen {
			t.Errorf("%s is frozen", p.Name)
		}
	}
}

func TestTemperKeepsAnswers(t *testing.T) {
	net := mustSwap(t, twoHeaded(t), 1)
	heads := mustFind(t, net)
	if by := Temper(heads); by != 1 {
		t.Fatalf("fresh heads were divided by %g", by)
	}
	// A solved head: fifty times fresh ones' size.
	h := heads[0]
	scale(h.Weight, 50)
	scale(h.Bias, 50)
	weight, bias := slices.Clone(h.Weight.Value), slices.Clone(h.Bias.Value)
	by := Temper(heads)
	if ratio := rms(h.Weight.Value) * math.Sqrt(3*6); math.Abs(ratio-1) > 1e-6 {
		t.Errorf("the weight's size is %g times that of fresh ones", ratio)
	}
	for i, v := range h.Weight.Value {
		if math.Abs(float64(v)*by-float64(weight[i])) > 1e-6*by {
			t.Fatalf("weight %d: %g times %g is not %g", i, v, by, weight[i])
		}
	}
	for i, v := range h.Bias.Value {
		if math.Abs(float64(v)*by-float64(bias[i])) > 1e-6*by {
			t.Fatalf("bias %d: %g times %g is not %g", i, v, by, bias[i])
		}
	}
}

// TestKeep: heads are trained on from their values, unless something other than Softmax lies behind them.
func TestKeep(t *testing.T) {
	net := twoHeaded(t)
	kept, err := Keep(net, 5)
	if err != nil || kept == nil {
		t.Fatalf("kept %v (%v)", kept, err)
	}
	old, heads := mustFind(t, net), mustFind(t, kept)
	for i := range heads {
		if !slices.Equal(heads[i].Weight.Value, old[i].Weight.Value) || !slices.Equal(heads[i].Bias.Value, old[i].Bias.Value) {
			t.Errorf("head %d has other values", i)
		}
	}
	if kept.Outputs[0].Node.Op().(op.Op).Name() != "Linear" {
		t.Errorf("the output is %v", kept.Outputs[0].Node)
	}
	s, x := newSketch(t)
	scaled := s.apply(&op.Mul{}, s.linear("fc", s.pooled(s.conv("a", x, 4, 3)), 5), s.param("temperature", 1))
	if kept, err := Keep(s.network(scaled), 5); err != nil || kept != nil {
		t.Errorf("a temperature was kept: %v (%v)", kept, err)
	}
	if kept, err := Keep(net, 6); err != nil || kept != nil {
		t.Errorf("5 scores were kept for 6 classes: %v (%v)", kept, err)
	}
}

// TestKeepTurnsMatrices: the weight of a product is (features, classes), that of a linear layer (classes, features).
func TestKeepTurnsMatrices(t *testing.T) {
	s, x := newSketch(t)
	w := s.param("w.weight", 4, 5)
	net := s.network(s.apply(&op.MatMul{}, s.pooled(s.conv("a", x, 4, 3)), w))
	kept, err := Keep(net, 5)
	if err != nil || kept == nil {
		t.Fatalf("kept %v (%v)", kept, err)
	}
	got, want := mustFind(t, kept)[0].Weight, net.ParamOf(w)
	for f := range 4 {
		for c := range 5 {
			if got.Value[c*4+f] != want.Value[f*5+c] {
				t.Fatalf("weight %d of class %d is %g, want %g", f, c, got.Value[c*4+f], want.Value[f*5+c])
			}
		}
	}
}

// TestSwapRefuses: networks that no classifier fits, or whose own names are those of the new one.
func TestSwapRefuses(t *testing.T) {
	features := func(taken string) *engine.Network {
		s, x := newSketch(t)
		return s.network(s.apply(&op.Mul{}, s.pooled(s.conv("a", x, 4, 3)), s.param(taken, 4)))
	}
	s, x := newSketch(t)
	sides := s.network(s.apply(&op.Softmax{Axis: 1}, s.apply(&op.Add{}, s.linear("one", s.pooled(x), 4), s.linear("other", s.pooled(x), 4))))
	for name, c := range map[string]struct {
		net    *engine.Network
		labels []string
		says   string
	}{
		"one class":                 {features("k"), places[:1], "at least 2 classes, not 1"},
		"no classifier":             {sides, places, "no classifier was found"},
		"the name of the weight":    {features("head.weight"), places, `"head.weight" is used twice`},
		"the name of the bias":      {features("head.bias"), places, `"head.bias" is used twice`},
		"nothing to object to":      {features("k"), places, ""},
		"a name that only looks so": {features("head"), places, ""},
	} {
		_, err := Swap(c.net, c.labels, 1)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	if _, err := Keep(sides, 4); err == nil {
		t.Error("Keep: no error")
	}
	if _, err := Trunk(sides); err == nil {
		t.Error("Trunk: no error")
	}
	if _, err := Choose(sides, "size"); err == nil || err.Error() != `no node is called "size"` {
		t.Errorf("Choose: %v", err)
	}
	s, x = newSketch(t)
	if blocks := Blocks(s.network(s.pooled(x))); blocks != nil {
		t.Errorf("blocks without weights: %v", blocks)
	}
}

// TestTemperLeavesConvolutions: the classifiers of SqueezeNet, and what has none, stay.
func TestTemperLeavesConvolutions(t *testing.T) {
	s, x := newSketch(t)
	heads := mustFind(t, s.network(s.pooled(s.conv("classifier.1", s.conv("a", x, 4, 3), 7, 1))))
	scale(heads[0].Weight, 1000)
	before := slices.Clone(heads[0].Weight.Value)
	if by := Temper(append(heads, Head{})); by != 1 || !slices.Equal(heads[0].Weight.Value, before) {
		t.Errorf("divided by %g", by)
	}
}
