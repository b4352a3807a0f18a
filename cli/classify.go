package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/photo"
	"regraft/train"
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
	m, err := openModel(con, c, model, regraft.AnswersOnly(), regraft.Cache(cache), regraft.Views(c.Int("views")))
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
	return classifyAll(c.Context, m, out, newInputs(con, c.Args().Slice()))
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

// classifyAll prints an answer for every input, and notes what was left out of folders.
func classifyAll(ctx context.Context, m *regraft.Model, out answers, in *inputs) error {
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
		if err := out.write(r); err != nil {
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

// answers prints one result after the other.
type answers interface{ write(r regraft.Result) error }

func newAnswers(con *console, c *urfave.Context, o answerOptions) (answers, error) {
	format := c.String("format")
	if c.Bool("json") {
		if c.IsSet("format") && format != "jsonl" {
			return nil, usagef("--json and --format %s contradict each other", format)
		}
		format = "jsonl"
	}
	if o.sets && strings.HasPrefix(format, "csv") {
		return nil, usagef("--sets needs --format text or jsonl")
	}
	if format != "jsonl" && (c.Bool("logits") || c.Bool("features")) {
		return nil, usagef("--logits and --features need --format jsonl")
	}
	switch format {
	case "jsonl":
		return &jsonAnswers{o, c.Bool("logits"), c.Bool("features")}, nil
	case "csv", "csv-excel":
		a := &csvAnswers{o, csv.NewWriter(con.out), format == "csv-excel"}
		if a.excel {
			con.printf(byteOrderMark)
			a.w.UseCRLF = true
		}
		return a, a.w.Write([]string{"path", "rank", "label", "index", "p", "unknown", "error"})
	}
	return &textAnswers{o}, nil
}

type answerOptions struct {
	con       *console
	topk      int
	threshold float64
	sure      float64 // classes of this probability are in the set
	sets      bool
}

// decisions are the threshold and the sets that the flags or the model say.
func decisions(c *urfave.Context, m *regraft.Model, path string) (answerOptions, error) {
	o := answerOptions{threshold: c.Float64("threshold"), sets: c.IsSet("sets")}
	d, err := train.DecisionsOf(m.Network())
	if err != nil {
		return o, fail(statusModel, fmt.Errorf("%s: %w", path, err))
	}
	if d != nil && d.Threshold != nil && !c.IsSet("threshold") {
		o.threshold = d.Threshold.Value
	}
	switch {
	case !o.sets:
	case d == nil || len(d.Scores) == 0:
		return o, failf(statusModel, "%s: --sets: the model does not know how sure it is; train it with this version, on at least 50 photos", path)
	default:
		o.sure = d.Sure(c.Float64("sets"))
	}
	return o, nil
}

// set is the classes that a photo may have, the most probable first: never none.
func (o answerOptions) set(r regraft.Result) []string {
	var labels []string
	for i, p := range r.Top(len(r.P)) {
		if i == 0 || float64(p.P) >= o.sure {
			labels = append(labels, p.Label)
		}
	}
	return labels
}

// unknown says that the best class is below the threshold.
func (o answerOptions) unknown(r regraft.Result) bool {
	return len(r.P) > 0 && float64(r.Top(1)[0].P) < o.threshold
}

// reason is why there is no answer, without the path, which stands beside it.
func reason(r regraft.Result) string {
	text := r.Err.Error()
	for _, path := range []string{r.Path, shown(r.Path)} {
		text = strings.TrimPrefix(text, path+": ")
	}
	return text
}

// textAnswers prints "path<tab>label 87.1 %<tab>label 5.0 %".
type textAnswers struct{ answerOptions }

func (a *textAnswers) write(r regraft.Result) error {
	a.con.printf("%s", shown(r.Path))
	switch {
	case r.Err != nil:
		a.con.printf("\terror: %s", shown(reason(r)))
	case a.unknown(r):
		a.con.printf("\tunknown")
	}
	if a.sets && r.Err == nil {
		a.con.printf("\t%s\n", strings.Join(photo.ShownAll(a.set(r)), " or "))
		return a.con.out.Flush()
	}
	for _, p := range r.Top(a.topk) {
		a.con.printf("\t%s %.1f %%", shown(p.Label), 100*p.P)
	}
	a.con.printf("\n")
	return a.con.out.Flush()
}

// csvAnswers prints k rows per photo, one for a photo that could not be read.
type csvAnswers struct {
	answerOptions
	w     *csv.Writer
	excel bool // for spreadsheets
}

// cell is text that a spreadsheet does not take for a formula.
func (a *csvAnswers) cell(text string) string {
	text = photo.Text(text)
	if a.excel && text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func (a *csvAnswers) write(r regraft.Result) error {
	if r.Err != nil {
		a.w.Write([]string{a.cell(r.Path), "", "", "", "", "", a.cell(reason(r))})
	}
	for rank, p := range r.Top(a.topk) {
		a.w.Write([]string{
			a.cell(r.Path), strconv.Itoa(rank + 1), a.cell(p.Label), strconv.Itoa(p.Index),
			strconv.FormatFloat(float64(p.P), 'g', -1, 32), strconv.FormatBool(a.unknown(r)), "",
		})
	}
	a.w.Flush()
	if err := a.w.Error(); err != nil {
		return err
	}
	return a.con.out.Flush()
}

// jsonAnswers prints an object per photo.
type jsonAnswers struct {
	answerOptions
	logits, features bool
}

type jsonAnswer struct {
	Schema string `json:"schema"`
	// Path has \xHH for bytes that are not UTF-8; PathBytes is then the path as it is, in base64.
	Path      string           `json:"path"`
	PathBytes []byte           `json:"path_base64,omitempty"`
	Top       []jsonPrediction `json:"top"`
	Unknown   bool             `json:"unknown"`
	Set       []string         `json:"set,omitempty"`
	Error     *string          `json:"error"`
	Logits    []float32        `json:"logits,omitempty"`
	Features  []float32        `json:"features,omitempty"`
}

type jsonPrediction struct {
	Label string  `json:"label"`
	Index int     `json:"index"`
	P     float32 `json:"p"`
}

func (a *jsonAnswers) write(r regraft.Result) error {
	answer := jsonAnswer{Schema: "regraft/classify/1", Path: photo.Text(r.Path), Top: []jsonPrediction{}, Unknown: a.unknown(r)}
	if answer.Path != r.Path {
		answer.PathBytes = []byte(r.Path)
	}
	for _, p := range r.Top(a.topk) {
		p.Label = photo.Text(p.Label)
		answer.Top = append(answer.Top, jsonPrediction(p))
	}
	if r.Err != nil {
		text := photo.Text(reason(r))
		answer.Error = &text
	}
	if a.sets && r.Err == nil {
		answer.Set = photo.TextAll(a.set(r))
	}
	if a.logits {
		answer.Logits = r.Logits
	}
	if a.features {
		answer.Features = r.Features
	}
	if err := a.con.json(answer); err != nil {
		return err
	}
	return a.con.out.Flush()
}
