package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestDecodeFast: train stores how photos were decoded, and the other commands read it there.
func TestDecodeFast(t *testing.T) {
	data, out := dataset(t, 2, 1), filepath.Join(t.TempDir(), "run")
	must(t, "train", "--model", model, "--data", data, "--out", out, "--epochs", "1", "--decode", "fast")
	best := filepath.Join(out, "best.onnx")
	if r := must(t, "inspect", best); !strings.Contains(r.stdout, "decoded fast") {
		t.Errorf("inspect: %s", r.stdout)
	}
	photo := filepath.Join(data, "test", "sea")
	if r := must(t, "classify", "--model", best, photo); r.stderr != "" {
		t.Errorf("classify: %q", r.stderr)
	}
	if r := must(t, "eval", "--model", best, "--data", data, "--decode", "exact"); !strings.Contains(r.stderr, "decode exact instead of fast") {
		t.Errorf("eval: %q", r.stderr)
	}
}

func TestByteCount(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "1000": 1000, "3K": 3 << 10, "512m": 512 << 20, "2G": 2 << 30} {
		if got, err := byteCount(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "M", "1T", "1.5G", "9223372036854775807K", "12 M"} {
		if got, err := byteCount(text); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
	if r := run(t, "classify", "--model", model, "--decode-memory", "much", "x.jpg"); r.status != statusUsage || !strings.Contains(r.stderr, "512M") {
		t.Errorf("exit status %d: %s", r.status, r.stderr)
	}
}
