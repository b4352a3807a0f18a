package train

import (
	"bytes"
	"errors"
	"image/png"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestFindRate: the rates rise evenly in their logarithm, the suggestion trains and the end of the range does not, nothing is kept, the
// search is the same on any number of threads, and its picture is one.
func TestFindRate(t *testing.T) {
	n := 20
	if testing.Short() { // what the rates are, not what they do
		n = 4
	}
	data := photos(t, map[string]int{"train": n, "val": n / 3})
	for _, r := range []struct {
		mode      Mode
		optimizer Optimizer
	}{{Full, AdamW}, {Full, SGD}, {Heads, SGD}} {
		config := func() Config {
			d := Defaults(r.mode, r.optimizer)
			c := narrowRun(t, r.mode, data)
			d.Net, d.Data, d.Threads, d.Workers, d.Seed, d.Batch, d.Epochs = c.Net, c.Data, 2, 2, 7, 12, 4
			return d
		}
		c := config()
		before := slices.Clone(c.Net.Params[0].Value)
		s, err := FindRate(t.Context(), c, Silent{})
		must(t, err)
		if !slices.Equal(before, c.Net.Params[0].Value) {
			t.Errorf("%s by %s: the model has changed", r.mode, r.optimizer)
		}
		n := len(s.Rates)
		if n < 20 || len(s.Losses) != n || len(s.Smooth) != n || s.Rates[0] < 0.99e-7 || s.Rates[0] > 1.01e-7 || s.Rates[n-1] > 10.01 {
			t.Errorf("%s by %s: %d rates from %g on", r.mode, r.optimizer, n, s.Rates[0])
		}
		average, weight := 0.0, 0.0
		for i, loss := range s.Losses {
			if average, weight = 0.9*average+loss, 0.9*weight+1; math.Abs(s.Smooth[i]-average/weight) > 1e-9*s.Smooth[i] {
				t.Errorf("average %g behind step %d, want %g", s.Smooth[i], i, average/weight)
			}
		}
		least := slices.Min(s.Smooth)
		if last := s.Smooth[n-1]; n < 100 && last < 4*least && !broken(last) || slices.Max(s.Smooth[:n-1]) > 4*s.Smooth[0] {
			t.Errorf("it ends after %d steps at %g, the least is %g", n, last, least)
		}
		if lowest := s.Rates[slices.Index(s.Smooth, least)]; s.Suggested != 0 && (s.Lowest != lowest || s.Suggested != lowest/10) {
			t.Errorf("the average is least at %g: %+v", lowest, s)
		}
		for i := 2; i < len(s.Rates); i++ {
			if a, b := s.Rates[i]/s.Rates[i-1], s.Rates[1]/s.Rates[0]; a/b > 1.0001 || a/b < 0.9999 {
				t.Errorf("the rates rise by %g and %g", b, a)
			}
		}
		other := config()
		other.Threads, other.Workers = 1, 1
		again, err := FindRate(t.Context(), other, Silent{})
		must(t, err)
		if !reflect.DeepEqual(s, again) {
			t.Errorf("%s by %s: another search with other threads", r.mode, r.optimizer)
		}
		var picture bytes.Buffer
		must(t, s.Draw(&picture))
		if _, err := png.Decode(&picture); err != nil {
			t.Error(err)
		}
		if testing.Short() {
			continue
		}
		loss := func(rate float64) float64 {
			c := config()
			c.Out, c.LearningRate, c.Schedule, c.WarmupEpochs = t.TempDir(), rate, Constant, 0
			result, err := Fit(t.Context(), c, Silent{})
			if diverged := (*DivergedError)(nil); errors.As(err, &diverged) {
				return 1e9
			}
			must(t, err)
			return result.Epochs[len(result.Epochs)-1].TrainLoss
		}
		good, low, high := loss(s.Suggested), loss(s.Suggested/1000), loss(s.Lowest*100)
		t.Logf("%s by %s: %v; loss with that %.3f, with a thousandth %.3f, with a thousand times that %.3g", r.mode, r.optimizer, s, good, low, high)
		if good > low || good > high {
			t.Errorf("%s by %s: the suggestion does not train best", r.mode, r.optimizer)
		}
	}
	nothing := RateSearch{Rates: []float64{1e-7, 1e-6, 1e-5}, Smooth: []float64{1, 1, 1}, Lowest: 1e-6}
	nothing.suggest(1)
	if nothing.Suggested != 0 || !strings.Contains(nothing.String(), "none is suggested") {
		t.Errorf("of losses that stay: %v", &nothing)
	}
	must(t, nothing.Draw(&bytes.Buffer{}))
	falls := RateSearch{Rates: []float64{1e-7, 1e-4, 1e-1}, Smooth: append(slices.Repeat([]float64{1}, 25), 0.979), Lowest: 1e-4}
	if falls.suggest(0.979); falls.Suggested != 1e-5 || !strings.Contains(falls.String(), "the loss is least at 1.0e-04; try LearningRate 1.0e-05") {
		t.Errorf("of losses that fall: %v", &falls)
	}
	c := narrowRun(t, Heads, data)
	if _, err := FindRate(t.Context(), c, nil); err == nil || !strings.Contains(err.Error(), "needs no learning rate") {
		t.Errorf("for L-BFGS: %v", err)
	}
	if _, err := os.Stat(c.Out); err == nil {
		t.Error("a folder was made")
	}
}
