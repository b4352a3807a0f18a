package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestKeras is the way of a user who comes with tf2onnx's files: look, compare, train both ways, classify.
func TestKeras(t *testing.T) {
	data := dataset(t, 4, 2)
	for _, name := range []string{"inception_v3.tf2onnx.eval.op17", "inception_v3_stem.tf2onnx.eval.op9.nchw"} {
		file := filepath.Join("..", "onnx", "testdata", name+".onnx")
		if plan := must(t, "inspect", file, "--plan").stdout; strings.Contains(plan, " interpreted ") || !strings.Contains(plan, "Conv+Relu") {
			t.Errorf("%s: the plan has operators without a fast form:\n%s", name, plan)
		}
		must(t, "verify", file, "--against", strings.TrimSuffix(file, ".onnx")+".npz")
		for _, mode := range []string{"heads", "full"} {
			if testing.Short() && mode == "full" && strings.Contains(name, "stem") {
				continue
			}
			out := filepath.Join(t.TempDir(), "run")
			args := []string{"--model", file, "--data", data, "--out", out, "--mode", mode, "--epochs", "1", "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"}
			if r := must(t, append([]string{"train"}, args...)...); !strings.Contains(r.stderr, "main head linear1") {
				t.Errorf("%s, %s: %s", name, mode, r.stderr)
			}
			best := filepath.Join(out, "best.onnx")
			if r := must(t, "classify", "--model", best, filepath.Join(data, "test")); strings.Count(r.stdout, "\n") != 6 || r.stderr != "" {
				t.Errorf("%s, %s: %s%s", name, mode, r.stdout, r.stderr)
			}
		}
	}
	lost := filepath.Join("..", "onnx", "testdata", "refused", "keras_training.op17.onnx")
	if r := run(t, "inspect", lost); r.status != statusModel || !strings.Contains(r.stderr, "training=False") {
		t.Errorf("exit status %d: %s", r.status, r.stderr)
	}
}
