package train

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/onnx"
	"regraft/photo"
)

// TestTrainable: what Fit would say of networks, without photos.
func TestTrainable(t *testing.T) {
	grown := func(change func(p *photo.Preprocess)) *engine.Network {
		net := *narrow(t)
		p := *net.Meta.Preprocess
		change(&p)
		net.Meta.Preprocess = &p
		return &net
	}
	made := func(f func(s *sketch, x *gorgonia.Node) *gorgonia.Node) *engine.Network {
		s := newSketch(t, 1)
		net, err := s.Network(engine.Meta{Preprocess: narrowInput()}, engine.Output{Name: "y", Node: f(s, s.must(s.Placeholder("input", 1, 3, side, side)))})
		must(t, err)
		return net
	}
	for name, c := range map[string]struct {
		net         *engine.Network
		heads, full string
	}{
		"narrow":             {narrow(t), "", ""},
		"of another size":    {grown(func(p *photo.Preprocess) { p.Size = photo.Square(24) }), "", ""},
		"of grey photos":     {grown(func(p *photo.Preprocess) { p.Channels = photo.Gray }), "its preprocessing gives photos (N, 1, H, W)", "(N, 1, H, W)"},
		"without classifier": {made(func(s *sketch, x *gorgonia.Node) *gorgonia.Node { return s.conv("c", x, 4, 1) }), "classifier", "classifier"},
		"of a fixed size": {func() *engine.Network {
			net := *made(func(s *sketch, x *gorgonia.Node) *gorgonia.Node {
				x = s.apply("flatten", &op.Flatten{Axis: 1}, s.conv("c", x, 4, 1))
				return s.apply("fc", &op.Linear{}, x, s.param("fc.weight", -1, 1, 2, 4*side*side), s.param("fc.bias", 0, 0, 2))
			})
			p := *net.Meta.Preprocess
			p.Size = photo.Square(side + 4)
			net.Meta.Preprocess = &p
			return &net
		}(), "the network cannot take photos of 24 pixels", "the network cannot take photos"},
	} {
		heads, full := Trainable(c.net)
		for mode, e := range map[Mode]struct {
			err  error
			want string
		}{Heads: {heads, c.heads}, Full: {full, c.full}} {
			if (e.err == nil) != (e.want == "") || e.err != nil && (!strings.Contains(e.err.Error(), e.want) || !errors.As(e.err, new(*ModelError))) {
				t.Errorf("%s, %s: %v, want %q", name, mode, e.err, e.want)
			}
		}
	}
	bigger := grown(func(p *photo.Preprocess) { p.Size = photo.Square(24) })
	if resized, err := resize(bigger); err != nil || resized.ImageSize() != photo.Square(24) {
		t.Errorf("%v", err)
	}
}

// TestMessages: what errors and phases say.
func TestMessages(t *testing.T) {
	for want, got := range map[string]string{
		"interrupted before the first step; nothing was written":                           (&InterruptedError{Err: context.Canceled}).Error(),
		"interrupted; the checkpoint is in runs/a: the same command with Resume continues": (&InterruptedError{Out: "runs/a", Err: context.Canceled}).Error(),
		"iterations": PhaseFolds.Unit(), "photos": PhaseTrain.Unit(),
		"the weights fc have become infinite or undefined in epoch 2, step 3: the training has diverged": prefix(&DivergedError{Epoch: 2, Step: 3, Weights: "fc"}),
		"the validation loss is NaN in epoch 2, step 3: the training has diverged":                       prefix(&DivergedError{Epoch: 2, Step: 3, Loss: math.NaN(), Validating: true}),
		"the loss is +Inf in epoch 2, step 3, first in relu: the training has diverged":                  prefix(&DivergedError{Epoch: 2, Step: 3, Loss: math.Inf(1), Node: "relu"}),
		"the gradients are infinite or undefined in epoch 2, step 3: the training has diverged":          prefix(&DivergedError{Epoch: 2, Step: 3, Loss: 1}),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !errors.Is(&InterruptedError{Err: context.Canceled}, context.Canceled) {
		t.Error("the context's error is lost")
	}
}

func prefix(err error) string { before, _, _ := strings.Cut(err.Error(), "; try"); return before }

// TestOverflows: features and weights that are too large for numbers end a run, and its error says whose they are.
func TestOverflows(t *testing.T) {
	data := photos(t, map[string]int{"train": 4, "val": 1})
	for name, c := range map[string]struct {
		config func(c *Config)
		says   string
		is     any
	}{
		"features": {func(c *Config) {
			for _, p := range c.Net.Params {
				if p.Name == "c.conv.weight" || p.Name == "c.bn.weight" {
					p.Value = slices.Repeat([]float32{3e37}, len(p.Value))
				}
			}
		}, "the trunk overflows", new(*ModelError)},
		"weights": {func(c *Config) {
			d := Defaults(Heads, SGD)
			c.Optimizer, c.LearningRate, c.Batch, c.Schedule, c.WeightDecay = SGD, 3e38, 3, d.Schedule, 0
		}, "have become infinite or undefined in epoch 1, step", new(*DivergedError)},
		"an infinite parameter": {func(c *Config) {
			c.Net.Params[0].Value = slices.Clone(c.Net.Params[0].Value)
			c.Net.Params[0].Value[1] = float32(math.Inf(-1))
		}, "holds infinite or undefined numbers", new(*ModelError)},
	} {
		run := narrowRun(t, Heads, data)
		c.config(&run)
		if _, err := Fit(t.Context(), run, nil); err == nil || !strings.Contains(err.Error(), c.says) || !errors.As(err, c.is) {
			t.Errorf("%s: %T %v", name, err, err)
		}
	}
}

// TestFreshResume: a run that ended before its first checkpoint starts afresh where it is resumed, and says so.
func TestFreshResume(t *testing.T) {
	c := narrowRun(t, Full, photos(t, map[string]int{"train": 4, "val": 1}))
	c.Resume, c.Epochs = true, 1
	must(t, os.MkdirAll(c.Out, 0o777))
	must(t, os.WriteFile(filepath.Join(c.Out, ArgsFile), []byte("{}"), 0o666))
	w := &warned{}
	if r, err := Fit(t.Context(), c, w); err != nil || r.Start.FirstEpoch != 1 || !w.says("holds no checkpoint yet: the run starts afresh") {
		t.Errorf("%v, %q", err, w.messages)
	}
}

// TestToldOnPages: what is out of the ordinary in a run or an evaluation is on its page.
func TestToldOnPages(t *testing.T) {
	data := photos(t, map[string]int{"train": 6, "val": 17}) // 50 choose a threshold
	must(t, os.WriteFile(filepath.Join(data, "train", "down", "bad.png"), []byte("no photo"), 0o666))
	c := narrowRun(t, Heads, data)
	c.NoReport, c.SkipBad, c.Patience, c.Epochs, c.Precision, c.Model = false, true, 1, 50, 0.2, "old.onnx"
	c.Labels = map[string]string{"train/down/000.png": "plain", "train/down/001.png": ""}
	w := &warned{}
	r, err := Fit(t.Context(), c, w)
	must(t, err)
	if !w.says("1 photo has another class than its folder's, and 1 is left out") {
		t.Errorf("%q", w.messages)
	}
	html := string(read(t, c.Out, PageFile))
	tells := func(html string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !regexp.MustCompile(want).MatchString(html) {
				t.Errorf("the page lacks %q", want)
			}
		}
	}
	tells(html, "stopped early", "1 photo that the run went on without, listed in summary.json", "The best epoch was chosen on these photos",
		`The model.{1,5}s own threshold is 0\.\d\d\d: on photos that were held out`, "old.onnx", "the trunk, before and after")
	net, _, err := onnx.Read(r.Model, onnx.ReadOptions{})
	must(t, err)
	cfg := narrowRun(t, Heads, data)
	s, err := scan(&cfg)
	must(t, err)
	samples := s.Val
	o := Options{Views: 2}
	e, err := Evaluate(t.Context(), net, samples, o, PhaseVal, 0, Silent{})
	must(t, err)
	j := &Judged{Evaluation: e, Labels: s.classes, Report: e.Report(s.classes), Network: net, Model: "m.onnx", Data: data, Split: SetVal, Options: o,
		Skipped: []Skipped{{"val/x.png", "x.png: damaged"}}, LeftOut: []string{"two notes"}}
	path := filepath.Join(t.TempDir(), "page.html")
	must(t, j.WritePage(t.Context(), path, Silent{}))
	page, err := os.ReadFile(path)
	must(t, err)
	tells(string(page), "views of a photo</dt><dd><bdi>2", "that cannot be read, the first: x.png: damaged", "two notes",
		`The model.{1,5}s own threshold is 0\.\d\d\d; on the photos that chose it \d+\.\d % have an answer, and \d+\.\d % of these are right`, "51 of 3 classes")
	j.Network = func() *engine.Network { n := *net; n.Meta.Other = map[string]string{decisionsKey: "{"}; return &n }()
	if err := j.WritePage(t.Context(), path, Silent{}); !errors.As(err, new(*ModelError)) {
		t.Errorf("decisions that are damaged: %v", err)
	}
}
