package cli

import (
	"fmt"
	"math"
	"path/filepath"
	"time"

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
	phase  string        // what the bar shows
	took   time.Duration // of the epochs of this process
	epochs int           // of this process
}

func newTrainReport(con *console, asJSON bool, cfg train.Config) *trainReport {
	return &trainReport{con: con, asJSON: asJSON, cfg: cfg, bar: con.progress(0, "")}
}

type trainEventJSON struct {
	Schema string        `json:"schema"`
	Event  string        `json:"event"` // start, epoch or done
	Start  *train.Start  `json:"start,omitempty"`
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
	r.con.notef("%d classes: %s", len(s.Classes), photo.Few(12, photo.ShownAll(s.Classes)))
	photos := fmt.Sprintf("%d photos to train, %d to choose the best epoch (%s)", s.Train, s.Val, s.Selection)
	if s.Test > 0 {
		photos += fmt.Sprintf(", %d to test", s.Test)
	}
	r.con.notef("%s", photos)
	for _, line := range s.LeftOut {
		r.con.notef("%s", line)
	}
	for _, h := range s.Heads {
		r.con.notef("%s head %s: %d features -> %d classes", h.Kind, h.Name, h.Features, h.Classes)
	}
	if s.HeadsKept {
		r.con.notef("the model's own heads are trained on, since its labels are these classes")
	}
	r.con.notef("%s mode: %d parameters train, %s", r.cfg.Mode, s.Parameters, r.cfg.Optimizer)
	if s.FirstEpoch > 1 {
		r.con.notef("resumed at epoch %d", s.FirstEpoch)
	}
}

// Phase starts a bar.
func (r *trainReport) Phase(p train.Phase, epoch, total int) {
	r.bar.done()
	r.phase = string(p)
	if epoch > 0 {
		r.phase = fmt.Sprintf("epoch %d/%d %s", epoch, r.cfg.Epochs, p)
	}
	r.bar = r.con.progress(total, r.phase)
}

// Advanced moves the bar.
func (r *trainReport) Advanced(photos int, loss float64) {
	if !math.IsNaN(loss) {
		r.bar.describe(fmt.Sprintf("%s, loss %.3f", r.phase, loss))
	}
	r.bar.add(photos)
}

// EpochDone prints the epoch's line.
func (r *trainReport) EpochDone(e train.Epoch, best bool) {
	r.bar.done()
	r.epochs++
	r.took += time.Duration(e.Seconds * float64(time.Second))
	left := r.took / time.Duration(r.epochs) * time.Duration(r.cfg.Epochs-e.Epoch.Epoch)
	if r.asJSON {
		r.con.json(trainEventJSON{Schema: trainSchema, Event: "epoch", Epoch: &trainEpoch{e, best, left.Seconds()}})
	} else {
		mark := ""
		if best {
			mark = "  best"
		}
		r.con.printf("epoch %3d/%d  train loss %.4f acc %5.1f %%  val loss %.4f acc %5.1f %%  %6.2f s  %6.1f images/s  ETA %s%s\n",
			e.Epoch.Epoch, r.cfg.Epochs, e.TrainLoss, 100*e.TrainAcc, e.ValLoss, 100*e.ValAcc,
			e.Seconds, e.ImagesPerSecond, left.Round(time.Second), mark)
	}
	r.con.out.Flush()
}

// Warn passes a line on.
func (r *trainReport) Warn(message string) {
	r.bar.done()
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
	if res.ReportedOn == res.SelectedOn {
		note = " (the best epoch was selected on this set)"
	}
	out.printf("\nbest epoch %d on %s%s:\n", res.Best.Epoch.Epoch, res.ReportedOn, note)
	if err := printReport(out, r.start.Classes, res.Report, reportFiles); err != nil {
		return err
	}
	if res.Example != nil {
		printExample(out, res.Example, r.start.Classes)
	}
	if res.Stopped != "" {
		out.printf("\nstopped early: %s\n", res.Stopped)
	}
	out.printf("\n%s: best.onnx last.ckpt results.csv args.json summary.json confusion.csv confusion.png curves.png\n", filepath.Clean(r.cfg.Out))
	out.printf("next: regraft classify --model %s PHOTOS\n", res.Model)
	return nil
}
