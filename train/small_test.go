package train

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"regraft/onnx"
	"regraft/train/page"
)

// TestGuesses: the most probable classes, no more than there are, and what the own class has.
func TestGuesses(t *testing.T) {
	m := &pageMaker{}
	for _, c := range []struct {
		probabilities []float64
		want          []page.Guess
	}{
		{[]float64{0.25, 0.75}, []page.Guess{{Class: 1, P: 0.75}, {Class: 0, P: 0.25}}},
		{[]float64{0.1, 0.4, 0.2, 0.3}, []page.Guess{{Class: 1, P: 0.4}, {Class: 3, P: 0.3}, {Class: 2, P: 0.2}}},
	} {
		p := &page.Photo{Guesses: []page.Guess{{Class: 7}}}
		if m.answer(p, slices.Clone(c.probabilities)); !slices.Equal(p.Guesses, c.want) || p.Own != c.probabilities[0] {
			t.Errorf("%v: %+v", c.probabilities, p)
		}
	}
}

// TestUnreadableMap: a photo that is gone has no heat map, and that is no error.
func TestUnreadableMap(t *testing.T) {
	m := &mapMaker{net: narrow(t)}
	defer m.close()
	if h, err := m.of(filepath.Join(t.TempDir(), "none.jpg"), 0); h != nil || err != nil {
		t.Errorf("%v, %v", h, err)
	}
}

// TestOwnDecisions: what the model said of thresholds and of other pictures is of its old heads, and is not in the new model's file; whatever
// else stands there stays.
func TestOwnDecisions(t *testing.T) {
	c := narrowRun(t, Heads, photos(t, map[string]int{"train": 4, "val": 2}))
	c.Epochs, c.Far = 1, 0
	c.Net.Meta.Other = map[string]string{"mine": "stays", decisionsKey: "{}", distanceKey: "{}"}
	was := maps.Clone(c.Net.Meta.Other)
	fit(t, c)
	net, _, err := onnx.Read(filepath.Join(c.Out, BestFile), onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if other := net.Meta.Other; other["mine"] != "stays" || other[decisionsKey] != "" || other[distanceKey] != "" {
		t.Errorf("%q", other)
	}
	if !maps.Equal(c.Net.Meta.Other, was) {
		t.Errorf("the model that was given has %q now", c.Net.Meta.Other)
	}
}
