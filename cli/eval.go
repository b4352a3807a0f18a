package cli

import (
	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/photo"
	"regraft/train"
)

func evalCommand(con *console) *urfave.Command {
	flags := []urfave.Flag{
		modelFlag(), dataFlag(),
		oneOf("split", "", "train, val or test (default: test, else val)", []string{"train", "val", "test"}),
		threadsFlag(), workersFlag(), headFlag(), tiffFlag(), jsonFlag(),
	}
	return &urfave.Command{
		Name:        "eval",
		Aliases:     []string{"val"},
		Usage:       "loss, accuracy and confusion matrix on a labelled folder",
		ArgsUsage:   "--model M.onnx --data DIR",
		Description: "regraft eval --model runs/places/best.onnx --data data/places --split test",
		Flags:       append(flags, preprocessFlags()...),
		Action:      func(c *urfave.Context) error { return eval(con, c) },
	}
}

type evalJSON struct {
	Schema string `json:"schema"`
	*train.Report
	Labels []string `json:"labels"`
	Split  string   `json:"split"`
}

func eval(con *console, c *urfave.Context) error {
	path, err := required(c, "model")
	if err != nil {
		return err
	}
	data, err := required(c, "data")
	if err != nil {
		return err
	}
	set, split, err := photo.ScanEval(data, c.String("split"))
	if err != nil {
		return fail(statusData, err)
	}
	m, err := openModel(con, c, path)
	if err != nil {
		return err
	}
	labels, err := labelsFor(con, m, path, set.Classes)
	if err != nil {
		return err
	}
	samples, err := train.Relabel(set.Test, set.Classes, labels)
	if err != nil {
		return err
	}
	events := &evalEvents{con: con, bar: con.progress(0, "")}
	defer func() { events.bar.done() }()
	o := train.Options{Threads: c.Int("threads"), Workers: c.Int("workers"), TIFF: c.Bool("tiff")}
	answers, err := train.Evaluate(c.Context, m.Network(), samples, o, train.PhaseTest, events)
	if err != nil {
		return err
	}
	events.bar.done()
	report := answers.Report(labels)
	if c.Bool("json") {
		return con.json(evalJSON{"regraft/eval/1", report, labels, split})
	}
	return printReport(con, labels, report)
}

// labelsFor are the model's labels; a model without labels that has as many classes as the folder is
// taken to know them in byte order of their names, as torchvision's ImageFolder numbers them.
func labelsFor(con *console, m *regraft.Model, path string, classes []string) ([]string, error) {
	labels := m.Labels()
	if m.Labelled() {
		return labels, nil
	}
	if len(labels) != len(classes) {
		return nil, failf(statusData, "%s has %d classes without labels, the folder %d", path, len(labels), len(classes))
	}
	con.warnf("%s has no labels: its classes are taken to be the folder's, sorted by name", path)
	return classes, nil
}

// evalEvents shows a bar.
type evalEvents struct {
	train.Silent
	con *console
	bar *progress
}

func (e *evalEvents) Phase(_ train.Phase, _, total int) { e.bar = e.con.progress(total, "evaluating") }
func (e *evalEvents) Advanced(photos int, _ float64)    { e.bar.add(photos) }
func (e *evalEvents) Warn(message string)               { e.con.warnf("%s", message) }
