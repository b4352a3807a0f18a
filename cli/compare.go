package cli

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/photo"
	"regraft/train"
)

func compareCommand(con *console) *urfave.Command {
	flags := []urfave.Flag{
		dataFlag(),
		intFlag("folds", 5, 2, "parts that are held out in turn"),
		stringFlag("group-by", "", "`REGEX` on paths: photos with the same match stay in one fold"),
		viewsFlag("learn from `N` views of every photo (default: 1 or 2, as folds say)"),
		boolFlag("skip-bad", "go on without photos that cannot be read or lie in several classes"),
		seedFlag(), threadsFlag(), workersFlag(), tiffFlag(), maxPixelsFlag(), decodeMemoryFlag(), jsonFlag(),
	}
	return &urfave.Command{
		Name:        "compare",
		Usage:       "say which of several models suits the photos of a folder best",
		ArgsUsage:   "--data DIR MODEL...",
		Description: "regraft compare --data data/places resnet18.onnx inception_v3.onnx",
		Flags:       slices.Concat(flags, cacheFlags(), preprocessFlags()),
		Action:      func(c *urfave.Context) error { return compareModels(con, c) },
	}
}

type compareJSON struct {
	Schema       string     `json:"schema"`
	Model        string     `json:"model"`
	Accuracy     float64    `json:"accuracy"`
	Interval     [2]float64 `json:"interval"`
	Loss         float64    `json:"loss"`
	Photos       int        `json:"photos"`
	Folds        int        `json:"folds"`
	Groups       int        `json:"groups"`
	WeightDecay  float64    `json:"weight_decay"`
	Views        int        `json:"views"`
	Features     int        `json:"features"`
	Milliseconds float64    `json:"ms_per_image"`
	Bytes        int64      `json:"bytes"`
	Recommended  bool       `json:"recommended"`
	// Why is the sentence about the recommendation, the same for all models.
	Why string `json:"why"`
}

// candidate is a model that was tried.
type candidate struct {
	compareJSON
	right []bool
}

func compareModels(con *console, c *urfave.Context) error {
	data := c.String("data")
	if err := needs(c, needed{"data", data}); err != nil {
		return err
	}
	if c.NArg() == 0 {
		return usagef("no models given (see regraft %s --help)", c.Command.Name)
	}
	for _, path := range c.Args().Slice() { // all of them before the first takes its time
		if _, err := os.Stat(path); err != nil {
			return fail(statusModel, err)
		}
	}
	var all []candidate
	for _, path := range c.Args().Slice() {
		one, err := try(con, c, path)
		if err != nil {
			return err
		}
		if len(all) > 0 && len(one.right) != len(all[0].right) {
			return failf(statusData, "%s was judged on %d photos and %s on %d", path, len(one.right), all[0].Model, len(all[0].right))
		}
		all = append(all, one)
	}
	return printComparison(con, c.Bool("json"), all)
}

// printComparison prints a line for each model and which to take.
func printComparison(con *console, asJSON bool, all []candidate) error {
	best, why := recommended(all)
	for i := range all {
		all[i].Recommended, all[i].Why = i == best, why
	}
	if asJSON {
		for _, one := range all {
			if err := con.json(one.compareJSON); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "accuracy\t95 %\tloss\tms a photo\tMB\t  model")
	for _, one := range all {
		fmt.Fprintf(w, "%.1f %%\t%.1f to %.1f\t%.4f\t%.1f\t%.1f\t  %s\n",
			100*one.Accuracy, 100*one.Interval[0], 100*one.Interval[1], one.Loss, one.Milliseconds, float64(one.Bytes)/1e6, shown(one.Model))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	con.printf("%d photos in %d folds, the same for all. %s\n", all[0].Photos, all[0].Folds, why)
	return nil
}

// try cross-validates heads on a model, and measures it.
func try(con *console, c *urfave.Context, path string) (candidate, error) {
	m, err := openModel(con, c, path)
	if err != nil {
		return candidate{}, err
	}
	defer m.Close()
	info, err := os.Stat(path)
	if err != nil {
		return candidate{}, fail(statusModel, err)
	}
	cfg := train.Defaults(train.Heads, "")
	cfg.Net, cfg.Data, cfg.Folds, cfg.GroupBy, cfg.Seed = m.Network(), c.String("data"), c.Int("folds"), c.String("group-by"), c.Uint64("seed")
	cfg.SkipBad, cfg.TIFF, cfg.MaxPixels = c.Bool("skip-bad"), c.Bool("tiff"), c.Int("max-pixels")
	cfg.Threads, cfg.Workers, cfg.Views = c.Int("threads"), c.Int("workers"), c.Int("views")
	if cfg.Cache, err = featureCache(c); err != nil {
		return candidate{}, err
	}
	defer trimmed(con, cfg.Cache)
	events := &evalEvents{con: con, of: shown(filepath.Base(path)) + ": "}
	defer func() { events.bar.end() }()
	v, err := train.CrossValidate(c.Context, cfg, events)
	if err != nil {
		return candidate{}, fmt.Errorf("%s: %w", path, err)
	}
	events.bar.end()
	ms, err := perPhoto(c.Context, m)
	if err != nil {
		return candidate{}, fail(statusModel, fmt.Errorf("%s: %w", path, err))
	}
	t := v.Choice
	return candidate{compareJSON{
		Schema: "regraft/compare/1", Model: photo.Text(path), Accuracy: t.Accuracy, Interval: t.Interval, Loss: t.Loss, Photos: t.Photos, Folds: t.Folds,
		Groups: t.Groups, WeightDecay: t.WeightDecay, Views: t.Views, Features: v.Features, Milliseconds: ms, Bytes: info.Size(),
	}, v.Right}, nil
}

// perPhoto is the least time of a few answers to one photo, in milliseconds.
func perPhoto(ctx context.Context, m *regraft.Model) (float64, error) {
	p := m.Preprocess()
	x, least := make([]float32, p.Values()), math.Inf(1)
	for range 4 { // the first one warms up
		began := time.Now()
		if _, err := m.Infer(ctx, x, 1); err != nil {
			return 0, err
		}
		least = min(least, float64(time.Since(began))/float64(time.Millisecond))
	}
	return least, nil
}

// recommended is the fastest of the models that chance alone may have put behind the best, and a sentence that says so.
func recommended(all []candidate) (int, string) {
	best := 0
	for i := range all {
		if all[i].Accuracy > all[best].Accuracy {
			best = i
		}
	}
	chosen := best
	for i := range all {
		gain, deviation := train.PairedGain(all[best].right, all[i].right)
		if gain <= 2*deviation && all[i].Milliseconds < all[chosen].Milliseconds {
			chosen = i
		}
	}
	name := shown(all[chosen].Model)
	switch {
	case len(all) == 1:
		return chosen, "There is nothing to compare it with."
	case chosen != best:
		return chosen, fmt.Sprintf("Take %s: it is faster (%.1f instead of %.1f ms), and that %s has %.1f points more right may be chance.",
			name, all[chosen].Milliseconds, all[best].Milliseconds, shown(all[best].Model), 100*(all[best].Accuracy-all[chosen].Accuracy))
	}
	close := ""
	for i := range all {
		if gain, deviation := train.PairedGain(all[best].right, all[i].right); i != best && gain <= 2*deviation {
			close = ", though its lead may be chance"
		}
	}
	return chosen, fmt.Sprintf("Take %s: nothing that is faster does as well%s.", name, close)
}
