package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	urfave "github.com/urfave/cli/v2"

	"regraft/photo"
	"regraft/train"
)

func checkCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "check",
		Usage:       "look at a data folder before it wastes your evening",
		ArgsUsage:   "DIR",
		Description: "regraft check data/places",
		Flags: slices.Concat([]urfave.Flag{
			jsonFlag(), valSplitFlag(), seedFlag(), workersFlag(),
			tiffFlag(), maxPixelsFlag(), decodeMemoryFlag(),
			stringFlag("model", "", "`FILE` of a model whose features tell which labels look wrong", "m"), headFlag(), threadsFlag(),
		}, cacheFlags(), preprocessFlags()),
		Action: func(c *urfave.Context) error { return check(con, c) },
	}
}

func check(con *console, c *urfave.Context) error {
	if c.NArg() != 1 {
		return usagef("which folder? regraft check DIR")
	}
	if c.String("model") == "" {
		if err := idle(c, "without --model", "head", "threads", "cache", "no-cache", "cache-limit", "input-size", "resize", "decode", "resample",
			"channels", "mean", "std"); err != nil {
			return err
		}
	}
	bar := con.progress(0, "photos", "checking")
	defer bar.end()
	report, err := photo.Check(c.Context, c.Args().First(), photo.CheckOptions{
		Scan:     photo.ScanOptions{ValSplit: c.Float64("val-split"), Whole: c.Float64("val-split") == 0, Seed: c.Uint64("seed")},
		Decode:   decoding(c),
		Workers:  c.Int("workers"),
		Progress: func(done, total int) { bar.set(done, total) },
	})
	bar.end()
	if refused := (*photo.FolderError)(nil); errors.As(err, &refused) && c.Bool("json") {
		if err := con.json(refusedJSON(refused)); err != nil {
			return err
		}
	}
	if err != nil {
		return fail(statusData, err)
	}
	if !report.Split {
		if err := idle(c, "here: the data has a folder for validation", "val-split"); err != nil {
			return err
		}
		if c.String("model") == "" {
			if err := idle(c, "without --val-split", "seed"); err != nil {
				return err
			}
		}
	}
	few := train.HoldsOut(report.Dataset)
	problems := fail(statusData, cmp.Or(photo.Refusal(report.Problems()), few))
	var doubts []train.LabelDoubt
	if path := c.String("model"); path != "" && problems == nil {
		if doubts, err = doubtLabels(con, c, path); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		j := newCheckJSON(report)
		j.Labels = doubts
		if few != nil {
			j.Problems = append(j.Problems, few.Error())
		}
		err = con.json(j)
	} else if err = printCheck(con, report); err == nil {
		printDoubts(con, doubts)
	}
	if err != nil {
		return err
	}
	return problems
}

// doubtLabels scores the labels of train and val by a model's features.
func doubtLabels(con *console, c *urfave.Context, path string) ([]train.LabelDoubt, error) {
	m, err := openModel(con, c, path)
	if err != nil {
		return nil, err
	}
	cfg := train.Defaults(train.Heads, "")
	cfg.Net, cfg.Data, cfg.Views, cfg.Seed = m.Network(), c.Args().First(), 1, c.Uint64("seed")
	cfg.TIFF, cfg.MaxPixels, cfg.Threads, cfg.Workers = c.Bool("tiff"), c.Int("max-pixels"), c.Int("threads"), c.Int("workers")
	if cfg.Cache, err = featureCache(c); err != nil {
		return nil, err
	}
	defer trimmed(con, cfg.Cache)
	events := &evalEvents{con: con}
	defer func() { events.bar.end() }()
	return train.DoubtLabels(c.Context, cfg, events)
}

// printDoubts prints the labels that are more likely wrong than right, the worst first.
func printDoubts(con *console, doubts []train.LabelDoubt) {
	if doubts == nil {
		return
	}
	n := 0
	for n < len(doubts) && doubts[n].Score > 0.5 && doubts[n].Label != doubts[n].Likely {
		n++
	}
	con.printf("labels that look wrong: %d of %d; not every one is (--json has a score for all)\n", n, len(doubts))
	for _, d := range doubts[:min(n, listed)] {
		con.printf("  %.2f  %s: %s rather than %s\n", d.Score, d.Path, shown(d.Likely), shown(d.Label))
	}
}

func printCheck(con *console, r *photo.Report) error {
	w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "train\tval\ttest\t  class")
	for i, n := range r.PerClass {
		fmt.Fprintf(w, "%d\t%d\t%d\t  %s\n", n.Train, n.Val, n.Test, shown(r.Classes[i]))
	}
	fmt.Fprintf(w, "%d\t%d\t%d\t  all\n", len(r.Train), len(r.Val), len(r.Test))
	if err := w.Flush(); err != nil {
		return err
	}
	switch {
	case r.Split:
		con.printf("val is split off train, since no folder holds it\n")
	case len(r.Val) == 0:
		con.printf("no folder holds val: train --mode heads holds out folds of train, --mode full a fifth of it (--val-split)\n")
	}
	if problems := r.Problems(); len(problems) > photo.MostListed { // the error names the first
		for _, p := range problems {
			con.printf("problem: %s\n", shown(p.Err.Error()))
		}
	}
	for _, w := range slices.Concat(r.Doubts, r.Warnings()) {
		con.printf("warning: %s\n", w)
	}
	printGroups(con, "the same photo in train and in val or test", r.Leaks)
	printGroups(con, "the same photo more than once", r.Duplicates)
	printPaths(con, fmt.Sprintf("a side below %d pixels", photo.TinySide), r.Tiny)
	printPaths(con, fmt.Sprintf("more than %d million pixels, slow to read", photo.HugePixels/1_000_000), r.Huge)
	for _, line := range photo.Summary(r.LeftOut) {
		con.printf("%s\n", line)
	}
	return nil
}

// listed bounds what the text shows of one kind; --json has all of it.
const listed = 10

func printGroups(con *console, what string, groups [][]string) {
	for i, paths := range groups {
		if i == listed {
			con.printf("%s: %d more (--json has all)\n", what, len(groups)-i)
			break
		}
		con.printf("%s:", what)
		for _, p := range paths {
			con.printf(" %s", shown(p))
		}
		con.printf("\n")
	}
}

func printPaths(con *console, what string, paths []string) {
	for i, p := range paths {
		if i == listed {
			con.printf("%s: %d more (--json has all)\n", what, len(paths)-i)
			break
		}
		con.printf("%s: %s\n", what, shown(p))
	}
}

type checkJSON struct {
	Schema         string          `json:"schema"`
	Root           string          `json:"root"`
	Classes        []checkClass    `json:"classes"`
	Split          bool            `json:"split"`
	Imbalance      float64         `json:"imbalance"`
	Unreadable     []string        `json:"unreadable"`
	Contradictions [][]string      `json:"contradictions"`
	Leaks          [][]string      `json:"leaks"`
	Duplicates     [][]string      `json:"duplicates"`
	Tiny           []string        `json:"tiny"`
	Huge           []string        `json:"huge"`
	Ignored        []string        `json:"ignored"` // of LeftOut those that are not photos
	LeftOut        []photo.LeftOut `json:"left_out"`
	// Problems are what train refuses, Warnings what it warns of.
	Problems []string `json:"problems"`
	Warnings []string `json:"warnings"`
	// Labels are those of train and val, the most doubtful first, where a model is given.
	Labels []train.LabelDoubt `json:"labels,omitempty"`
}

type checkClass struct {
	Label string `json:"label"`
	Train int    `json:"train"`
	Val   int    `json:"val"`
	Test  int    `json:"test"`
}

// noCheckJSON has a list wherever one belongs.
func noCheckJSON(root string) checkJSON {
	return checkJSON{
		Schema: "regraft/check/1", Root: photo.Text(root), Classes: []checkClass{}, Unreadable: []string{}, Contradictions: [][]string{}, Leaks: [][]string{},
		Duplicates: [][]string{}, Tiny: []string{}, Huge: []string{}, Ignored: []string{}, LeftOut: []photo.LeftOut{}, Problems: []string{}, Warnings: []string{},
	}
}

// refusedJSON is the object of a folder whose photos were not looked at.
func refusedJSON(e *photo.FolderError) checkJSON {
	j := noCheckJSON(e.Root)
	for _, p := range e.Problems {
		j.Problems = append(j.Problems, photo.Text(p))
	}
	return j
}

func newCheckJSON(r *photo.Report) checkJSON {
	j := noCheckJSON(r.Root)
	j.Split, j.Imbalance = r.Split, r.Imbalance()
	j.Contradictions, j.Leaks, j.Duplicates = groups(r.Contradictions), groups(r.Leaks), groups(r.Duplicates)
	j.Tiny, j.Huge = photo.TextAll(r.Tiny), photo.TextAll(r.Huge)
	j.Warnings = append(j.Warnings, slices.Concat(r.Doubts, r.Warnings())...)
	for i, n := range r.PerClass {
		j.Classes = append(j.Classes, checkClass{r.Classes[i], n.Train, n.Val, n.Test})
	}
	for _, f := range r.Unreadable {
		j.Unreadable = append(j.Unreadable, photo.Text(f.Err.Error()))
	}
	for _, l := range r.LeftOut {
		l.Path = photo.Text(l.Path)
		j.LeftOut = append(j.LeftOut, l)
		if l.Why == photo.NotAPhoto {
			j.Ignored = append(j.Ignored, l.Path)
		}
	}
	for _, p := range r.Problems() {
		j.Problems = append(j.Problems, photo.Text(p.Err.Error()))
	}
	return j
}

func groups(all [][]string) [][]string {
	texts := make([][]string, len(all))
	for i, paths := range all {
		texts[i] = photo.TextAll(paths)
	}
	return texts
}
