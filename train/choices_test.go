package train

import (
	"math"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/random"
	"regraft/onnx"
)

// TestWhatSelects: val where it is; else folds for heads, and a split of train for everything; test only where that is asked for.
func TestWhatSelects(t *testing.T) {
	type counts struct{ train, val, test int }
	for _, c := range []struct {
		sets        map[string]int
		split       float64
		on          string
		heads, full string
		inHeads     counts
		inFull      counts
	}{
		{map[string]int{"train": 10, "val": 2, "test": 3}, 0, "", SetVal, SetVal, counts{30, 6, 9}, counts{30, 6, 9}},
		{map[string]int{"train": 10, "test": 3}, 0, "", SetFolds, SetSplit, counts{30, 0, 9}, counts{24, 6, 9}},
		{map[string]int{"train": 10, "test": 3}, 0, SetTest, SetTest, SetTest, counts{30, 9, 0}, counts{30, 9, 0}},
		{map[string]int{"train": 10, "test": 3}, 0.3, "", SetSplit, SetSplit, counts{21, 9, 9}, counts{21, 9, 9}},
		{map[string]int{"train": 10}, 0, "", SetFolds, SetSplit, counts{30, 0, 0}, counts{24, 6, 0}},
		{map[string]int{".": 10}, 0, "", SetFolds, SetSplit, counts{30, 0, 0}, counts{24, 6, 0}},
	} {
		data := photos(t, c.sets)
		for mode, want := range map[Mode]string{Heads: c.heads, Full: c.full} {
			cfg := Defaults(mode, "")
			cfg.Data, cfg.ValSplit, cfg.SelectOn, cfg.Seed = data, c.split, c.on, 1
			s, err := scan(&cfg)
			if err != nil {
				t.Fatal(err)
			}
			counted := map[Mode]counts{Heads: c.inHeads, Full: c.inFull}[mode]
			if got := (counts{len(s.train), len(s.val), len(s.test)}); s.selection != want || got != counted {
				t.Errorf("%v with split %g, on %q, %s: %s, %v", c.sets, c.split, c.on, mode, s.selection, got)
			}
		}
	}
	cfg := Defaults(Heads, "")
	cfg.Data, cfg.SelectOn = photos(t, map[string]int{"train": 4}), SetTest
	if _, err := scan(&cfg); err == nil {
		t.Error("test selects where there is none")
	}
}

func TestConvergedHeadsStop(t *testing.T) {
	c := narrowRun(t, Heads, photos(t, map[string]int{"train": 6, "val": 3}))
	c.Epochs, c.WeightDecay = 10000, 0.1
	if r := fit(t, c); len(r.Epochs) == 10000 || r.Stopped == "" {
		t.Errorf("stopped %q after %d epochs", r.Stopped, len(r.Epochs))
	}
}

func TestPatience(t *testing.T) {
	c := narrowRun(t, Heads, photos(t, map[string]int{"train": 6, "val": 3}))
	c.Epochs, c.Patience = 100, 3
	r := fit(t, c)
	if last := len(r.Epochs); r.Stopped == "" || last == 100 || r.Best.Number != last-3 {
		t.Errorf("stopped %q after %d epochs, the best was %d", r.Stopped, last, r.Best.Number)
	}
	c.Resume = true
	if again := fit(t, c); len(again.Epochs) != len(r.Epochs) || again.Stopped != r.Stopped {
		t.Errorf("resumed: stopped %q after %d epochs", again.Stopped, len(again.Epochs))
	}
}

// TestHeadsThenEverything: full training goes on from heads that were solved on frozen features, with their
// labels, and does not blow up. Without head.Temper the mean loss of the first epoch is 556 with SGD and 433 with AdamW;
// that of guessing is log 3. 60 photos validate, since 18 are too few to tell
// by: the best epoch with AdamW has 0.67 of those right, and 0.88 of 60.
func TestHeadsThenEverything(t *testing.T) {
	data := photos(t, map[string]int{"train": 12, "val": 20})
	first := narrowRun(t, Heads, data)
	first.Epochs, first.WeightDecay = 100, 1e-4
	solved := fit(t, first)
	for _, optimizer := range []Optimizer{SGD, AdamW} {
		net, _, err := onnx.Read(solved.Model, onnx.ReadOptions{})
		must(t, err)
		c := narrowRun(t, Full, data)
		d := Defaults(Full, optimizer)
		c.Optimizer, c.LearningRate, c.WeightDecay, c.Schedule, c.WarmupEpochs = optimizer, d.LearningRate, d.WeightDecay, d.Schedule, d.WarmupEpochs
		c.Net = net
		r := fit(t, c)
		if !r.Start.HeadsKept {
			t.Fatal("the heads were replaced")
		}
		for _, e := range r.Epochs {
			if e.TrainLoss > 1.1*math.Log(3) {
				t.Errorf("%s: epoch %d: train loss %.3f", optimizer, e.Number, e.TrainLoss)
			}
		}
		if r.Best.ValAcc < 0.75 {
			t.Errorf("%s: the best epoch reaches %.2f", optimizer, r.Best.ValAcc)
		}
		if got, want := historyOf(t, r.Model), solved.Best.Number+r.Best.Number; got != want {
			t.Errorf("%s: %d epochs in the model's history, want %d", optimizer, got, want)
		}
	}
}

func historyOf(t *testing.T, path string) int {
	t.Helper()
	net, _, err := onnx.Read(path, onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return len(net.Meta.History)
}

// TestConvolutionHead trains a classifier that is a 1x1 convolution before a global pool, as SqueezeNet's.
func TestConvolutionHead(t *testing.T) {
	b := engine.NewBuilder()
	net := func() *engine.Network {
		x, err := b.Placeholder("input", 1, 3, side, side)
		must(t, err)
		for _, l := range []struct {
			name        string
			out, kernel int
		}{{"features", 12, 3}, {"classifier.1", 5, 1}} {
			p := &engine.Param{Name: l.name + ".weight", Shape: tensor.Shape{l.out, x.Shape()[1], l.kernel, l.kernel}}
			r := random.At(2, l.name)
			for range p.Shape.TotalSize() {
				p.Value = append(p.Value, float32(r.Uniform(-0.5, 0.5)))
			}
			w, err := b.Param(p)
			must(t, err)
			bias, err := b.Param(&engine.Param{Name: l.name + ".bias", Shape: tensor.Shape{l.out}, Value: make([]float32, l.out)})
			must(t, err)
			x, err = b.Apply(l.name, &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}, x, w, bias)
			must(t, err)
			x, err = b.Apply(l.name+" relu", &op.Relu{}, x)
			must(t, err)
		}
		for _, o := range []op.Op{&op.GlobalAveragePool{}, &op.Flatten{Axis: 1}} {
			x, err = b.Apply(o.Name(), o, x)
			must(t, err)
		}
		net, err := b.Network(narrow(t).Meta, engine.Output{Name: "logits", Node: x})
		must(t, err)
		return net
	}()
	c := narrowRun(t, Heads, photos(t, map[string]int{"train": 12, "val": 6}))
	c.Net, c.Epochs = net, 60
	r := fit(t, c)
	if r.Best.ValAcc < 0.9 {
		t.Errorf("the best epoch reaches %.2f", r.Best.ValAcc)
	}
	// The file answers as the solver did.
	best, _, err := onnx.Read(r.Model, onnx.ReadOptions{})
	must(t, err)
	s, err := scan(&c)
	must(t, err)
	answers, err := Evaluate(t.Context(), best, s.val, Options{}, PhaseTest, 0, Silent{})
	must(t, err)
	if math.Abs(answers.loss()-r.Best.ValLoss) > 1e-5*(1+r.Best.ValLoss) {
		t.Errorf("loss of the file %g, of the solver %g", answers.loss(), r.Best.ValLoss)
	}
	if filepath.Base(r.Model) != BestFile {
		t.Errorf("model %s", r.Model)
	}
}
