package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCompare: a line for each model in their order, on the same photos, and one sentence.
func TestCompare(t *testing.T) {
	data := dataset(t, 6, 2)
	args := []string{"compare", "--data", data, "--mean", "0.5", "--std", "0.5", "--folds", "3", model, squeezenet}
	r := must(t, args...)
	if n := strings.Count(r.stdout, "Take "); n != 1 || !strings.Contains(r.stdout, "18 photos in 3 folds") || !strings.Contains(r.stdout, "squeezenet") {
		t.Errorf("%s", r.stdout)
	}
	recommended := 0
	for i, j := range lines[compareJSON](t, must(t, append(args, "--json")...).stdout) {
		if j.Model != args[len(args)-2+i] || j.Photos != 18 || j.Folds != 3 || j.Features == 0 || j.Milliseconds <= 0 || j.Bytes == 0 || j.Why == "" {
			t.Errorf("%+v", j)
		}
		if j.Accuracy < j.Interval[0] || j.Accuracy > j.Interval[1] {
			t.Errorf("%g is not in %v", j.Accuracy, j.Interval)
		}
		if j.Recommended {
			recommended++
		}
	}
	if recommended != 1 {
		t.Errorf("%d models are recommended", recommended)
	}
	wrong{"no models", []string{"compare", "--data", data}, statusUsage, "no models given"}.check(t, "")
	wrong{"no data", []string{"compare", model}, statusUsage, "--data is missing"}.check(t, "")
	wrong{"no model", []string{"compare", "--data", data, "none.onnx"}, statusModel, "does not exist"}.check(t, "")
	if r := run(t, append(slices.Clone(args), "none.onnx")...); r.status != statusModel || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("status %d; a model was looked at before another turned out to be missing:\n%s", r.status, r.stderr)
	}
}

// TestRecommended: the fastest of those that chance may have put behind the best.
func TestRecommended(t *testing.T) {
	rights := func(n int) []bool {
		return slices.Concat(slices.Repeat([]bool{true}, n), slices.Repeat([]bool{false}, 100-n))
	}
	one := func(name string, right int, ms float64) candidate {
		return candidate{compareJSON{Model: name, Accuracy: float64(right) / 100, Milliseconds: ms}, rights(right)}
	}
	for says, all := range map[string][]candidate{
		"Take good: nothing that is faster does as well.":                           {one("good", 90, 30), one("bad", 60, 3)},
		"Take fast: it is faster (3.0 instead of 30.0 ms), and that good has 2.0":   {one("good", 90, 30), one("fast", 88, 3)},
		"Take good: nothing that is faster does as well, though its lead may be ch": {one("slow", 89, 40), one("good", 90, 30)},
		"There is nothing to compare":                                               {one("alone", 1, 1)},
	} {
		if _, why := recommended(all); !strings.HasPrefix(why, says) {
			t.Errorf("%s\nwant %s", why, says)
		}
	}
}

// TestTrainFolds: --folds prints the cross-validation and the learning curve; --group-by keeps photos together.
func TestTrainFolds(t *testing.T) {
	data := dataset(t, 6, 2)
	out := filepath.Join(t.TempDir(), "run")
	r := must(t, trainArgs(data, out, "--mode", "heads", "--folds", "3", "--group-by", `(.)\.jpg`)...)
	for _, says := range []string{"cross-validation on train:", "learning curve", "100 %", "3 folds of 18 photos in 5 groups chose"} {
		if !strings.Contains(r.stdout+r.stderr, says) {
			t.Errorf("%q is missing:\n%s%s", says, r.stdout, r.stderr)
		}
	}
	var summary struct {
		OutOfFold json.RawMessage   `json:"out_of_fold"`
		Curve     []json.RawMessage `json:"learning_curve"`
		Advice    []string
	}
	if err := json.Unmarshal(fileAt(t, filepath.Join(out, "summary.json")), &summary); err != nil || len(summary.Curve) != 4 || summary.OutOfFold == nil || len(summary.Advice) == 0 {
		t.Errorf("%v, %+v", err, summary)
	}
	wrong{"full", trainArgs(data, filepath.Join(t.TempDir(), "run"), "--folds", "3"), statusUsage, "--folds does nothing with --mode full"}.check(t, "")
	wrong{"regex", trainArgs(data, filepath.Join(t.TempDir(), "run"), "--group-by", "("), statusUsage, "--group-by"}.check(t, "")
}

func fileAt(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
