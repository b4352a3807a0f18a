package train

import (
	"math"
	"testing"

	"regraft/engine/random"
	"regraft/featurecache"
	"regraft/onnx"
)

// overconfident are logits whose probabilities are right when they are divided by t: labels are drawn from them.
func overconfident(n, classes int, t float64) *Evaluation {
	r := random.At(11, "overconfident")
	e := &Evaluation{Classes: classes}
	for range n {
		row, p := make([]float32, classes), make([]float64, classes)
		sum := 0.0
		for c := range row {
			z := 2 * r.Normal()
			row[c], p[c] = float32(t*z), math.Exp(z)
			sum += p[c]
		}
		u, label := r.Float64()*sum, 0
		for u > p[label] && label < classes-1 {
			u -= p[label]
			label++
		}
		e.Logits = append(e.Logits, row...)
		e.Samples = append(e.Samples, labelled(label)...)
	}
	return e
}

// TestTemperature finds the temperature by which logits are too large, within the error of so many photos, and lowers the expected
// calibration error, also of photos that it was not fitted to.
func TestTemperature(t *testing.T) {
	for _, want := range []float64{0.5, 1, 3} {
		e := overconfident(20000, 5, want)
		got := temperature(e)
		if math.Abs(got/want-1) > 0.03 {
			t.Errorf("temperature %g, want %g", got, want)
		}
		before, after := e.calibrationError(asIs), e.calibrationError(e.crossed())
		if after > 0.02 || want != 1 && before < 5*after {
			t.Errorf("calibration error %g before, %g after", before, after)
		}
		// No other temperature has less cross entropy.
		loss := func(t float64) float64 {
			scaled := &Evaluation{Classes: e.Classes, Samples: e.Samples}
			for _, z := range e.Logits {
				scaled.Logits = append(scaled.Logits, float32(float64(z)/t))
			}
			return scaled.loss()
		}
		if at := loss(got); loss(got*1.02) < at || loss(got/1.02) < at {
			t.Errorf("temperature %g is not the least", got)
		}
	}
	for _, e := range []*Evaluation{{Classes: 2}, {Classes: 2, Samples: labelled(0, 1), Logits: []float32{9, 0, 0, 9}}, {Classes: 2, Samples: labelled(0, 1), Logits: []float32{0, 9, 9, 0}}} {
		if got := temperature(e); !(got >= 1/hottest && got <= hottest) {
			t.Errorf("%v: temperature %g", e.Logits, got)
		}
	}
}

// TestCalibrated: the file's logits are those of an uncalibrated run divided by the temperature, with the same answers; resuming a
// complete run does not do it twice, and a training that goes on from there begins anew.
func TestCalibrated(t *testing.T) {
	for name, sets := range map[string]map[string]int{"folds": {"train": 20, "test": 6}, "val": {"train": 8, "val": 18, "test": 6}} {
		for _, mode := range []Mode{Heads, Full} {
			if mode == Full && name == "folds" {
				continue
			}
			data, cache := photos(t, sets), featurecache.Open(t.TempDir(), featurecache.DefaultLimit)
			run := func() Config {
				c := narrowRun(t, mode, data)
				c.Cache = cache
				if mode == Full {
					c.Epochs, c.WarmupEpochs = 1, 0
				}
				return c
			}
			plain, c := run(), run()
			plain.NoCalibrate = true
			want, got := fit(t, plain), fit(t, c)
			if want.Calibration != nil || got.Calibration == nil || got.Calibration.Photos < 50 || got.Calibration.ReportedOn != SetTest {
				t.Fatalf("%s, %s: %+v, %+v", name, mode, want.Calibration, got.Calibration)
			}
			s, err := scan(&c)
			must(t, err)
			logits := func(path string) *Evaluation {
				net, _, err := onnx.Read(path, onnx.ReadOptions{})
				must(t, err)
				e, err := Evaluate(t.Context(), net, s.test, Options{}, PhaseTest, 0, Silent{})
				must(t, err)
				return e
			}
			before, after := logits(want.Model), logits(got.Model)
			for i, z := range before.Logits {
				if w := float64(z) / got.Calibration.Temperature; math.Abs(float64(after.Logits[i])-w) > 1e-5*(1+math.Abs(w)) {
					t.Fatalf("%s, %s: logit %d is %g, want %g", name, mode, i, after.Logits[i], w)
				}
			}
			if before.accuracy() != after.accuracy() || got.Report.Accuracy != want.Report.Accuracy {
				t.Errorf("%s, %s: other answers", name, mode)
			}
			bits := sum(t, got.Model)
			c.Resume = true
			if again := fit(t, c); sum(t, again.Model) != bits || again.Calibration.Temperature != got.Calibration.Temperature {
				t.Errorf("%s, %s: resumed, the temperature is %g, was %g", name, mode, again.Calibration.Temperature, got.Calibration.Temperature)
			}
			next := run()
			next.NoCalibrate = true
			var errRead error
			next.Net, _, errRead = onnx.Read(got.Model, onnx.ReadOptions{})
			must(t, errRead)
			net, _, err := onnx.Read(fit(t, next).Model, onnx.ReadOptions{})
			must(t, err)
			if d, err := DecisionsOf(net); err != nil || d.Temperature != 1 {
				t.Errorf("%s, %s: the temperature of an earlier model is told: %+v, %v", name, mode, d, err)
			}
		}
	}
}

// TestFittedAndReported: where the report is about the photos that the temperature was fitted to, its figures are those without it.
func TestFittedAndReported(t *testing.T) {
	for name, sets := range map[string]map[string]int{"folds": {"train": 20}, "val": {"train": 8, "val": 18}} {
		data := photos(t, sets)
		plain, c := narrowRun(t, Heads, data), narrowRun(t, Heads, data)
		plain.NoCalibrate, c.Cache = true, featurecache.Open(t.TempDir(), featurecache.DefaultLimit)
		plain.Cache = c.Cache
		want, got := fit(t, plain), fit(t, c)
		if got.Calibration == nil || got.Calibration.FittedOn != got.ReportedOn || got.Calibration.Temperature == 1 {
			t.Fatalf("%s: %+v, reported on %s", name, got.Calibration, got.ReportedOn)
		}
		if got.Report.Loss != want.Report.Loss {
			t.Errorf("%s: loss %g, want %g", name, got.Report.Loss, want.Report.Loss)
		}
		c.Resume = true
		again := fit(t, c)
		if d := again.Report.Loss - got.Report.Loss; math.Abs(d) > 1e-6 || math.Abs(again.Calibration.After-got.Calibration.After) > 1e-6 {
			t.Errorf("%s: resumed, loss %g and %+v; before %g and %+v", name, again.Report.Loss, again.Calibration, got.Report.Loss, got.Calibration)
		}
	}
}

// TestTestCalibratesNothing: photos to test that choose the best epoch choose no temperature, many as they are.
func TestTestCalibratesNothing(t *testing.T) {
	c := narrowRun(t, Heads, photos(t, map[string]int{"train": 6, "test": 18}))
	c.SelectOn = SetTest
	r := fit(t, c)
	net, _, err := onnx.Read(r.Model, onnx.ReadOptions{})
	must(t, err)
	if d, err := DecisionsOf(net); r.Calibration != nil || d != nil || err != nil {
		t.Errorf("%+v; the file has %+v, %v", r.Calibration, d, err)
	}
}

// TestJudgeCalibration: the error after it is that of temperatures that were fitted to others, where the report is about the same photos.
func TestJudgeCalibration(t *testing.T) {
	e := overconfident(60, 5, 3)
	c := &Calibration{Temperature: temperature(e), FittedOn: SetFolds}
	r := &training{calibration: c, fitted: e}
	r.judgeCalibration(SetFolds)
	same := e.calibrationError(func(int) float64 { return c.Temperature })
	if c.After != e.calibrationError(e.crossed()) || c.After == same || c.Before != e.calibrationError(asIs) {
		t.Errorf("%+v; %g held out, %g with the same", c, e.calibrationError(e.crossed()), same)
	}
}
