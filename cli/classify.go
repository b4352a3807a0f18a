package cli

import (
	"context"
	"fmt"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/photo"
	"regraft/sorter"
)

func classifyCommand(con *console) *urfave.Command {
	flags := []urfave.Flag{
		modelFlag(),
		intFlag("topk", 1, 1, "classes per photo", "k"),
		floatFlag("threshold", 0, 0, 1, "below this probability the answer counts as unknown (default: the model's, else 0)"),
		floatFlag("distance", 1, 0, 1e9, "what is farther from the training photos is unknown; 0: nothing is"),
		floatFlag("sets", 0, 0, 1, "name all classes that it may be: the right one is among them for `SHARE` of photos"),
		oneOf("format", "text", "text, csv, jsonl, parquet, csv-excel (with byte order mark, no formulas)",
			[]string{"text", "csv", "csv-excel", "jsonl", "parquet"}),
		boolFlag("json", "the same as --format jsonl"),
		boolFlag("logits", "jsonl, parquet: add the logits of the classes"),
		boolFlag("features", "jsonl, parquet: add the input of the classifier"),
		stringFlag("explain", "", "`DIR` for a picture of every photo that shows where its answer comes from"),
		stringFlag("files-from", "", "`FILE` with paths, one a line"),
		boolFlag("null", "paths on stdin and in --files-from end with NUL (find -print0)", "0"),
		stringFlag("watch", "", "answer for the photos in `DIR` as they come, until interrupted"),
		stringFlag("out", "", "`FILE`.jsonl, .parquet or .csv for the answers; with --shard a folder for its part", "output", "o"),
		boolFlag("resume", "go on with --out where a run ended"),
		stringFlag("shard", "", "answer for part `I/N` of the inputs, I from 0; auto: as Slurm, Kubernetes and others say"),
		stringFlag("sort-into", "", "put every photo into `DIR`/CLASS; nothing is overwritten, regraft undo takes it back"),
		oneOf("sort-mode", sorter.Copy, "copy, link (a second name of the file), symlink or move", sorter.Modes),
		boolFlag("write-xmp", "write the class as a keyword into photo.jpg.xmp, where photo managers read it"),
		boolFlag("skip-bad", "photos without an answer leave exit status 0"),
		viewsFlag(viewsUsage),
	}
	return &urfave.Command{
		Name:        "classify",
		Aliases:     []string{"predict"},
		Usage:       "name what is on photos",
		ArgsUsage:   "--model M.onnx PATH...   (files, folders, archives, URLs; - reads paths from stdin)",
		Description: "regraft classify --model runs/places/best.onnx -k 3 photos/ more/beach.jpg",
		Flags:       slices.Concat(flags, answeringFlags()),
		Action:      func(c *urfave.Context) error { return classify(con, c) },
	}
}

// checkClassify refuses flags and arguments that make no run, before anything is read.
func checkClassify(c *urfave.Context) error {
	list := c.String("files-from")
	nothing := c.NArg() == 0 && list == "" && c.String("watch") == ""
	if err := needs(c, needed{"model", c.String("model")}); err != nil && nothing {
		return usagef("%w, and no photos given", err)
	} else if err != nil {
		return err
	}
	if nothing {
		return usagef("no photos given: name files or folders, or - for paths on stdin")
	}
	if list == "-" {
		return usagef("--files-from -: paths on stdin are asked for by - alone")
	}
	if list == "" && !slices.Contains(c.Args().Slice(), "-") {
		if err := idle(c, "without --files-from or -", "null"); err != nil {
			return err
		}
	}
	if c.String("sort-into") == "" {
		if err := idle(c, "without --sort-into", "sort-mode"); err != nil {
			return err
		}
	}
	if err := checkOut(c); err != nil {
		return err
	}
	return checkWatch(c)
}

func classify(con *console, c *urfave.Context) error {
	if err := checkClassify(c); err != nil {
		return err
	}
	model := c.String("model")
	cache, err := featureCache(c)
	if err != nil {
		return err
	}
	defer keptOrTold(con, cache)
	opts := []regraft.Option{regraft.Cache(cache), regraft.Views(c.Int("views"))}
	if c.String("explain") == "" {
		opts = append(opts, regraft.AnswersOnly())
	}
	m, err := openModel(con, c, model, opts...)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := checkAnswers(con, m, model, c.Bool("features")); err != nil {
		return err
	}
	o, err := decisions(c, m, model)
	if err != nil {
		return err
	}
	o.topk = c.Int("topk")
	in := newInputs(c.Context, con, c.Args().Slice())
	in.list, in.null, in.watch = c.String("files-from"), c.Bool("null"), newWatching(con, c)
	t, err := classifyAll(con, c, m, o, in)
	if err == nil && in.watch != nil {
		err = c.Context.Err() // how it ended
	}
	if err != nil {
		return err
	}
	return t.verdict(con, c.Bool("skip-bad"), noAnswer)
}

// checkAnswers tells what was assumed about the model's answers, and refuses a model that has none; features are enough.
func checkAnswers(con *console, m *regraft.Model, path string, features bool) error {
	a, err := m.Answers()
	if err != nil {
		return fail(statusModel, fmt.Errorf("%s: %w", path, err))
	}
	if features && !a.Features {
		return failf(statusModel, "%s: --features: no classifier was recognised that reads a vector", path)
	}
	if err := a.Check(); err != nil && !features {
		return fail(statusModel, fmt.Errorf("%s: %w", path, err))
	}
	for _, assumed := range a.Assumed {
		con.warnf("%s: %s", path, assumed)
	}
	return nil
}

// classifyAll answers for every input, on standard output or in a file.
func classifyAll(con *console, c *urfave.Context, m *regraft.Model, o answerOptions, in *inputs) (tally, error) {
	if c.String("out") != "" {
		return classifyToFile(con, c, m, o, in)
	}
	out, err := newAnswers(con, c, o)
	if err != nil {
		return tally{}, err
	}
	e, err := newExplainer(c, m, c.String("model"))
	if err != nil {
		return tally{}, err
	}
	in.filesOnly = e != nil
	if in.then, err = consequenceOf(con, c, m, "", false); err != nil {
		return tally{}, err
	}
	return answerAll(c.Context, m, e, in.follow(out, o), in)
}

// tally counts inputs, those of them that are bad (that have no answer, or no features), and those with whose answers could not be done
// what was asked.
type tally struct{ photos, bad, wrong int }

// What inputs lack that are bad.
const (
	noAnswer   = "no answer"
	noFeatures = "no features"
)

// verdict is the error that bad inputs are, unless they may be there.
func (t tally) verdict(con *console, skipBad bool, lack string) error {
	switch {
	case t.wrong > 0:
		return failf(statusInputs, "%s", photo.Share(t.wrong, t.photos, "could not be sorted, or lacks keywords", "could not be sorted, or lack keywords"))
	case t.bad == 0:
		return nil
	case skipBad:
		con.warnf("%s %s", photo.Share(t.bad, t.photos, "has", "have"), lack)
		return nil
	}
	return failf(statusInputs, "%s %s", photo.Share(t.bad, t.photos, "has", "have"), lack)
}

// answerAll prints an answer for every input, explained by e, and notes what was left out of folders.
func answerAll(ctx context.Context, m *regraft.Model, e *explainer, out answers, in *inputs) (tally, error) {
	t := in.answered
	bar := in.progress()
	defer bar.end()
	if in.watch != nil { // whose end is that of its photos: those that have come get their answers
		ctx = context.WithoutCancel(ctx)
		in.con.notef("watching %s: Ctrl-C ends", in.watch.dir)
	}
	for r, err := range m.Stream(ctx, in.photos()) {
		if err != nil {
			return t, err
		}
		t.photos++
		bar.set(t.photos, in.total())
		if r.Err != nil {
			t.bad++
			bar.describe(fmt.Sprintf("%d without an answer", t.bad))
		}
		picture, err := e.explain(ctx, r)
		if err != nil {
			return t, err
		}
		if err := out.write(r, picture); err != nil {
			return t, err
		}
	}
	bar.end()
	for _, line := range photo.Summary(in.leftOut) {
		in.con.notef("%s", line)
	}
	if in.then != nil {
		t.wrong = in.then.end()
	}
	if in.err == nil && in.found() == 0 && in.watch == nil {
		return t, failf(statusData, "no photos found")
	}
	return t, in.err
}
