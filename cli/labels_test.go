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
