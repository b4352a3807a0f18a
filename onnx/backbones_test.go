package onnx

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/engine/run"
	"regraft/golden"
)

// backbone is a file of testdata/backbones.py with what PyTorch and ONNX Runtime computed.
type backbone struct {
	net    *engine.Network
	arrays map[string]golden.Array
}

func readBackbone(t *testing.T, path string) backbone {
	t.Helper()
	net, _, err := ReadBytes(golden.Unpacked(t, path), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return backbone{net, golden.Npz(t, absolute(t, strings.TrimSuffix(path, ".onnx.gz")+".npz"))}
}

func backbonePaths(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "backbones", "*.onnx.gz"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("testdata/backbones holds no models (%v)", err)
	}
	return paths
}

// TestBackbones compares all outputs with ONNX Runtime's and PyTorch's, in a batch and image by image, and after the network was
// written and read again.
func TestBackbones(t *testing.T) {
	for _, path := range backbonePaths(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".onnx.gz"), func(t *testing.T) {
			b := readBackbone(t, path)
			p, err := plan.Inference(b.net, plan.Options{ISA: kernel.Go})
			if err != nil {
				t.Fatal(err)
			}
			checkCompiled(t, strings.TrimSuffix(filepath.Base(path), ".onnx.gz"), p)
			input := b.arrays["input"]
			images := input.Shape[0]
			batch := runBatch(t, b.net, input.Data, images)
			for i := range b.net.Outputs {
				at := b.fileOrder(t, i)
				for _, key := range []string{fmt.Sprintf("ort_%d", at), fmt.Sprintf("torch_eval_%d", at)} {
					if d := distance(t, batch[i], b.arrays[key].Data); !(d <= 1e-5) {
						t.Errorf("%s: relative error %.1e, want at most 1e-5", key, d)
					}
				}
			}
			size := len(input.Data) / images
			for k := range images {
				for i, alone := range runBatch(t, b.net, input.Data[k*size:][:size], 1) {
					if row := batch[i][k*len(alone):][:len(alone)]; !slices.Equal(row, alone) {
						t.Errorf("output %d of image %d is another one alone", i, k)
					}
				}
			}
			for i, again := range runBatch(t, exportAndRead(t, b.net), input.Data, images) {
				if d := distance(t, again, batch[i]); !(d <= 1e-5) {
					t.Errorf("output %d, written and read again: relative error %.1e", i, d)
				}
			}
		})
	}
}

// fileOrder is the number of the network's output i in the file, which need not begin with the main one.
func (b backbone) fileOrder(t *testing.T, i int) int {
	t.Helper()
	got := b.net.Outputs[i].Node.Shape()
	for k := 0; ; k++ {
		want, ok := b.arrays[fmt.Sprintf("ort_%d", k)]
		if !ok {
			t.Fatalf("no reference has the shape %v of output %d", got, i)
		}
		if slices.Equal(want.Shape[1:], got[1:]) {
			return k
		}
	}
}

func runBatch(t *testing.T, net *engine.Network, input []float32, images int) [][]float32 {
	t.Helper()
	net, err := net.WithBatch(images)
	if err != nil {
		t.Fatal(err)
	}
	return interpreter{net: net}.run(t, input)
}

// TestBackboneGradients compares the loss and the gradients of one step of training with PyTorch's.
func TestBackboneGradients(t *testing.T) {
	for _, path := range backbonePaths(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".onnx.gz")
		b := readBackbone(t, path)
		labels, ok := b.arrays["labels"]
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			none, images := float32(0), b.arrays["input"].Shape[0]
			obj, err := engine.NewObjective(b.net, engine.ObjectiveOptions{Batch: images, Dropout: &none})
			if err != nil {
				t.Fatal(err)
			}
			p, err := plan.Training(obj, plan.Options{ISA: kernel.Go})
			if err != nil {
				t.Fatal(err)
			}
			m, err := run.New(p, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if err := m.Step(b.arrays["input"].Data, labels.Data, 0); err != nil {
				t.Fatal(err)
			}
			if loss, want := float64(m.Losses()[0]), float64(b.arrays["loss"].Data[0]); math.Abs(loss-want) > 1e-5*want {
				t.Errorf("loss %v, want %v", loss, want)
			}
			b.compareGradients(t, name, p, m)
			checkCompiled(t, name, p)
		})
	}
}

// interpreted are families whose steps are not all compiled.
var interpreted = []string{"adaptive_pool"}

// checkCompiled fails where a step is interpreted in a family that has no such steps, or none in one that should.
func checkCompiled(t *testing.T, name string, p *plan.Program) {
	t.Helper()
	var found []string
	for i := range p.Steps {
		if p.Steps[i].Interpreted() {
			found = append(found, p.Steps[i].Node+": "+p.Steps[i].Op)
		}
	}
	family, _, _ := strings.Cut(name, ".")
	if slices.Contains(interpreted, family) == (len(found) == 0) {
		t.Errorf("interpreted: %q", found)
	}
}

// compareGradients finds PyTorch's gradient of each parameter by its name, or where the exporter lost that, as one of the same size with
// equal numbers, transposed or not. Parameters that the exporter computed of others have none.
func (b backbone) compareGradients(t *testing.T, name string, p *plan.Program, m *run.Machine) {
	t.Helper()
	left, largest := map[string]golden.Array{}, float32(0)
	for name, a := range b.arrays {
		if name, ok := strings.CutPrefix(name, "gradient."); ok {
			left[name] = a
			largest = max(largest, slices.Max(a.Data), -slices.Min(a.Data))
		}
	}
	gradients := m.Gradients()
	for _, slot := range p.Params {
		g := gradients[slot.Param.Name]
		if want, ok := left[slot.Param.Name]; ok && len(want.Data) == len(g) {
			tiny := max(slices.Max(want.Data), -slices.Min(want.Data)) < 1e-6*largest // as of keys' biases, which Softmax does not see
			if d := gradientDistance(t, slot.Param.Shape, g, want); !(d <= 1e-4) && !tiny {
				t.Errorf("gradient of %s: relative error %.1e", slot.Param.Name, d)
			}
			delete(left, slot.Param.Name)
			continue
		}
		for other, want := range left {
			if len(want.Data) == len(g) && gradientDistance(t, slot.Param.Shape, g, want) <= 1e-4 {
				delete(left, other)
				break
			}
		}
	}
	names := slices.Sorted(maps.Keys(left))
	if !slices.Equal(names, computedParameters[name]) {
		t.Errorf("no parameter has the gradients of %q, want those of %q alone", names, computedParameters[name])
	}
}

// computedParameters are those whose place in the file is taken by something that the exporter, or the import, computed of them.
var computedParameters = map[string][]string{
	"torchvision_swin.dyn20": {"features.1.0.attn.relative_position_bias_table", "features.1.1.attn.relative_position_bias_table"},
	"timm_swin.dyn23": {
		"layers.0.blocks.0.attn.relative_position_bias_table", "layers.0.blocks.1.attn.relative_position_bias_table",
		"layers.1.blocks.0.attn.relative_position_bias_table", "layers.1.blocks.1.attn.relative_position_bias_table",
	},
	"torchvision_swin_v2.dyn20": {
		"features.1.0.attn.cpb_mlp.0.weight", "features.1.0.attn.logit_scale", "features.1.1.attn.cpb_mlp.0.weight", "features.1.1.attn.logit_scale",
	},
	"timm_swin_v2.ts17": {
		"layers.0.blocks.0.attn.q_bias", "layers.0.blocks.0.attn.v_bias", "layers.0.blocks.1.attn.q_bias", "layers.0.blocks.1.attn.v_bias",
	},
	"timm_swin_v2.dyn23": { // so small a bias is computed by the exporter
		"layers.0.blocks.0.attn.cpb_mlp.0.bias", "layers.0.blocks.0.attn.cpb_mlp.0.weight", "layers.0.blocks.0.attn.cpb_mlp.2.weight",
		"layers.0.blocks.0.attn.logit_scale", "layers.0.blocks.0.attn.q_bias", "layers.0.blocks.0.attn.v_bias",
		"layers.0.blocks.1.attn.cpb_mlp.0.bias", "layers.0.blocks.1.attn.cpb_mlp.0.weight", "layers.0.blocks.1.attn.cpb_mlp.2.weight",
		"layers.0.blocks.1.attn.logit_scale", "layers.0.blocks.1.attn.q_bias", "layers.0.blocks.1.attn.v_bias",
	},
	"levit_conv.ts17": { // BatchNorms are in the convolutions, and the table is what the attention picks of it
		"1.attention_biases", "1.proj.ln.bn.weight", "1.proj.ln.linear.weight", "1.qkv.bn.weight", "1.qkv.linear.weight",
	},
	"map_attention.ts17": {"1.rel_pos.relative_position_bias_table"},
	"multi_query.ts17":   {"1.key.down_conv.weight", "1.key.norm.bias", "1.key.norm.weight", "1.value.down_conv.weight", "1.value.norm.weight"},
	"multi_query.dyn20":  {"1.key.down_conv.weight", "1.key.norm.bias", "1.key.norm.weight", "1.value.down_conv.weight", "1.value.norm.weight"},
	"timm_eva02.dyn23":   {"blocks.0.attn.q_bias", "blocks.0.attn.v_bias"},
	"timm_deit.dyn20":    {"head.bias", "head.weight", "head_dist.bias", "head_dist.weight"}, // one layer
	"timm_beit.ts17":     {"blocks.0.attn.q_bias", "blocks.0.attn.relative_position_bias_table", "blocks.0.attn.v_bias"},
}

// gradientDistance is distance for a matrix that may be transposed.
func gradientDistance(t *testing.T, shape []int, got []float32, want golden.Array) float64 {
	t.Helper()
	d := distance(t, got, want.Data)
	if len(shape) != 2 {
		return d
	}
	turned := make([]float32, len(got))
	for i := range got {
		turned[i%shape[1]*shape[0]+i/shape[1]] = got[i]
	}
	return min(d, distance(t, turned, want.Data))
}
