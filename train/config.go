package train

import (
	"regraft/engine"
	"regraft/engine/solver"
	"regraft/featurecache"
	"regraft/photo"
)

// Mode says what trains.
type Mode string

// The modes of training.
const (
	// Heads trains new classifiers on features that are computed once; the trunk stays as it is to the bit.
	Heads Mode = "heads"
	// Full trains every parameter, with the batch's own statistics in BatchNorm.
	Full Mode = "full"
)

// Optimizer changes parameters by their gradients: those of package solver, and LBFGS.
type Optimizer = solver.Optimizer

// The optimizers.
const (
	// LBFGS takes all photos at once and needs no learning rate; heads mode only.
	LBFGS     Optimizer = "lbfgs"
	SGD                 = solver.SGD
	Adam                = solver.Adam
	AdamW               = solver.AdamW
	RMSprop             = solver.RMSprop
	RMSpropTF           = solver.RMSpropTF
)

// Optimizers are all that a mode knows.
func Optimizers(m Mode) []Optimizer {
	if m == Heads {
		return append([]Optimizer{LBFGS}, solver.Names()...)
	}
	return solver.Names()
}

// Schedule is how the learning rate goes from epoch to epoch.
type Schedule string

// The schedules.
const (
	Constant Schedule = "constant"
	// Step divides the rate by ten, twice in a run.
	Step Schedule = "step"
	// Cosine falls from the highest rate to zero on half a cosine.
	Cosine Schedule = "cosine"
	// OneCycle rises, for 15 % of the run where WarmupEpochs says nothing, and then falls to zero.
	OneCycle Schedule = "onecycle"
	// Plateau divides the rate by ten where the validation loss has not fallen for three epochs.
	Plateau Schedule = "plateau"
)

// Schedules are all of them.
var Schedules = []Schedule{Constant, Step, Cosine, OneCycle, Plateau}

// Augment is how training photos vary from epoch to epoch: words with commas between them (photo.AugmentWords). Heads mode knows NoAugment
// and Flip.
type Augment string

// The augmentations that are often wanted. With UpsideDown behind it, each mirrors top and bottom too, for photos that have no up.
const (
	NoAugment Augment = "none"
	// Flip mirrors left and right.
	Flip Augment = "flip"
	// Standard cuts out a random part, resizes it, and mirrors left and right.
	Standard Augment = "standard"

	UpsideDown = "+vflip"
)

// Config says what is trained, on what and how. Its JSON is args.json: every field that decides the
// result is in it, and none that the run does not read (settings.go).
type Config struct {
	// Net is the network to start from; Net.Meta.Preprocess says how photos become its input.
	Net *engine.Network `json:"-"`
	// TakeValues lets Fit take the values of Net over, which has none afterwards: they need no memory beside the trained ones.
	TakeValues bool `json:"-"`
	// Model is the file that Net was read from, for the record.
	Model string `json:"model"`
	// Head is the name by which the caller chose Net's main classifier, for the record; "" where it was clear.
	Head string `json:"head,omitempty"`
	// Pool is how the caller made Net's features of tokens, for the record; "" where Net has a classifier.
	Pool string `json:"pool,omitempty"`
	// Preprocess is Net's; Fit fills it in.
	Preprocess photo.Preprocess `json:"preprocess"`
	// Assumed names the scaling of pixels that Preprocess has, where neither the model's file nor its user says one; Fit then tries
	// the other usual ones on a few photos and tells what it found.
	Assumed string `json:"preprocess_assumed,omitempty"`
	// Data is a folder of classes, or a folder with train and, when present, val and test.
	Data string `json:"data"`
	// Features, in place of Data, are files that embed has written, their folders or patterns of their names: heads mode with LBFGS on
	// machines without the photos. One view of every photo is learnt, and folds of all choose.
	Features []string `json:"features,omitempty"`
	// Labels are the classes of photos whose folder is wrong, by their paths below Data, with slashes; "" leaves the photo out. See
	// ReadFixes.
	Labels map[string]string `json:"labels,omitempty"`
	// Out is the folder for results: new, empty, or that of the run to be resumed.
	Out string `json:"out"`
	// Resume continues the run in Out.
	Resume bool `json:"-"`
	// AllowChanged lets a resumed run go on with photos that have changed since it began.
	AllowChanged bool `json:"-"`
	// Cache holds features of photos from earlier runs and takes those of this one, heads mode; nil keeps them in Out until the
	// run is complete.
	Cache *featurecache.Cache `json:"-"`
	// SkipBad goes on without photos that cannot be read or that lie in several classes; without it they end the run.
	SkipBad bool `json:"skip_bad"`
	// CheckpointMinutes is the least time between checkpoints; 0 takes half a minute, and more where writing one takes long.
	CheckpointMinutes float64 `json:"checkpoint_minutes"`

	Mode Mode `json:"mode"`
	// Epochs of LBFGS may be 0: as many as folds of train choose.
	Epochs int `json:"epochs"`
	// Batch is the number of photos per step; LBFGS always takes all of them.
	Batch int `json:"batch_size"`
	// MicroBatch is the number of photos that go through the network at a time, a divisor of Batch, whose gradients are the mean of those
	// of its parts; 0 is Batch. BatchNorm has the statistics of the part.
	MicroBatch int `json:"micro_batch"`

	Optimizer Optimizer `json:"opt"`
	// LearningRate is the highest of the schedule; LBFGS does not use it.
	LearningRate float64 `json:"lr"`
	// WeightDecay of LBFGS may be ByFolds.
	WeightDecay float64 `json:"weight_decay"`
	Momentum    float64 `json:"momentum"`
	Nesterov    bool    `json:"nesterov"`
	// ClipNorm bounds the length of the whole gradient; 0 does not.
	ClipNorm float64 `json:"clip_norm"`

	// LayerDecay multiplies the learning rate once for every block between a parameter's and the classifier, full mode; 0 and 1 leave it.
	LayerDecay float64 `json:"layer_decay"`
	// DropPath is the share of the photos for which a step leaves out residual branches of the last block; it rises evenly from 0 in the first
	// one (stochastic depth), full mode.
	DropPath float64 `json:"drop_path"`
	// Freeze says what does not train in full mode: the number of the network's first blocks, or names of parameters or what holds them.
	// Their BatchNorms use the running statistics. UnfreezeAfter so many epochs the last of the frozen blocks trains too, after as many
	// more the one before it, and so on; 0 never.
	Freeze        []string `json:"freeze"`
	UnfreezeAfter int      `json:"unfreeze_after"`

	Schedule Schedule `json:"sched"`
	// WarmupEpochs is the time in which the learning rate rises.
	WarmupEpochs float64 `json:"warmup_epochs"`

	// Balance makes up for classes with few photos.
	Balance Balance `json:"balance"`
	// EMA is how much of it a moving average of the weights keeps in a step, and of the running statistics; it is that average which is
	// judged and saved. At first it keeps less, (1+n)/(10+n) in step n, as TensorFlow's does. 0 averages nothing.
	EMA float64 `json:"ema"`
	// Smoothing is PyTorch's label smoothing.
	Smoothing float64 `json:"smoothing"`
	// AuxWeight multiplies the loss of auxiliary heads.
	AuxWeight float64 `json:"aux_weight"`
	// Dropout replaces the model's dropout ratios when it is not negative; full mode only.
	Dropout float64 `json:"dropout"`

	Augment Augment `json:"augment"`
	// Views are how many views of every training photo heads mode learns from: 1 is the photo, 2 adds its mirror image, more add
	// fixed parts of it with their mirror images (photo.View); 0 lets folds of train choose between 1 and 2.
	Views int `json:"views"`
	// ValSplit is the share of train that validates where the data has no val; 0 leaves that to folds of train in heads mode with
	// LBFGS, and is a fifth elsewhere.
	ValSplit float64 `json:"val_split"`
	// Folds of train are how many parts are held out in turn, heads mode with LBFGS; 0 is 5 and leaves out the learning curve.
	Folds int `json:"folds"`
	// Precision is the share of answers above a threshold that shall be right; 0 chooses no threshold.
	Precision float64 `json:"precision,omitempty"`
	// Far is the share of photos like the training photos that a distance in the model shall not call far; 0 leaves it out.
	Far float64 `json:"far,omitempty"`
	// NoCalibrate leaves probabilities as they come; otherwise, in heads mode, they are calibrated on what folds of train held out.
	NoCalibrate bool `json:"no_calibrate,omitempty"`
	// GroupBy is a regular expression on the paths of photos below Data, with slashes. Photos where it, or its first group in
	// parentheses, matches the same text stay in one fold, and on one side of a split of train.
	GroupBy string `json:"group_by,omitempty"`
	// SelectOn is SetTest where the test photos choose the best epoch, so that what is reported on them is too good; "" otherwise.
	SelectOn string `json:"select_on,omitempty"`
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

	// TensorBoard writes a file of events that TensorBoard follows.
	TensorBoard bool `json:"tensorboard,omitempty"`
	// NoReport leaves out the page and the model card.
	NoReport bool `json:"no_report,omitempty"`
	// Command is what started the run, for the record.
	Command string `json:"-"`

	// Given names the fields that were asked for, as in args.json, each as the user spelt it: one that the run would not
	// read is a UsageError. Fields that are not in it are ignored then.
	Given map[string]string `json:"-"`

	// idle are fields that this network or these photos have no use for.
	idle []string
	// waits lets photos that cannot be read be tried again; nil does not.
	waits *waiter
}

// MostViews bounds Config.Views.
const MostViews = 64

// recipes are the settings that go with an optimizer, by mode. Heads mode trains on features of mean zero
// and mean square one (features.go), so its rates are far higher.
var recipes = map[Mode]map[Optimizer]Config{
	Full: {
		SGD:       {LearningRate: 0.01, WeightDecay: 1e-4, Momentum: 0.9, Schedule: Cosine, WarmupEpochs: 1},
		Adam:      {LearningRate: 2e-4, Schedule: OneCycle},
		AdamW:     {LearningRate: 5e-4, WeightDecay: 0.05, Schedule: OneCycle},
		RMSprop:   {LearningRate: 1e-4, Momentum: 0.9, Schedule: OneCycle},
		RMSpropTF: {LearningRate: 1e-4, Momentum: 0.9, Schedule: OneCycle},
	},
	Heads: {
		LBFGS:     {WeightDecay: ByFolds},
		SGD:       {Epochs: 30, Batch: 32, LearningRate: 3e-3, WeightDecay: 1e-3, Momentum: 0.9, Schedule: Cosine},
		Adam:      {Epochs: 30, Batch: 32, LearningRate: 3e-3, WeightDecay: 1e-3, Schedule: Cosine},
		AdamW:     {Epochs: 30, Batch: 32, LearningRate: 3e-3, WeightDecay: 0.1, Schedule: Cosine},
		RMSprop:   {Epochs: 30, Batch: 32, LearningRate: 1e-3, WeightDecay: 1e-3, Schedule: Cosine},
		RMSpropTF: {Epochs: 30, Batch: 32, LearningRate: 1e-3, WeightDecay: 1e-3, Schedule: Cosine},
	},
}

// Defaults is the recommended recipe of a mode with the given optimizer; "" takes the mode's best: lbfgs
// for heads, adamw for full. Unknown names give settings that Fit refuses.
func Defaults(mode Mode, optimizer Optimizer) Config {
	if optimizer == "" {
		optimizer = map[Mode]Optimizer{Heads: LBFGS, Full: AdamW}[mode]
	}
	c := recipes[mode][optimizer]
	c.Mode, c.Optimizer, c.Augment, c.Far = mode, optimizer, NoAugment, DefaultFar
	if mode == Full {
		c.Epochs, c.Batch, c.AuxWeight, c.Dropout, c.Augment = 8, 16, 0.4, 0.2, Flip
	}
	return c
}

func (c *Config) decode() photo.DecodeOptions {
	return photo.DecodeOptions{TIFF: c.TIFF, MaxPixels: c.MaxPixels}
}
