package weights_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/photo"
	"regraft/weights"
)

// TestTransformers imports models of Hugging Face's transformers with random weights and compares the logits, the labels and the
// preprocessing with what lies beside them.
func TestTransformers(t *testing.T) {
	interpreter := python(t, "import transformers, timm")
	isa, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range []string{"resnet18", "resnet50", "convnext_tiny"} {
		t.Run(family, func(t *testing.T) {
			dir := t.TempDir()
			if out, err := exec.Command(interpreter, filepath.Join("testdata", "transformers_reference.py"), family, dir).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			i, err := weights.Import(filepath.Join(dir, "model.safetensors"), weights.Options{})
			if err != nil {
				t.Fatal(err)
			}
			meta := i.Net.Meta
			if meta.Arch != family || !slices.Equal(meta.Labels, []string{"thing 0", "thing 1", "thing 2", "thing 3", "thing 4"}) {
				t.Errorf("%s with the labels %q", meta.Arch, meta.Labels)
			}
			if p := meta.Preprocess; p.Mean != [3]float32{0.4, 0.5, 0.6} || p.Short != 256 || p.Size != photo.Square(224) || p.Resize != "crop" || p.Resample != "bicubic" {
				t.Errorf("preprocessing %+v", p)
			}
			compareLogits(t, i.Net, dir, plan.Options{ISA: isa})
		})
	}
}
