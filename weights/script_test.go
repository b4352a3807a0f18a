package weights_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/onnx"
	"regraft/weights"
)

var exportScript = filepath.Join("..", "scripts", "export_inception_v3.py")

// TestExportScript: what the script makes of a state dict has the same logits, and in training form every tensor, running
// statistics included, as it was.
func TestExportScript(t *testing.T) {
	interpreter := python(t, "import torch, torchvision")
	isa, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	const family = "inception_v3" // has BatchNorm, Dropout, an auxiliary output and transform_input
	s := newState(t, family)
	tensors, err := weights.Open(s.files["pth"])
	if err != nil {
		t.Fatal(err)
	}
	for mode, batchnorm := range map[string]onnx.BatchNorm{"train": "trainable", "eval": "folded"} {
		file := filepath.Join(t.TempDir(), mode+".onnx")
		if out, err := exec.Command(interpreter, exportScript, file, "--weights", s.files["pth"], "--mode", mode, "--arch", family).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		net, info, err := onnx.Read(file, onnx.ReadOptions{Batch: s.arrays["input"].Shape[0]})
		if err != nil {
			t.Fatal(err)
		}
		if info.Dialect != onnx.Dialect("torchscript-"+mode) || info.BatchNorm != batchnorm {
			t.Errorf("%s: dialect %s, BatchNorm %s", mode, info.Dialect, info.BatchNorm)
		}
		s.checkInference(t, net, plan.Options{ISA: isa})
		if mode == "eval" {
			continue
		}
		for _, p := range net.Params {
			want, err := tensors.Get(p.Name).Values()
			if err != nil || !slices.Equal(p.Value, want) {
				t.Errorf("%s is not the state dict's (%v)", p.Name, err)
			}
		}
	}
}

// TestExportScriptWrong: one line says what is wrong.
func TestExportScriptWrong(t *testing.T) {
	interpreter := python(t, "import torch, torchvision")
	narrow := filepath.Join("testdata", "resnet18.pth")
	out := filepath.Join(t.TempDir(), "model.onnx")
	for want, args := range map[string][]string{
		"101 of another shape":          {out, "--weights", narrow, "--arch", "resnet18"},
		"16 missing":                    {out, "--weights", narrow, "--arch", "alexnet"},
		"no classifier called resnet19": {out, "--weights", narrow, "--arch", "resnet19"},
		"none.pth":                      {out, "--weights", "none.pth"},
		"cannot read this":              {out, "--weights", exportScript},
		"does not exist":                {filepath.Join(out, "model.onnx"), "--weights", narrow},
	} {
		said, err := exec.Command(interpreter, append([]string{exportScript}, args...)...).CombinedOutput()
		if text := string(said); err == nil || !strings.Contains(text, want) || strings.Count(text, "\n") != 1 {
			t.Errorf("%v: %v, %q should be one line that says %q", args, err, text, want)
		}
	}
}
