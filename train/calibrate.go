package train

import (
	"context"
	"fmt"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/head"
	"regraft/onnx"
	"regraft/photo"
)

// Calibration is temperature scaling (Guo et al. 2017): the logits of the best model are divided by one number, so that of the photos
// that it gives a probability that share is right. It is part of the classifier's weights, and changes no answer.
type Calibration struct {
	Temperature float64 `json:"temperature"`
	// FittedOn names the photos that the temperature was fitted to, Photos is how many.
	FittedOn string `json:"fitted_on"`
	Photos   int    `json:"photos"`
	// ReportedOn names those of the expected calibration errors before and after: others, or the same held out in turn.
	ReportedOn string  `json:"reported_on"`
	Before     float64 `json:"ece_before"`
	After      float64 `json:"ece_after"`
}

const (
	leastCalibrated = 50  // photos that a temperature is fitted to
	hottest         = 20. // bounds the temperature, and its inverse
	calibrationBins = 15
)

// temperature is what the logits must be divided by for the least cross entropy, by Newton's method on its inverse, in which that is
// convex.
func temperature(e *Evaluation) float64 {
	const steps = 50
	b := 1.0
	for range steps {
		slope, curvature := 0.0, 0.0
		for i, s := range e.Samples {
			row := e.row(i)
			scaled := make([]float32, len(row))
			for c, z := range row {
				scaled[c] = float32(b * float64(z))
			}
			total, mean, square := logSumExp(scaled), 0.0, 0.0
			for c, z := range row {
				p := kernel.Exp(float64(scaled[c]) - total)
				mean += float64(p * float64(z))
				square += float64(p * float64(float64(z)*float64(z)))
			}
			slope += mean - float64(row[s.Label])
			curvature += square - float64(mean*mean)
		}
		if curvature <= 0 {
			break
		}
		next := min(max(b-slope/curvature, b/2, 1/hottest), 2*b, hottest)
		if d := next - b; d < 1e-7*b && d > -1e-7*b {
			break
		}
		b = next
	}
	return 1 / b
}

// bin sums over answers of about the same probability: their number, their probabilities, and how many are right.
type bin struct{ n, sure, right float64 }

// bins are those of the probability of the answer, of equal width. Logits are divided by what divisor gives for a photo.
func (e *Evaluation) bins(divisor func(i int) float64) [calibrationBins]bin {
	var all [calibrationBins]bin
	for i, s := range e.Samples {
		row := e.row(i)
		scaled := make([]float32, len(row))
		for c, z := range row {
			scaled[c] = float32(float64(z) / divisor(i))
		}
		best := argmax(scaled)
		p := kernel.Exp(float64(scaled[best]) - logSumExp(scaled))
		b := &all[min(int(p*calibrationBins), calibrationBins-1)]
		b.sure += p
		b.n++
		if best == s.Label {
			b.right++
		}
	}
	return all
}

// calibrationError is the expected one: the mean distance between the largest probability and the share that is right, over bins.
func (e *Evaluation) calibrationError(divisor func(i int) float64) float64 {
	sum := 0.0
	for _, b := range e.bins(divisor) {
		sum += max(b.sure-b.right, b.right-b.sure)
	}
	return sum / float64(max(len(e.Samples), 1))
}

// half is every second photo.
func (e *Evaluation) half(odd int) *Evaluation {
	h := &Evaluation{Classes: e.Classes}
	for i, s := range e.Samples {
		if i%2 == odd {
			h.Samples, h.Logits = append(h.Samples, s), append(h.Logits, e.row(i)...)
		}
	}
	return h
}

// crossed are temperatures that were fitted to the other half of the photos.
func (e *Evaluation) crossed() func(i int) float64 {
	t := [2]float64{temperature(e.half(1)), temperature(e.half(0))}
	return func(i int) float64 { return t[i%2] }
}

// asIs leaves logits as they are.
func asIs(int) float64 { return 1 }

// scaled are the answers with all logits divided by t.
func (e *Evaluation) scaled(t float64) *Evaluation {
	c := &Evaluation{Samples: e.Samples, Classes: e.Classes, Independent: e.Independent}
	for _, z := range e.Logits {
		c.Logits = append(c.Logits, float32(float64(z)/t))
	}
	return c
}

// calibrate divides the weights of the best model's classifier by a temperature that was fitted to photos that it was not trained on, and
// writes it again, with its decisions. A model that has them already is left alone: one of folds, which know them before the first epoch,
// and that of a run that was complete and is resumed.
func (r *training) calibrate(ctx context.Context) error {
	if r.sets.onTest {
		return nil
	}
	e, err := r.unseen(ctx)
	if err != nil {
		return err
	}
	if !enough(e) {
		if r.config.Precision > 0 {
			r.events.Warn(fmt.Sprintf("%s too few to choose a threshold by: %d are needed", photo.Count(len(e.Samples), "photo is", "photos are"), leastCalibrated))
		}
		return nil
	}
	if r.decisions == nil {
		if err := r.addDecisions(e); err != nil {
			return err
		}
	}
	r.threshold, r.fitted = r.decisions.Threshold, e
	if !r.config.NoCalibrate {
		r.calibration = &Calibration{Temperature: r.decisions.Temperature, FittedOn: r.sets.selection, Photos: len(e.Samples)}
	}
	return nil
}

// enough tells whether a temperature may be fitted to so many answers.
func enough(e *Evaluation) bool { return len(e.Samples) >= leastCalibrated }

// addDecisions reads those of the best model, or makes them and writes it again.
func (r *training) addDecisions(e *Evaluation) error {
	best, err := r.readBest()
	if err != nil {
		return err
	}
	if r.decisions, err = DecisionsOf(best); err != nil || r.decisions != nil {
		return err
	}
	heads, err := head.Find(best)
	if err != nil {
		return err
	}
	r.decisions = r.decide(e)
	if err := r.decisions.into(best, heads[0].Weight, heads[0].Bias); err != nil {
		return err
	}
	return onnx.Write(r.out.name(BestFile), best)
}

// decide makes the decisions that follow from answers to photos that the model was not trained on.
func (r *training) decide(e *Evaluation) *Decisions {
	d := &Decisions{Temperature: 1}
	if !r.config.NoCalibrate {
		d.Temperature = temperature(e)
	}
	c := e.scaled(d.Temperature)
	d.Scores = c.scores()
	if r.config.Precision > 0 {
		if d.Threshold = c.threshold(r.config.Precision); d.Threshold == nil {
			r.events.Warn(fmt.Sprintf("no threshold makes %g of the answers right: the model has none", r.config.Precision))
		}
	}
	return d
}

// into divides the weights of a network's classifier by the temperature, and lets the metadata tell of the decisions.
func (d *Decisions) into(net *engine.Network, classifier ...*engine.Param) error {
	for _, p := range classifier {
		if p == nil { // a classifier without a bias
			continue
		}
		scaled := make([]float32, len(p.Value))
		for i, v := range p.Value {
			scaled[i] = float32(float64(v) / d.Temperature)
		}
		p.Value = scaled
	}
	return tell(net, decisionsKey, d)
}

// unseen are the answers to the photos that chose the best model, not calibrated: those of folds, or of validation.
func (r *training) unseen(ctx context.Context) (*Evaluation, error) {
	switch {
	case r.sets.selection == SetFolds:
		return r.outOfFold, nil
	case r.answers != nil:
		return r.answers, nil
	}
	e, err := r.evaluateBest(ctx, r.sets.val)
	if err != nil {
		return nil, err
	}
	best, err := r.readBest()
	if err != nil {
		return nil, err
	}
	d, err := DecisionsOf(best)
	for i := range e.Logits {
		if d != nil {
			e.Logits[i] = float32(float64(e.Logits[i]) * d.Temperature)
		}
	}
	return e, err
}

// evaluateBest answers for photos with the file of the best model.
func (r *training) evaluateBest(ctx context.Context, samples []photo.Sample) (*Evaluation, error) {
	best, err := r.readBest()
	if err != nil {
		return nil, err
	}
	o := r.config.options()
	if r.config.Mode == Heads {
		o.Cache, o.Hashes = r.cache, r.hashes
	}
	return Evaluate(ctx, best, samples, o, PhaseTest, 0, r.events)
}

// judgeCalibration fills in what the temperature does to the report's photos; where it was fitted to these, to those of the other half.
func (r *training) judgeCalibration(on string) {
	c := r.calibration
	if c == nil {
		return
	}
	c.ReportedOn = on
	if on == c.FittedOn {
		c.Before, c.After = r.fitted.calibrationError(asIs), r.fitted.calibrationError(r.fitted.crossed())
		return
	}
	c.After = r.answers.calibrationError(asIs)
	c.Before = r.answers.calibrationError(func(int) float64 { return 1 / c.Temperature })
}

// String is a line about it.
func (c *Calibration) String() string {
	return fmt.Sprintf("calibrated: logits are divided by %.3f, fitted to %s; expected calibration error on %s %.1f %% before, %.1f %% after",
		c.Temperature, c.FittedOn, c.ReportedOn, 100*c.Before, 100*c.After)
}
