package cli

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/photo"
)

func classifyCommand(con *console) *urfave.Command {
	flags := []urfave.Flag{
		modelFlag(),
		intFlag("topk", 1, 1, "classes per photo", "k"),
		floatFlag("threshold", 0, 0, 1, "below this probability the answer counts as unknown (default: the model's, else 0)"),
		floatFlag("sets", 0, 0, 1, "name all classes that it may be: the right one is among them for `SHARE` of photos"),
		oneOf("format", "text", "text, csv, jsonl, or csv-excel (with a byte order mark, no formulas)",
			[]string{"text", "csv", "csv-excel", "jsonl"}),
		boolFlag("json", "the same as --format jsonl"),
		boolFlag("logits", "jsonl: add the logits of the classes"),
		boolFlag("features", "jsonl: add the input of the classifier"),
		stringFlag("explain", "", "`DIR` for a picture of every photo that shows where its answer comes from"),
		headFlag(), tiffFlag(), maxPixelsFlag(), decodeMemoryFlag(),
		viewsFlag(viewsUsage), batchFlag(8), threadsFlag(), workersFlag(), algorithmFlag(),
	}
	return &urfave.Command{
		Name:        "classify",
		Aliases:     []string{"predict"},
		Usage:       "name what is on photos",
		ArgsUsage:   "--model M.onnx PATH...   (files, folders; - reads paths from stdin)",
		Description: "regraft classify --model runs/places/best.onnx -k 3 photos/ more/beach.jpg",
		Flags:       slices.Concat(flags, cacheFlags(), preprocessFlags()),
		Action:      func(c *urfave.Context) error { return classify(con, c) },
	}
}

func classify(con *console, c *urfave.Context) error {
	model := c.String("model")
	if err := needs(c, needed{"model", model}); err != nil && c.NArg() == 0 {
		return usagef("%w, and no photos given", err)
	} else if err != nil {
		return err
	}
	if c.NArg() == 0 {
		return usagef("no photos given: name files or folders, or - for paths on stdin")
	}
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
	o.con, o.topk = con, c.Int("topk")
	out, err := newAnswers(con, c, o)
	if err != nil {
		return err
	}
	e, err := newExplainer(c, m, model)
	if err != nil {
		return err
	}
	return classifyAll(c.Context, m, e, out, newInputs(con, c.Args().Slice()))
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

// classifyAll prints an answer for every input, explained by e, and notes what was left out of folders.
func classifyAll(ctx context.Context, m *regraft.Model, e *explainer, out answers, in *inputs) error {
	photos, bad := 0, 0
	bar := in.progress()
	defer bar.end()
	for r, err := range m.Stream(ctx, in.photos()) {
		if err != nil {
			return err
		}
		photos++
		bar.set(photos, in.total())
		if r.Err != nil {
			bad++
		}
		picture, err := e.explain(ctx, r)
		if err != nil {
			return err
		}
		if err := out.write(r, picture); err != nil {
			return err
		}
	}
	bar.end()
	for _, line := range photo.Summary(in.leftOut) {
		in.con.notef("%s", line)
	}
	switch {
	case in.err != nil:
		return in.err
	case photos == 0:
		return failf(statusData, "no photos found")
	case bad > 0:
		return failf(statusInputs, "%d of %d photos have no answer", bad, photos)
	}
	return nil
}

// inputs expands the arguments of classify while they are consumed.
type inputs struct {
	con     *console
	args    []string
	leftOut []photo.LeftOut
	err     error // what ended the input early
	listed  atomic.Int64
	all     atomic.Bool // listed counts all inputs
}

func newInputs(con *console, args []string) *inputs { return &inputs{con: con, args: args} }

// progress tells how far the inputs are consumed, unless the answers do, on the same terminal.
func (in *inputs) progress() *progress {
	if in.con.outTerminal != nil {
		return nil
	}
	return in.con.progress(0, "photos", "classify")
}

// total is the number of inputs, 0 while it is not known.
func (in *inputs) total() int {
	if in.all.Load() {
		return int(in.listed.Load())
	}
	return 0
}

// photos lists files as they are, folders with all photos in them, and for "-" the lines of stdin.
func (in *inputs) photos() iter.Seq[regraft.Photo] {
	return func(yield func(regraft.Photo) bool) {
		for i, arg := range in.args {
			more := true
			if arg == "-" {
				more = in.lines(yield)
			} else {
				more = in.expand(arg, i == len(in.args)-1, yield)
			}
			if !more {
				return
			}
		}
	}
}

// lines expands every path on stdin; it returns false when the consumer wants no more.
func (in *inputs) lines(yield func(regraft.Photo) bool) bool {
	s := bufio.NewScanner(in.con.in) // which takes the \r of \r\n away
	for first := true; s.Scan(); first = false {
		path := s.Text()
		if first && (strings.HasPrefix(path, "\xff\xfe") || strings.HasPrefix(path, "\xfe\xff")) {
			in.err = failf(statusData, "the paths on stdin are UTF-16: write them as UTF-8 (PowerShell: Out-File -Encoding utf8)")
			return false
		}
		if first {
			path = strings.TrimPrefix(path, byteOrderMark)
		}
		if path != "" && !in.expand(path, false, yield) {
			return false
		}
	}
	if err := s.Err(); err != nil {
		in.err = fmt.Errorf("paths on stdin: %w", err)
	}
	return true
}

// expand lists a file, or the photos of a folder; last says that no more inputs follow.
func (in *inputs) expand(path string, last bool, yield func(regraft.Photo) bool) bool {
	files, leftOut := photo.Files(path)
	in.listed.Add(int64(len(files)))
	in.all.Store(last)
	in.leftOut = append(in.leftOut, leftOut...)
	for _, f := range files {
		if !yield(regraft.Photo{Path: f.Path, Err: f.Err}) {
			return false
		}
	}
	return true
}

// byteOrderMark begins texts of Windows' programs.
const byteOrderMark = "\ufeff"
