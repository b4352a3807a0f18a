package weights_test

import (
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/engine/run"
	"regraft/golden"
	"regraft/photo"
	"regraft/weights"
)

// TestVit imports vision transformers of three libraries with random weights, and compares every output with the library's own.
func TestVit(t *testing.T) {
	interpreter := python(t, "import transformers, timm, torchvision")
	isa, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		model, family, size string
		plain               bool
		outputs             []string
	}{
		{"torchvision:vit_b_32", "vit_b_32", "", false, []string{"logits"}},
		{"torchvision:vit_b_16", "vit_b_16", "", false, []string{"logits"}},
		{"torchvision:vit_b_32", "vit_b_32", "320x320", false, []string{"logits"}},
		{"timm:vit_tiny_patch16_224", "vit_t_16", "", false, []string{"logits"}},
		{"timm:vit_tiny_patch16_224", "vit_t_16", "160x96", false, []string{"logits"}},
		{"timm:vit_small_patch14_dinov2", "dinov2_small", "224x224", false, []string{"last_hidden_state"}},
		{"timm:vit_small_patch14_reg4_dinov2", "dinov2_small_reg", "224x224", true, []string{"last_hidden_state"}},
		{"timm:deit_tiny_distilled_patch16_224", "deit_t_16_distilled", "", false, []string{"logits"}},
		{"timm:vit_base_patch32_clip_224", "clip_vit_b_32", "", false, []string{"logits"}},
		{"timm:vit_base_patch32_clip_quickgelu_224", "clip_vit_b_32", "", false, []string{"logits"}},
		{"timm:vit_base_patch16_siglip_224", "siglip_b_16", "", false, []string{"last_hidden_state", "pooler_output"}},
		{"timm:beit_base_patch16_224", "beit_b_16", "", false, []string{"logits"}},
		{"transformers:vit", "vit_b_16", "", false, []string{"logits"}},
		{"transformers:vit_small", "vit_s_16", "288x192", true, []string{"pooler_output", "last_hidden_state"}},
		{"transformers:dinov2", "dinov2_small", "224x224", false, []string{"logits"}},
		{"transformers:dinov2_features", "dinov2_small", "112x140", true, []string{"last_hidden_state"}},
		{"transformers:dinov2_reg", "dinov2_small_reg", "224x224", false, []string{"last_hidden_state"}},
		{"transformers:clip", "clip_vit_b_32", "", false, []string{"image_embeds", "pooler_output", "last_hidden_state"}},
		{"transformers:clip_vision", "clip_vit_b_32", "", true, []string{"pooler_output", "last_hidden_state"}},
		{"transformers:siglip", "siglip_b_16", "", false, []string{"pooler_output", "last_hidden_state"}},
		{"transformers:siglip_vision", "siglip_b_16", "256x256", true, []string{"pooler_output", "last_hidden_state"}},
		{"transformers:deit", "deit_s_16_distilled", "", false, []string{"logits"}},
		{"transformers:beit", "beit_b_16", "", false, []string{"logits"}},
	} {
		t.Run(c.model+" "+c.size, func(t *testing.T) {
			dir := t.TempDir()
			args := []string{filepath.Join("testdata", "vit_reference.py"), c.model, dir}
			o := weights.Options{}
			if c.size != "" {
				args = append(args, "--size", c.size)
				o.Size = sizeOf(t, c.size)
			}
			if c.plain {
				args = append(args, "--plain")
			}
			if out, err := exec.Command(interpreter, args...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			i, err := weights.Import(filepath.Join(dir, "model.safetensors"), o)
			if err != nil {
				t.Fatal(err)
			}
			if i.Net.Meta.Arch != c.family {
				t.Errorf("taken for %s, want %s", i.Net.Meta.Arch, c.family)
			}
			var names []string
			for _, out := range i.Net.Outputs {
				names = append(names, out.Name)
			}
			slices.Sort(names)
			slices.Sort(c.outputs)
			if !slices.Equal(names, c.outputs) {
				t.Errorf("outputs %q, want %q", names, c.outputs)
			}
			compareOutputs(t, i.Net, golden.Npz(t, filepath.Join(dir, "model.npz")), plan.Options{ISA: isa})
			t.Log(i.Notes)
		})
	}
}

func sizeOf(t *testing.T, text string) photo.Size {
	t.Helper()
	size, err := photo.ParseSize(text)
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// compareOutputs runs the network on the input and compares each output with that of its name. No step may be interpreted.
func compareOutputs(t *testing.T, net *engine.Network, want map[string]golden.Array, o plan.Options) {
	t.Helper()
	input := want["input"]
	net, err := net.WithBatch(input.Shape[0])
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Inference(net, o)
	if err != nil {
		t.Fatal(err)
	}
	var slow []string
	for i := range p.Steps {
		if p.Steps[i].Interpreted() {
			slow = append(slow, p.Steps[i].Op)
		}
	}
	if len(slow) > 0 {
		t.Errorf("interpreted: %q", slow)
	}
	m, err := run.New(p, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Infer(input.Data, input.Shape[0]); err != nil {
		t.Fatal(err)
	}
	for k, out := range net.Outputs {
		name := out.Name
		ref, ok := want[name]
		if !ok || !slices.Equal(ref.Shape, []int(out.Node.Shape())) {
			t.Fatalf("%s: shape %v, want %v", name, out.Node.Shape(), ref.Shape)
		}
		worst, largest := 0.0, 0.0
		for i, got := range m.Output(k)[:len(ref.Data)] {
			if e := math.Abs(float64(got - ref.Data[i])); !(e <= worst) {
				worst = e
			}
			largest = max(largest, math.Abs(float64(ref.Data[i])))
		}
		if !(worst <= 1e-4*largest) {
			t.Errorf("%s: relative error %.1e, want at most 1e-4", name, worst/largest)
		}
		t.Logf("%s: relative error %.1e", name, worst/largest)
	}
}
