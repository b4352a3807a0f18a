package train

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"regraft/head"
	"regraft/setting"
)

// Schema is that of summary.json.
const Schema = "regraft/train/1"

// finish judges the best model and writes the reports.
func (r *training) finish(ctx context.Context) (*Result, error) {
	samples, name := r.sets.report()
	if err := r.calibrate(ctx); err != nil {
		return nil, err
	}
	if err := r.addDistance(ctx); err != nil {
		return nil, err
	}
	if spelt, asked := r.config.Given["far"]; asked && r.config.Far > 0 && r.distance == nil {
		r.events.Warn(fmt.Sprintf("%s does nothing: a distance from the training photos takes the photos themselves, %d that are held out, and a network whose features come from maps",
			spelt, leastCalibrated))
	}
	reached, err := r.reach(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case name == r.sets.selection && r.fitted != nil: // the temperature knows them: as they were without it
		r.answers = r.fitted
	case name == SetFolds:
		r.answers = r.outOfFold
	case r.answers == nil || name != r.sets.selection:
		if r.answers, err = r.evaluateBest(ctx, samples); err != nil {
			return nil, err
		}
	}
	result := &Result{
		Schema: Schema, Start: r.started, Epochs: r.epochs, Best: r.epochs[r.best], SelectedOn: r.sets.selection,
		Choice: r.choice, Report: r.answers.Report(r.sets.classes), ReportedOn: name,
		Example: r.answers.example(r.sets.classes, r.config.Seed),
		Skipped: append([]Skipped{}, r.skipped...), Assumption: r.assumption, Stopped: r.stopped, Model: r.out.name(BestFile),
	}
	if r.config.Mode == Heads {
		result.TrunkBefore, result.TrunkAfter = r.trunk, new(head.Hasher).Hash(r.net, r.heads)
		if result.TrunkBefore != result.TrunkAfter {
			return nil, fmt.Errorf("the frozen trunk has changed: its hash was %s and is %s", result.TrunkBefore, result.TrunkAfter)
		}
	}
	r.judgeCalibration(name)
	result.Calibration, result.Threshold, result.Distance = r.calibration, r.threshold, r.distance.Summary()
	if r.outOfFold != nil {
		result.OutOfFold = r.outOfFold.Report(r.sets.classes)
	}
	if r.curve != nil {
		result.Curve, result.CurveAdvice = r.curve, curveAdvice(r.curve, result.OutOfFold)
	}
	if result.ReportedOn == SetTest && r.sets.onTest {
		result.Note = fmt.Sprintf("the test photos chose the best of %d epochs: the last one, which nothing chose, has %.1f instead of %.1f %% of them right; "+
			"without %v %s they choose nothing", len(r.epochs), 100*r.epochs[len(r.epochs)-1].ValAcc, 100*result.Best.ValAcc, setting.SelectOn, SetTest)
	}
	result.Upright, result.Advice = r.upright, r.measured(result, reached).advice()
	for _, e := range r.epochs {
		result.Seconds += e.Seconds
	}
	result.Total = time.Since(r.began).Seconds()
	return result, r.report(ctx, result)
}

// report writes the files that people look at.
func (r *training) report(ctx context.Context, result *Result) error {
	if err := r.out.write(ConfusionCSV, result.Report.WriteConfusion); err != nil {
		return err
	}
	if err := r.out.write(ConfusionPNG, result.Report.DrawConfusion); err != nil {
		return err
	}
	if err := r.out.write(CurvesPNG, func(w io.Writer) error { return drawCurves(w, r.epochs, result.SelectedOn) }); err != nil {
		return err
	}
	if !r.config.NoReport {
		if err := r.writePage(ctx, result); err != nil {
			return err
		}
	}
	if err := r.logResult(result); err != nil {
		return err
	}
	if err := r.writeMetrics(result); err != nil {
		return err
	}
	if err := r.out.writeJSON(SummaryFile, result); err != nil {
		return err
	}
	r.out.remove(featuresFile)
	r.out.remove(PreviousFile)
	return r.ownCache().Clear()
}

// WriteConfusion writes the confusion matrix as CSV: a row for every true class, a column for every answer.
func (r *Report) WriteConfusion(w io.Writer) error {
	c := csv.NewWriter(w)
	line := []string{"true\\answer"}
	for _, p := range r.PerClass {
		line = append(line, p.Label)
	}
	c.Write(line)
	for i, p := range r.PerClass {
		line = append(line[:0], p.Label)
		for _, n := range r.Confusion[i] {
			line = append(line, strconv.Itoa(n))
		}
		c.Write(line)
	}
	c.Flush()
	return c.Error()
}
