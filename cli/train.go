package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"syscall"

	urfave "github.com/urfave/cli/v2"

	"regraft/train"
)

func trainCommand(con *console) *urfave.Command {
	heads, full := train.Defaults(train.Heads, ""), train.Defaults(train.Full, "")
	flags := []urfave.Flag{
		modelFlag(), dataFlag(),
		stringFlag("out", "", "`DIR` for the results, new or empty", "output", "o"),
		oneOf("mode", train.Heads, "heads: new classifiers on a frozen trunk; full: everything", []string{train.Heads, train.Full}),
		oneOf("freeze", "", "trunk: the same as --mode heads", []string{"trunk"}),
		intFlag("epochs", 0, 1, fmt.Sprintf("passes over the photos (default: heads %d, full %d)", heads.Epochs, full.Epochs)),
		intFlag("batch-size", 0, 1, fmt.Sprintf("photos per step (default: heads all, full %d)", full.Batch), "batch", "b"),
		oneOf("opt", "", fmt.Sprintf("sgd, adam, adamw, rmsprop, rmsproptf, heads: lbfgs (default: %s, %s)", heads.Optimizer, full.Optimizer),
			[]string{"sgd", "adam", "adamw", "rmsprop", "rmsproptf", train.LBFGS}, "optimizer"),
		floatFlag("lr", 0, math.SmallestNonzeroFloat32, math.MaxFloat64, fmt.Sprintf("peak learning rate (default: full %g)", full.LR), "learning-rate"),
		floatFlag("wd", 0, 0, math.MaxFloat64, fmt.Sprintf("weight decay (default: heads %g, full %g)", heads.WeightDecay, full.WeightDecay), "weight-decay"),
		floatFlag("momentum", 0.9, 0, 1, "of sgd and rmsprop"),
		boolFlag("nesterov", "sgd: Nesterov's momentum"),
		oneOf("sched", "", fmt.Sprintf("constant, step, cosine, onecycle, plateau (default: full %s)", full.Schedule),
			[]string{"constant", "step", "cosine", "onecycle", "plateau"}, "scheduler"),
		floatFlag("warmup-epochs", 0, 0, math.MaxFloat64, "the learning rate rises for so long"),
		floatFlag("smoothing", 0, 0, 1, "label smoothing", "label-smoothing"),
		floatFlag("aux-weight", 0.4, 0, math.MaxFloat64, "weight of the auxiliary loss"),
		floatFlag("dropout", 0, 0, 1, fmt.Sprintf("ratio instead of the model's (default: full %g)", full.Dropout)),
		floatFlag("clip-norm", 0, 0, math.MaxFloat64, "bound on the gradient's length (default: none)"),
		oneOf("augment", "", "none, flip, standard (random crop, flip); +vflip adds top and bottom (default: full "+full.Augment+")",
			[]string{"none", "flip", "standard", "none+vflip", "flip+vflip", "standard+vflip"}),
		valSplitFlag(),
		intFlag("patience", 0, 0, "end after `N` epochs without a better one (default: never)"),
		floatFlag("checkpoint-minutes", 0, math.SmallestNonzeroFloat64, math.MaxFloat64, "time between checkpoints (default: 0.5, more where one takes long)"),
		boolFlag("resume", "continue the run in --out"),
		seedFlag(), threadsFlag(), workersFlag(), headFlag(), tiffFlag(), maxPixelsFlag(), jsonFlag(),
	}
	return &urfave.Command{
		Name:        "train",
		Usage:       "swap the classifiers for the classes of a folder and train",
		ArgsUsage:   "--model M.onnx --data DIR --out DIR",
		Description: "regraft train --model inception_v3.onnx --data data/places --out runs/places",
		Flags:       append(flags, preprocessFlags()...),
		Action:      func(c *urfave.Context) error { return trainModel(con, c) },
	}
}

func trainModel(con *console, c *urfave.Context) error {
	cfg, err := trainConfig(c)
	if err != nil {
		return err
	}
	m, err := openModel(con, c, cfg.Model)
	if err != nil {
		return err
	}
	cfg.Net = m.Network()
	report := newTrainReport(con, c.Bool("json"), cfg)
	result, err := fit(c.Context, cfg, report)
	if err != nil {
		return err
	}
	if err = report.finished(result); err == nil {
		err = con.out.Flush()
	}
	if errors.Is(err, syscall.EPIPE) {
		con.warnf("nobody reads standard output any more; the run is complete in %s", cfg.Out)
	}
	return err
}

// fit runs the training and takes the bar off the screen whatever happens.
func fit(ctx context.Context, cfg train.Config, report *trainReport) (*train.Result, error) {
	defer func() { report.bar.done() }()
	return train.Fit(ctx, cfg, report)
}

// trainConfig is the mode's recipe with what the flags change.
func trainConfig(c *urfave.Context) (train.Config, error) {
	if c.NArg() > 0 {
		return train.Config{}, usagef("%q: train takes flags only", c.Args().First())
	}
	mode := c.String("mode")
	if c.IsSet("freeze") {
		if c.IsSet("mode") && mode != train.Heads {
			return train.Config{}, usagef("--freeze trunk and --mode %s contradict each other", mode)
		}
		mode = train.Heads
	}
	cfg := train.Defaults(mode, c.String("opt"))
	for flag, to := range map[string]*string{"model": &cfg.Model, "data": &cfg.Data, "out": &cfg.Out} {
		var err error
		if *to, err = required(c, flag); err != nil {
			return cfg, err
		}
	}
	set(c, "epochs", &cfg.Epochs, c.Int)
	set(c, "batch-size", &cfg.Batch, c.Int)
	set(c, "lr", &cfg.LR, c.Float64)
	set(c, "wd", &cfg.WeightDecay, c.Float64)
	set(c, "momentum", &cfg.Momentum, c.Float64)
	set(c, "nesterov", &cfg.Nesterov, c.Bool)
	set(c, "clip-norm", &cfg.ClipNorm, c.Float64)
	set(c, "sched", &cfg.Schedule, c.String)
	set(c, "warmup-epochs", &cfg.WarmupEpochs, c.Float64)
	set(c, "smoothing", &cfg.Smoothing, c.Float64)
	set(c, "aux-weight", &cfg.AuxWeight, c.Float64)
	set(c, "dropout", &cfg.Dropout, c.Float64)
	set(c, "augment", &cfg.Augment, c.String)
	set(c, "val-split", &cfg.ValSplit, c.Float64)
	set(c, "patience", &cfg.Patience, c.Int)
	set(c, "checkpoint-minutes", &cfg.CheckpointMinutes, c.Float64)
	set(c, "resume", &cfg.Resume, c.Bool)
	set(c, "tiff", &cfg.TIFF, c.Bool)
	set(c, "max-pixels", &cfg.MaxPixels, c.Int)
	set(c, "seed", &cfg.Seed, c.Uint64)
	set(c, "threads", &cfg.Threads, c.Int)
	set(c, "workers", &cfg.Workers, c.Int)
	if !c.IsSet("warmup-epochs") { // that of the recipe must fit a short run
		cfg.WarmupEpochs = min(cfg.WarmupEpochs, float64(cfg.Epochs)/2)
	}
	return cfg, nil
}

// set takes over a flag that was given.
func set[T any](c *urfave.Context, flag string, to *T, value func(string) T) {
	if c.IsSet(flag) {
		*to = value(flag)
	}
}
