package cli

import (
	"fmt"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/photo"
)

// openModel opens the model at path with what the flags say about threads, batches and
// preprocessing. It warns when preprocessing has to be assumed, now and at the end of the command, when flags replace the
// file's own, and when the network normalises its input itself. What opts say stands where no flag does, as if the file said so.
func openModel(con *console, c *urfave.Context, path string, opts ...regraft.Option) (*regraft.Model, error) {
	flags, err := modelOptions(c)
	if err != nil {
		return nil, err
	}
	var own photo.Preprocess
	opts = append(pooledByDefault(c), opts...)
	opts = append(opts, regraft.AdjustPreprocess(func(p *photo.Preprocess) { own = *p }))
	m, err := regraft.Open(path, append(opts, flags...)...)
	if err != nil {
		return nil, fail(statusModel, err)
	}
	if pooled := m.Pooled(); pooled != "" {
		con.warnf("%s has no classifier: its features are %s (--pool)", path, pooled)
	}
	changes := replaced(own, m.Preprocess())
	switch assumed := assumption(c, m); {
	case assumed != "":
		con.warnf("%s does not say how its input is prepared: %s are assumed (--mean, --std)", path, assumed)
		con.atEnd("%s were assumed, since %s does not say how its input is prepared (--mean, --std)", assumed, path)
	case !m.Assumed() && changes != "":
		con.warnf("%s says how its input is prepared, and the flags say otherwise: %s", path, changes)
	}
	asTrained := !m.Assumed() && changes == "" && len(m.Network().Meta.History) > 0
	if doubt := m.Doubt(); doubt != "" && !asTrained {
		con.warnf("%s: %s", path, doubt)
	}
	return m, nil
}

// pooledByDefault is the pool for which nobody asked, where the command has one.
func pooledByDefault(c *urfave.Context) []regraft.Option {
	return []regraft.Option{regraft.UsePool(regraft.Pooling(c.String("pool")))}
}

// assumption names the scaling of pixels that neither file nor flags say; "" where they do.
func assumption(c *urfave.Context, m *regraft.Model) string {
	if c.IsSet("mean") && c.IsSet("std") {
		return ""
	}
	return m.Assumption()
}

// replaced lists what differs between the file's own preprocessing and the one that is used.
func replaced(own, used photo.Preprocess) string {
	var list []string
	for _, f := range []struct {
		name string
		from any
		to   any
	}{
		{"channels", own.Channels, used.Channels}, {"mean", own.Mean, used.Mean}, {"std", own.Std, used.Std}, {"rescale", own.Rescale, used.Rescale},
		{"resize", own.Resize, used.Resize}, {"resample", own.Resample, used.Resample},
		{"decode", own.Decoding(), used.Decoding()},
	} {
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
		opts = append(opts, regraft.UseHead(name))
	}
	if c.IsSet("pool") {
		opts = append(opts, regraft.UsePool(regraft.Pooling(c.String("pool"))))
	}
	if c.Bool("tiff") {
		opts = append(opts, regraft.TIFF())
	}
	if n := c.Int("max-pixels"); n > 0 {
		opts = append(opts, regraft.MaxPixels(n))
	}
	o, err := preprocessing(c)
	return append(opts, regraft.AdjustPreprocess(func(p *photo.Preprocess) { *p = p.With(o) })), err
}

// preprocessing reads preprocessFlags.
func preprocessing(c *urfave.Context) (photo.Override, error) {
	o := photo.Override{
		Channels: word[photo.ChannelOrder](c)("channels"), Resize: word[photo.ResizeRule](c)("resize"),
		Resample: word[photo.Resampling](c)("resample"), Decode: word[photo.Decoding](c)("decode"),
	}
	for name, to := range map[string]**[3]float32{"mean": &o.Mean, "std": &o.Std} {
		if !c.IsSet(name) {
			continue
		}
		v, err := triple(name, c.String(name))
		if err != nil {
			return o, err
		}
		*to = &v
	}
	if o.Of255() && (o.Mean == nil || o.Std == nil) {
		return o, usagef("--mean and --std above 2 are for pixels from 0 to 255: give both (--std 1 divides by nothing)")
	}
	return o, nil
}
