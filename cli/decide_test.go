package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestDecisions: a threshold is stored in the model and holds where no flag says otherwise; sets name classes; models without are
// refused.
func TestDecisions(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	data, out := dataset(t, 20, 3), filepath.Join(t.TempDir(), "run")
	r := must(t, "train", "-m", model, "--data", data, "-o", out, "--threshold", "auto", "--precision", "0.9")
	var summary struct {
		Threshold struct{ Value, Precision, Coverage float64 }
	}
	if err := json.Unmarshal(fileAt(t, filepath.Join(out, "summary.json")), &summary); err != nil || summary.Threshold.Precision < 0.9 || !strings.Contains(r.stdout, "threshold ") {
		t.Fatalf("%v, %+v\n%s", err, summary, r.stdout)
	}
	best := filepath.Join(out, "best.onnx")
	for _, a := range lines[jsonAnswer](t, must(t, "classify", "-m", best, "--json", "--sets", "0.9", data).stdout) {
		if len(a.Set) == 0 || a.Set[0] != a.Top[0].Label || a.Unknown != (a.Far || float64(a.Top[0].P) < summary.Threshold.Value) {
			t.Errorf("%+v with threshold %g", a, summary.Threshold.Value)
		}
	}
	for _, a := range lines[jsonAnswer](t, must(t, "classify", "-m", best, "--json", "--threshold", "1", data).stdout) {
		if !a.Unknown && a.Top[0].P < 1 {
			t.Errorf("%+v is known with a threshold of 1", a)
		}
	}
	if text := must(t, "classify", "-m", best, "--sets", "1", data).stdout; strings.Count(text, " or ") != 2*69 {
		t.Errorf("sets of everything: %s", text)
	}
	wrong{"no decisions", []string{"classify", "-m", model, "--sets", "0.9", data}, statusModel, "--sets: the model does not know"}.check(t, "")
	wrong{"csv", []string{"classify", "-m", best, "--sets", "0.9", "--format", "csv", data}, statusUsage, "--sets needs"}.check(t, "")
	wrong{"no precision", trainArgs(data, filepath.Join(t.TempDir(), "run"), "--threshold", "auto", "--precision", "0"), statusUsage, "--precision must be"}.check(t, "")
	selecting := []string{"--mode", "heads", "--threshold", "auto", "--select-on", "test"}
	wrong{"no photos for it", trainArgs(data, filepath.Join(t.TempDir(), "run"), selecting...), statusUsage, "no photos are left"}.check(t, "")
	wrong{"precision alone", trainArgs(data, filepath.Join(t.TempDir(), "run"), "--precision", "0.9"), statusUsage, "--precision does nothing without --threshold auto"}.check(t, "")
}
