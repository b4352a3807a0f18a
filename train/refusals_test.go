package train

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/photo"
)

// TestSettingsRefused: settings that are out of their bounds, that contradict each other or that a mode has no use for.
func TestSettingsRefused(t *testing.T) {
	full := func(change func(*Config)) func(*Config) { return change }
	heads := func(change func(*Config)) func(*Config) {
		return func(c *Config) {
			net := c.Net
			*c = Defaults(Heads, "")
			c.Net = net
			change(c)
		}
	}
	for says, change := range map[string]func(*Config){
		"needs a model and its":                                full(func(c *Config) { c.Net = nil }),
		"needs a model":                                        full(func(c *Config) { n := *c.Net; n.Meta.Preprocess, c.Net = nil, &n }),
		`SelectOn "val": only test`:                            full(func(c *Config) { c.SelectOn = SetVal }),
		"SelectOn and ValSplit contradict":                     full(func(c *Config) { c.SelectOn, c.ValSplit = SetTest, 0.2 }),
		`SelectOn "test": no photos are left`:                  full(func(c *Config) { c.SelectOn, c.Precision = SetTest, 0.9 }),
		`Balance "evenly": choose one of`:                      full(func(c *Config) { c.Balance = "evenly" }),
		"Balance sampler does nothing with Optimizer lbfgs":    heads(func(c *Config) { c.Balance = BalanceSampler }),
		"UnfreezeAfter does nothing without Freeze":            full(func(c *Config) { c.UnfreezeAfter = 1 }),
		`GroupBy "("`:                                          full(func(c *Config) { c.GroupBy = "(" }),
		"Batch 0: between 1 and 65536":                         full(func(c *Config) { c.Batch = 0 }),
		"Batch 65537":                                          full(func(c *Config) { c.Batch = 65537 }),
		"MicroBatch 5: must be a divisor of Batch, 8":          full(func(c *Config) { c.MicroBatch = 5 }),
		"MicroBatch -1":                                        full(func(c *Config) { c.MicroBatch = -1 }),
		"DropPath 1: lies in [0, 1)":                           full(func(c *Config) { c.DropPath = 1 }),
		"DropPath -0.1":                                        full(func(c *Config) { c.DropPath = -0.1 }),
		"LayerDecay 1.1: lies in [0, 1]":                       full(func(c *Config) { c.LayerDecay = 1.1 }),
		"LayerDecay -1":                                        full(func(c *Config) { c.LayerDecay = -1 }),
		"UnfreezeAfter -1":                                     full(func(c *Config) { c.UnfreezeAfter = -1 }),
		"EMA 1: lies in [0, 1)":                                full(func(c *Config) { c.EMA = 1 }),
		"EMA -1":                                               full(func(c *Config) { c.EMA = -1 }),
		"LearningRate 1e+39: must be above 0":                  full(func(c *Config) { c.LearningRate = 1e39 }),
		"WeightDecay -1: must not be negative":                 full(func(c *Config) { c.WeightDecay = -1 }),
		"WeightDecay -2: must not be negative":                 heads(func(c *Config) { c.WeightDecay = -2 }),
		"Momentum -1":                                          full(func(c *Config) { c.Momentum = -1 }),
		"ClipNorm -1: must not be negative":                    full(func(c *Config) { c.ClipNorm = -1 }),
		"Smoothing 1: lies in [0, 1)":                          full(func(c *Config) { c.Smoothing = 1 }),
		"Smoothing -1":                                         full(func(c *Config) { c.Smoothing = -1 }),
		"AuxWeight -1: must not be negative":                   full(func(c *Config) { c.AuxWeight = -1 }),
		"Dropout 1: must be below 1":                           full(func(c *Config) { c.Dropout = 1 }),
		"ValSplit 1: lies in [0, 1)":                           full(func(c *Config) { c.ValSplit = 1 }),
		"ValSplit -1":                                          full(func(c *Config) { c.ValSplit = -1 }),
		"WarmupEpochs -1: must not be negative, and less than": full(func(c *Config) { c.WarmupEpochs = -1 }),
		"CheckpointMinutes -1: between 0 and a million":        full(func(c *Config) { c.CheckpointMinutes = -1 }),
		"CheckpointMinutes 1e+07":                              full(func(c *Config) { c.CheckpointMinutes = 1e7 }),
		"Views 65: between 1 and 64":                           heads(func(c *Config) { c.Views = 65 }),
		"Views -1":                                             heads(func(c *Config) { c.Views = -1 }),
		"Folds 1: between 2 and":                               heads(func(c *Config) { c.Folds = 1 }),
		fmt.Sprintf("Folds %d: between 2 and", mostFolds+1):    heads(func(c *Config) { c.Folds = mostFolds + 1 }),
		"Precision 1.1: lies in [0, 1]":                        heads(func(c *Config) { c.Precision = 1.1 }),
		"Precision -1":                                         heads(func(c *Config) { c.Precision = -1 }),
		"Far 1: lies in [0, 1)":                                heads(func(c *Config) { c.Far = 1 }),
		"Far -1":                                               heads(func(c *Config) { c.Far = -1 }),
		"Threads -1: must not be negative":                     heads(func(c *Config) { c.Threads = -1 }),
		"Workers -1: must not be negative":                     heads(func(c *Config) { c.Workers = -1 }),
		"Epochs 1000001: between 1 and a million":              heads(func(c *Config) { c.Epochs = 1_000_001 }),
		"Epochs -1":                                            heads(func(c *Config) { c.Epochs = -1 }),
		"Batch 1 has one":                                      full(func(c *Config) { c.Augment, c.Batch = "mixup", 1 }),
		"schedule onecycle": full(func(c *Config) {
			c.Schedule, c.WarmupEpochs, c.Epochs = OneCycle, math.Nextafter(4, 0), 4
			c.WarmupEpochs = math.SmallestNonzeroFloat64
		}),
		"momentum does nothing with Mode heads Optimizer lbfgs":  heads(func(c *Config) { c.Given = map[string]string{"momentum": "momentum"} }),
		"views does nothing with Mode full Optimizer adamw: it ": full(func(c *Config) { c.Optimizer, c.Given = AdamW, map[string]string{"views": "views"} }),
	} {
		c := narrowRun(t, Full, "")
		change(&c)
		err := c.check()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
		if field, usage := (*FieldError)(nil), (*UsageError)(nil); !errors.As(err, &field) && !errors.As(err, &usage) {
			t.Errorf("%s: %T", says, err)
		}
	}
	for what, change := range map[string]func(*Config){
		"the least": heads(func(c *Config) { c.Epochs, c.Folds, c.Views, c.Precision, c.Far = 0, 2, 1, 0, 0 }),
		"the most": heads(func(c *Config) {
			c.Epochs, c.Folds, c.Views, c.Precision, c.Far = 1_000_000, mostFolds, MostViews, 1, 0.999
		}),
		"shares":  full(func(c *Config) { c.LayerDecay, c.DropPath, c.EMA, c.ValSplit, c.Dropout = 1, 0.9, 0.99, 0.9, -1 }),
		"batches": full(func(c *Config) { c.Batch, c.MicroBatch, c.CheckpointMinutes = 1<<16, 1<<16, 1_000_000 }),
		"mixed":   full(func(c *Config) { c.Batch, c.Augment = 2, "mixup" }),
	} {
		c := narrowRun(t, Full, "")
		if change(&c); c.check() != nil {
			t.Errorf("%s: %v", what, c.check())
		}
	}
}

// TestForeignStates: a checkpoint whose vectors are not those of the learner is refused, whatever is missing or too much.
func TestForeignStates(t *testing.T) {
	data := photos(t, map[string]int{"train": 3, "val": 1})
	short := func(v []float32) []float32 { return v[:len(v)-1] }
	ended := func(v []float32) []float32 { v = slices.Clone(v); v[len(v)-1] = float32(math.Inf(1)); return v }
	for name, config := range map[string]func() Config{
		"full": func() Config { c := narrowRun(t, Full, data); c.EMA = 0.5; return c },
		"steps": func() Config {
			c := narrowRun(t, Heads, data)
			d := Defaults(Heads, AdamW)
			c.Optimizer, c.Batch, c.LearningRate, c.Schedule, c.WeightDecay = AdamW, 4, d.LearningRate, d.Schedule, d.WeightDecay
			return c
		},
		"lbfgs": func() Config { return narrowRun(t, Heads, data) },
	} {
		c := config()
		out, err := openFolder(c.Out, false)
		must(t, err)
		c.Preprocess, c.waits = *c.Net.Meta.Preprocess, newWaiter(t.Context(), Silent{})
		r, err := prepare(c, out, Silent{})
		must(t, err)
		must(t, r.begin(t.Context()))
		whole := r.learner.save()
		if err := r.learner.restore(whole); err != nil {
			t.Errorf("%s: its own state: %v", name, err)
		}
		changed := map[string][]part{"no part": nil, "a part more": append(slices.Clone(whole), part{})}
		with := func(what string, p part) { changed[what] = append([]part{p}, whole[1:]...) }
		first := whole[0]
		with("no vectors", part{Steps: first.Steps})
		for i := range first.Float64 {
			v := slices.Clone(first.Float64)
			v[i] = v[i][1:]
			with(fmt.Sprintf("vector %d a number short", i), part{Float64: v})
		}
		for i := range first.Float32 {
			for what, f := range map[string]func([]float32) []float32{"short": short, "infinite": ended} {
				if what == "infinite" && (name != "full" || i > 3) {
					continue // its sums may overflow; only weights are looked at
				}
				p := part{Steps: first.Steps, Float32: slices.Clone(first.Float32)}
				p.Float32[i] = f(p.Float32[i])
				with(fmt.Sprintf("vector %d %s", i, what), p)
			}
		}
		for what, parts := range changed {
			if err := r.learner.restore(parts); err == nil {
				t.Errorf("%s took a state with %s", name, what)
			}
		}
		r.learner.close()
		out.close(true)
	}
}

// TestSchedules: the rate at points of every schedule, of 6 epochs with 2 steps each, by its definition in PyTorch.
func TestSchedules(t *testing.T) {
	half := func(x float64) float64 { return (1 + math.Cos(math.Pi*x)) / 2 }
	losses := func(all ...float64) *[]Epoch {
		var epochs []Epoch
		for _, l := range all {
			epochs = append(epochs, Epoch{Epoch: engine.Epoch{ValLoss: l}})
		}
		return &epochs
	}
	for _, c := range []struct {
		schedule    Schedule
		warmup      float64
		epochs      *[]Epoch
		epoch, step int
		want        float64
	}{
		{Constant, 0, nil, 5, 1, 1},
		{Step, 0, nil, 2, 1, 1}, {Step, 0, nil, 3, 0, 0.1}, {Step, 0, nil, 5, 0, 0.01},
		{Cosine, 0, nil, 1, 0, 1}, {Cosine, 0, nil, 4, 0, 0.5}, {Cosine, 0, nil, 6, 1, half(5.5 / 6)},
		{Cosine, 2, nil, 1, 0, 0.01}, {Cosine, 2, nil, 2, 0, 0.505}, {Cosine, 2, nil, 3, 0, 1}, {Cosine, 2, nil, 5, 0, 0.5},
		{OneCycle, 0, nil, 1, 0, 1. / 25}, {OneCycle, 0, nil, 4, 0, 4e-6 + (1-4e-6)*half((3-0.9)/5.1)},
		{OneCycle, 3, nil, 4, 0, 1}, {OneCycle, 3, nil, 2, 1, 0.52},
		{Plateau, 0, losses(5, 4, 4, 4, 4, 4), 6, 0, 1}, {Plateau, 0, losses(5, 4, 4, 4, 4, 4), 7, 1, 0.1}, {Plateau, 0, losses(5, 4, 3, 2), 5, 0, 1},
	} {
		cfg := Config{LearningRate: 2, Schedule: c.schedule, Epochs: 6, WarmupEpochs: c.warmup}
		r, err := newRates(&cfg, c.epochs)
		must(t, err)
		if got := r.at(c.epoch, c.step, 2); math.Abs(got-2*c.want) > 1e-12 {
			t.Errorf("%s, warm-up %g, epoch %d, step %d: %g, want %g", c.schedule, c.warmup, c.epoch, c.step, got, 2*c.want)
		}
	}
}

// TestReadable: photos that cannot be read are named, or left out where that is asked for; photos of two classes are told of.
func TestReadable(t *testing.T) {
	data := photos(t, map[string]int{"test": 3})
	samples := func() []photo.Sample {
		c := narrowRun(t, Heads, data)
		c.Data = filepath.Join(data, "test")
		s, err := scan(&c)
		must(t, err)
		return s.all()
	}()
	good, skipped, err := Readable(t.Context(), data, samples, &Options{}, Silent{})
	if err != nil || len(skipped) != 0 || !slices.Equal(good, samples) {
		t.Errorf("%v, %v left out, %d photos", err, skipped, len(good))
	}
	broken := filepath.Join(data, "test", "down", "001.png")
	same, err := os.ReadFile(filepath.Join(data, "test", "plain", "001.png"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(data, "test", "across", "001.png"), same, 0o666))
	must(t, os.WriteFile(broken, []byte("no photo"), 0o666))
	if _, _, err := Readable(t.Context(), data, samples, &Options{}, Silent{}); !errors.As(err, new(*DataError)) ||
		!strings.Contains(err.Error(), "of 9 photos 1 cannot be read") || !strings.Contains(err.Error(), "001.png") {
		t.Errorf("%v", err)
	}
	w, o := &warned{}, Options{SkipBad: true}
	good, skipped, err = Readable(t.Context(), data, samples, &o, w)
	if err != nil || len(good) != 8 || len(o.Hashes) != 8 || len(skipped) != 1 || skipped[0].Path != "test/down/001.png" {
		t.Errorf("%v, %v left out, %d photos, %d hashes", err, skipped, len(good), len(o.Hashes))
	}
	if !w.says("1 of 9 photos is left out, the first: ") || !w.says("1 photo lies under different classes, for example ") {
		t.Errorf("%q", w.messages)
	}
	must(t, os.WriteFile(filepath.Join(data, "test", "across", "000.png"), same, 0o666))
	must(t, os.WriteFile(filepath.Join(data, "test", "across", "002.png"), []byte("other"), 0o666))
	other, err := os.ReadFile(filepath.Join(data, "test", "plain", "002.png"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(data, "test", "down", "002.png"), other, 0o666))
	w = &warned{}
	if _, _, err := Readable(t.Context(), data, samples, &o, w); err != nil || !w.says("2 photos lie under different classes") {
		t.Errorf("%v, %q", err, w.messages)
	}
	var bad []photo.Sample
	for _, s := range samples {
		if s.Path == broken {
			bad = append(bad, s)
		}
	}
	if _, _, err := Readable(t.Context(), data, bad, &o, w); !errors.As(err, new(*DataError)) || !strings.Contains(err.Error(), "none of the photos can be read") {
		t.Errorf("nothing readable: %v", err)
	}
}

// TestIndependent: the loss and the probabilities of classes that do not exclude each other, by hand: with logits log 3 and -log 3 the
// probabilities are 3/4 and 1/4, and the loss of the first class -log(3/4), of the second -log(1/4).
func TestIndependent(t *testing.T) {
	net := func() *engine.Network {
		s := newSketch(t, 1)
		x := s.must(s.Placeholder("input", 1, 3, side, side))
		x = s.apply("flatten", &op.Flatten{Axis: 1}, s.apply("pool", &op.GlobalAveragePool{}, x))
		x = s.apply("fc", &op.Linear{}, x, s.param("fc.weight", 0, 0, 2, 3), s.param("fc.bias", math.Log(3), math.Log(3), 2))
		net, err := s.Network(engine.Meta{Labels: []string{"across", "down"}, Preprocess: narrowInput()}, engine.Output{Name: "p", Node: s.apply("sigmoid", &op.Sigmoid{}, x)})
		must(t, err)
		return net
	}()
	bias, err := net.Param("fc.bias")
	must(t, err)
	bias.Value[1] *= -1
	data := photos(t, map[string]int{"test": 1})
	samples := []photo.Sample{{Path: filepath.Join(data, "test", "across", "000.png"), Label: 0}, {Path: filepath.Join(data, "test", "down", "000.png"), Label: 1}}
	w := &warned{}
	e, err := Evaluate(t.Context(), net, samples, Options{}, PhaseTest, 0, w)
	must(t, err)
	p := e.probabilities(1)
	if !e.Independent || !w.says("do not exclude each other (Sigmoid)") || math.Abs(p[0]-0.75) > 1e-6 || math.Abs(p[1]-0.25) > 1e-6 || e.accuracy() != 0.5 {
		t.Errorf("%+v, %v, %g right, %q", e, p, e.accuracy(), w.messages)
	}
	if want := (-math.Log(0.75) - math.Log(0.25)) / 2; math.Abs(e.loss()-want) > 1e-6 {
		t.Errorf("loss %g, want %g", e.loss(), want)
	}
	for _, label := range []int{-1, 2} {
		samples[0].Label = label
		if _, err := Evaluate(t.Context(), net, samples, Options{}, PhaseTest, 0, w); !errors.As(err, new(*DataError)) || !strings.Contains(err.Error(), fmt.Sprintf("class %d, but the model has 2", label)) {
			t.Errorf("class %d: %v", label, err)
		}
	}
	c := narrowRun(t, Heads, photos(t, map[string]int{"train": 3}))
	c.Net, c.Epochs, w = net, 1, &warned{}
	if _, err := Fit(t.Context(), c, w); err != nil || !w.says("old classes did not exclude each other (Sigmoid)") {
		t.Errorf("%v, %q", err, w.messages)
	}
}
