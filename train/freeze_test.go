package train

import (
	"math"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/plan"
	"regraft/head"
	"regraft/onnx"
)

// TestBlocks: residual blocks, Inception modules and plain layers are found by the graph, the stem first and the classifier last.
func TestBlocks(t *testing.T) {
	for file, want := range map[string][]string{
		"../onnx/testdata/resnet18.ts.train.op17.onnx": {"conv1", "layer1.0", "layer1.1", "layer2.0", "layer2.1", "layer3.0", "layer3.1", "layer4.0", "layer4.1", "fc"},
	} {
		net, _, err := onnx.Read(file, onnx.ReadOptions{})
		must(t, err)
		var names []string
		for _, b := range head.Blocks(net) {
			names = append(names, b.Name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s: blocks %q, want %q", file, names, want)
		}
	}
	var names []string
	total := 0
	net := narrow(t)
	for _, b := range head.Blocks(net) {
		names = append(names, b.Name)
		total += len(b.Params)
	}
	if !slices.Equal(names, []string{"a", "b", "c", "fc"}) || total != len(net.Params) {
		t.Errorf("blocks %q with %d parameters of %d", names, total, len(net.Params))
	}
}

// moved are the parameters of the last model of a run that are not those that it began with.
func moved(t *testing.T, c Config) map[string]bool {
	t.Helper()
	fit(t, c)
	after, _, err := onnx.Read(c.Out+"/"+BestFile, onnx.ReadOptions{})
	must(t, err)
	is := map[string]bool{}
	for _, p := range narrow(t).Params {
		if strings.HasPrefix(p.Name, "fc") || strings.HasPrefix(p.Name, "AuxLogits") {
			continue // are new
		}
		q, err := after.Param(p.Name)
		must(t, err)
		is[p.Name] = !slices.Equal(p.Value, q.Value)
	}
	return is
}

// TestFreeze: what is frozen stays to the bit, running statistics included, and what is not moves; names and numbers say the same; a
// name that is nothing's and a number that is too large are errors with the list.
func TestFreeze(t *testing.T) {
	data := photos(t, map[string]int{"train": 8, "val": 3})
	config := func(freeze ...string) Config {
		c := narrowRun(t, Full, data)
		c.Epochs, c.WarmupEpochs, c.Freeze = 1, 0, freeze
		return c
	}
	for _, f := range []struct {
		freeze []string
		stay   []string
	}{{[]string{"1"}, []string{"a."}}, {[]string{"2"}, []string{"a.", "b."}}, {[]string{"b"}, []string{"b."}}, {[]string{"a.bn", "b.conv.weight"}, []string{"a.bn.", "b.conv.weight"}}} {
		for name, is := range moved(t, config(f.freeze...)) {
			stays := slices.ContainsFunc(f.stay, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
			if is == stays {
				t.Errorf("freeze %q: %s has moved: %v", f.freeze, name, is)
			}
		}
	}
	first, named := config("2"), config("a", "b")
	fit(t, first)
	fit(t, named)
	if sum(t, first.Out+"/"+BestFile) != sum(t, named.Out+"/"+BestFile) {
		t.Error("the first two blocks by number and by name differ")
	}
	fails(t, config("4"), "4 of the network's 4 blocks cannot be frozen; they are 1 a, 2 b, 3 c, 4 fc, and the last one is its classifier")
	fails(t, config("a.c"), `nothing to freeze is called "a.c"`) // which a.conv.weight begins with
	fails(t, config("layer1"), `nothing to freeze is called "layer1"`)
	c := config()
	c.UnfreezeAfter = 1
	fails(t, c, "UnfreezeAfter does nothing without Freeze")
}

// TestLayerDecay: with SGD and no momentum a step of a block is the factor's power times what it is without.
func TestLayerDecay(t *testing.T) {
	data := photos(t, map[string]int{"train": 8, "val": 3})
	step := func(decay float64) map[string]float64 {
		c := narrowRun(t, Full, data)
		c.Epochs, c.Batch, c.WarmupEpochs, c.Optimizer, c.Momentum, c.WeightDecay, c.Schedule, c.LearningRate = 1, 24, 0, SGD, 0, 0, Constant, 1
		c.LayerDecay = decay
		fit(t, c)
		after, _, err := onnx.Read(c.Out+"/"+BestFile, onnx.ReadOptions{})
		must(t, err)
		far := map[string]float64{}
		for _, p := range narrow(t).Params {
			if !strings.HasSuffix(p.Name, "conv.weight") {
				continue
			}
			q, err := after.Param(p.Name)
			must(t, err)
			for i, v := range q.Value {
				far[p.Name] += math.Abs(float64(v - p.Value[i]))
			}
		}
		return far
	}
	plain, decayed := step(0), step(0.5)
	for name, factor := range map[string]float64{"a.conv.weight": 0.125, "b.conv.weight": 0.25, "c.conv.weight": 0.5} {
		if ratio := decayed[name] / plain[name]; math.Abs(ratio-factor) > 1e-4 {
			t.Errorf("%s moves %.5f as far, want %g", name, ratio, factor)
		}
	}
}

// TestUnfreezeAfter: the last frozen block thaws first, in the epoch that is meant; averages and the solver's state go along, to the same
// bits when the run is resumed in any of the epochs and with any number of threads.
func TestUnfreezeAfter(t *testing.T) {
	data := photos(t, map[string]int{"train": 8, "val": 3})
	kills := map[Optimizer][]int{AdamW: {2, 3, 4, 5, 6, 7, 8}, RMSpropTF: {4, 7}}
	if testing.Short() {
		kills = map[Optimizer][]int{AdamW: {4, 7}}
	}
	for optimizer, steps := range kills {
		config := func() Config {
			c := narrowRun(t, Full, data)
			c.Freeze, c.UnfreezeAfter, c.EMA, c.Optimizer, c.LayerDecay = []string{"2"}, 1, 0.9, optimizer, 0.7
			c.Epochs, c.WarmupEpochs, c.Batch, c.Schedule = 3, 0, 8, Constant
			return c
		}
		for epochs, still := range map[int][]string{1: {"a.", "b."}, 2: {"a."}, 3: nil} {
			c := config()
			c.Epochs = epochs
			trains := lastOf(t, c)
			for _, p := range narrow(t).Params {
				stays := slices.ContainsFunc(still, func(prefix string) bool { return strings.HasPrefix(p.Name, prefix) })
				if trains[p.Name] == stays && !strings.Contains(p.Name, "running") {
					t.Errorf("%s, epoch %d: %s trains: %v", optimizer, epochs, p.Name, trains[p.Name])
				}
			}
		}
		other := config()
		other.Threads, other.Workers = 1, 1
		model := sum(t, fit(t, other).Model)
		killed(t, config(), steps...).endAt(model)
	}
}

// TestThaw: when a block thaws, what trained before keeps its values, running statistics, averages of both and the solver's state; the
// block begins with its own values, which are its average too, and a state of zeros.
func TestThaw(t *testing.T) {
	c := narrowRun(t, Full, photos(t, map[string]int{"train": 8, "val": 3}))
	c.Freeze, c.UnfreezeAfter, c.EMA = []string{"2"}, 1, 0.9
	r, l := begun(t, c)
	must(t, l.train(t.Context(), 1, &progress{}, Silent{}, func() error { return nil }))
	values := func() []map[string][]float32 {
		all := []map[string][]float32{
			plan.ByName(l.compiled.Params, l.session.Params()), plan.ByName(l.compiled.Params, l.ema.params),
			plan.ByName(l.compiled.Running, l.session.Running()), plan.ByName(l.compiled.Running, l.ema.running),
		}
		for _, state := range l.solver.State() {
			all = append(all, plan.ByName(l.compiled.Params, state))
		}
		return all
	}
	before, steps := values(), l.solver.Steps()
	must(t, l.thaw(1))
	if l.solver.Steps() != steps || steps == 0 {
		t.Errorf("%d steps after %d", l.solver.Steps(), steps)
	}
	for i, after := range values() {
		for name, v := range after {
			was, trained := before[i][name]
			switch {
			case trained && !slices.Equal(v, was):
				t.Errorf("vector %d: %s has changed", i, name)
			case !trained && !strings.HasPrefix(name, "b."):
				t.Errorf("%s has thawed", name)
			case !trained && i < 4:
				if p, err := narrow(t).Param(name); err != nil || !slices.Equal(v, p.Value) {
					t.Errorf("vector %d: %s does not begin with its own values: %v", i, name, err)
				}
			case !trained && slices.ContainsFunc(v, func(x float32) bool { return x != 0 }):
				t.Errorf("vector %d: the state of %s is not zero", i, name)
			}
		}
		if _, is := after["b.conv.weight"]; len(after) <= len(before[i]) || i != 2 && i != 3 && !is {
			t.Errorf("vector %d has not grown", i)
		}
	}
	since := map[string]int{}
	for _, p := range l.parts() {
		for _, s := range l.compiled.Params {
			if at := s.Off / 4; at >= p.From && at < p.To {
				since[s.Param.Name] = p.Since
			}
		}
	}
	if since["b.conv.weight"] != steps || since["c.conv.weight"] != 0 {
		t.Errorf("the solver counts the steps of b from %d on and those of c from %d on, want %d and 0", since["b.conv.weight"], since["c.conv.weight"], steps)
	}
	if apart := plan.ByName(l.compiled.Params, l.ema.params)["c.conv.weight"]; slices.Equal(apart, plan.ByName(l.compiled.Params, l.session.Params())["c.conv.weight"]) {
		t.Error("the average is the last value")
	}
	l.close()
	r.out.close(true)
}

// begun is a run of full mode before its first step.
func begun(t *testing.T, c Config) (*training, *fullLearner) {
	t.Helper()
	out, err := openFolder(c.Out, false)
	must(t, err)
	c.Preprocess, c.waits = *c.Net.Meta.Preprocess, newWaiter(t.Context(), Silent{})
	r, err := prepare(c, out, Silent{})
	must(t, err)
	must(t, r.begin(t.Context()))
	return r, r.learner.(*fullLearner)
}

// lastOf are the parameters that train at the end of a run, by name.
func lastOf(t *testing.T, c Config) map[string]bool {
	t.Helper()
	g, err := graft(&c, []string{"across", "down", "plain"}, func(string) {})
	must(t, err)
	f, err := newFreezing(g.net, &c)
	must(t, err)
	f.apply(g.net, f.stage(c.Epochs))
	objective, err := engine.NewObjective(g.net, engine.ObjectiveOptions{Batch: 2})
	must(t, err)
	trains := map[string]bool{}
	for _, p := range objective.Trainable {
		trains[p.Name] = true
	}
	return trains
}
