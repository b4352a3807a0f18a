package train

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine/random"
	"regraft/featurefile"
	"regraft/head"
	"regraft/onnx"
	"regraft/photo"
)

// featureRows are rows of the narrow network's features for n photos of each of three classes, far apart.
func featureRows(n int) []featurefile.Row {
	var rows []featurefile.Row
	r := random.At(3, "rows of features")
	for i := range 3 * n {
		label, part, x := []string{"across", "down", "plain"}[i%3], "train", make([]float32, 20)
		for f := range x {
			x[f] = float32(r.Uniform(0, 1))
		}
		x[i%3] += 3
		path := fmt.Sprintf("%s/%03d.jpg", label, i)
		hash := fmt.Sprintf("%x", photo.HashOf([]byte(path)))
		rows = append(rows, featurefile.Row{Path: path, Label: &label, Part: &part, Hash: &hash, Features: x})
	}
	return rows
}

// writeRows writes a file of features that a trunk computed.
func writeRows(t *testing.T, source featurefile.Source, rows []featurefile.Row, failed int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "features.parquet")
	file, err := os.Create(path)
	must(t, err)
	defer file.Close()
	w := featurefile.NewWriter(file, len(rows[0].Features))
	for _, r := range rows {
		must(t, w.Add(r))
	}
	must(t, w.Close(featurefile.Info{Source: source, Failed: failed}))
	return path
}

// narrowSource is what computes the features of the narrow network's main classifier.
func narrowSource(t *testing.T) featurefile.Source {
	t.Helper()
	net := narrow(t)
	main, err := net.Subgraph(net.Outputs[0])
	must(t, err)
	trunk, err := head.Trunk(main)
	must(t, err)
	return FeatureSource(trunk, false, new(head.Hasher))
}

// featureRun solves heads on a file of features.
func featureRun(t *testing.T, rows []featurefile.Row, failed int) Config {
	t.Helper()
	c := narrowRun(t, Heads, "")
	c.Features = []string{writeRows(t, narrowSource(t), rows, failed)}
	return c
}

// warned keeps warnings.
type warned struct {
	Silent
	messages []string
}

func (w *warned) Warn(message string) { w.messages = append(w.messages, message) }

func (w *warned) says(text string) bool {
	return slices.ContainsFunc(w.messages, func(m string) bool { return strings.Contains(m, text) })
}

// TestEmbedded: heads that are solved on files of features have the weights of the same features in any order of rows, tell the classes
// apart, count what is left out, and go on after their end.
func TestEmbedded(t *testing.T) {
	rows := featureRows(8)
	label, none, val, test := "down", "", SetVal, SetTest
	more := slices.Clone(rows)
	for i, r := range []featurefile.Row{{Label: &none, Part: &none}, {Label: &label, Part: &val}, {Label: &label, Part: &test}, {Label: &label, Part: &test}} {
		r.Path, r.Features = fmt.Sprintf("left/%d.jpg", i), rows[i].Features
		more = append(more, r)
	}
	slices.Reverse(more)
	var models [][]float32
	for i, rows := range [][]featurefile.Row{rows, more} {
		c := featureRun(t, rows, i*5)
		w := &warned{}
		r, err := Fit(t.Context(), c, w)
		must(t, err)
		if r.Start.Train != 24 || !slices.Equal(r.Start.Classes, []string{"across", "down", "plain"}) || len(r.Start.Heads) != 1 || r.Best.ValAcc != 1 {
			t.Errorf("start %+v, best %+v", r.Start, r.Best)
		}
		for text, want := range map[string]bool{
			"the auxiliary classifier is left out": true, "1 photo without a label is left out, the first: left/0.jpg": i == 1,
			"1 photo of val is left out, the first: left/1.jpg": i == 1, "2 photos of test are left out, the first: left/": i == 1,
			"5 photos have no features": i == 1,
		} {
			if w.says(text) != want {
				t.Errorf("%q is said: %v", text, !want)
			}
		}
		net, _, err := onnx.Read(r.Model, onnx.ReadOptions{})
		must(t, err)
		heads, err := head.Find(net)
		must(t, err)
		models = append(models, slices.Concat(heads[0].Weight.Value, heads[0].Bias.Value))
		c.Resume = true
		if again := fit(t, c); len(again.Epochs) != len(r.Epochs) || again.Best.ValLoss != r.Best.ValLoss {
			t.Errorf("resumed: %d epochs, the best %+v, before %+v", len(again.Epochs), again.Best, r.Best)
		}
	}
	if !slices.Equal(models[0], models[1]) {
		t.Error("the order of rows changes the heads")
	}
}

// TestEmbeddedRefused: what features cannot be trained on, and why.
func TestEmbeddedRefused(t *testing.T) {
	first := func(change func(r *featurefile.Row)) func([]featurefile.Row) []featurefile.Row {
		return func(rows []featurefile.Row) []featurefile.Row { change(&rows[0]); return rows }
	}
	text := func(s string) *string { return &s }
	for says, change := range map[string]func([]featurefile.Row) []featurefile.Row{
		"is there twice: ":                func(rows []featurefile.Row) []featurefile.Row { return append(rows, rows[3]) },
		`the hash of across/000.jpg is`:   first(func(r *featurefile.Row) { r.Hash = text("abcd") }),
		`is none: "xy"`:                   first(func(r *featurefile.Row) { r.Hash = text("xy") }),
		"photos of 1 class with":          func(rows []featurefile.Row) []featurefile.Row { return []featurefile.Row{rows[0], rows[3], rows[6]} },
		"too few photos to hold some out": func(rows []featurefile.Row) []featurefile.Row { return rows[:3] },
		"feature 2 of across/000.jpg is NaN": first(func(r *featurefile.Row) {
			r.Features = slices.Clone(r.Features)
			r.Features[2] = float32(math.NaN())
		}),
		"one photo under different classes": first(func(r *featurefile.Row) { r.Hash = text(fmt.Sprintf("%x", photo.HashOf([]byte("down/001.jpg")))) }),
		"has 7 features a photo, the model 20": func(rows []featurefile.Row) []featurefile.Row {
			for i := range rows {
				rows[i].Features = rows[i].Features[:7]
			}
			return rows
		},
	} {
		c := featureRun(t, change(featureRows(5)), 0)
		err := fails(t, c, says)
		if data, usage := (*DataError)(nil), (*UsageError)(nil); !errors.As(err, &data) && !errors.As(err, &usage) {
			t.Errorf("%s: %T", says, err)
		}
		if left, err := os.ReadDir(filepath.Dir(c.Out)); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v, %v", says, left, err)
		}
	}
	for says, change := range map[string]func(*featurefile.Source){
		"another trunk": func(s *featurefile.Source) { s.Trunk = "0" }, "other preprocessing": func(s *featurefile.Source) { s.Preprocess = "{}" },
		"the algorithm": func(s *featurefile.Source) { s.Algorithm = "direct" },
	} {
		c, source := narrowRun(t, Heads, ""), narrowSource(t)
		change(&source)
		c.Features = []string{writeRows(t, source, featureRows(5), 0)}
		fails(t, c, says)
	}
	for says, change := range map[string]func(*Config){
		"needs Mode heads Optimizer lbfgs": func(c *Config) {
			c.Mode, c.Optimizer, c.LearningRate, c.Schedule, c.Batch, c.WeightDecay = Full, SGD, 0.1, Constant, 1, 0
		},
		"needs Mode heads": func(c *Config) {
			c.Optimizer, c.LearningRate, c.Schedule, c.Batch, c.WeightDecay = SGD, 0.1, Constant, 1, 0
		},
		"Data does nothing with Features":   func(c *Config) { c.Data = "photos" },
		"Views does nothing with":           func(c *Config) { c.Views = 2 },
		"Views does nothing with Features,": func(c *Config) { c.Augment = Flip },
		"ValSplit does nothing with":        func(c *Config) { c.ValSplit = 0.2 },
		"SelectOn does nothing with":        func(c *Config) { c.SelectOn = SetTest },
		"Labels does nothing with":          func(c *Config) { c.Labels = map[string]string{} },
		"AllowChanged does nothing with":    func(c *Config) { c.AllowChanged = true },
		"no such file":                      func(c *Config) { c.Features = []string{filepath.Join(c.Out, "none.parquet")} },
	} {
		c := narrowRun(t, Heads, "")
		c.Features = []string{"features.parquet"}
		change(&c)
		fails(t, c, says)
	}
}

// TestEmbeddedChanged: a run does not go on with other features than it began with, and does without photos of two classes where that is
// asked for.
func TestEmbeddedChanged(t *testing.T) {
	rows := featureRows(6)
	equal := slices.Clone(rows)
	equal[0].Hash = rows[1].Hash
	c := featureRun(t, equal, 0)
	c.SkipBad = true
	w := &warned{}
	r, err := Fit(t.Context(), c, w)
	must(t, err)
	if len(r.Skipped) != 2 || !w.says("goes on without 2 of 18 photos") {
		t.Errorf("%v left out, %q", r.Skipped, w.messages)
	}
	c.Resume = true
	if again := fit(t, c); cmp.Compare(again.Best.ValLoss, r.Best.ValLoss) != 0 || len(again.Skipped) != 2 {
		t.Errorf("resumed: %+v without %v", again.Best, again.Skipped)
	}
	changed := slices.Clone(equal)
	changed[4].Features = slices.Clone(changed[4].Features)
	changed[4].Features[5] += 0.5
	c.Features = []string{writeRows(t, narrowSource(t), changed, 0)}
	c.Epochs++
	if _, err := Fit(t.Context(), c, nil); err == nil || !strings.Contains(err.Error(), "have changed since") {
		t.Errorf("other features: %v", err)
	}
}
