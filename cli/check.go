package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	urfave "github.com/urfave/cli/v2"

	"regraft/atomicfile"
	"regraft/featurecache"
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
			jsonFlag(), boolFlag("strict", "photos that lie in train and in val or test, or look as some there, are an error"), valSplitFlag(), seedFlag(), workersFlag(),
			tiffFlag(), maxPixelsFlag(), decodeMemoryFlag(),
			stringFlag("model", "", "`FILE` of a model whose features tell which labels look wrong", "m"), headFlag(), poolFlag(), threadsFlag(),
			stringFlag("write-fixes", "", "with --model: `FILE`.csv for the labels that look wrong, to be corrected for train --labels"),
			pageFlag("with the photos that something is wrong with"),
		}, cacheFlags(), preprocessFlags()),
		Action: func(c *urfave.Context) error { return check(con, c) },
	}
}

func check(con *console, c *urfave.Context) error {
	if c.NArg() != 1 {
		return usagef("which folder? regraft check DIR")
	}
	if c.String("model") == "" {
		if err := idle(c, "without --model", "head", "pool", "write-fixes", "threads", "input-size", "resize", "decode", "resample",
			"channels", "mean", "std"); err != nil {
			return err
		}
	}
	if err := absent(c, "write-fixes"); err != nil {
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
	bar := con.progress(0, "photos", "checking")
	defer bar.end()
	report, err := photo.Check(c.Context, c.Args().First(), photo.CheckOptions{
		Scan:     photo.ScanOptions{ValSplit: c.Float64("val-split"), Whole: c.Float64("val-split") == 0, Seed: c.Uint64("seed")},
		Decode:   decoding(c),
		Workers:  c.Int("workers"),
		Memory:   train.Findings(cache, decoding(c), func(message string) { con.warnf("%s", message) }),
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
	if c.Bool("strict") && problems == nil {
		problems = fail(statusData, leaks(report))
	}
	var doubts []train.LabelDoubt
	if path := c.String("model"); path != "" && photo.Refusal(report.Problems()) == nil && few == nil {
		if doubts, err = doubtLabels(con, c, path, cache); err != nil {
			return err
		}
		if fixes := c.String("write-fixes"); fixes != "" {
			if err := atomicfile.WriteNew(fixes, func(w io.Writer) error { return train.WriteFixes(w, c.Args().First(), doubts) }); err != nil {
				return err
			}
		}
	}
	if page != "" {
		checked := &train.Checked{Report: report, Doubts: doubts, Model: c.String("model"), Command: commandLine(c)}
		checked.Options = train.Options{Decode: decoding(c), Workers: c.Int("workers"), Cache: cache}
		if err := withBar(con, func(events train.Events) error { return checked.WritePage(c.Context, page, events) }); err != nil {
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
func doubtLabels(con *console, c *urfave.Context, path string, cache *featurecache.Cache) ([]train.LabelDoubt, error) {
	m, err := openModel(con, c, path)
	if err != nil {
		return nil, err
	}
	cfg := train.Defaults(train.Heads, "")
	cfg.Net, cfg.Data, cfg.Views, cfg.Seed = m.Network(), c.Args().First(), 1, c.Uint64("seed")
	cfg.TIFF, cfg.MaxPixels, cfg.Threads, cfg.Workers = c.Bool("tiff"), c.Int("max-pixels"), c.Int("threads"), c.Int("workers")
	cfg.Cache = cache
	var doubts []train.LabelDoubt
	err = withBar(con, func(events train.Events) (err error) {
		doubts, err = train.DoubtLabels(c.Context, cfg, events)
		return err
	})
	return doubts, err
}

// withBar calls f with events that show a bar, and takes that away.
func withBar(con *console, f func(train.Events) error) error {
	events := &evalEvents{con: con}
	defer func() { events.bar.end() }()
	return f(events)
}

// printDoubts prints the labels that are more likely wrong than right, the worst first.
func printDoubts(con *console, doubts []train.LabelDoubt) {
	if doubts == nil {
		return
	}
	n := 0
	for _, d := range doubts {
		if d.Wrong() {
			n++
		}
	}
	con.printf("labels that look wrong: %d of %d; not every one is (--json has a score for all)\n", n, len(doubts))
	if 5*n > len(doubts) {
		con.printf("  so many are mostly photos that this model's features do not tell apart, not wrong labels: look before you change any\n")
	}
	left := min(n, listed)
	for _, d := range doubts {
		if left == 0 || !d.Wrong() {
			continue
		}
		left--
		con.printf("  %.2f  %s: %s rather than %s\n", d.Score, shown(d.Path), shown(d.Likely), shown(d.Label))
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
	printGroups(con, "look the same in train and in val or test", r.NearLeaks)
	printGroups(con, "look the same under different classes", r.NearContradictions)
	printGroups(con, "the same photo more than once", r.Duplicates)
	printGroups(con, "look the same", r.NearDuplicates)
	for _, why := range photo.Oddities {
		printPaths(con, why, oddPaths(r.Odd, why))
	}
	printPaths(con, fmt.Sprintf("a side below %d pixels", photo.TinySide), r.Tiny)
	printPaths(con, fmt.Sprintf("more than %d million pixels, slow to read", photo.HugePixels/1_000_000), r.Huge)
	for _, line := range photo.Summary(r.LeftOut) {
		con.printf("%s\n", line)
	}
	return nil
}

// oddPaths are the photos that are odd in one way.
func oddPaths(all []photo.Oddity, why string) []string {
	var paths []string
	for _, o := range all {
		if o.Why == why {
			paths = append(paths, o.Path)
		}
	}
	return paths
}

// leaks is an error where photos of train lie in val or test as well, or look the same as some there.
func leaks(r *photo.Report) error {
	var all []photo.Problem
	for _, paths := range r.Leaks {
		all = append(all, photo.Problem{Paths: paths, Err: fmt.Errorf("the same photo: %s", photo.Few(listed, photo.ShownAll(paths)))})
	}
	for _, paths := range r.NearLeaks {
		all = append(all, photo.Problem{Paths: paths, Err: fmt.Errorf("look the same: %s", photo.Few(listed, photo.ShownAll(paths)))})
	}
	if all == nil {
		return nil
	}
	return photo.List("train has photos in common with val or test (--strict):", all)
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
