package onnx

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/sbinet/npyio/npz"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/golden"
)

// interpret runs a network with the operators' reference computation.
func interpret(t testing.TB, net *engine.Network, input []float32) [][]float32 {
	t.Helper()
	values := map[*gorgonia.Node]gorgonia.Value{
		net.Input: tensor.New(tensor.WithShape(net.Input.Shape()...), tensor.WithBacking(input)),
	}
	for _, p := range net.Params {
		values[p.Node] = tensor.New(tensor.WithShape(p.Shape...), tensor.WithBacking(p.Value))
	}
	for _, n := range net.Nodes() {
		var in []gorgonia.Value
		for _, x := range op.Inputs(n) {
			in = append(in, values[x])
		}
		out, err := n.Op().Do(in...)
		if err != nil {
			t.Fatalf("%s: %v", net.Label(n), err)
		}
		values[n] = out
	}
	var outputs [][]float32
	for _, o := range net.Outputs {
		outputs = append(outputs, values[o.Node].Data().([]float32))
	}
	return outputs
}

// distance is the largest absolute difference over the largest absolute reference value.
func distance(t testing.TB, got, want []float32) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	worst, scale := 0.0, 0.0
	for i := range want {
		worst = math.Max(worst, math.Abs(float64(got[i])-float64(want[i])))
		scale = math.Max(scale, math.Abs(float64(want[i])))
		if got[i] != got[i] {
			return math.Inf(1)
		}
	}
	return worst / scale
}

// reference is a fixture's stored outputs.
type reference struct {
	input   []float32
	batch   int
	outputs map[string][]float32
}

func readReference(t testing.TB, path string) reference {
	t.Helper()
	r, err := npz.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ref := reference{outputs: map[string][]float32{}}
	for _, key := range r.Keys() {
		var values []float32
		if err := r.Read(key, &values); err != nil {
			t.Fatalf("%s: %s: %v", path, key, err)
		}
		if key == "input.npy" || key == "input" {
			ref.input, ref.batch = values, r.Header(key).Descr.Shape[0]
		} else {
			ref.outputs[key] = values
		}
	}
	return ref
}

// TestFixtures imports the exports of every tool and compares with what PyTorch and ONNX Runtime computed.
func TestFixtures(t *testing.T) {
	dir := filepath.Join(golden.Dir(t), "fixtures")
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest []struct {
		Name    string
		Outputs []string
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	for _, f := range manifest {
		t.Run(f.Name, func(t *testing.T) {
			ref := readReference(t, filepath.Join(dir, f.Name+".npz"))
			net, _, err := Read(filepath.Join(dir, f.Name+".onnx"), ReadOptions{Batch: ref.batch})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, net, ref)
		})
	}
}

func compare(t *testing.T, net *engine.Network, ref reference) {
	t.Helper()
	outputs := interpret(t, net, ref.input)
	for i, got := range outputs {
		for _, tool := range []string{"torch_eval_", "ort_"} {
			key := tool + string(rune('0'+i))
			want, ok := ref.outputs[key+".npy"]
			if !ok {
				want, ok = ref.outputs[key]
			}
			if !ok {
				continue
			}
			d := distance(t, got, want)
			t.Logf("%s: %.1e", key, d)
			if !(d <= 1e-4) {
				t.Errorf("%s: relative error %.1e, want at most 1e-4", key, d)
			}
		}
	}
}
