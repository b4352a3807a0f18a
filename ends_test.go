package regraft_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"regraft"
	"regraft/head"
	"regraft/photo"
	"regraft/train"
)

// end is what ONNX Runtime says of a file of testdata/ends (scripts/make_ends.py).
type end struct {
	// Classes is 0 where the network ends in features, -1 where it has no answer for a photo as a whole.
	Classes int
	Train   bool
	Labels  []string
	// Features and P have a row for each of the two photos.
	Features, P [][]float64
}

func ends(t *testing.T) map[string]end {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "ends", "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list map[string]end
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func openEnd(t *testing.T, name string) *regraft.Model {
	t.Helper()
	plain := regraft.AdjustPreprocess(func(p *photo.Preprocess) { p.Mean, p.Std = [3]float32{}, [3]float32{1, 1, 1} })
	m, err := regraft.Open(filepath.Join("testdata", "ends", name+".onnx"), plain)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestEnds: whatever operators spell a classifier and make probabilities of its scores, these are ONNX Runtime's, the features are
// those that the classifier reads, and what can be trained is trained on them.
func TestEnds(t *testing.T) {
	photos := []regraft.Photo{regraft.File("testdata/ends/photo0.png"), regraft.File("testdata/ends/photo1.png")}
	for name, want := range ends(t) {
		t.Run(name, func(t *testing.T) {
			m := openEnd(t, name)
			checkHead(t, m, want)
			a, err := m.Answers()
			if want.Classes < 0 {
				if err == nil {
					t.Errorf("it answers %s", a.Words())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if a.Classes != want.Classes {
				t.Fatalf("%d classes, want %d", a.Classes, want.Classes)
			}
			results, err := m.Classify(context.Background(), photos...)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range results {
				if r.Err != nil {
					t.Fatal(r.Err)
				}
				if want.P != nil {
					near(t, "probabilities", r.P, want.P[i], 2e-6)
				}
				if want.Features != nil {
					near(t, "features", r.Features, want.Features[i], 1e-5)
				}
				checkLogits(t, a, r)
			}
			if want.Labels != nil && !slices.Equal(m.Labels(), want.Labels) {
				t.Errorf("labels %q, want %q", m.Labels(), want.Labels)
			}
		})
	}
}

// checkHead compares the main head with what is expected, and that what Trainable promises is what swapping does.
func checkHead(t *testing.T, m *regraft.Model, want end) {
	t.Helper()
	heads, full := train.Trainable(m.Network())
	if (heads == nil) != want.Train || want.Train && full != nil {
		t.Errorf("training heads: %v, everything: %v", heads, full)
	}
	var unknown *head.UnknownError
	if heads != nil && (!errors.As(heads, &unknown) || unknown.Saw == "") {
		t.Errorf("the refusal does not say what was seen: %v", heads)
	}
	swapped, err := head.Swap(m.Network(), []string{"one", "another", "third"}, 1)
	if (err == nil) != want.Train {
		t.Errorf("Swap: %v", err)
	}
	if err != nil {
		return
	}
	if out := swapped.Outputs[0].Node.Shape(); len(out) != 2 || out[1] != 3 {
		t.Errorf("the new output has shape %v", out)
	}
	if want.Features != nil {
		if found, err := head.Find(swapped); err != nil || len(found) != 1 || found[0].Features != len(want.Features[0]) {
			t.Errorf("new heads %+v (%v), want %d features", found, err, len(want.Features[0]))
		}
	}
}

// checkLogits: the probabilities are Softmax of the logits, or Sigmoid of each.
func checkLogits(t *testing.T, a *head.Answers, r regraft.Result) {
	t.Helper()
	sum := 0.0
	for _, l := range r.Logits {
		sum += math.Exp(float64(l))
	}
	for i, l := range r.Logits {
		p := math.Exp(float64(l)) / sum
		switch {
		case a.Meaning == head.Given:
			p = math.Exp(float64(l))
		case !a.Exclusive():
			p = 1 / (1 + math.Exp(-float64(l)))
		}
		if math.Abs(p-float64(r.P[i])) > 1e-6 {
			t.Errorf("logit %g stands for %g, not %g", l, p, r.P[i])
		}
	}
}

func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d %s, want %d", len(got), what, len(want))
		return
	}
	for i := range want {
		if !(math.Abs(float64(got[i])-want[i]) <= tolerance*max(1, math.Abs(want[i]))) {
			t.Errorf("%s %v, want %v", what, got, want)
			return
		}
	}
}

// TestHeadByName: a node or an output that is named is the classifier, or computes the features, also where none was found.
func TestHeadByName(t *testing.T) {
	for _, c := range []struct {
		file, name        string
		features, classes int
	}{
		{"two_layers", "linear1", 6, 4},                 // a classifier by its weight
		{"two_layers", "Flatten writing v10", 6, 0},     // features by the node
		{"two_layers", "v9", 6, 0},                      // by what the node computes
		{"map_of_scores", "conv3", 6, 4},                // a convolution, averaged over its map
		{"largest_of_map", "v8", 6, 0},                  // a map of features
		{"logits_and_probabilities", "logits", 6, 4},    // an output
		{"embedding_and_logits", "embedding", 6, 5},     // a layer below the classifier
		{"softmax_of_features", "v9", 6, 0},             // features in front of Softmax
		{"largest_of_map", "MaxPool writing v12", 4, 0}, // what would be refused as scores
	} {
		m, err := regraft.Open(filepath.Join("testdata", "ends", c.file+".onnx"), regraft.UseHead(c.name))
		if err != nil {
			t.Errorf("%s %s: %v", c.file, c.name, err)
			continue
		}
		heads, err := m.Heads()
		if err != nil || len(heads) != 1 || heads[0].Features != c.features || heads[0].Classes != c.classes {
			t.Errorf("%s %s: %+v (%v), want %d features, %d classes", c.file, c.name, heads, err, c.features, c.classes)
		}
		if heads, _ := train.Trainable(m.Network()); heads != nil {
			t.Errorf("%s %s: %v", c.file, c.name, heads)
		}
	}
	if _, err := regraft.Open("testdata/ends/temperature.onnx", regraft.UseHead("nobody")); err == nil {
		t.Error("a head that does not exist was found")
	}
}
