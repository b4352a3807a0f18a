package cli

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPooledHeads trains heads on a network that ends in tokens, resumes the run, and embeds with every pool.
func TestPooledHeads(t *testing.T) {
	packed, err := os.ReadFile(filepath.Join("..", "onnx", "testdata", "backbones", "hf_vit_features.dyn23.onnx.gz"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	model, photos, out := filepath.Join(dir, "tokens.onnx"), dataset(t, 12, 4), filepath.Join(dir, "run")
	if err := os.WriteFile(model, data, 0o644); err != nil {
		t.Fatal(err)
	}
	r := must(t, "train", "--mode", "heads", "-m", model, "--data", photos, "-o", out, "--pool", "cls+mean", "--mean", "0", "--std", "1", "--no-cache")
	if !strings.Contains(r.stderr, "its features are cls+mean of output") {
		t.Errorf("train says %s", r.stderr)
	}
	if r := must(t, "inspect", filepath.Join(out, "best.onnx")); !strings.Contains(r.stdout, "32 features -> ") || strings.Contains(r.stdout, "--pool") {
		t.Errorf("the trained model: %s", r.stdout)
	}
	for pool, features := range map[string]string{"cls": "16", "mean": "16", "cls+mean": "32", "auto": "16"} {
		r := must(t, "embed", "-m", model, photos, "-o", filepath.Join(dir, pool+".csv"), "--pool", pool, "--mean", "0", "--std", "1", "--no-cache")
		if !strings.Contains(r.stdout+r.stderr, features+" features of ") || !strings.Contains(r.stderr, "(--pool)") {
			t.Errorf("embed --pool %s says %s", pool, r.stderr)
		}
	}
	if r := run(t, "embed", "-m", filepath.Join(out, "best.onnx"), photos, "-o", filepath.Join(dir, "x.csv"), "--pool", "mean"); r.status != statusModel {
		t.Errorf("a pool of a classifier: status %d, %s", r.status, r.stderr)
	}
}
