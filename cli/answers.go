package cli

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/answer"
	"regraft/photo"
	"regraft/train"
)

// answers prints one result after the other, and the path of the picture that explains it, where there is one.
type answers interface {
	write(r regraft.Result, picture string) error
}

func newAnswers(con *console, c *urfave.Context, o answerOptions) (answers, error) {
	o.con = con
	format, err := formatOf(c)
	if err != nil {
		return nil, err
	}
	switch format {
	case "jsonl", "parquet": // which is made of lines at the end
		return &jsonAnswers{o, c.Bool("logits"), c.Bool("features")}, nil
	case "csv", "csv-excel":
		return newCSVAnswers(o, format == "csv-excel")
	}
	return &textAnswers{o}, nil
}

type answerOptions struct {
	con       *console
	topk      int
	threshold float64
	limit     float64 // photos farther from the training photos are unknown; 0: none is
	sure      float64 // classes of this probability are in the set
	sets      bool
	continued bool // the beginning of the output is there
}

// decisions are the threshold and the sets that the flags or the model say.
func decisions(c *urfave.Context, m *regraft.Model, path string) (answerOptions, error) {
	o := answerOptions{threshold: c.Float64("threshold"), limit: c.Float64("distance"), sets: c.IsSet("sets")}
	d, err := train.DecisionsOf(m.Network())
	if err != nil {
		return o, fail(statusModel, fmt.Errorf("%s: %w", path, err))
	}
	if d != nil && d.Threshold != nil && !c.IsSet("threshold") {
		o.threshold = d.Threshold.Value
	}
	if far, err := train.DistanceOf(m.Network()); err == nil && far == nil && c.IsSet("distance") {
		return o, failf(statusModel, "%s: --distance: the model does not know how far photos are from its training photos; train it with --far, on at least 50 photos", path)
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

// unknown says that the photo shows something else, or that the best class is below the threshold.
func (o answerOptions) unknown(r regraft.Result) bool {
	return len(r.P) > 0 && (o.far(r) || float64(r.Top(1)[0].P) < o.threshold)
}

// far says that the photo looks like none of the training photos.
func (o answerOptions) far(r regraft.Result) bool { return o.limit > 0 && r.Distance > o.limit }

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

func (a *textAnswers) write(r regraft.Result, _ string) error {
	a.con.printf("%s", shown(r.Path))
	switch {
	case r.Err != nil:
		a.con.printf("\terror: %s", shown(reason(r)))
	case a.far(r):
		a.con.printf("\tunknown, unlike the training photos (distance %.2g)", r.Distance)
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

// newCSVAnswers begins a table, unless its beginning is there.
func newCSVAnswers(o answerOptions, excel bool) (*csvAnswers, error) {
	a := &csvAnswers{o, csv.NewWriter(o.con.out), excel}
	a.w.UseCRLF = excel
	if o.continued {
		return a, nil
	}
	if excel {
		o.con.printf(byteOrderMark)
	}
	a.w.Write([]string{"path", "rank", "label", "index", "p", "unknown", "error"})
	a.w.Flush()
	return a, a.w.Error()
}

// cell is text that a spreadsheet does not take for a formula.
func (a *csvAnswers) cell(text string) string {
	text = photo.Text(text)
	if a.excel && text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func (a *csvAnswers) write(r regraft.Result, _ string) error {
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

func (a *jsonAnswers) write(r regraft.Result, picture string) error {
	said := answer.Answer{Schema: answer.Schema, Path: photo.Text(r.Path), Top: []answer.Prediction{}, Unknown: a.unknown(r), Far: a.far(r), Explained: photo.Text(picture)}
	if r.Distance > 0 {
		said.Distance = &r.Distance
	}
	if said.Path != r.Path {
		said.PathBytes = []byte(r.Path)
	}
	for _, p := range r.Top(a.topk) {
		p.Label = photo.Text(p.Label)
		said.Top = append(said.Top, answer.Prediction(p))
	}
	if r.Err != nil {
		text := photo.Text(reason(r))
		said.Error = &text
	}
	if a.sets && r.Err == nil {
		said.Set = photo.TextAll(a.set(r))
	}
	if a.logits {
		said.Logits = r.Logits
	}
	if a.features {
		said.Features = r.Features
	}
	line, err := said.Line()
	if err != nil {
		return err
	}
	a.con.out.Write(line)
	return a.con.out.Flush()
}
