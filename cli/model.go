package cli

import (
	"fmt"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/photo"
)

// openModel opens the model at path with what the flags say about threads, batches and
// preprocessing. It warns when ImageNet's preprocessing has to be assumed, when flags replace the
// file's own, and when the network normalises its input itself.
func openModel(con *console, c *urfave.Context, path string, opts ...regraft.Option) (*regraft.Model, error) {
	flags, err := modelOptions(c)
	if err != nil {
		return nil, err
	}
	var own photo.Preprocess
	flags = append([]regraft.Option{regraft.Preprocess(func(p *photo.Preprocess) { own = *p })}, flags...)
	m, err := regraft.Open(path, append(flags, opts...)...)
	if err != nil {
		return nil, fail(statusModel, err)
	}
	changes := replaced(own, m.Preprocess())
	switch {
	case m.Assumed() && !(c.IsSet("mean") && c.IsSet("std")):
		con.warnf("%s does not say how its input is prepared: ImageNet's mean and std are assumed (--mean, --std)", path)
	case !m.Assumed() && changes != "":
		con.warnf("%s says how its input is prepared, and the flags say otherwise: %s", path, changes)
	}
	asTrained := !m.Assumed() && changes == "" && len(m.Network().Meta.History) > 0
	if doubt := m.Doubt(); doubt != "" && !asTrained {
		con.warnf("%s: %s", path, doubt)
	}
	return m, nil
}

// replaced lists what differs between the file's own preprocessing and the one that is used.
func replaced(own, used photo.Preprocess) string {
	var list []string
	for _, f := range []struct {
		name string
		from any
		to   any
	}{{"mean", own.Mean, used.Mean}, {"std", own.Std, used.Std}, {"channels", own.Channels, used.Channels}, {"resize", own.Resize, used.Resize}, {"resample", own.Resample, used.Resample}} {
		if f.from != f.to {
			list = append(list, fmt.Sprintf("%s %v instead of %v", f.name, f.to, f.from))
		}
	}
	return strings.Join(list, ", ")
}

// modelOptions reads the flags that change how a model is opened, as far as the command has them.
func modelOptions(c *urfave.Context) ([]regraft.Option, error) {
	var opts []regraft.Option
	if n := c.Int("threads"); n > 0 {
		opts = append(opts, regraft.Threads(n))
	}
	if n := c.Int("workers"); n > 0 {
		opts = append(opts, regraft.Workers(n))
	}
	if n := c.Int("batch-size"); n > 0 {
		opts = append(opts, regraft.Batch(n))
	}
	if size := inputSize(c); size != (photo.Size{}) {
		opts = append(opts, regraft.InputSize(size.H, size.W))
	}
	if c.String("algorithm") == "direct" {
		opts = append(opts, regraft.Direct())
	}
	if name := c.String("head"); name != "" {
		opts = append(opts, regraft.Head(name))
	}
	if c.Bool("tiff") {
		opts = append(opts, regraft.TIFF())
	}
	if n := c.Int("max-pixels"); n > 0 {
		opts = append(opts, regraft.MaxPixels(n))
	}
	change, err := preprocessing(c)
	return append(opts, regraft.Preprocess(change)), err
}

// preprocessing reads preprocessFlags.
func preprocessing(c *urfave.Context) (func(*photo.Preprocess), error) {
	var mean, std [3]float32
	var err error
	if c.IsSet("mean") {
		if mean, err = triple("mean", c.String("mean")); err != nil {
			return nil, err
		}
	}
	if c.IsSet("std") {
		if std, err = triple("std", c.String("std")); err != nil {
			return nil, err
		}
	}
	return func(p *photo.Preprocess) {
		if c.IsSet("mean") {
			p.Mean = mean
		}
		if c.IsSet("std") {
			p.Std = std
		}
		if order := c.String("channels"); order != "" {
			p.Channels = order
		}
		if rule := c.String("resize"); rule != "" {
			p.Resize = rule
		}
		if filter := c.String("resample"); filter != "" {
			p.Resample = filter
		}
	}, nil
}
