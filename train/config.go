// Package train fits a network to folders of photos: its heads on features of a frozen trunk, or
// everything; it keeps the best model, checkpoints and reports. It prints nothing: whoever calls it
// hears of its progress through Events.
package train

import (
	"fmt"
	"slices"

	"regraft/engine"
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
// result is in it.
type Config struct {
	// Net is the network to start from; Net.Meta.Preprocess says how photos become its input.
	Net *engine.Network `json:"-"`
	// Model is the file that Net was read from, for the record.
	Model string `json:"model"`
	// Data is a folder of classes, or a folder with train and, when present, val and test.
	Data string `json:"data"`
	// Out is the folder for results: new, empty, or that of the run to be resumed.
	Out string `json:"out"`
	// Resume continues the run in Out.
	Resume bool `json:"-"`

	Mode   string `json:"mode"`
	Epochs int    `json:"epochs"`
	// Batch is the number of photos per step; in heads mode 0 takes all photos in one step.
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

	// Augment is none, flip (horizontal), or standard (random resized crop and horizontal flip); "+vflip" may be
	// added. Heads mode knows none and flip.
	Augment string `json:"augment"`
	// ValSplit is the share of train that validates where the data has neither val nor test.
	ValSplit float64 `json:"val_split"`
	// Patience ends the run after so many epochs without a better validation accuracy; 0 does not.
	Patience int `json:"patience"`

	Seed uint64 `json:"seed"`
	// Threads of arithmetic and Workers that decode photos change the speed, not the result; 0 takes the machine's.
	Threads int `json:"threads"`
	Workers int `json:"workers"`
}

// Defaults is the recommended recipe of a mode.
//
// heads: L-BFGS on features divided by their root mean square, see heads.go. full: AdamW with one
// cycle and horizontal flips.
func Defaults(mode string) Config {
	c := Config{
		Mode: mode, Epochs: 8, Batch: 16, Optimizer: "adamw", LR: 5e-4, WeightDecay: 0.05, Momentum: 0.9,
		Schedule: "onecycle", AuxWeight: 0.4, Dropout: 0.2, Augment: "flip", ValSplit: 0.2, ClipNorm: 0,
	}
	if mode == Heads {
		c.Epochs, c.Batch, c.Optimizer, c.LR, c.WeightDecay = 100, 0, LBFGS, 0, 1e-3
		c.Schedule, c.Dropout, c.Augment = "constant", -1, "none"
	}
	return c
}

// ErrUsage is the kind of a Config that contradicts itself: exit status 2.
type ErrUsage struct{ What string }

func (e *ErrUsage) Error() string { return e.What }

// check reports the first field that makes no sense.
func (c *Config) check() error {
	bad := func(format string, args ...any) error { return &ErrUsage{fmt.Sprintf(format, args...)} }
	optimizers := []string{"sgd", "adam", "adamw", "rmsprop", "rmsproptf"}
	schedules := []string{"constant", "step", "cosine", "onecycle", "plateau"}
	if c.Mode == Heads {
		optimizers = append([]string{LBFGS}, optimizers...)
	}
	switch {
	case c.Mode != Heads && c.Mode != Full:
		return bad("--mode %q: choose %s or %s", c.Mode, Heads, Full)
	case !slices.Contains(optimizers, c.Optimizer):
		return bad("--opt %q: in %s mode choose one of %v", c.Optimizer, c.Mode, optimizers)
	case !slices.Contains(schedules, c.Schedule):
		return bad("--sched %q: choose one of %v", c.Schedule, schedules)
	case c.Epochs < 1:
		return bad("--epochs %d: at least 1", c.Epochs)
	case c.Batch < 0 || c.Batch == 0 && c.Mode == Full:
		return bad("--batch-size %d: at least 1", c.Batch)
	case c.Optimizer != LBFGS && !(c.LR > 0):
		return bad("--lr %g: must be above 0", c.LR)
	case !(c.WeightDecay >= 0), !(c.Momentum >= 0 && c.Momentum < 1), !(c.ClipNorm >= 0):
		return bad("--wd and --clip-norm must not be negative, and --momentum lies in [0, 1)")
	case !(c.Smoothing >= 0 && c.Smoothing < 1):
		return bad("--smoothing %g: lies in [0, 1)", c.Smoothing)
	case !(c.AuxWeight >= 0):
		return bad("--aux-weight %g: must not be negative", c.AuxWeight)
	case !(c.Dropout < 1):
		return bad("--dropout %g: lies in [0, 1)", c.Dropout)
	case !(c.ValSplit > 0 && c.ValSplit < 1):
		return bad("--val-split %g: lies between 0 and 1", c.ValSplit)
	case !(c.WarmupEpochs >= 0):
		return bad("--warmup-epochs %g: must not be negative", c.WarmupEpochs)
	case c.Patience < 0 || c.Threads < 0 || c.Workers < 0:
		return bad("--patience, --threads and --workers must not be negative")
	}
	return nil
}
