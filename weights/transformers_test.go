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
	labels := []string{"thing 0", "thing 1", "thing 2", "thing 3", "thing 4"}
	for _, c := range []struct {
		model, family string
		labels        []string
	}{
		{"resnet18", "resnet18", labels}, {"resnet50", "resnet50", labels}, {"convnext_tiny", "convnext_tiny", labels},
		{"convnextv2_atto", "convnextv2_atto", labels}, {"dinov3_convnext_tiny", "convnext_tiny", nil},
	} {
		t.Run(c.model, func(t *testing.T) {
			dir := t.TempDir()
			if out, err := exec.Command(interpreter, filepath.Join("testdata", "transformers_reference.py"), c.model, dir).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			i, err := weights.Import(filepath.Join(dir, "model.safetensors"), weights.Options{})
			if err != nil {
				t.Fatal(err)
			}
			meta := i.Net.Meta
			if meta.Arch != c.family || !slices.Equal(meta.Labels, c.labels) {
				t.Errorf("%s with the labels %q", meta.Arch, meta.Labels)
			}
			if p := meta.Preprocess; p.Mean != [3]float32{0.4, 0.5, 0.6} || p.Short != 256 || p.Size != photo.Square(224) || p.Resize != "crop" || p.Resample != "bicubic" {
				t.Errorf("preprocessing %+v", p)
			}
			compareLogits(t, i.Net, dir, plan.Options{ISA: isa})
		})
	}
}
