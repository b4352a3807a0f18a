package weights_test

import (
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/engine/run"
	"regraft/golden"
	"regraft/photo"
	"regraft/weights"
)

// TestSwin imports Swin transformers of three libraries with random weights, and compares logits, and of torchvision's the gradients of one
// step, with the library's own.
func TestSwin(t *testing.T) {
	interpreter := python(t, "import transformers, timm, torchvision")
	isa, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		model, family string
		train         bool
	}{
		{"torchvision:swin_t", "swin_t", true},
		{"torchvision:swin_s", "swin_s", false},
		{"torchvision:swin_b", "swin_b", false},
		{"torchvision:swin_v2_t", "swin_v2_t", true},
		{"torchvision:swin_v2_s", "swin_v2_s", false},
		{"torchvision:swin_v2_b", "swin_v2_b", false},
		{"timm:swin_tiny_patch4_window7_224", "swin_t", false},
		{"timm:swinv2_tiny_window8_256", "swin_v2_t", false},
		{"transformers:swin", "swin_t", false},
		{"transformers:swinv2", "swin_v2_t", false},
	} {
		t.Run(c.model, func(t *testing.T) {
			dir := t.TempDir()
			args := []string{filepath.Join("testdata", "swin_reference.py"), c.model, dir}
			if c.train {
				args = append(args, "--train")
			}
			if out, err := exec.Command(interpreter, args...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			path := filepath.Join(dir, "model.safetensors")
			i, err := weights.Import(path, weights.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if i.Net.Meta.Arch != c.family {
				t.Errorf("taken for %s, want %s", i.Net.Meta.Arch, c.family)
			}
			if _, err := weights.Import(path, weights.Options{Size: photo.Square(192)}); err == nil || !strings.Contains(err.Error(), "is for photos of") {
				t.Errorf("photos of 192 pixels: %v", err)
			}
			want := golden.Npz(t, filepath.Join(dir, "model.npz"))
			compareOutputs(t, i.Net, want, plan.Options{ISA: isa})
			if c.train {
				compareStep(t, i.Net, want, plan.Options{ISA: isa})
			}
		})
	}
}

// compareStep compares the loss and the gradients of a step with float64's. A bias of relative positions trains place by place: what a table
// would get is the sum.
func compareStep(t *testing.T, net *engine.Network, want map[string]golden.Array, o plan.Options) {
	t.Helper()
	none := float32(0)
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: 1, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Training(obj, o)
	if err != nil {
		t.Fatal(err)
	}
	if k := slices.IndexFunc(p.Steps, func(s plan.Step) bool { return s.Interpreted() }); k >= 0 {
		t.Errorf("training: %s of %s is interpreted", p.Steps[k].Op, p.Steps[k].Shapes)
	}
	m, err := run.New(p, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Step(want["input"].Data, want["labels"].Data, 0); err != nil {
		t.Fatal(err)
	}
	if loss, ref := float64(m.Losses()[0]), float64(want["loss"].Data[0]); math.Abs(loss-ref) > 1e-5*ref {
		t.Errorf("loss %v, want %v", loss, ref)
	}
	largest := float32(0)
	var tables []string
	for name, a := range want {
		if strings.HasPrefix(name, "gradient.") {
			largest = max(largest, slices.Max(a.Data), -slices.Min(a.Data))
		}
		if strings.HasSuffix(name, "relative_position_bias_table") {
			tables = append(tables, name)
		}
	}
	slices.Sort(tables)
	gradients, compared, worst := m.Gradients(), 0, 0.0
	for _, slot := range p.Params {
		name, g := "gradient."+slot.Param.Name, gradients[slot.Param.Name]
		if want[name].Data == nil && len(slot.Param.Shape) == 4 && len(tables) > 0 {
			name, tables = tables[0], tables[1:]
			g = byDistance(g, slot.Param.Shape[1], slot.Param.Shape[2])
		}
		ref := want[name].Data
		if len(ref) != len(g) {
			t.Errorf("%s: %d values, want %d", name, len(g), len(ref))
			continue
		}
		size := max(slices.Max(ref), -slices.Min(ref))
		off := 0.0
		for k := range ref {
			off = max(off, math.Abs(float64(g[k]-ref[k]))/float64(size))
		}
		if compared++; !(off <= 1e-4) && size >= 1e-6*largest { // smaller ones, as of keys' biases, which Softmax does not see, are noise
			t.Errorf("%s: relative error %.1e, want at most 1e-4", name, off)
		} else if size >= 1e-6*largest {
			worst = max(worst, off)
		}
	}
	t.Logf("loss %v, %d gradients: relative errors up to %.1e", m.Losses()[0], compared, worst)
	if compared < 150 || len(tables) > 0 {
		t.Errorf("%d gradients were compared, and not those of %q", compared, tables)
	}
}

// byDistance sums what is for (heads, queries, keys) of a square window by the distances of queries and keys, (distances, heads).
func byDistance(g []float32, heads, tokens int) []float32 {
	side := int(math.Sqrt(float64(tokens)))
	sums := make([]float32, (2*side-1)*(2*side-1)*heads)
	for k, v := range g {
		h, q, key := k/(tokens*tokens), k/tokens%tokens, k%tokens
		rows, columns := q/side-key/side+side-1, q%side-key%side+side-1
		sums[(rows*(2*side-1)+columns)*heads+h] += v
	}
	return sums
}
