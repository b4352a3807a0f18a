package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"regraft/engine/random"
)

// changes give every setting that decides the result another value.
var changes = map[string]func(*Config){
	"batch_size":     func(c *Config) { c.Batch = 6 },
	"lr":             func(c *Config) { c.LearningRate *= 1.5 },
	"weight_decay":   func(c *Config) { c.WeightDecay += 0.01 },
	"momentum":       func(c *Config) { c.Momentum = 0.5 },
	"nesterov":       func(c *Config) { c.Nesterov = true },
	"clip_norm":      func(c *Config) { c.ClipNorm = 1e-3 },
	"sched":          func(c *Config) { c.Schedule = "step" },
	"warmup_epochs":  func(c *Config) { c.WarmupEpochs = 1.5 },
	"micro_batch":    func(c *Config) { c.MicroBatch = c.Batch / 2 },
	"balance":        func(c *Config) { c.Balance = BalanceLoss },
	"layer_decay":    func(c *Config) { c.LayerDecay = 0.5 },
	"freeze":         func(c *Config) { c.Freeze = []string{"2"} },
	"unfreeze_after": func(c *Config) { c.Freeze, c.UnfreezeAfter = []string{"2"}, 1 },
	"ema":            func(c *Config) { c.EMA = 0.9 },
	"smoothing":      func(c *Config) { c.Smoothing = 0.1 },
	"aux_weight":     func(c *Config) { c.AuxWeight = 0.2 },
	"dropout":        func(c *Config) { c.Dropout = 0.4 },
	"augment":        func(c *Config) { c.Augment = map[bool]Augment{true: NoAugment, false: Flip}[c.Augment == Flip] },
	"views":          func(c *Config) { c.Views = 2 },
	"seed":           func(c *Config) { c.Seed++ },
}

// recipe is a run of three epochs with the settings that go with an optimizer.
func recipe(t *testing.T, mode Mode, optimizer Optimizer, data string) Config {
	t.Helper()
	d, c := Defaults(mode, optimizer), narrowRun(t, mode, data)
	d.Net, d.Data, d.Out, d.Threads, d.Workers, d.Seed, d.Epochs, d.Batch, d.NoReport = c.Net, c.Data, c.Out, 2, 2, 7, 3, 4, true
	switch {
	case mode == Full:
		d.WarmupEpochs = 1
	case optimizer == LBFGS:
		d.WeightDecay, d.Views = 0.03, 1
	}
	return d
}

// TestEverySettingCounts tries each setting with each mode and optimizer: either the run is another one, or asking for it is an
// error that says where it belongs, and args.json has it or not.
func TestEverySettingCounts(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	data := photos(t, map[string]int{"train": 5, "val": 2})
	writePhoto(t, filepath.Join(data, "train", "down", "more.png"), 1, random.At(9, "more"))
	refused := map[string]int{}
	for mode, optimizers := range recipes {
		for optimizer := range optimizers {
			config := func() Config { return recipe(t, mode, optimizer, data) }
			straight := config()
			fit(t, straight)
			ends := map[string][]part{"": endOf(t, straight)}
			var args map[string]any
			if err := json.Unmarshal(read(t, straight.Out, ArgsFile), &args); err != nil {
				t.Fatal(err)
			}
			for _, name := range slices.Sorted(maps.Keys(changes)) {
				c := config()
				changes[name](&c)
				without := "" // what the setting comes on top of
				if name == "unfreeze_after" {
					without = "freeze"
				}
				c.Given = map[string]string{name: "--flag"}
				_, err := Fit(t.Context(), c, Silent{})
				_, recorded := args[name]
				var usage *UsageError
				if err == nil {
					ends[name] = endOf(t, c)
				}
				switch {
				case err == nil && !recorded:
					t.Errorf("%s by %s: %s is accepted and not in args.json", mode, optimizer, name)
				case err == nil && name == "seed" && optimizer == LBFGS: // decides the folds alone, which choose nothing here
				case err == nil && reflect.DeepEqual(ends[name], ends[without]):
					t.Errorf("%s by %s: %s changes nothing", mode, optimizer, name)
				case err != nil && (!errors.As(err, &usage) || !strings.Contains(err.Error(), "--flag does nothing with Mode "+string(mode))):
					t.Errorf("%s by %s: %s: %v", mode, optimizer, name, err)
				case err != nil && recorded:
					t.Errorf("%s by %s: %s does nothing and is in args.json", mode, optimizer, name)
				case err != nil:
					refused[name]++
				}
			}
		}
	}
	// Of 11 recipes, 6 are of heads mode, one of them lbfgs; 6 know momentum and 2 Nesterov's.
	want := map[string]int{"batch_size": 1, "lr": 1, "clip_norm": 1, "sched": 1, "warmup_epochs": 1, "momentum": 5, "nesterov": 9, "aux_weight": 6, "dropout": 6, "views": 5, "micro_batch": 6, "ema": 6, "layer_decay": 6, "freeze": 6, "unfreeze_after": 6}
	for name := range changes {
		if refused[name] != want[name] {
			t.Errorf("%s is refused %d times, want %d", name, refused[name], want[name])
		}
	}
}

// TestEverySettingIsResumed: whatever is set, a run that is killed in an epoch, not the first, goes on to the bits that it has undisturbed;
// with all settings at once, and with each.
func TestEverySettingIsResumed(t *testing.T) {
	data := photos(t, map[string]int{"train": 5, "val": 2})
	writePhoto(t, filepath.Join(data, "train", "down", "more.png"), 1, random.At(9, "more"))
	for _, run := range []struct {
		mode      Mode
		optimizer Optimizer
		killed    int // the step
	}{{Full, AdamW, 6}, {Full, SGD, 6}, {Heads, SGD, 2}, {Heads, LBFGS, 2}} {
		resumes := func(what string, change func(*Config)) {
			t.Run(fmt.Sprintf("%s %s %s", run.mode, run.optimizer, what), func(t *testing.T) {
				c := recipe(t, run.mode, run.optimizer, data)
				change(&c)
				k := killed(t, c, run.killed)
				k.endAt(sum(t, filepath.Join(c.Out, BestFile)))
			})
		}
		names := slices.Sorted(maps.Keys(changes))
		resumes("all", func(c *Config) {
			for _, name := range names {
				if c.reads(name) {
					changes[name](c)
				}
			}
		})
		if run.optimizer != LBFGS {
			resumes("sampler", func(c *Config) { c.Balance = BalanceSampler })
		}
		for _, name := range names {
			if (&Config{Mode: run.mode, Optimizer: run.optimizer}).reads(name) && !testing.Short() {
				resumes(name, changes[name])
			}
		}
	}
}

// endOf is the state of a finished run.
func endOf(t *testing.T, c Config) []part {
	t.Helper()
	k, err := readCheckpoint(filepath.Join(c.Out, CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	return k.parts
}

// TestIdleSettings: what the network or the photos have no use for is refused when it is asked for, else not recorded.
func TestIdleSettings(t *testing.T) {
	data := photos(t, map[string]int{"train": 5, "val": 2})
	c := narrowRun(t, Heads, data)
	fit(t, c)
	if args := string(read(t, c.Out, ArgsFile)); strings.Contains(args, "val_split") || !strings.Contains(args, "weight_decay") {
		t.Errorf("args.json: %s", args)
	}
	c = narrowRun(t, Heads, data)
	c.ValSplit, c.Given = 0.3, map[string]string{"val_split": "REGRAFT_VAL_SPLIT"}
	fails(t, c, "REGRAFT_VAL_SPLIT does nothing: the data has a folder for validation")
}

// TestWhere: every setting of the table is a field of Config.
func TestWhere(t *testing.T) {
	var names []string
	for mode, optimizer := range map[Mode]Optimizer{Heads: LBFGS, Full: SGD} {
		for name := range fields(&Config{Mode: mode, Optimizer: optimizer}) {
			names = append(names, name)
		}
	}
	for _, s := range conditionals {
		if !slices.Contains(names, s.name) || Where(s.name) == "" {
			t.Errorf("%s is no field", s.name)
		}
	}
	if Where("epochs") != "" {
		t.Error("epochs are read everywhere")
	}
}
