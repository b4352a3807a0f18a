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

// TestPooledHeads trains heads on a network that ends in tokens, goes on with the run, which args.json tells the pool of, to the bits of a
// longer one, and embeds with every pool.
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
	train := []string{"train", "--mode", "heads", "-m", model, "--data", photos, "--pool", "cls+mean", "--mean", "0", "--std", "1", "--no-cache",
		"--opt", "sgd", "--sched", "constant", "-o"}
	must(t, append(train, out, "--epochs", "2")...)
	for _, r := range []result{
		must(t, "train", "--resume", "-o", out, "--epochs", "4"), must(t, append(train, filepath.Join(dir, "longer"), "--epochs", "4")...),
	} {
		if !strings.Contains(r.stderr, "its features are cls+mean of output") {
			t.Errorf("train says %s", r.stderr)
		}
	}
	var models [2][]byte
	for i, run := range []string{out, filepath.Join(dir, "longer")} {
		if models[i], err = os.ReadFile(filepath.Join(run, "best.onnx")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(models[0], models[1]) {
		t.Error("the run that went on has other bits")
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
