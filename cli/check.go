package cli

import (
	"fmt"
	"sync"
	"text/tabwriter"

	urfave "github.com/urfave/cli/v2"

	"regraft/photo"
)

func checkCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "check",
		Usage:       "look at a data folder before it wastes your evening",
		ArgsUsage:   "DIR",
		Description: "regraft check data/places",
		Flags: []urfave.Flag{
			jsonFlag(), valSplitFlag(), seedFlag(), workersFlag(),
			tiffFlag(),
		},
		Action: func(c *urfave.Context) error { return check(con, c) },
	}
}

func check(con *console, c *urfave.Context) error {
	if c.NArg() != 1 {
		return usagef("which folder? regraft check DIR")
	}
	bar := sync.OnceValue(func() *progress { return con.progress(0, "checking") })
	defer func() { bar().done() }()
	report, err := photo.Check(c.Context, c.Args().First(), photo.CheckOptions{
		Scan:     photo.ScanOptions{ValSplit: c.Float64("val-split"), Seed: c.Uint64("seed")},
		Decode:   photo.DecodeOptions{TIFF: c.Bool("tiff")},
		Workers:  c.Int("workers"),
		Progress: func(done, total int) { bar().set(done, total) },
	})
	if err != nil {
		return fail(statusData, err)
	}
	if c.Bool("json") {
		err = con.json(newCheckJSON(report))
	} else {
		err = printCheck(con, report)
	}
	if err != nil {
		return err
	}
	if n := len(report.Unreadable) + len(report.Contradictions); n > 0 {
		return failf(statusData, "%d problems should be solved before training", n)
	}
	return nil
}

func printCheck(con *console, r *photo.Report) error {
	w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "train\tval\ttest\t  class")
	for i, n := range r.PerClass {
		fmt.Fprintf(w, "%d\t%d\t%d\t  %s\n", n.Train, n.Val, n.Test, r.Classes[i])
	}
	fmt.Fprintf(w, "%d\t%d\t%d\t  all\n", len(r.Train), len(r.Val), len(r.Test))
	if err := w.Flush(); err != nil {
		return err
	}
	if r.Split {
		con.printf("val is split off train, since no folder holds it\n")
	}
	if x := r.Imbalance(); x > 2 {
		con.printf("the largest class has %.1f times the photos of the smallest: precision and recall tell more than accuracy\n", x)
	}
	for _, err := range r.Unreadable {
		con.printf("unreadable: %s\n", shown(err.Error()))
	}
	printGroups(con, "the same photo under different classes", r.Contradictions)
	printGroups(con, "the same photo in train and in val or test", r.Leaks)
	printGroups(con, "the same photo more than once", r.Duplicates)
	printPaths(con, fmt.Sprintf("a side below %d pixels", photo.TinySide), r.Tiny)
	printPaths(con, fmt.Sprintf("more than %d million pixels, slow to read", photo.HugePixels/1_000_000), r.Huge)
	printPaths(con, "ignored, not a photo by its name", r.Ignored)
	return nil
}

func printGroups(con *console, what string, groups [][]string) {
	for _, paths := range groups {
		con.printf("%s:", what)
		for _, p := range paths {
			con.printf(" %s", shown(p))
		}
		con.printf("\n")
	}
}

func printPaths(con *console, what string, paths []string) {
	for _, p := range paths {
		con.printf("%s: %s\n", what, shown(p))
	}
}

type checkJSON struct {
	Schema         string       `json:"schema"`
	Root           string       `json:"root"`
	Classes        []checkClass `json:"classes"`
	Split          bool         `json:"split"`
	Imbalance      float64      `json:"imbalance"`
	Unreadable     []string     `json:"unreadable"`
	Contradictions [][]string   `json:"contradictions"`
	Leaks          [][]string   `json:"leaks"`
	Duplicates     [][]string   `json:"duplicates"`
	Tiny           []string     `json:"tiny"`
	Huge           []string     `json:"huge"`
	Ignored        []string     `json:"ignored"`
}

type checkClass struct {
	Label string `json:"label"`
	Train int    `json:"train"`
	Val   int    `json:"val"`
	Test  int    `json:"test"`
}

func newCheckJSON(r *photo.Report) checkJSON {
	j := checkJSON{
		Schema: "regraft/check/1", Root: r.Root, Split: r.Split, Imbalance: r.Imbalance(),
		Contradictions: r.Contradictions, Leaks: r.Leaks, Duplicates: r.Duplicates,
		Tiny: r.Tiny, Huge: r.Huge, Ignored: r.Ignored, Unreadable: []string{},
	}
	for i, n := range r.PerClass {
		j.Classes = append(j.Classes, checkClass{r.Classes[i], n.Train, n.Val, n.Test})
	}
	for _, err := range r.Unreadable {
		j.Unreadable = append(j.Unreadable, err.Error())
	}
	return j
}
