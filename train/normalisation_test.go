package train

import (
	"slices"
	"strings"
	"testing"

	"regraft/photo"
)

// TestClearlyBetter: McNemar's test looks only at the photos on which two scalings differ.
func TestClearlyBetter(t *testing.T) {
	// right makes so many photos right, from index from on, of 100.
	right := func(from, n int) *Trial {
		r := make([]bool, 100)
		for i := range n {
			r[from+i] = true
		}
		return &Trial{right: r}
	}
	for _, c := range []struct {
		a, b *Trial
		want bool
	}{
		{right(0, 70), right(0, 50), true},    // 20 against 0
		{right(0, 58), right(0, 50), false},   // 8 against 0: less than three deviations
		{right(0, 60), right(0, 50), true},    // 10 against 0
		{right(30, 70), right(0, 50), false},  // 50 against 30
		{right(0, 50), right(0, 50), false},   // the same
		{right(0, 30), right(0, 50), false},   // worse
		{right(0, 100), right(20, 80), true},  // 20 against 0, all right
		{right(50, 50), right(0, 50), false},  // 50 against 50
		{right(10, 90), right(0, 60), true},   // 40 against 10
		{right(45, 55), right(0, 50), false},  // 50 against 45
		{right(0, 100), right(0, 95), false},  // 5 against 0
		{right(0, 100), right(0, 0), true},    // 100 against 0
		{right(0, 0), right(0, 0), false},     // nothing right
		{right(0, 100), right(0, 100), false}, // all right
	} {
		if got := clearlyBetter(c.a, c.b); got != c.want {
			t.Errorf("%v against %v: %t", c.a.right, c.b.right, got)
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
