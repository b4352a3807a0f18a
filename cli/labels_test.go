package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regraft/train"
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

// TestFixes: check writes the labels that look wrong, train takes them, and a run that is resumed knows them.
func TestFixes(t *testing.T) {
	data, dir := dataset(t, 8, 2), t.TempDir()
	writePhoto(t, filepath.Join(data, "train", "sea", "wrong.jpg"), colours["forest"], 77)
	fixes, out := filepath.Join(dir, "fixes.csv"), filepath.Join(dir, "run")
	must(t, "check", data, "--model", model, "--write-fixes", fixes)
	if text, err := os.ReadFile(fixes); err != nil || !strings.HasPrefix(string(text), "path,label,was,likely,score\n") {
		t.Fatalf("%v: %s", err, text)
	}
	wrong{"corrections", []string{"check", data, "--model", model, "--write-fixes", fixes}, statusUsage, "is there already"}.check(t, "")
	write(t, fixes, []byte("path,label\ntrain/sea/wrong.jpg,forest\n"+filepath.Join(data, "train", "sea", firstOf(t, filepath.Join(data, "train", "sea")))+",\n"))
	r := must(t, trainArgs(data, out, "--mode", "heads", "--labels", fixes)...)
	if !strings.Contains(r.stderr, "1 photo has another class than its folder's, and 1 is left out") || !strings.Contains(r.stdout+r.stderr, "24 photos to train") {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
	if cfg, err := train.ReadConfig(out); err != nil || cfg.Labels["train/sea/wrong.jpg"] != "forest" || len(cfg.Labels) != 2 {
		t.Errorf("%v, %v", cfg.Labels, err)
	}
	write(t, fixes, []byte("path,label\ntrain/sea/none.jpg,forest\n"))
	wrong{"missing", trainArgs(data, filepath.Join(dir, "other"), "--mode", "heads", "--labels", fixes), statusData, "--labels: 1 of 1 photo is not in"}.check(t, "")
	wrong{"no model", []string{"check", data, "--write-fixes", fixes}, statusUsage, "--write-fixes does nothing without --model"}.check(t, "")
}

// TestManyDoubts: where more than a fifth of the labels look wrong, it is said that the model is the likelier reason.
func TestManyDoubts(t *testing.T) {
	for wrong, cautions := range map[int]bool{0: false, 4: false, 5: true, 20: true} {
		doubts := make([]train.LabelDoubt, 20)
		for i := range doubts {
			doubts[i] = train.LabelDoubt{Path: "a.jpg", Label: "sea", Likely: "sky", Score: 0.1}
			if i < wrong {
				doubts[i].Score = 0.9
			}
		}
		var out bytes.Buffer
		con := &console{out: bufio.NewWriter(&out)}
		printDoubts(con, doubts)
		con.out.Flush()
		if strings.Contains(out.String(), "do not tell apart") != cautions {
			t.Errorf("%d of 20: %s", wrong, &out)
		}
	}
}
