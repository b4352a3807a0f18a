package cli

import (
	"fmt"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/train"
)

func evalCommand(con *console) *urfave.Command {
	flags := []urfave.Flag{
		modelFlag(), dataFlag(),
		oneOf("split", "", "train, val or test (default: test, else val)", []string{"train", "val", "test"}),
		boolFlag("skip-bad", "go on without photos that cannot be read"),
		pageFlag("with the photos behind every number"),
		viewsFlag(viewsUsage), threadsFlag(), workersFlag(), headFlag(), tiffFlag(), maxPixelsFlag(), decodeMemoryFlag(),
		boolFlag("json", fmt.Sprintf("one JSON object; beyond %d classes without confusion, but confused", train.MatrixClasses)),
	}
	return &urfave.Command{
		Name:        "eval",
		Aliases:     []string{"val"},
		Usage:       "loss, accuracy and confusion matrix on a labelled folder",
		ArgsUsage:   "--model M.onnx --data DIR",
		Description: "regraft eval --model runs/places/best.onnx --data data/places --split test",
		Flags:       slices.Concat(flags, cacheFlags(), preprocessFlags()),
		Action:      func(c *urfave.Context) error { return eval(con, c) },
	}
}

type evalJSON struct {
	Schema string `json:"schema"`
	*train.Report
	Labels []string `json:"labels"`
	Split  string   `json:"split"`
	Advice []string `json:"advice"`
	// Skipped are photos that were left out.
	Skipped []train.Skipped `json:"skipped"`
}

func eval(con *console, c *urfave.Context) error {
	path, data := c.String("model"), c.String("data")
	if err := needs(c, needed{"model", path}, needed{"data", data}); err != nil {
		return err
	}
	page, err := pageFile(c)
	if err != nil {
		return err
	}
	cache, err := featureCache(c)
	if err != nil {
		return err
	}
	defer trimmed(con, cache)
	opts := []regraft.Option{regraft.Cache(cache), regraft.Views(c.Int("views"))}
	if c.Bool("skip-bad") {
		opts = append(opts, regraft.SkipBad())
	}
	m, err := openModel(con, c, path, opts...)
	if err != nil {
		return err
	}
	events := &evalEvents{con: con}
	defer func() { events.bar.end() }()
	e, err := m.Evaluate(c.Context, data, c.String("split"), events)
	if err != nil {
		return err
	}
	if page != "" {
		if err := e.WriteReport(c.Context, page, path, commandLine(c), events); err != nil {
			return err
		}
	}
	events.bar.end()
	if c.Bool("json") {
		return con.json(evalJSON{"regraft/eval/1", e.Report, e.Labels, e.Split, e.Advice, append([]train.Skipped{}, e.Skipped...)})
	}
	if err := printReport(con, e.Labels, e.Report, "all: --json"); err != nil {
		return err
	}
	printAdvice(con, e.Advice)
	return nil
}

// evalEvents shows a bar.
type evalEvents struct {
	train.Silent
	con *console
	of  string // begins the bar's name, where several models have one
	bar *progress
}

func (e *evalEvents) Phase(p train.Phase, _, total int) {
	e.bar.end()
	e.bar = e.con.phase(p, total, e.of+string(p))
}
func (e *evalEvents) Advanced(photos int, _ float64) { e.bar.add(photos) }
func (e *evalEvents) Warn(message string)            { e.con.warnf("%s", message) }
