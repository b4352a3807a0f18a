package train

import (
	"math"
	"slices"
	"testing"
)

// TestThreshold is the lowest one that keeps the promise, and its figures are those of a count.
func TestThreshold(t *testing.T) {
	e := overconfident(5000, 4, 1)
	for _, precision := range []float64{0.8, 0.9, 0.97} {
		got := e.threshold(precision)
		if got == nil {
			t.Fatalf("no threshold for %g", precision)
		}
		count := func(threshold float64) (precision, coverage float64) {
			n, right := 0, 0
			for i, s := range e.Samples {
				p := e.probabilities(i)
				if best := argmax(p); p[best] >= threshold {
					n++
					if best == s.Label {
						right++
					}
				}
			}
			return float64(right) / float64(n), float64(n) / 5000
		}
		p, c := count(got.Value)
		if p != got.Precision || c != got.Coverage || p < precision {
			t.Errorf("%+v; counted %g, %g", got, p, c)
		}
		for _, lower := range []float64{0.99, 0.95, 0.8} {
			if p, c := count(lower * got.Value); p >= precision && c > got.Coverage {
				t.Errorf("precision %g: the threshold %g does as well as %g", precision, lower*got.Value, got.Value)
			}
		}
	}
	hopeless := &Evaluation{Classes: 2, Samples: labelled(0, 1), Logits: []float32{0, 9, 9, 0}}
	if got := hopeless.threshold(0.5); got != nil {
		t.Errorf("a threshold %+v of answers that are all wrong", got)
	}
}

// TestSure: prediction sets have the true class as often as promised, on photos that the scores are not of: 10,000 of them have a
// standard error of 0.5 points, and 1000 scores of 1.
func TestSure(t *testing.T) {
	e := overconfident(20000, 5, 1)
	d := &Decisions{Scores: e.half(0).scores()}
	if len(d.Scores) != mostScores || !slices.IsSorted(d.Scores) {
		t.Fatalf("%d scores", len(d.Scores))
	}
	other := e.half(1)
	for _, coverage := range []float64{0.5, 0.8, 0.9, 0.99} {
		sure, n := d.Sure(coverage), 0
		for i, s := range other.Samples {
			if other.probabilities(i)[s.Label] >= sure {
				n++
			}
		}
		if got := float64(n) / float64(len(other.Samples)); math.Abs(got-coverage) > 0.02 {
			t.Errorf("%g of the true classes are in sets of %g", got, coverage)
		}
	}
	if few := (&Decisions{Scores: []float64{0.1, 0.5}}); few.Sure(0.9) != 0 || few.Sure(0.6) != 0.5 {
		t.Errorf("two scores promise 0.9 with %g, 0.6 with %g", few.Sure(0.9), few.Sure(0.6))
	}
}

// TestDecisionsOfFiles: what a file says is checked before it is believed.
func TestDecisionsOfFiles(t *testing.T) {
	for text, good := range map[string]bool{
		`{"temperature":1.5,"scores":[0.1,0.2],"threshold":{"value":0.4,"precision":0.9,"coverage":0.8}}`: true,
		`{"temperature":1,"scores":[]}`:                         true,
		`{"temperature":0,"scores":[]}`:                         false,
		`{"temperature":1,"scores":[0.2,0.1]}`:                  false,
		`{"temperature":1,"scores":[2]}`:                        false,
		`{"temperature":1,"scores":[],"threshold":{"value":7}}`: false,
		`nonsense`: false,
	} {
		net := narrow(t)
		net.Meta.Other = map[string]string{decisionsKey: text}
		if _, err := DecisionsOf(net); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
	if d, err := DecisionsOf(narrow(t)); d != nil || err != nil {
		t.Errorf("a file without decisions: %v, %v", d, err)
	}
}
