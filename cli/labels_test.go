package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckLabels: check with a model scores the label of every photo, and without one says nothing of it.
func TestCheckLabels(t *testing.T) {
	data := dataset(t, 8, 2)
	writePhoto(t, filepath.Join(data, "train", "sea", "wrong.jpg"), colours["forest"], 77)
	var j checkJSON
	if err := json.Unmarshal([]byte(must(t, "check", data, "--model", model, "--json").stdout), &j); err != nil {
		t.Fatal(err)
	}
	if len(j.Labels) != 25 || j.Labels[0].Score < j.Labels[24].Score || j.Labels[0].Label == "" || j.Labels[0].Likely == "" {
		t.Errorf("%d labels, the first %+v", len(j.Labels), j.Labels[0])
	}
	if text := must(t, "check", data, "--model", model).stdout; !strings.Contains(text, "labels that look wrong") {
		t.Errorf("%s", text)
	}
	wrong{"no model", []string{"check", data, "--mean", "0.5"}, statusUsage, "--mean does nothing without --model"}.check(t, "")
	if text := must(t, "check", data).stdout; strings.Contains(text, "labels that look wrong") {
		t.Errorf("%s", text)
	}
}

// TestCheckSaysWhatTrainDoes: photos that no folder holds out are counted as heads mode takes them, a split as it would be made, and
// where train finds too few photos to hold some out, check does too.
func TestCheckSaysWhatTrainDoes(t *testing.T) {
	flat := filepath.Join(dataset(t, 5, 1), "train")
	for says, args := range map[string][]string{
		"15    0     0  all\nno folder holds val": {"check", flat},
		"9    6     0  all\nval is split off":     {"check", flat, "--val-split", "0.4"},
	} {
		if text := must(t, args...).stdout; !strings.Contains(text, says) {
			t.Errorf("%v: %s", args, text)
		}
	}
	const few = "too few photos to hold some out"
	lone := filepath.Join(dataset(t, 1, 1), "train")
	if r := run(t, "check", lone); r.status != statusData || !strings.Contains(r.stderr, few) {
		t.Errorf("status %d: %s", r.status, r.stderr)
	}
	wrong{"train", trainArgs(lone, filepath.Join(t.TempDir(), "run"), "--mode", "heads"), statusData, few}.check(t, "")
	if text := run(t, "check", "--json", lone).stdout; !strings.Contains(text, few) {
		t.Errorf("%s", text)
	}
	wrong{"seed", []string{"check", flat, "--seed", "3"}, statusUsage, "--seed does nothing without --val-split"}.check(t, "")
}
