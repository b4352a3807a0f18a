package demo

import (
	"context"
	"path/filepath"

	"regraft/engine"
	"regraft/onnx"
	"regraft/scene"
	"regraft/train"
)

// Run is one demonstration.
type Run struct {
	// Out is the folder for everything.
	Out  string
	Seed uint64
	// Train and Test are photos per class.
	Train, Test int
	// Epochs of the fine-tune.
	Epochs  int
	Threads int // 0 takes the machine's
	// Command is what started it, for the record.
	Command string
}

// New is a demonstration of about a minute.
func New(out string) Run { return Run{Out: out, Train: 60, Test: 30, Epochs: 8} }

// Quick is one of a few seconds, which shows the way but not what can be reached.
func Quick(out string) Run { return Run{Out: out, Train: 10, Test: 4, Epochs: 2} }

// Photos is the folder with train and test.
func (r Run) Photos() string { return filepath.Join(r.Out, "photos") }

// ModelFile is where Import puts regraft-mini.
func (r Run) ModelFile() string { return filepath.Join(r.Out, "regraft-mini.onnx") }

// Render makes the photos.
func (r Run) Render(ctx context.Context) error {
	train, test := filepath.Join(r.Photos(), "train"), filepath.Join(r.Photos(), "test")
	if err := scene.Write(ctx, train, scene.Places(), r.Seed, 0, r.Train); err != nil {
		return err
	}
	return scene.Write(ctx, test, scene.Places(), r.Seed, r.Train, r.Train+r.Test)
}

// Import takes regraft-mini out of the program and writes it to its file.
func (r Run) Import() (*engine.Network, error) {
	net, err := Model()
	if err != nil {
		return nil, err
	}
	return net, onnx.Write(r.ModelFile(), net)
}

// Heads trains new classifiers on the frozen trunk of net; its results go to the folder of the given name.
func (r Run) Heads(ctx context.Context, net *engine.Network, name string, events train.Events) (*train.Result, error) {
	return r.fit(ctx, train.Defaults(train.Heads, ""), net, name, events)
}

// Full trains everything, from the model that a training of the heads has left.
func (r Run) Full(ctx context.Context, heads *train.Result, events train.Events) (*train.Result, error) {
	net, _, err := onnx.Read(heads.Model, onnx.ReadOptions{})
	if err != nil {
		return nil, err
	}
	cfg := train.Defaults(train.Full, "")
	cfg.Model, cfg.Epochs, cfg.LearningRate, cfg.ValSplit = heads.Model, r.Epochs, fullRate, validation
	return r.fit(ctx, cfg, net, "full", events)
}

// fullRate is the peak learning rate of the fine-tune: a narrow network bears more than a wide one.
const fullRate = 2e-3

// validation is the share of the training photos that chooses the best epoch, so that the test photos do not.
const validation = 0.15

func (r Run) fit(ctx context.Context, cfg train.Config, net *engine.Network, name string, events train.Events) (*train.Result, error) {
	if cfg.Model == "" {
		cfg.Model = r.ModelFile()
	}
	cfg.Net, cfg.Data, cfg.Out = net, r.Photos(), filepath.Join(r.Out, name)
	cfg.Seed, cfg.Threads, cfg.Command = r.Seed, r.Threads, r.Command
	return train.Fit(ctx, cfg, events)
}
