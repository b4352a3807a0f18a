package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo runs the quick demonstration to its end and then its last command.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("renders photos and trains twice")
	}
	out := filepath.Join(t.TempDir(), "demo")
	r := must(t, "demo", "--quick", "--out", out, "--seed", "3")
	for _, says := range []string{"1. Photos", "2. Model", "3. Heads", "random weights", "4. Fine-tune", "row: true class", "5. Classify", "your own photos"} {
		if !strings.Contains(r.stdout, says) {
			t.Errorf("the demonstration does not say %q:\n%s", says, r.stdout)
		}
	}
	for _, f := range []string{
		"photos/train/coast/0001.jpg", "photos/test/street/0011.jpg", "regraft-mini.onnx",
		"heads/best.onnx", "full/best.onnx", "full/confusion.png", "full/curves.png", "full/report.html", "full/MODEL_CARD.md", "heads/report.html", "full/results.csv", "classified.csv",
	} {
		if _, err := os.Stat(filepath.Join(out, f)); err != nil {
			t.Error(err)
		}
	}
	table, err := os.ReadFile(filepath.Join(out, "classified.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(table), "\n"); n != 1+9*4 {
		t.Errorf("classified.csv has %d lines, want a header and 36", n)
	}
	must(t, "classify", "--model", filepath.Join(out, "full", "best.onnx"), filepath.Join(out, "photos", "test", "coast"))

	if again := run(t, "demo", "--quick", "--out", out); again.status != statusUsage || !strings.Contains(again.stderr, "not empty") {
		t.Errorf("a folder that is not empty: exit status %d, %s", again.status, again.stderr)
	}
}
