package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/demo"
	"regraft/train"
)

func demoCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "demo",
		Usage:       "show everything on photos and a model that are built in, in about a minute",
		ArgsUsage:   "[--out DIR]",
		Description: "regraft demo --out regraft-demo",
		Flags: []urfave.Flag{
			stringFlag("out", "regraft-demo", "`DIR` for photos, models and reports, new or empty", "output", "o"),
			seedFlag(), threadsFlag(),
			boolFlag("quick", "a few photos and two epochs: the way, without a result to be proud of"),
		},
		Action: func(c *urfave.Context) error { return runDemo(con, c) },
	}
}

// demoRun prints the steps of a demonstration as they are made.
type demoRun struct {
	demo.Run
	con *console
	c   *urfave.Context
}

func runDemo(con *console, c *urfave.Context) error {
	if c.NArg() > 0 {
		return usagef("%q: demo takes flags only", c.Args().First())
	}
	out := c.String("out")
	if err := needEmpty(out); err != nil {
		return err
	}
	r := demoRun{demo.New(out), con, c}
	if c.Bool("quick") {
		r.Run = demo.Quick(out)
	}
	r.Seed, r.Threads, r.Command = c.Uint64("seed"), c.Int("threads"), commandLine(c)
	began := time.Now()
	if err := r.photos(); err != nil {
		return err
	}
	full, err := r.train()
	if err != nil {
		return err
	}
	if err := r.classify(full.Model); err != nil {
		return err
	}
	r.farewell(full, time.Since(began))
	return nil
}

// needEmpty refuses a folder that holds anything.
func needEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("cannot use the output folder: %w", err)
	case len(entries) > 0:
		return usagef("%s is not empty: choose another --out", dir)
	}
	return nil
}

// say prints a line at once.
func (r *demoRun) say(format string, args ...any) {
	r.con.printf(format+"\n", args...)
	r.con.out.Flush()
}

// photos renders what is learnt from.
func (r *demoRun) photos() error {
	r.say("1. Photos. The program renders places of 9 kinds: for each %d to train and %d to test.", r.Train, r.Test)
	began := time.Now()
	if err := r.Render(r.c.Context); err != nil {
		return err
	}
	r.say("   Look at them in %s (%.0f s).\n", r.Photos(), time.Since(began).Seconds())
	return nil
}

// train goes from the model in the program to one that knows the places.
func (r *demoRun) train() (*train.Result, error) {
	net, err := r.Import()
	if err != nil {
		return nil, err
	}
	r.say("2. Model. regraft-mini, an Inception-v3 of an eighth of the width, was trained on %d kinds of things,\n"+
		"   none of them a place. It comes out of the program as %s.\n", len(net.Meta.Labels), r.ModelFile())

	r.say("3. Heads. Its classifiers are swapped for new ones of 9 classes; the trunk stays as it is.")
	heads, err := r.Heads(r.c.Context, net, "heads", r.events("heads"))
	if err != nil {
		return nil, err
	}
	r.say("   %.1f %% of the test photos are right (%.0f s).", 100*heads.Report.Accuracy, heads.Total)
	untrained, err := demo.Untrained(net.Meta.Labels, r.Seed)
	if err != nil {
		return nil, err
	}
	random, err := r.Heads(r.c.Context, untrained, "random-trunk", r.events("heads on a random trunk"))
	if err != nil {
		return nil, err
	}
	r.say("   The same on a trunk with random weights: %.1f %%. The difference is what pretraining contributes.\n", 100*random.Report.Accuracy)

	r.say("4. Fine-tune. Now all weights train, for %d epochs.", r.Epochs)
	full, err := r.Full(r.c.Context, heads, r.events("fine-tune"))
	if err != nil {
		return nil, err
	}
	r.say("   %.1f %% of the test photos are right (%.0f s).\n", 100*full.Report.Accuracy, full.Total)
	return full, printReport(r.con, full.Start.Classes, full.Report, reportFiles)
}

// classify answers for all test photos in a table.
func (r *demoRun) classify(model string) error {
	m, err := regraft.Open(model)
	if err != nil {
		return err
	}
	defer m.Close()
	path := filepath.Join(r.Out, "classified.csv")
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	a, err := newCSVAnswers(answerOptions{con: r.con.into(file), topk: 1}, false)
	if err != nil {
		return err
	}
	began := time.Now()
	t, err := answerAll(r.c.Context, m, nil, a, newInputs(r.c.Context, r.con, []string{filepath.Join(r.Photos(), "test")}))
	if err == nil {
		err = t.verdict(r.con, false, noAnswer)
	}
	if err != nil {
		return err
	}
	r.say("\n5. Classify. The answer for every test photo is in %s (%.1f s).", path, time.Since(began).Seconds())
	return file.Close()
}

// farewell tells what is there, and how to do it again.
func (r *demoRun) farewell(full *train.Result, took time.Duration) {
	dir := filepath.Dir(full.Model)
	r.say("\nIt took %.0f s. Look at:", took.Seconds())
	for _, f := range [][2]string{
		{train.BestFile, "the model: one file, with labels and preprocessing, that any ONNX runtime reads"},
		{train.PageFile, "how good it is, with the photos behind every number: open it in a browser"},
		{train.ConfusionPNG, "what is taken for what"},
		{train.CurvesPNG, "how the training went"},
		{train.ResultsFile, "the same as numbers"},
	} {
		r.say("   %-42s %s", filepath.Join(dir, f[0]), f[1])
	}
	r.say(`
The same with your own photos, in a folder for each class:
   regraft check photos
   regraft weights pull inception_v3
   regraft import inception_v3 --out inception_v3.onnx
   regraft train --model inception_v3.onnx --data photos --out run
   regraft classify --model run/best.onnx new-photos`)
}

// events are those of one training.
func (r *demoRun) events(what string) train.Events {
	return &demoEvents{con: r.con, what: what}
}

// demoEvents shows a bar, and a line for each of the few epochs of a fine-tune.
type demoEvents struct {
	train.Silent
	con  *console
	what string
	bar  *progress
}

func (e *demoEvents) Phase(p train.Phase, _, total int) {
	e.bar.end()
	e.bar = e.con.phase(p, total, fmt.Sprintf("%s: %s", e.what, p))
}

func (e *demoEvents) Advanced(photos int, _ float64) { e.bar.add(photos) }

func (e *demoEvents) EpochDone(epoch train.Epoch, _ bool) {
	e.bar.end()
	if epoch.Mode == string(train.Full) {
		e.con.printf("   epoch %2d: loss %.3f, %5.1f %% of the validation photos right, %.1f s\n",
			epoch.Number, epoch.TrainLoss, 100*epoch.ValAcc, epoch.Seconds)
		e.con.out.Flush()
	}
}
