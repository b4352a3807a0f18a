package train

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"

	"regraft/train/tensorboard"
)

// figure is a number of a run at an epoch, for programs that collect such.
type figure struct {
	// The names and their meaning are those of MLflow's Metric: the time is in milliseconds since 1970.
	Key       string  `json:"key"`
	Value     float64 `json:"value"`
	Timestamp int64   `json:"timestamp"`
	Step      int     `json:"step"`
}

// figures are those of the epochs from index first on, of which the last ended now.
func figures(epochs []Epoch, first int, now time.Time) []figure {
	var all []figure
	for i := first; i < len(epochs); i++ {
		e, at := epochs[i], now
		for _, later := range epochs[i+1:] {
			at = at.Add(-time.Duration(later.Seconds * float64(time.Second)))
		}
		for _, f := range []figure{
			{Key: "loss/train", Value: e.TrainLoss}, {Key: "loss/val", Value: e.ValLoss},
			{Key: "accuracy/train", Value: e.TrainAcc}, {Key: "accuracy/val", Value: e.ValAcc},
			{Key: "lr", Value: e.LR}, {Key: "images_per_s", Value: e.ImagesPerSecond},
		} {
			f.Timestamp, f.Step = at.UnixMilli(), e.Number
			all = append(all, f)
		}
	}
	return all
}

// ofResult are the figures of the best model.
func ofResult(result *Result, now time.Time) []figure {
	set := strings.ReplaceAll(result.ReportedOn, " ", "_")
	return []figure{
		{"accuracy/best_on_" + set, result.Report.Accuracy, now.UnixMilli(), result.Best.Number},
		{"loss/best_on_" + set, result.Report.Loss, now.UnixMilli(), result.Best.Number},
	}
}

// logEpoch logs the last epoch for TensorBoard; the first one of this process writes the file anew, with what was before.
func (r *training) logEpoch() error {
	if !r.config.TensorBoard {
		return nil
	}
	first, flags := len(r.epochs)-1, os.O_WRONLY|os.O_APPEND
	if !r.logged {
		first, flags = 0, os.O_WRONLY|os.O_CREATE|os.O_TRUNC
	}
	now := time.Now()
	err := r.log(flags, func(l tensorboard.Log) error {
		if !r.logged {
			if err := l.Begin(r.began); err != nil {
				return err
			}
			if err := l.Text(r.began, 0, "settings", r.settingsTable()); err != nil {
				return err
			}
		}
		return scalars(l, figures(r.epochs, first, now))
	})
	r.logged = true
	return err
}

// logResult ends TensorBoard's file with how the best model does.
func (r *training) logResult(result *Result) error {
	if !r.config.TensorBoard {
		return nil
	}
	if !r.logged { // no epoch was left to do
		if err := r.logEpoch(); err != nil {
			return err
		}
	}
	return r.log(os.O_WRONLY|os.O_APPEND, func(l tensorboard.Log) error {
		now := time.Now()
		if err := scalars(l, ofResult(result, now)); err != nil {
			return err
		}
		var picture bytes.Buffer
		if err := result.Report.DrawConfusion(&picture); err != nil {
			return err
		}
		return l.Picture(now, result.Best.Number, "confusion", picture.Bytes())
	})
}

// log opens TensorBoard's file for f.
func (r *training) log(flags int, f func(tensorboard.Log) error) error {
	file, err := os.OpenFile(r.out.name(EventsFile), flags, 0o644)
	if err != nil {
		return err
	}
	if err := f(tensorboard.Log{W: file}); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func scalars(l tensorboard.Log, all []figure) error {
	for _, f := range all {
		if err := l.Scalar(time.UnixMilli(f.Timestamp), f.Step, f.Key, f.Value); err != nil {
			return err
		}
	}
	return nil
}

// settingsTable is args.json as a table in Markdown.
func (r *training) settingsTable() string {
	var b strings.Builder
	b.WriteString("| setting | value |\n|---|---|\n")
	for _, f := range r.settingsUsed() {
		fmt.Fprintf(&b, "| %s | %s |\n", f.Name, strings.ReplaceAll(f.Value, "|", "\\|"))
	}
	return b.String()
}

// writeMetrics writes all figures as a list of MLflow's metrics.
func (r *training) writeMetrics(result *Result) error {
	now := time.Now()
	return r.out.writeJSON(MetricsFile, append(figures(r.epochs, 0, now), ofResult(result, now)...))
}
