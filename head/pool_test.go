package head_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/engine/run"
	"regraft/golden"
	"regraft/head"
	"regraft/onnx"
)

// TestPool compares pooled features with what the tokens of ONNX Runtime give, and says what auto takes.
func TestPool(t *testing.T) {
	for _, c := range []struct {
		file    string
		how     head.Pooling
		special int    // tokens before the patches
		own     bool   // the features are the second output
		said    string // "" where how is an error
	}{
		{"hf_vit_features.dyn23", head.PoolClass, 1, false, "cls of output"},
		{"hf_vit_features.dyn23", head.PoolMean, 1, false, "mean of output"},
		{"hf_vit_features.dyn23", head.PoolBoth, 1, false, "cls+mean of output"},
		{"hf_vit_features.dyn23", head.PoolAuto, 1, false, "cls of output"}, // its own pool ends in tanh
		{"hf_dinov2_features.dyn18", head.PoolAuto, 1, true, "the network's own pool"},
		{"hf_siglip.dyn20", head.PoolAuto, 0, true, "the network's own pool"},
		{"hf_siglip.dyn20", head.PoolMean, 0, false, "mean of output"},
		{"hf_siglip.dyn20", head.PoolClass, 0, false, ""},
		{"timm_vit.ts14", head.PoolMean, 0, false, ""}, // it has a classifier alone
	} {
		t.Run(c.file+" "+string(c.how), func(t *testing.T) {
			net, want := backbone(t, c.file)
			pooled, said, err := head.Pool(net, c.how)
			if c.said == "" {
				if err == nil {
					t.Errorf("no error, but %q", said)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(said, c.said) {
				t.Errorf("said %q, want %q", said, c.said)
			}
			how := c.how
			if how == head.PoolAuto {
				how = head.PoolClass
			}
			expected := want["ort_1"].Data
			if !c.own {
				expected = pool(want["ort_0"], how, c.special)
			}
			a, err := head.AnswersOf(pooled)
			if err != nil || !a.Features || a.Classes != 0 {
				t.Fatalf("answers %+v, %v", a, err)
			}
			got := inferred(t, a.Net, want["input"])
			if len(got) != len(expected) {
				t.Fatalf("%d features, want %d", len(got), len(expected))
			}
			for i := range got {
				if d := math.Abs(float64(got[i] - expected[i])); !(d <= 1e-5*max(1, math.Abs(float64(expected[i])))) {
					t.Fatalf("feature %d is %v, want %v", i, got[i], expected[i])
				}
			}
			swapped, err := head.Swap(pooled, []string{"a", "b"}, 1)
			if err != nil {
				t.Fatal(err)
			}
			if again, said, err := head.Pool(swapped, head.PoolAuto); err != nil || again != swapped || said != "" {
				t.Errorf("with a classifier: %q, %v", said, err)
			}
		})
	}
}

// pool does with arrays what head.Pool does in the network.
func pool(tokens golden.Array, how head.Pooling, special int) (features []float32) {
	n, rows, width := tokens.Shape[0], tokens.Shape[1], tokens.Shape[2]
	for k := range n {
		photo := tokens.Data[k*rows*width:][:rows*width]
		if how != head.PoolMean {
			features = append(features, photo[:width]...)
		}
		if how == head.PoolClass {
			continue
		}
		for c := range width {
			sum := 0.0
			for r := special; r < rows; r++ {
				sum += float64(photo[r*width+c])
			}
			features = append(features, float32(sum/float64(rows-special)))
		}
	}
	return features
}

func backbone(t *testing.T, name string) (*engine.Network, map[string]golden.Array) {
	t.Helper()
	path := filepath.Join("..", "onnx", "testdata", "backbones", name)
	net, _, err := onnx.ReadBytes(golden.Unpacked(t, path+".onnx.gz"), onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	absolute, err := filepath.Abs(path + ".npz")
	if err != nil {
		t.Fatal(err)
	}
	return net, golden.Npz(t, absolute)
}

func inferred(t *testing.T, net *engine.Network, input golden.Array) []float32 {
	t.Helper()
	n := input.Shape[0]
	net, err := net.WithBatch(n)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Inference(net, plan.Options{ISA: kernel.Go})
	if err != nil {
		t.Fatal(err)
	}
	m, err := run.New(p, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Infer(input.Data, n); err != nil {
		t.Fatal(err)
	}
	return m.Output(0)[:net.Outputs[0].Node.Shape().TotalSize()]
}
