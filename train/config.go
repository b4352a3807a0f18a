package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"regraft/engine"
	"regraft/engine/solver"
	"regraft/photo"
)

// The modes of training.
const (
	// Heads trains new classifiers on features that are computed once; the trunk stays as it is to the bit.
	Heads = "heads"
	// Full trains every parameter, with the batch's own statistics in BatchNorm.
	Full = "full"
)

// LBFGS is the solver of heads mode that needs no learning rate; all others are those of engine/solver.
const LBFGS = "lbfgs"

// Config says what is trained, on what and how. Its JSON is args.json: every field that decides the
// result is in it, and none that the run does not read (settings.go).
type Config struct {
	// Net is the network to start from; Net.Meta.Preprocess says how photos become its input.
	Net *engine.Network `json:"-"`
	// Model is the file that Net was read from, for the record.
	Model string `json:"model"`
	// Head is the name by which the caller chose Net's main classifier, for the record; "" where it was clear.
	Head string `json:"head,omitempty"`
	// Preprocess is Net's; Fit fills it in.
	Preprocess photo.Preprocess `json:"preprocess"`
	// Assumed names the scaling of pixels that Preprocess has, where neither the model's file nor its user says one; Fit then tries
	// the other usual ones on a few photos and tells what it found.
	Assumed string `json:"preprocess_assumed,omitempty"`
	// Data is a folder of classes, or a folder with train and, when present, val and test.
	Data string `json:"data"`
	// Out is the folder for results: new, empty, or that of the run to be resumed.
	Out string `json:"out"`
	// Resume continues the run in Out.
	Resume bool `json:"-"`
	// AllowChanged lets a resumed run go on with photos that have changed since it began.
	AllowChanged bool `json:"-"`
	// SkipBad goes on without photos that cannot be read or that lie in several classes; without it they end the run.
	SkipBad bool `json:"skip_bad"`
	// CheckpointMinutes is the least time between checkpoints; 0 takes half a minute, and more where writing one takes long.
	CheckpointMinutes float64 `json:"checkpoint_minutes"`

	Mode   string `json:"mode"`
	Epochs int    `json:"epochs"`
	// Batch is the number of photos per step; lbfgs always takes all of them.
	Batch int `json:"batch_size"`

	// Optimizer is lbfgs (heads mode only), sgd, adam, adamw, rmsprop or rmsproptf.
	Optimizer string `json:"opt"`
	// LR is the highest learning rate of the schedule; lbfgs does not use it.
	LR          float64 `json:"lr"`
	WeightDecay float64 `json:"weight_decay"`
	Momentum    float64 `json:"momentum"`
	Nesterov    bool    `json:"nesterov"`
	// ClipNorm bounds the length of the whole gradient; 0 does not.
	ClipNorm float64 `json:"clip_norm"`

	// Schedule is constant, step, cosine, onecycle or plateau.
	Schedule string `json:"sched"`
	// WarmupEpochs is the time in which the learning rate rises; onecycle rises for 15 % of the run when it is 0.
	WarmupEpochs float64 `json:"warmup_epochs"`

	// Smoothing is PyTorch's label smoothing.
	Smoothing float64 `json:"smoothing"`
	// AuxWeight multiplies the loss of auxiliary heads.
	AuxWeight float64 `json:"aux_weight"`
	// Dropout replaces the model's dropout ratios when it is not negative; full mode only.
	Dropout float64 `json:"dropout"`

	// Augment is none, flip (left and right), or standard (random resized crop and flip); with +vflip at its end top
	// and bottom are mirrored too, for photos that have no up. Heads mode knows none and flip.
	Augment string `json:"augment"`
	// ValSplit is the share of train that validates where the data has no val; 0 takes test instead, and a
	// fifth of train where there is none either.
	ValSplit float64 `json:"val_split"`
	// Patience ends the run after so many epochs without a better validation accuracy; 0 does not.
	Patience int `json:"patience"`

	// TIFF accepts TIFF photos.
	TIFF bool `json:"tiff"`
	// MaxPixels is the largest photo, width times height; 0 takes photo.DefaultMaxPixels.
	MaxPixels int    `json:"max_pixels"`
	Seed      uint64 `json:"seed"`
	// Direct computes without Winograd's algorithm.
	Direct bool `json:"direct"`
	// Threads of arithmetic and Workers that decode photos change the speed, not the result; 0 takes the machine's.
	Threads int `json:"threads"`
	Workers int `json:"workers"`

	// Given names the fields that were asked for, as in args.json, each as the user spelt it (--lr): one that the run would not
	// read is a UsageError. Fields that are not in it are ignored then.
	Given map[string]string `json:"-"`

	// idle are fields that this network or these photos have no use for.
	idle []string
	// waits lets photos that cannot be read be tried again; nil does not.
	waits *waiter
}

// recipes are the settings that go with an optimizer, by mode. Heads mode trains on features of mean zero
// and mean square one (features.go), so its rates are far higher.
var recipes = map[string]map[string]Config{
	Full: {
		"sgd":       {LR: 0.01, WeightDecay: 1e-4, Momentum: 0.9, Schedule: "cosine", WarmupEpochs: 1},
		"adam":      {LR: 2e-4, Schedule: "onecycle"},
		"adamw":     {LR: 5e-4, WeightDecay: 0.05, Schedule: "onecycle"},
		"rmsprop":   {LR: 1e-4, Momentum: 0.9, Schedule: "onecycle"},
		"rmsproptf": {LR: 1e-4, Momentum: 0.9, Schedule: "onecycle"},
	},
	Heads: {
		LBFGS:       {Epochs: 100, WeightDecay: 0.03},
		"sgd":       {Epochs: 30, Batch: 32, LR: 3e-3, WeightDecay: 1e-3, Momentum: 0.9, Schedule: "cosine"},
		"adam":      {Epochs: 30, Batch: 32, LR: 3e-3, WeightDecay: 1e-3, Schedule: "cosine"},
		"adamw":     {Epochs: 30, Batch: 32, LR: 3e-3, WeightDecay: 0.1, Schedule: "cosine"},
		"rmsprop":   {Epochs: 30, Batch: 32, LR: 1e-3, WeightDecay: 1e-3, Schedule: "cosine"},
		"rmsproptf": {Epochs: 30, Batch: 32, LR: 1e-3, WeightDecay: 1e-3, Schedule: "cosine"},
	},
}

// Defaults is the recommended recipe of a mode with the given optimizer; "" takes the mode's best: lbfgs
// for heads, adamw for full. Unknown names give settings that Fit refuses.
func Defaults(mode, optimizer string) Config {
	if optimizer == "" {
		optimizer = map[string]string{Heads: LBFGS, Full: "adamw"}[mode]
	}
	c := recipes[mode][optimizer]
	c.Mode, c.Optimizer, c.Augment = mode, optimizer, "none"
	if mode == Full {
		c.Epochs, c.Batch, c.AuxWeight, c.Dropout, c.Augment = 8, 16, 0.4, 0.2, "flip"
	}
	return c
}

func (c *Config) decode() photo.DecodeOptions {
	return photo.DecodeOptions{TIFF: c.TIFF, MaxPixels: c.MaxPixels}
}

// UsageError is a Config that contradicts itself: exit status 2.
type UsageError struct{ What string }

func (e *UsageError) Error() string { return e.What }

// check reports the first field that makes no sense.
func (c *Config) check() error {
	bad := func(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }
	if c.Mode != Heads && c.Mode != Full {
		return bad("--mode %q: choose %s or %s", c.Mode, Heads, Full)
	}
	for flag, v := range map[string]float64{
		"lr": c.LR, "wd": c.WeightDecay, "momentum": c.Momentum, "clip-norm": c.ClipNorm, "warmup-epochs": c.WarmupEpochs,
		"smoothing": c.Smoothing, "aux-weight": c.AuxWeight, "dropout": c.Dropout, "val-split": c.ValSplit,
		"checkpoint-minutes": c.CheckpointMinutes,
	} {
		if broken(v) {
			return bad("--%s %g: must be a finite number", flag, v)
		}
	}
	optimizers := solver.Names()
	if c.Mode == Heads {
		optimizers = append([]string{LBFGS}, optimizers...)
	}
	schedules := []string{"constant", "step", "cosine", "onecycle", "plateau"}
	switch {
	case c.Net == nil || c.Net.Meta.Preprocess == nil:
		return bad("training needs a model and its preprocessing")
	case !slices.Contains(optimizers, c.Optimizer):
		return bad("--opt %q: in %s mode choose one of %s", c.Optimizer, c.Mode, strings.Join(optimizers, ", "))
	case c.reads("sched") && !slices.Contains(schedules, c.Schedule):
		return bad("--sched %q: choose one of %s", c.Schedule, strings.Join(schedules, ", "))
	case c.Epochs < 1 || c.Epochs > 1e6:
		return bad("--epochs %d: between 1 and a million", c.Epochs)
	case c.reads("batch_size") && (c.Batch < 1 || c.Batch > 1<<16):
		return bad("--batch-size %d: between 1 and %d", c.Batch, 1<<16)
	case c.reads("lr") && (c.LR <= 0 || c.LR > math.MaxFloat32):
		return bad("--lr %g: must be above 0", c.LR)
	case c.WeightDecay < 0:
		return bad("--wd %g: must not be negative", c.WeightDecay)
	case c.Momentum < 0 || c.Momentum >= 1:
		return bad("--momentum %g: lies in [0, 1)", c.Momentum)
	case c.ClipNorm < 0:
		return bad("--clip-norm %g: must not be negative", c.ClipNorm)
	case c.Smoothing < 0 || c.Smoothing >= 1:
		return bad("--smoothing %g: lies in [0, 1)", c.Smoothing)
	case c.AuxWeight < 0:
		return bad("--aux-weight %g: must not be negative", c.AuxWeight)
	case c.Dropout >= 1:
		return bad("--dropout %g: must be below 1", c.Dropout)
	case c.ValSplit < 0 || c.ValSplit >= 1:
		return bad("--val-split %g: lies in [0, 1)", c.ValSplit)
	case c.WarmupEpochs < 0 || c.WarmupEpochs > 0 && c.WarmupEpochs >= float64(c.Epochs):
		return bad("--warmup-epochs %g: must not be negative, and less than the %d epochs", c.WarmupEpochs, c.Epochs)
	case c.CheckpointMinutes < 0 || c.CheckpointMinutes > 1e6:
		return bad("--checkpoint-minutes %g: between 0 and a million", c.CheckpointMinutes)
	case c.Patience < 0 || c.Threads < 0 || c.Workers < 0:
		return bad("--patience, --threads and --workers must not be negative")
	case c.Mode == Heads && c.Augment != "none" && c.Augment != "flip":
		return bad("heads mode computes the features once, so it knows --augment none and flip only")
	}
	if _, err := c.augment(); err != nil {
		return err
	}
	if err := c.checkGiven(); err != nil || !stepwise(c) {
		return err
	}
	if _, err := newRates(c, nil); err != nil {
		return err
	}
	_, err := newSolver(c)
	return err
}

// augment is how training photos vary.
func (c *Config) augment() (photo.Augment, error) {
	name, vertical := strings.CutSuffix(c.Augment, "+vflip")
	a, err := photo.ParseAugment(name)
	if err != nil {
		return a, &UsageError{"--augment: " + err.Error()}
	}
	a.FlipY = vertical
	return a, nil
}
