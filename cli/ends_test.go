package cli

import (
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"regraft"
)

// endOf is one of the small models of testdata/ends, with photos that need no preparation.
func endOf(name string) string { return filepath.Join("..", "testdata", "ends", name+".onnx") }

const endPhoto = "../testdata/ends/photo0.png"

// TestClassifySigmoid: classes that do not exclude each other have probabilities of their own; a single score has two lines, the
// absence of the class first, and the logits are what the probabilities are made of.
func TestClassifySigmoid(t *testing.T) {
	answer := func(name string) jsonAnswer {
		r := must(t, append([]string{"classify", "-m", endOf(name), "--json", "-k", "9", "--logits"}, append(plain, endPhoto)...)...)
		return lines[jsonAnswer](t, r.stdout)[0]
	}
	sum := 0.0
	many := answer("sigmoid_of_many")
	for _, p := range many.Top {
		sum += float64(p.P)
		if want := 1 / (1 + math.Exp(-float64(many.Logits[p.Index]))); math.Abs(float64(p.P)-want) > 1e-6 {
			t.Errorf("%s: p %g, logit %g", p.Label, p.P, many.Logits[p.Index])
		}
	}
	if len(many.Top) != 4 || math.Abs(sum-1) < 0.1 {
		t.Errorf("the probabilities of %d independent classes add up to %g", len(many.Top), sum)
	}
	one := answer("one_logit_named")
	if len(one.Top) != 2 || len(one.Logits) != 2 || one.Logits[0] != 0 || math.Abs(float64(one.Top[0].P+one.Top[1].P)-1) > 1e-6 {
		t.Errorf("one score: %+v", one)
	}
	for _, p := range one.Top {
		if want := []string{"not smile", "smile"}[p.Index]; p.Label != want {
			t.Errorf("class %d is called %q, want %q", p.Index, p.Label, want)
		}
	}
}

// TestClassifyWithoutClassifier: features are no answer, but can be had; a map of scores is none at all.
func TestClassifyWithoutClassifier(t *testing.T) {
	args := append([]string{"classify", "-m", endOf("features_alone")}, append(plain, endPhoto)...)
	if r := run(t, args...); r.status != statusModel || !strings.Contains(r.stderr, "ends in features") {
		t.Errorf("status %d: %s", r.status, r.stderr)
	}
	r := must(t, append(args, "--json", "--features")...)
	if a := lines[jsonAnswer](t, r.stdout)[0]; len(a.Features) != 6 || len(a.Top) != 0 || a.Unknown {
		t.Errorf("answer %+v", a)
	}
	if r := run(t, "classify", "-m", endOf("map_of_scores"), endPhoto); r.status != statusModel || !strings.Contains(r.stderr, "(1, 4, 4, 4)") {
		t.Errorf("status %d: %s", r.status, r.stderr)
	}
}

// TestInspectPromisesWhatTrainDoes: where inspect says that training is not possible train refuses for the same reason, and there is
// no advice on how to train.
func TestInspectPromisesWhatTrainDoes(t *testing.T) {
	data := dataset(t, 2, 1)
	for _, name := range []string{"two_layers", "map_of_scores", "softmax_of_features", "mean_of_two_classifiers"} {
		var v struct {
			Training inspectTraining
			Advice   []string
		}
		if err := json.Unmarshal([]byte(must(t, "inspect", "--json", endOf(name)).stdout), &v); err != nil {
			t.Fatal(err)
		}
		if v.Training.Heads == nil || v.Training.Full == nil || len(v.Advice) > 0 {
			t.Errorf("%s: %+v", name, v)
			continue
		}
		r := run(t, append([]string{"train", "--model", endOf(name), "--data", data, "--out", filepath.Join(t.TempDir(), "run")}, plain...)...)
		if r.status != statusModel || !strings.Contains(r.stderr, *v.Training.Heads) {
			t.Errorf("%s: inspect says %q, train ends with %d: %s", name, *v.Training.Heads, r.status, r.stderr)
		}
	}
}

// TestVerifyDecisions: outputs that are made of scores are compared too, the index of ArgMax with that of the largest score.
func TestVerifyDecisions(t *testing.T) {
	scores := regraft.Matrix{Rows: 2, Cols: 3, Values: []float32{0.1, 0.7, 0.2, 0.5, 0.3, 0.2}}
	if p := compareChoice(scores, array{shape: []int{2}, values: []float32{1, 0}, integers: true}); p.Relative != 0 || p.Top1 != 1 {
		t.Errorf("equal choices: %+v", p)
	}
	if p := compareChoice(scores, array{shape: []int{2}, values: []float32{1, 2}, integers: true}); p.Relative != 0.5 || p.Top1 != 0.5 || p.WorstInput != 1 {
		t.Errorf("another choice: %+v", p)
	}
}
