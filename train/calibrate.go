package train

import (
	"context"
	"fmt"
	"maps"
	"strconv"

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

// temperatureKey marks a file whose logits are calibrated, in the metadata.
const temperatureKey = "regraft.temperature"

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

// calibrationError is the expected one: the mean distance between the largest probability and the share that is right, over bins of the
// probability of equal width. Logits are divided by what divisor gives for a photo.
func (e *Evaluation) calibrationError(divisor func(i int) float64) float64 {
	var sure, right, n [calibrationBins]float64
	for i, s := range e.Samples {
		row := e.row(i)
		scaled := make([]float32, len(row))
		for c, z := range row {
			scaled[c] = float32(float64(z) / divisor(i))
		}
		best := argmax(scaled)
		p := kernel.Exp(float64(scaled[best]) - logSumExp(scaled))
		bin := min(int(p*calibrationBins), calibrationBins-1)
		sure[bin] += p
		n[bin]++
		if best == s.Label {
			right[bin]++
		}
	}
	sum := 0.0
	for b := range n {
		sum += max(sure[b]-right[b], right[b]-sure[b])
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

// heldOut is the calibration error of temperatures that were fitted to the other half of the photos.
func (e *Evaluation) heldOut() float64 {
	t := [2]float64{temperature(e.half(1)), temperature(e.half(0))}
	return e.calibrationError(func(i int) float64 { return t[i%2] })
}

// calibrate divides the weights of the best model's classifier by a temperature that was fitted to photos that it was not trained on, and
// writes it again. A model that is calibrated already, as of a run that was complete and is resumed, is left alone.
func (r *training) calibrate(ctx context.Context) error {
	if r.config.NoCalibrate || r.sets.onTest {
		return nil
	}
	e, err := r.unseen(ctx)
	if err != nil || len(e.Samples) < leastCalibrated {
		return err
	}
	r.calibration = &Calibration{Temperature: temperature(e), FittedOn: r.sets.selection, Photos: len(e.Samples)}
	r.fitted = e
	best, _, err := onnx.Read(r.out.name(BestFile), onnx.ReadOptions{})
	if err != nil {
		return err
	}
	if t, err := calibrated(best); err != nil || t != 0 {
		r.calibration.Temperature = t
		return err
	}
	heads, err := head.Find(best)
	if err != nil {
		return err
	}
	for _, p := range []*[]float32{&heads[0].Weight.Value, &heads[0].Bias.Value} {
		scaled := make([]float32, len(*p))
		for i, v := range *p {
			scaled[i] = float32(float64(v) / r.calibration.Temperature)
		}
		*p = scaled
	}
	best.Meta.Other = maps.Clone(best.Meta.Other)
	best.Meta.Other[temperatureKey] = strconv.FormatFloat(r.calibration.Temperature, 'g', -1, 64)
	r.answers = nil // they were others
	return onnx.Write(r.out.name(BestFile), best)
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
	best, _, err := onnx.Read(r.out.name(BestFile), onnx.ReadOptions{})
	if err != nil {
		return nil, err
	}
	t, err := calibrated(best)
	for i := range e.Logits {
		if t != 0 {
			e.Logits[i] = float32(float64(e.Logits[i]) * t)
		}
	}
	return e, err
}

// calibrated is the temperature that a network's logits are divided by already; 0 for none.
func calibrated(net *engine.Network) (float64, error) {
	text, marked := net.Meta.Other[temperatureKey]
	if !marked {
		return 0, nil
	}
	t, err := strconv.ParseFloat(text, 64)
	if err != nil || !(t >= 1/hottest && t <= hottest) {
		return 0, fmt.Errorf("the model's temperature is %q", text)
	}
	return t, nil
}

// evaluateBest answers for photos with the file of the best model.
func (r *training) evaluateBest(ctx context.Context, samples []photo.Sample) (*Evaluation, error) {
	best, _, err := onnx.Read(r.out.name(BestFile), onnx.ReadOptions{})
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
		c.Before, c.After = r.fitted.calibrationError(func(int) float64 { return 1 }), r.fitted.heldOut()
		return
	}
	c.After = r.answers.calibrationError(func(int) float64 { return 1 })
	c.Before = r.answers.calibrationError(func(int) float64 { return 1 / c.Temperature })
}

// String is a line about it.
func (c *Calibration) String() string {
	return fmt.Sprintf("calibrated: logits are divided by %.3f, fitted to %s; expected calibration error on %s %.1f %% before, %.1f %% after",
		c.Temperature, c.FittedOn, c.ReportedOn, 100*c.Before, 100*c.After)
}
