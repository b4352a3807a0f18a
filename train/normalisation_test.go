package train

import (
	"math"
	"slices"
	"strings"
	"testing"

	"regraft/engine/op"
	"regraft/photo"
)

// TestClearlyBetter: what counts is how much the losses of the same photos differ, against how much these differences do.
func TestClearlyBetter(t *testing.T) {
	// trial gives photo i the loss of(i), of 100.
	trial := func(accuracy float64, of func(i int) float64) *Trial {
		t := &Trial{Accuracy: accuracy}
		for i := range 100 {
			t.losses = append(t.losses, of(i))
		}
		return t
	}
	hard := func(i int) float64 { return float64(i % 10) }
	for _, c := range []struct {
		what string
		a, b *Trial
		want bool
	}{
		{"a little less of each", trial(0.5, hard), trial(0.5, func(i int) float64 { return hard(i) + 0.1 }), true},
		{"a little more of each", trial(0.5, func(i int) float64 { return hard(i) + 0.1 }), trial(0.5, hard), false},
		{"less, but fewer right", trial(0.4, hard), trial(0.5, func(i int) float64 { return hard(i) + 0.1 }), false},
		{"the same", trial(0.5, hard), trial(0.5, hard), false},
		{"up and down", trial(0.5, hard), trial(0.5, func(i int) float64 { return hard(i) + float64(i%3-1) }), false},
		{"one photo alone", trial(0.5, hard), trial(0.5, func(i int) float64 { return hard(i) + 50*float64(i/99) }), false},
		{"0.25 against 1, 2.5 errors", trial(0.5, hard), trial(0.5, func(i int) float64 { return hard(i) + 0.25 + float64(i%2*2-1) }), false},
		{"0.35 against 1, 3.5 errors", trial(0.5, hard), trial(0.5, func(i int) float64 { return hard(i) + 0.35 + float64(i%2*2-1) }), true},
	} {
		if got := clearlyBetter(c.a, c.b); got != c.want {
			t.Errorf("%s: %t", c.what, got)
		}
	}
}

// TestTrialSamples: as many photos of every class, the same for the same seed; too few are none.
func TestTrialSamples(t *testing.T) {
	var train []photo.Sample
	for class, n := range []int{40, 5, 20, 7} {
		for range n {
			train = append(train, photo.Sample{Label: class})
		}
	}
	chosen := trialSamples(train, 4, 1)
	count := make([]int, 4)
	for _, s := range chosen {
		count[s.Label]++
	}
	if !slices.Equal(count, []int{trialPerClass, 0, trialPerClass, 7}) || !slices.Equal(chosen, trialSamples(train, 4, 1)) {
		t.Errorf("%v", count)
	}
	if got := trialSamples(train[:45], 4, 1); got != nil {
		t.Errorf("one class with enough photos gives %d", len(got))
	}
	many := make([]photo.Sample, 5000)
	for i := range many {
		many[i].Label = i % 500
	}
	if got := trialSamples(many, 500, 1); len(got) != trialPhotos {
		t.Errorf("%d photos", len(got))
	}
}

func TestAssumptionText(t *testing.T) {
	a := &Assumption{Scaling: "A", Photos: 100, Trials: []Trial{{Scaling: "A", Accuracy: 0.5, Loss: 2}, {Scaling: "B", Accuracy: 0.75, Loss: 1}}}
	if text := a.String(); !strings.Contains(text, "none of the other") {
		t.Error(text)
	}
	a.Better, a.Flags = "B", "--mean 0 --std 1"
	if text := a.String(); !strings.Contains(text, "B (--mean 0 --std 1): on 100 photos") || !strings.Contains(text, "75 instead of 50 % right, loss 1.00 instead of 2.00") {
		t.Error(text)
	}
	if text := (&Assumption{Scaling: "A"}).String(); !strings.Contains(text, "too few") {
		t.Error(text)
	}
}

// TestScalingsTried: whichever scaling is assumed, the same ones are tried and each has the same loss; the one is found by which a network
// sees anything, where the assumed one leaves it blind.
func TestScalingsTried(t *testing.T) {
	data := photos(t, map[string]int{"train": 7, "val": 1})
	losses := map[string]float64{}
	for _, n := range photo.Usual {
		c := narrowRun(t, Heads, data)
		s := newSketch(t, 1)
		x := s.must(s.Placeholder("input", 1, 3, side, side))
		o := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}
		x = s.apply("relu", &op.Relu{}, s.apply("conv", o, x, s.param("conv.weight", -2, 0, 8, 3, 3, 3), s.param("conv.bias", 0, 0, 8)))
		c.Net = s.network(x)
		p := n.Apply(*c.Net.Meta.Preprocess)
		c.Net.Meta.Preprocess, c.Assumed, c.Epochs = &p, n.Name, 1
		w := &warned{}
		r, err := Fit(t.Context(), c, w)
		must(t, err)
		a := r.Assumption
		if a == nil || a.Scaling != n.Name || a.Photos != 21 || len(a.Trials) != len(photo.Usual) || a.Trials[0].Scaling != n.Name || !w.says(a.String()) {
			t.Fatalf("%s: %+v, %q", n.Name, a, w.messages)
		}
		for _, trial := range a.Trials {
			if loss, tried := losses[trial.Scaling]; tried && loss != trial.Loss {
				t.Errorf("%s has the loss %g where %s is assumed, and %g elsewhere", trial.Scaling, trial.Loss, n.Name, loss)
			}
			losses[trial.Scaling] = trial.Loss
		}
		// Weights below zero and Relu: of pixels that are not below zero nothing is left.
		if blind := n.Mean == 0 && n.Std != 0; blind != (a.Better != "") || blind && (a.Trials[0].Loss < math.Log(3) || !strings.Contains(a.Flags, "Mean 0.")) {
			t.Errorf("%s: %v", n.Name, a)
		}
		c.Resume = true
		if again := fit(t, c).Assumption; again.Better != a.Better || len(again.Trials) != len(a.Trials) {
			t.Errorf("%s, resumed: %+v", n.Name, again)
		}
	}
}
