package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"syscall"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/photo"
	"regraft/train"
)

func trainCommand(con *console) *urfave.Command {
	heads, full := train.Defaults(train.Heads, ""), train.Defaults(train.Full, "")
	flags := []urfave.Flag{
		modelFlag(), dataFlag(),
		stringFlag("features", "", "instead of --data: `FILES` of embed, with commas between, or their folder; heads mode"),
		stringFlag("out", "", "`DIR` for the results, new or empty", "output", "o"),
		oneOf("mode", train.Heads, "heads: new classifiers on a frozen trunk; full: everything", []train.Mode{train.Heads, train.Full}),
		stringFlag("freeze", "", "trunk: as --mode heads; --mode full: the first `N` blocks, or names with commas between"),
		intFlag("unfreeze-after", 0, 1, where("unfreeze-after", "one frozen block more trains after every `N` epochs")),
		floatFlag("drop-path", 0, 0, 1, where("drop-path", "share of photos that skip the last residual branch; before it fewer, evenly")),
		floatFlag("layer-decay", 0, 0, 1, where("layer-decay", "factor on the learning rate per block from the classifier down, such as 0.75")),
		intFlag("epochs", 0, 1, fmt.Sprintf("passes over the photos (default: heads by folds, full %d)", full.Epochs)),
		intFlag("batch-size", 0, 1, where("batch-size", fmt.Sprintf("photos per step (default: heads all, full %d)", full.Batch)), "batch", "b"),
		oneOf("opt", "", fmt.Sprintf("sgd, adam, adamw, rmsprop, rmsproptf, heads: lbfgs (default: %s, %s)", heads.Optimizer, full.Optimizer),
			append(train.Optimizers(train.Full), train.LBFGS), "optimizer"),
		floatFlag("lr", 0, math.SmallestNonzeroFloat32, math.MaxFloat64, where("lr", fmt.Sprintf("peak learning rate (default: full %g)", full.LearningRate)), "learning-rate"),
		stringFlag("lr-find", "", "find a learning rate: draw the loss over rising rates in `FILE`.png, and keep nothing else"),
		floatFlag("wd", 0, 0, math.MaxFloat64, fmt.Sprintf("weight decay (default: heads by folds, full %g)", full.WeightDecay), "weight-decay"),
		floatFlag("momentum", 0.9, 0, 1, where("momentum", "momentum")),
		boolFlag("nesterov", where("nesterov", "Nesterov's momentum")),
		oneOf("sched", "", where("sched", fmt.Sprintf("constant, step, cosine, onecycle, plateau (default: full %s)", full.Schedule)),
			train.Schedules, "scheduler"),
		floatFlag("warmup-epochs", 0, 0, math.MaxFloat64, where("warmup-epochs", "the learning rate rises for so long")),
		intFlag("micro-batch", 0, 1, where("micro-batch", "photos in memory at a time, a divisor of the batch")),
		oneOf("balance", "", "for uneven classes: weights in the loss, or a sampler that repeats photos (not lbfgs)", train.Balances),
		floatFlag("ema", 0, 0, 1, where("ema", "judge and save a moving average of the weights, such as 0.999")),
		floatFlag("smoothing", 0, 0, 1, "label smoothing", "label-smoothing"),
		floatFlag("aux-weight", 0.4, 0, math.MaxFloat64, where("aux-weight", "weight of the auxiliary loss")),
		floatFlag("dropout", 0, 0, 1, where("dropout", fmt.Sprintf("ratio instead of the model's (default: full %g)", full.Dropout))),
		floatFlag("clip-norm", 0, 0, math.MaxFloat64, where("clip-norm", "bound on the gradient's length (default: none)")),
		augmentFlag("", "`WORDS` such as flip,randaugment,erase:0.5: see regraft augment --help (default: full "+string(full.Augment)+")"),
		viewsFlag(where("views", "learn from `N` views of every photo: 2 adds the mirror image, more add parts")),
		valSplitFlag(),
		intFlag("folds", 0, 2, where("folds", "cross-validation in `N` parts, with a learning curve (default: 5, without)")),
		stringFlag("labels", "", "`FILE`.csv of path and label, as of check --write-fixes; empty leaves the photo out"),
		stringFlag("group-by", "", "`REGEX` on paths: photos with the same match stay in one fold"),
		oneOf("threshold", "", "auto: store the threshold in the model below which answers are unknown", []string{"auto"}),
		floatFlag("precision", 0.95, 0.01, 1, "with --threshold auto: the share of the answers above it that is right"),
		floatFlag("far", train.DefaultFar, 0, 1, "share of photos like yours that are not called something else; 0: none are"),
		boolFlag("no-calibrate", "leave probabilities as they come out of the heads"),
		oneOf("select-on", "", "test: the test photos choose the best epoch, and its accuracy is too good", []string{train.SetTest}),
		intFlag("patience", 0, 0, "end after `N` epochs without a better one (default: never)"),
		floatFlag("checkpoint-minutes", 0, math.SmallestNonzeroFloat64, math.MaxFloat64, "time between checkpoints (default: 0.5, more where one takes long)"),
		boolFlag("tensorboard", "write a file of events that TensorBoard follows"),
		boolFlag("no-report", "write no report.html and no MODEL_CARD.md"),
		boolFlag("skip-bad", "go on without photos that cannot be read or lie in several classes"),
		boolFlag("resume", "continue the run in --out, with its settings"),
		boolFlag("allow-changed-photos", "--resume: photos may have changed since the run began"),
		seedFlag(), threadsFlag(), workersFlag(), headFlag(), poolFlag(), tiffFlag(), maxPixelsFlag(), decodeMemoryFlag(), jsonFlag(),
	}
	return &urfave.Command{
		Name:        "train",
		Usage:       "swap the classifiers for the classes of a folder and train",
		ArgsUsage:   "--model M.onnx --data DIR --out DIR",
		Description: "regraft train --model inception_v3.onnx --data data/places --out runs/places",
		Flags:       slices.Concat(flags, cacheFlags(), preprocessFlags()),
		Action:      func(c *urfave.Context) error { return trainModel(con, c) },
	}
}

// where adds to a flag's help which runs read it.
func where(flag, usage string) string {
	if where := train.Where(settingOf(flag)); where != "" {
		return usage + "; " + where
	}
	return usage
}

func trainModel(con *console, c *urfave.Context) error {
	cfg, err := trainConfig(c)
	if err != nil {
		return err
	}
	collectOften() // values and states of large networks lie on the heap
	m, err := openModel(con, c, cfg.Model, asBefore(cfg)...)
	if err != nil {
		return err
	}
	cfg.Net, cfg.TakeValues, cfg.Assumed = m.Network(), true, assumption(c, m)
	if cfg.Cache, err = featureCache(c); err != nil {
		return err
	}
	defer trimmed(con, cfg.Cache)
	report := newTrainReport(con, c.Bool("json"), cfg)
	if file := c.String("lr-find"); file != "" {
		return findRate(con, c, cfg, report, file)
	}
	result, err := fit(c.Context, cfg, report)
	if err != nil {
		return err
	}
	if a := result.Assumption; a != nil && a.Better != "" {
		con.atEnd("%v", a)
	}
	if err = report.finished(result); err == nil {
		err = con.out.Flush()
	}
	if errors.Is(err, syscall.EPIPE) {
		con.warnf("nobody reads standard output any more; the run is complete in %s", cfg.Out)
	}
	return err
}

// asBefore are the options of the run that is resumed.
func asBefore(cfg train.Config) []regraft.Option {
	var opts []regraft.Option
	if cfg.Head != "" {
		opts = append(opts, regraft.UseHead(cfg.Head))
	}
	if cfg.Pool != "" {
		opts = append(opts, regraft.UsePool(regraft.Pooling(cfg.Pool)))
	}
	if cfg.Preprocess == (photo.Preprocess{}) {
		return opts
	}
	opts = append(opts, regraft.InputSize(cfg.Preprocess.Size.H, cfg.Preprocess.Size.W))
	if cfg.Assumed != "" { // still
		return append(opts, regraft.AdjustPreprocess(func(p *photo.Preprocess) { *p = cfg.Preprocess }))
	}
	return append(opts, regraft.UsePreprocess(cfg.Preprocess))
}

// fit runs the training and takes the bar off the screen whatever happens.
func fit(ctx context.Context, cfg train.Config, report *trainReport) (*train.Result, error) {
	defer func() { report.bar.end() }()
	return train.Fit(ctx, cfg, report)
}

// trainConfig is the mode's recipe, or the settings of the run that is resumed, with what the flags change.
func trainConfig(c *urfave.Context) (train.Config, error) {
	if c.NArg() > 0 {
		return train.Config{}, usagef("%q: train takes flags only; the folder of photos is --data %[1]s", c.Args().First())
	}
	cfg, err := startingConfig(c)
	if err != nil {
		return cfg, err
	}
	if !cfg.Resume {
		if err := idle(c, "without --resume", "allow-changed-photos"); err != nil {
			return cfg, err
		}
	}
	cfg.Given, cfg.Command = map[string]string{}, commandLine(c)
	for flag, to := range map[string]*string{"model": &cfg.Model, "data": &cfg.Data, "out": &cfg.Out, "head": &cfg.Head, "pool": &cfg.Pool} {
		set(c, &cfg, flag, to, c.String)
	}
	set(c, &cfg, "features", &cfg.Features, func(flag string) []string { return strings.Split(c.String(flag), ",") })
	wanted := []needed{{"model", cfg.Model}}
	if len(cfg.Features) == 0 {
		wanted = append(wanted, needed{"data", cfg.Data})
	} else if err := idle(c, "with --features", needsPhotos...); err != nil {
		return cfg, err
	} else {
		cfg.NoReport = true // which shows photos
	}
	if c.String("lr-find") == "" {
		wanted = append(wanted, needed{"out", cfg.Out})
	} else if err := idle(c, "with --lr-find, which keeps nothing", "out", "resume", "lr", "sched", "warmup-epochs", "ema"); err != nil {
		return cfg, err
	}
	if err := needs(c, wanted...); err != nil {
		return cfg, err
	}
	set(c, &cfg, "opt", &cfg.Optimizer, word[train.Optimizer](c))
	set(c, &cfg, "epochs", &cfg.Epochs, c.Int)
	set(c, &cfg, "batch-size", &cfg.Batch, c.Int)
	set(c, &cfg, "lr", &cfg.LearningRate, c.Float64)
	set(c, &cfg, "wd", &cfg.WeightDecay, c.Float64)
	set(c, &cfg, "momentum", &cfg.Momentum, c.Float64)
	set(c, &cfg, "nesterov", &cfg.Nesterov, c.Bool)
	set(c, &cfg, "clip-norm", &cfg.ClipNorm, c.Float64)
	set(c, &cfg, "sched", &cfg.Schedule, word[train.Schedule](c))
	set(c, &cfg, "warmup-epochs", &cfg.WarmupEpochs, c.Float64)
	set(c, &cfg, "micro-batch", &cfg.MicroBatch, c.Int)
	set(c, &cfg, "balance", &cfg.Balance, word[train.Balance](c))
	set(c, &cfg, "layer-decay", &cfg.LayerDecay, c.Float64)
	set(c, &cfg, "drop-path", &cfg.DropPath, c.Float64)
	if freezes(c) {
		set(c, &cfg, "freeze", &cfg.Freeze, func(flag string) []string { return strings.Split(c.String(flag), ",") })
	}
	set(c, &cfg, "unfreeze-after", &cfg.UnfreezeAfter, c.Int)
	set(c, &cfg, "ema", &cfg.EMA, c.Float64)
	set(c, &cfg, "smoothing", &cfg.Smoothing, c.Float64)
	set(c, &cfg, "aux-weight", &cfg.AuxWeight, c.Float64)
	set(c, &cfg, "dropout", &cfg.Dropout, c.Float64)
	set(c, &cfg, "augment", &cfg.Augment, word[train.Augment](c))
	set(c, &cfg, "views", &cfg.Views, c.Int)
	set(c, &cfg, "val-split", &cfg.ValSplit, c.Float64)
	set(c, &cfg, "folds", &cfg.Folds, c.Int)
	if c.IsSet("labels") {
		if cfg.Labels, err = train.ReadFixes(c.String("labels"), cfg.Data); err != nil {
			return cfg, err
		}
		cfg.Given["labels"] = spelt(c, "labels")
	}
	set(c, &cfg, "group-by", &cfg.GroupBy, c.String)
	if c.String("threshold") != "" {
		cfg.Precision, cfg.Given["precision"] = c.Float64("precision"), spelt(c, "threshold")
	} else if err := idle(c, "without --threshold auto", "precision"); err != nil {
		return cfg, err
	}
	set(c, &cfg, "far", &cfg.Far, c.Float64)
	set(c, &cfg, "no-calibrate", &cfg.NoCalibrate, c.Bool)
	set(c, &cfg, "select-on", &cfg.SelectOn, c.String)
	set(c, &cfg, "tensorboard", &cfg.TensorBoard, c.Bool)
	set(c, &cfg, "no-report", &cfg.NoReport, c.Bool)
	set(c, &cfg, "patience", &cfg.Patience, c.Int)
	set(c, &cfg, "checkpoint-minutes", &cfg.CheckpointMinutes, c.Float64)
	set(c, &cfg, "skip-bad", &cfg.SkipBad, c.Bool)
	set(c, &cfg, "allow-changed-photos", &cfg.AllowChanged, c.Bool)
	set(c, &cfg, "tiff", &cfg.TIFF, c.Bool)
	set(c, &cfg, "max-pixels", &cfg.MaxPixels, c.Int)
	set(c, &cfg, "seed", &cfg.Seed, c.Uint64)
	set(c, &cfg, "threads", &cfg.Threads, c.Int)
	set(c, &cfg, "workers", &cfg.Workers, c.Int)
	return cfg, nil
}

// needsPhotos are flags of train that do nothing where the photos are elsewhere.
var needsPhotos = []string{"data", "workers", "tiff", "max-pixels", "decode-memory", "cache", "cache-limit", "no-cache", "lr-find", "val-split", "select-on", "labels", "views",
	"augment", "no-report"}

// startingConfig is what the flags change: args.json of the run that is resumed, or the recipe of mode and optimizer.
func startingConfig(c *urfave.Context) (train.Config, error) {
	mode := train.Mode(c.String("mode"))
	if c.IsSet("freeze") && !freezes(c) {
		if c.IsSet("mode") && mode != train.Heads {
			return train.Config{}, usagef("--freeze trunk and --mode %s contradict each other", mode)
		}
		mode = train.Heads
	}
	resume := c.Bool("resume")
	if out := c.String("out"); resume && out != "" {
		cfg, err := train.ReadConfig(out)
		if err == nil {
			cfg.Resume = true
			if c.IsSet("mode") || c.IsSet("freeze") && !freezes(c) {
				cfg.Mode = mode
			}
			return cfg, nil
		}
		if usage := (*train.UsageError)(nil); !errors.As(err, &usage) {
			return cfg, err
		}
	}
	cfg := train.Defaults(mode, train.Optimizer(c.String("opt")))
	cfg.Resume = resume
	if epochs := c.Int("epochs"); epochs > 0 { // the recipe's warm-up must fit a short run
		cfg.WarmupEpochs = min(cfg.WarmupEpochs, float64(epochs)/2)
	}
	return cfg, nil
}

// freezes reports whether --freeze names parts of the network, not all but the heads.
func freezes(c *urfave.Context) bool { return c.IsSet("freeze") && c.String("freeze") != "trunk" }

// set takes over a flag that was given, and records how.
func set[T any](c *urfave.Context, cfg *train.Config, flag string, to *T, value func(string) T) {
	if c.IsSet(flag) {
		*to = value(flag)
		cfg.Given[settingOf(flag)] = spelt(c, flag)
	}
}

// settingOf is the name in args.json of what a flag sets.
func settingOf(flag string) string {
	if flag == "wd" {
		return "weight_decay"
	}
	return strings.ReplaceAll(flag, "-", "_")
}
