package train

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fails runs Fit, which must end with an error that says something and leave no output folder behind.
func fails(t *testing.T, c Config, says string) error {
	t.Helper()
	_, err := Fit(context.Background(), c, Silent{})
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Fatalf("error %v does not say %q", err, says)
	}
	if _, err := os.Stat(c.Out); err == nil {
		t.Error("the output folder is left behind")
	}
	return err
}

func TestProblemsOfData(t *testing.T) {
	for name, c := range map[string]struct {
		break_ func(t *testing.T, root string)
		says   string
	}{
		"no folder": {func(t *testing.T, root string) { must(t, os.RemoveAll(root)) }, "does not exist"},
		"empty class": {func(t *testing.T, root string) {
			must(t, os.RemoveAll(filepath.Join(root, "train", "down")))
			must(t, os.Mkdir(filepath.Join(root, "train", "down"), 0o777))
		}, "down"},
		"class that train lacks": {func(t *testing.T, root string) { must(t, os.RemoveAll(filepath.Join(root, "train", "down"))) }, "down"},
		"one class": {func(t *testing.T, root string) {
			for _, set := range []string{"train", "val"} {
				must(t, os.RemoveAll(filepath.Join(root, set, "down")))
				must(t, os.RemoveAll(filepath.Join(root, set, "plain")))
			}
		}, "at least 2"},
		"text called .png": {func(t *testing.T, root string) {
			must(t, os.WriteFile(filepath.Join(root, "val", "down", "note.png"), []byte("not a photo"), 0o666))
		}, "note.png"},
		"truncated": {func(t *testing.T, root string) {
			path := filepath.Join(root, "train", "plain", "001.png")
			data, err := os.ReadFile(path)
			must(t, err)
			must(t, os.WriteFile(path, data[:len(data)/2], 0o666))
		}, "001.png"},
	} {
		for _, mode := range []Mode{Heads, Full} {
			t.Run(name+" "+string(mode), func(t *testing.T) {
				data := photos(t, map[string]int{"train": 3, "val": 2})
				c.break_(t, data)
				err := fails(t, narrowRun(t, mode, data), c.says)
				if problem := (*DataError)(nil); !errors.As(err, &problem) {
					t.Errorf("%T is no DataError: %v", err, err)
				}
			})
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWrongSettings(t *testing.T) {
	data := photos(t, map[string]int{"train": 3, "val": 2})
	for says, change := range map[string]func(*Config){
		`Mode "half": choose heads or full`:                         func(c *Config) { c.Mode = "half" },
		`Optimizer "lbfgs": in full mode choose one of sgd`:         func(c *Config) { c.Optimizer = LBFGS },
		`Schedule "sometimes": choose one of constant, step`:        func(c *Config) { c.Schedule = "sometimes" },
		"LearningRate 0: must be above 0":                           func(c *Config) { c.LearningRate = 0 },
		"Epochs 0: between 1 and a million":                         func(c *Config) { c.Epochs = 0 },
		"it knows Augment none and flip only":                       func(c *Config) { c.Mode, c.Optimizer, c.Augment = Heads, LBFGS, Standard },
		"Momentum 1: lies in [0, 1)":                                func(c *Config) { c.Momentum = 1 },
		"WeightDecay +Inf: must be a finite number":                 func(c *Config) { c.WeightDecay = math.Inf(1) },
		"Dropout NaN: must be a finite number":                      func(c *Config) { c.Dropout = math.NaN() },
		"WarmupEpochs 3: must not be negative, and less than the 3": func(c *Config) { c.Epochs, c.WarmupEpochs = 3, 3 },
		"Patience -1: must not be negative":                         func(c *Config) { c.Patience = -1 },
		"Nesterov":                                                  func(c *Config) { c.Optimizer, c.Momentum, c.Nesterov = SGD, 0, true },
		`Augment: unknown augmentation "blur"`:                      func(c *Config) { c.Augment = "blur" },
	} {
		c := narrowRun(t, Full, data)
		change(&c)
		err := fails(t, c, says)
		if !errors.As(err, new(*UsageError)) && !errors.As(err, new(*FieldError)) {
			t.Errorf("%s: %T is neither a UsageError nor a FieldError: %v", says, err, err)
		}
	}
}

func TestDivergence(t *testing.T) {
	c := narrowRun(t, Full, photos(t, map[string]int{"train": 6, "val": 2}))
	c.Optimizer, c.LearningRate, c.Momentum, c.Schedule = "sgd", 1e20, 0, "constant"
	_, err := Fit(context.Background(), c, Silent{})
	if diverged := (*DivergedError)(nil); !errors.As(err, &diverged) || diverged.Epoch < 1 || diverged.Step < 1 {
		t.Fatalf("error %v", err)
	}
}

func TestOutputFolder(t *testing.T) {
	data := photos(t, map[string]int{"train": 4, "val": 2})
	c := narrowRun(t, Heads, data)
	usage := func(what, says string) {
		t.Helper()
		_, err := Fit(context.Background(), c, Silent{})
		if problem := (*UsageError)(nil); !errors.As(err, &problem) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	c.Resume = true
	usage("no folder to resume", "does not exist")
	c.Resume = false
	fit(t, c)
	before := sum(t, filepath.Join(c.Out, CheckpointFile))
	usage("a finished run", "Resume")
	c.Resume, c.Smoothing = true, 0.1
	usage("other settings", "smoothing was 0 and is 0.1")
	if sum(t, filepath.Join(c.Out, CheckpointFile)) != before {
		t.Error("the old run has been changed")
	}

	checkpoint := filepath.Join(c.Out, CheckpointFile)
	whole, err := os.ReadFile(checkpoint)
	must(t, err)
	must(t, os.WriteFile(checkpoint, whole[:len(whole)-100], 0o666))
	must(t, os.WriteFile(filepath.Join(c.Out, PreviousFile), whole[:len(whole)-1], 0o666))
	c.Smoothing = 0
	if _, err := Fit(context.Background(), c, Silent{}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a cut checkpoint: %v", err)
	}

	c.Resume, c.Out = false, t.TempDir()
	must(t, os.WriteFile(filepath.Join(c.Out, "thesis.txt"), []byte("mine"), 0o666))
	usage("a folder in use", "not empty")
	c.Out = filepath.Join(c.Out, "thesis.txt", "run")
	if _, err := Fit(context.Background(), c, Silent{}); err == nil {
		t.Error("made a folder below a file")
	}
}

// TestWriteLeavesNothing: a file whose writing fails, as on a full disk, leaves the old one and no other.
func TestWriteLeavesNothing(t *testing.T) {
	f := &folder{path: t.TempDir()}
	must(t, f.write("a.txt", func(w io.Writer) error { _, err := w.Write([]byte("old")); return err }))
	err := f.write("a.txt", func(w io.Writer) error {
		w.Write(make([]byte, 3<<20))
		return io.ErrShortWrite
	})
	if !errors.Is(err, io.ErrShortWrite) || !strings.Contains(err.Error(), "a.txt") {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(f.path)
	must(t, err)
	if len(entries) != 1 || string(read(t, f.path, "a.txt")) != "old" {
		t.Errorf("left: %v", entries)
	}
}

// TestInterruptedBeforeTheFirstStep leaves nothing to be resumed.
func TestInterruptedBeforeTheFirstStep(t *testing.T) {
	for _, mode := range []Mode{Heads, Full} {
		c := narrowRun(t, mode, photos(t, map[string]int{"train": 4, "val": 2}))
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := Fit(ctx, c, Silent{})
		if interrupted := (*InterruptedError)(nil); !errors.As(err, &interrupted) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", mode, err)
		}
		if _, err := os.Stat(c.Out); err == nil {
			t.Errorf("%s: the output folder is left behind", mode)
		}
	}
}

func TestRelabel(t *testing.T) {
	samples := answered([2]int{0, 0}, [2]int{1, 0}).Samples
	got, err := Relabel(samples, []string{"coast", "street"}, []string{"street", "forest", "coast"})
	if err != nil || got[0].Label != 2 || got[1].Label != 0 || samples[0].Label != 0 {
		t.Errorf("%v, %v", got, err)
	}
	_, err = Relabel(samples, []string{"coast", "dog"}, []string{"street", "coast"})
	if problem := (*DataError)(nil); !errors.As(err, &problem) || !strings.Contains(err.Error(), `"dog"`) || !strings.Contains(err.Error(), "street") {
		t.Errorf("error %v", err)
	}
	labels := []string{"crane", "coast", "crane"} // as ImageNet's have a bird and a machine
	if _, err := Relabel(samples, []string{"coast", "crane"}, labels); err == nil || !strings.Contains(err.Error(), `"crane": 0 and 2`) {
		t.Errorf("a label of two outputs: %v", err)
	}
	if _, err := Relabel(samples[:1], []string{"coast"}, labels); err != nil {
		t.Error(err)
	}
}
