package cli

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"regraft/photo"
	"regraft/train"
)

// trainReport tells how a training goes: a line an epoch, a bar on a terminal, and at the end what
// became of it.
type trainReport struct {
	con    *console
	asJSON bool
	cfg    train.Config
	start  train.Start
	bar    *progress
	took   time.Duration // of the epochs of this process
	epochs int           // of this process
	shown  time.Time     // the last line of an epoch
}

func newTrainReport(con *console, asJSON bool, cfg train.Config) *trainReport {
	return &trainReport{con: con, asJSON: asJSON, cfg: cfg}
}

type trainEventJSON struct {
	Schema string        `json:"schema"`
	Event  string        `json:"event"` // start, memory, choice, epoch or done
	Start  *train.Start  `json:"start,omitempty"`
	Memory *train.Memory `json:"memory,omitempty"`
	Choice *train.Choice `json:"choice,omitempty"`
	Epoch  *trainEpoch   `json:"epoch,omitempty"`
	Result *train.Result `json:"result,omitempty"`
}

type trainEpoch struct {
	train.Epoch
	Best bool    `json:"best"`
	ETA  float64 `json:"eta_seconds"`
}

// reportFiles is where all of a long report is.
const reportFiles = "all: " + train.SummaryFile + " and " + train.ConfusionCSV

const trainSchema = "regraft/train/1"

// Started describes the task.
func (r *trainReport) Started(s train.Start) {
	r.start = s
	if r.asJSON {
		r.con.json(trainEventJSON{Schema: trainSchema, Event: "start", Start: &s})
		return
	}
	classes := fmt.Sprintf("%d classes: %s", len(s.Classes), photo.Few(12, photo.ShownAll(s.Classes)))
	r.con.notef("%s", folded(classes, columns(r.con.err.terminal)))
	photos := fmt.Sprintf("%s to train, %d to choose the best epoch (%s)", counted(s.Train, "photo"), s.Val, s.Selection)
	if s.Selection == train.SetFolds {
		photos = fmt.Sprintf("%s to train, in folds to choose the settings", counted(s.Train, "photo"))
	}
	if s.Test > 0 {
		photos += fmt.Sprintf(", %d to test", s.Test)
	}
	r.con.notef("%s", photos)
	for _, line := range s.LeftOut {
		r.con.notef("%s", line)
	}
	for _, h := range s.Heads {
		r.con.notef("%s head %s: %s -> %s", h.Kind, h.Name, counted(h.Features, "feature"), photo.Count(h.Classes, "class", "classes"))
	}
	if s.HeadsKept {
		r.con.notef("the model's own heads are trained on, since its labels are these classes")
	}
	r.con.notef("%s mode: %d parameters train, %s", r.cfg.Mode, s.Parameters, r.cfg.Optimizer)
	if s.Frozen != "" {
		r.con.notef("frozen: %s", s.Frozen)
	}
	if s.Mixes {
		r.con.notef("photos are mixed: in training one counts as right where the answer is the class of its larger part")
	}
	if s.FirstEpoch > 1 {
		r.con.notef("resumed at epoch %d", s.FirstEpoch)
	}
}

// Needs tells the memory of the run.
func (r *trainReport) Needs(m train.Memory) {
	switch {
	case r.asJSON:
		r.con.json(trainEventJSON{Schema: trainSchema, Event: "memory", Memory: &m})
	case m.Enough():
		r.con.notef("%v", m)
	}
	if !m.Enough() {
		r.con.warnf("%v", m)
	}
}

// folded breaks text between words into lines of at most so many characters where its words let it.
func folded(text string, columns int) string {
	var b strings.Builder
	at := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > columns:
			b.WriteString("\n  ")
			at = 2
		default:
			b.WriteString(" ")
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

// Phase starts a bar.
func (r *trainReport) Phase(p train.Phase, epoch, total int) {
	r.bar.end()
	what := string(p)
	if epoch > 0 {
		what = fmt.Sprintf("epoch %d/%d %s", epoch, r.cfg.Epochs, p)
	}
	r.bar = r.con.phase(p, total, what)
}

// Advanced moves the bar.
func (r *trainReport) Advanced(photos int, loss float64) {
	if !math.IsNaN(loss) {
		r.bar.describe(fmt.Sprintf("loss %.3f", loss))
	}
	r.bar.add(photos)
}

// Chose tells what folds of the training photos chose.
func (r *trainReport) Chose(c train.Choice) {
	r.bar.end()
	r.cfg.Epochs = c.Iterations
	if r.asJSON {
		r.con.json(trainEventJSON{Schema: trainSchema, Event: "choice", Choice: &c})
		return
	}
	groups := ""
	if c.Groups < c.Photos {
		groups = fmt.Sprintf(" in %d groups", c.Groups)
	}
	r.con.notef("%d folds of %d photos%s chose: weight decay %g, %s, %s; of what was held out %.1f %% is right (95 %%: %.1f to %.1f), loss %.4f",
		c.Folds, c.Photos, groups, c.WeightDecay, counted(c.Views, "view"), counted(c.Iterations, "iteration"),
		100*c.Accuracy, 100*c.Interval[0], 100*c.Interval[1], c.Loss)
}

// counted is "1 view" or "2 views".
func counted(n int, what string) string { return photo.Count(n, what, what+"s") }

// EpochDone prints the epoch's line.
func (r *trainReport) EpochDone(e train.Epoch, best bool) {
	r.bar.end()
	r.epochs++
	r.took += time.Duration(e.Seconds * float64(time.Second))
	left := r.took / time.Duration(r.epochs) * time.Duration(r.cfg.Epochs-e.Number)
	if r.asJSON {
		r.con.json(trainEventJSON{Schema: trainSchema, Event: "epoch", Epoch: &trainEpoch{e, best, left.Seconds()}})
	} else if r.shows(e.Number) {
		r.con.printf("%s\n", r.epochLine(e, best, left))
	}
	r.con.out.Flush()
}

// shows chooses the epochs that have a line: all of those that take long, and few of the many short ones of heads mode. The
// file has them all.
func (r *trainReport) shows(epoch int) bool {
	round := epoch
	for round%10 == 0 {
		round /= 10
	}
	if r.cfg.Mode == train.Heads && round != 1 && round != 2 && round != 5 && epoch != r.cfg.Epochs && time.Since(r.shown) < 10*time.Second {
		return false
	}
	r.shown = time.Now()
	return true
}

// epochLine fits the terminal, or 80 columns.
func (r *trainReport) epochLine(e train.Epoch, best bool, left time.Duration) string {
	mark := ""
	if best && r.start.Selection != train.SetFolds {
		mark = " best"
	}
	val := fmt.Sprintf("val %s %5.1f %%", figure(e.ValLoss), 100*e.ValAcc)
	if columns(r.con.outTerminal) < 80 {
		return fmt.Sprintf("epoch %d/%d %s%s", e.Number, r.cfg.Epochs, val, mark)
	}
	return fmt.Sprintf("epoch %3d/%d  loss %s %5.1f %%  %s  %6s ETA %s%s",
		e.Number, r.cfg.Epochs, figure(e.TrainLoss), 100*e.TrainAcc, val, short(time.Duration(e.Seconds*float64(time.Second))), short(left), mark)
}

// figure writes a loss in at most six characters.
func figure(loss float64) string {
	for digits := 4; digits >= 0; digits-- {
		if text := fmt.Sprintf("%.*f", digits, loss); len(text) <= 6 {
			return text
		}
	}
	return fmt.Sprintf("%.0e", loss)
}

// Warn passes a line on.
func (r *trainReport) Warn(message string) {
	r.con.warnf("%s", message)
}

// finished prints what the run ends with.
func (r *trainReport) finished(res *train.Result) error {
	if r.asJSON {
		return r.con.json(trainEventJSON{Schema: trainSchema, Event: "done", Result: res})
	}
	out := r.con
	if res.TrunkBefore != "" {
		out.printf("\ntrunk before %s\ntrunk after  %s\n", res.TrunkBefore, res.TrunkAfter)
	}
	note := ""
	switch {
	case res.ReportedOn == train.SetFolds:
		note = " (photos that were held out; the settings were chosen by them)"
	case res.ReportedOn == res.SelectedOn:
		note = " (the best epoch was selected on this set)"
	}
	if res.SelectedOn == train.SetFolds {
		out.printf("\n%s on %s%s:\n", counted(res.Best.Number, "iteration"), res.ReportedOn, note)
	} else {
		out.printf("\nbest epoch %d on %s%s:\n", res.Best.Number, res.ReportedOn, note)
	}
	if err := printReport(out, r.start.Classes, res.Report, reportFiles); err != nil {
		return err
	}
	if err := printOutOfFold(out, r.start.Classes, res); err != nil {
		return err
	}
	if res.Calibration != nil {
		out.printf("\n%v\n", res.Calibration)
	}
	if t := res.Threshold; t != nil {
		out.printf("\nthreshold %.3f: answers below are unknown; of held-out photos %.1f %% have an answer, and %.1f %% of these are right\n",
			t.Value, 100*t.Coverage, 100*t.Precision)
	}
	if res.Distance != nil {
		out.printf("\n%v\n", res.Distance)
	}
	if res.Example != nil {
		printExample(out, res.Example, r.start.Classes)
	}
	if res.Stopped != "" {
		out.printf("\nstopped early: %s\n", res.Stopped)
	}
	printAdvice(out, res.Advice)
	files := "best.onnx last.ckpt results.csv args.json summary.json confusion.csv confusion.png curves.png metrics.json"
	if r.cfg.TensorBoard {
		files += " " + train.EventsFile
	}
	if !r.cfg.NoReport {
		files += " " + train.PageFile + " " + train.CardFile
	}
	out.printf("\n%s: %s\n", filepath.Clean(r.cfg.Out), files)
	if !r.cfg.NoReport {
		out.printf("look at: %s\n", filepath.Join(r.cfg.Out, train.PageFile))
	}
	out.printf("next: regraft classify --model %s PHOTOS\n", res.Model)
	return nil
}

// printOutOfFold prints the cross-validation where it was asked for, with the learning curve.
func printOutOfFold(con *console, labels []string, res *train.Result) error {
	if res.Curve == nil {
		return nil
	}
	if res.ReportedOn != train.SetFolds {
		con.printf("\ncross-validation on train:\n")
		if err := printReport(con, labels, res.OutOfFold, reportFiles); err != nil {
			return err
		}
	}
	con.printf("\nlearning curve, on photos that were held out (95 %%)\n")
	for _, p := range res.Curve {
		con.printf("%4.0f %%  %6d photos  %5.1f %%  %.1f to %.1f\n", 100*p.Share, p.Photos, 100*p.Accuracy, 100*p.Interval[0], 100*p.Interval[1])
	}
	return nil
}
