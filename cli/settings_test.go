package cli

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/golden"
	"regraft/measure"
	"regraft/photo"
	"regraft/train"
)

// asked calls f with what the program understands of arguments, in place of running their command.
func asked(t *testing.T, args []string, f func(c *urfave.Context)) {
	t.Helper()
	app := newApp(newConsole(nil, io.Discard, io.Discard))
	called := false
	for _, c := range everyCommand(app) {
		c.Action = func(c *urfave.Context) error {
			called = true
			f(c)
			return nil
		}
	}
	ordered, err := reorder(app, args)
	if err == nil {
		app.Metadata = map[string]any{arguments: ordered}
		err = app.Run(append([]string{app.Name}, ordered...))
	}
	if err != nil || !called {
		t.Errorf("%v: %v", args, err)
	}
}

// TestEveryFlagOfTrain: what each flag of a training changes in its settings, by itself.
func TestEveryFlagOfTrain(t *testing.T) {
	labels := filepath.Join(t.TempDir(), "fixes.csv")
	write(t, labels, []byte("path,label\na.jpg,sea\n"))
	settings := func(args ...string) (cfg train.Config) {
		asked(t, append([]string{"train"}, args...), func(c *urfave.Context) {
			var err error
			if cfg, err = trainConfig(c); err != nil {
				t.Errorf("%v: %v", args, err)
			}
		})
		cfg.Command = ""
		return cfg
	}
	values := map[string]string{
		"mode": "full", "opt": "sgd", "sched": "step", "balance": "sampler", "augment": "flip", "select-on": "test", "group-by": "x", "head": "fc", "pool": "mean",
		"labels": labels, "threshold": "auto", "freeze": "2,stem --mode full", "val-split": "0.3", "layer-decay": "0.75", "drop-path": "0.1", "ema": "0.9", "momentum": "0.8",
		"smoothing": "0.1", "dropout": "0.3", "far": "0.8", "aux-weight": "0.3", "precision": "0.9 --threshold auto", "allow-changed-photos": "--resume",
	}
	needed := []string{"-m", "m.onnx", "-o", filepath.Join(t.TempDir(), "run"), "--data", "data"}
	usual := reflect.ValueOf(settings(needed...))
	var lines []string
	for _, f := range everyCommand(newApp(newConsole(nil, nil, nil)))["train"].Flags {
		name := f.Names()[0]
		words := strings.Fields(values[name])
		switch f.(type) {
		case *urfave.IntFlag, *urfave.Uint64Flag, *urfave.Float64Flag:
			if len(words) == 0 {
				words = []string{"7"}
			}
		case *urfave.BoolFlag:
		default:
			if len(words) == 0 {
				continue // of models, inputs and caches
			}
		}
		words = append([]string{"--" + name}, words...)
		changed, got := strings.Join(words, " ")+":", reflect.ValueOf(settings(append(slices.Clip(needed), words...)...))
		for i := range got.NumField() {
			if !got.Type().Field(i).IsExported() {
				continue
			}
			if is := got.Field(i).Interface(); !reflect.DeepEqual(is, usual.Field(i).Interface()) {
				changed += fmt.Sprintf(" %s %v", got.Type().Field(i).Name, is)
			}
		}
		lines = append(lines, strings.ReplaceAll(changed, filepath.Dir(labels), "DIR"))
	}
	golden.Text(t, filepath.Join("testdata", "printed", "train-settings.txt"), strings.Join(lines, "\n")+"\n")
	if cfg := settings("--model", "m.onnx", "--features", "a.parquet,b.parquet", "--out", "run"); cfg.Model != "m.onnx" || cfg.Out != "run" || !slices.Equal(cfg.Features, []string{"a.parquet", "b.parquet"}) || !cfg.NoReport {
		t.Errorf("%+v", cfg)
	}
}

// TestEveryFlagOfInputs: what each flag changes of the file's preprocessing, and of nothing else.
func TestEveryFlagOfInputs(t *testing.T) {
	var lines []string
	for _, args := range []string{"", "--mean 0.1", "--std 1,2,0.5", "--mean 128 --std 64", "--channels bgr", "--resize letterbox", "--resample bicubic", "--decode fast"} {
		asked(t, append([]string{"classify", "-m", "m.onnx", "a.jpg"}, strings.Fields(args)...), func(c *urfave.Context) {
			o, err := preprocessing(c)
			if err != nil {
				t.Fatal(err)
			}
			p := photo.ImageNet(photo.Square(8)).With(o)
			lines = append(lines, fmt.Sprintf("%s: %s %v %v %v, %v %v", args, replaced(*photo.ImageNet(photo.Square(8)), p), p.Mean, p.Std, p.Channels, p.Resample, p.Size))
		})
	}
	golden.Text(t, filepath.Join("testdata", "printed", "input-settings.txt"), strings.Join(lines, "\n")+"\n")
	for args, says := range map[string]string{"--mean 128": "give both", "--std 64": "give both"} {
		asked(t, append([]string{"classify", "-m", "m.onnx", "a.jpg"}, strings.Fields(args)...), func(c *urfave.Context) {
			if _, err := preprocessing(c); err == nil || statusOf(err) != statusUsage || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v", args, err)
			}
		})
	}
}

// TestAlgorithm: without Winograd's algorithm the answers have other bits, and are the same all the same.
func TestAlgorithm(t *testing.T) {
	data, _, best := common(t)
	var logits [2][]float32
	for i, algorithm := range []string{"auto", "direct"} {
		r := must(t, "classify", "-m", best, "--json", "--logits", "--no-cache", "--algorithm", algorithm, filepath.Join(data, "test", "sea"))
		logits[i] = lines[jsonAnswer](t, r.stdout)[0].Logits
	}
	differs := false
	for i, x := range logits[0] {
		d := x - logits[1][i]
		differs = differs || d != 0
		if d > 1e-4 || d < -1e-4 {
			t.Errorf("logit %d: %g and %g", i, x, logits[1][i])
		}
	}
	if !differs {
		t.Error("--algorithm direct computes the same bits")
	}
}

// TestOrigin: the record of an output has the model's file, its network and every flag that decides a byte.
func TestOrigin(t *testing.T) {
	_, _, best := common(t)
	m, err := regraft.Open(best)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	asked(t, []string{"classify", "-m", best, "x", "-k", "3", "--threads", "2", "--threshold", "0.5", "-o", "x.csv", "--quiet", "-b", "2"}, func(c *urfave.Context) {
		o, err := originOf(c, m)
		if err != nil || len(o.Model) != 64 || len(o.Network) != 64 || o.Network == o.Model || o.Program != regraft.Version() {
			t.Errorf("%+v, %v", o, err)
		}
		if got := fmt.Sprint(o.Settings); got != "map[--threshold:0.5 --topk:3]" {
			t.Errorf("settings %s", got)
		}
	})
	asked(t, []string{"classify", "-m", "none.onnx", "x"}, func(c *urfave.Context) {
		if _, err := originOf(c, m); statusOf(err) != statusModel {
			t.Errorf("%v", err)
		}
	})
}

// TestFigures: the figures of a benchmark are those of the fastest and of the middle run, of one image.
func TestFigures(t *testing.T) {
	b := benchJSON{Batch: 2, Threads: 1}
	ms := time.Millisecond
	if err := b.fill([]time.Duration{30 * ms, 10 * ms, 20 * ms}, 5e6); err != nil {
		t.Fatal(err)
	}
	if b.Min != 5 || b.Median != 10 || b.GFLOPS != 1 || b.PeakGFLOPS <= 0 || b.PercentOfPeak != 100/b.PeakGFLOPS {
		t.Errorf("%+v", b)
	}
	if isa, err := measure.ISA(); err != nil || !strings.Contains(version(), isa) {
		t.Errorf("%s, %v", version(), err)
	}
}

// TestLimits: what numbers each flag takes.
func TestLimits(t *testing.T) {
	var lines []string
	for name, c := range everyCommand(newApp(newConsole(nil, nil, nil))) {
		for _, f := range c.Flags {
			var err error
			switch f := f.(type) {
			case *urfave.IntFlag:
				err = f.Action(nil, -7)
			case *urfave.Float64Flag:
				err = f.Action(nil, math.NaN())
			default:
				continue
			}
			if statusOf(err) != statusUsage {
				t.Errorf("%s: %v", name, err)
			}
			lines = append(lines, fmt.Sprintf("%s: %v", name, err))
		}
	}
	slices.Sort(lines)
	golden.Text(t, filepath.Join("testdata", "printed", "limits.txt"), strings.Join(lines, "\n")+"\n")
}

// TestResumedSettings: a run that goes on has its own settings, and what the flags say beside.
func TestResumedSettings(t *testing.T) {
	_, out, _ := common(t)
	for args, check := range map[string]func(cfg train.Config) bool{
		"":                   func(cfg train.Config) bool { return cfg.Mode == train.Heads && cfg.Epochs == 5 && cfg.Model == model },
		"--mode full":        func(cfg train.Config) bool { return cfg.Mode == train.Full && cfg.Epochs == 5 },
		"--freeze trunk":     func(cfg train.Config) bool { return cfg.Mode == train.Heads },
		"--epochs 9":         func(cfg train.Config) bool { return cfg.Epochs == 9 && cfg.Given["epochs"] == "--epochs" },
		"--model other.onnx": func(cfg train.Config) bool { return cfg.Model == "other.onnx" },
	} {
		asked(t, append([]string{"train", "--resume", "-o", out}, strings.Fields(args)...), func(c *urfave.Context) {
			cfg, err := trainConfig(c)
			if err != nil || !cfg.Resume || !check(cfg) {
				t.Errorf("%s: %v, %+v", args, err, cfg)
			}
		})
	}
	cfg, err := train.ReadConfig(out)
	if err != nil {
		t.Fatal(err)
	}
	m, err := regraft.Open(cfg.Model, asBefore(cfg)...)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if p := m.Preprocess(); p.Mean != [3]float32{} || p.Std != [3]float32{1, 1, 1} || m.Assumption() != "" {
		t.Errorf("the model is opened with %+v", p)
	}
}
