package cli

import "regraft/setting"

// settingFlags are how this program calls the libraries' settings.
var settingFlags = map[setting.Name]string{
	setting.Mode:              "mode",
	setting.Optimizer:         "opt",
	setting.LearningRate:      "lr",
	setting.WeightDecay:       "wd",
	setting.Momentum:          "momentum",
	setting.ClipNorm:          "clip-norm",
	setting.Schedule:          "sched",
	setting.WarmupEpochs:      "warmup-epochs",
	setting.Epochs:            "epochs",
	setting.Batch:             "batch-size",
	setting.MicroBatch:        "micro-batch",
	setting.Balance:           "balance",
	setting.LayerDecay:        "layer-decay",
	setting.Freeze:            "freeze",
	setting.UnfreezeAfter:     "unfreeze-after",
	setting.EMA:               "ema",
	setting.Smoothing:         "smoothing",
	setting.AuxWeight:         "aux-weight",
	setting.Dropout:           "dropout",
	setting.Augment:           "augment",
	setting.Views:             "views",
	setting.ValSplit:          "val-split",
	setting.SelectOn:          "select-on",
	setting.Folds:             "folds",
	setting.Precision:         "precision",
	setting.GroupBy:           "group-by",
	setting.Labels:            "labels",
	setting.Patience:          "patience",
	setting.CheckpointMinutes: "checkpoint-minutes",
	setting.Data:              "data",
	setting.Features:          "features",
	setting.Out:               "out",
	setting.Resume:            "resume",
	setting.AllowChanged:      "allow-changed-photos",
	setting.SkipBad:           "skip-bad",
	setting.Threads:           "threads",
	setting.Workers:           "workers",
	setting.TIFF:              "tiff",
	setting.MaxPixels:         "max-pixels",
	setting.InputSize:         "input-size",
	setting.Channels:          "channels",
	setting.Mean:              "mean",
	setting.Std:               "std",
	setting.Head:              "head",
	setting.Pool:              "pool",
	setting.Arch:              "arch",
	setting.Weights:           "weights",
	setting.TransformInput:    "transform-input",
}

func init() {
	setting.Spell(func(n setting.Name) string { return "--" + settingFlags[n] })
}
