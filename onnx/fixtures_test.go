package onnx

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/golden"
)

// interpreter runs a network with the operators' own reference computation.
type interpreter struct {
	net *engine.Network
	// training normalises with the statistics of the batch, as a training export does.
	training bool
	// statistics receives the batch statistics of every BatchNorm (training only).
	statistics func(n *gorgonia.Node, mean, variance []float32, count int)
}

func dense(shape []int, values []float32) gorgonia.Value {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))
}

// run returns the outputs for an input of the network's shape.
func (it interpreter) run(t testing.TB, input []float32) [][]float32 {
	t.Helper()
	values := map[*gorgonia.Node]gorgonia.Value{it.net.Input: dense(it.net.Input.Shape(), input)}
	for _, p := range it.net.Params {
		values[p.Node] = dense(p.Shape, p.Value)
	}
	for _, n := range it.net.Nodes() {
		var in []gorgonia.Value
		for _, x := range op.Inputs(n) {
			in = append(in, values[x])
		}
		var err error
		if norm, ok := n.Op().(*op.BatchNorm); ok && it.training {
			values[n], err = it.batchNorm(n, norm, in)
		} else {
			values[n], err = n.Op().Do(in...)
		}
		if err != nil {
			t.Fatalf("%s: %v", it.net.Label(n), err)
		}
	}
	var outputs [][]float32
	for _, o := range it.net.Outputs {
		outputs = append(outputs, values[o.Node].Data().([]float32))
	}
	return outputs
}

func (it interpreter) batchNorm(n *gorgonia.Node, norm *op.BatchNorm, in []gorgonia.Value) (gorgonia.Value, error) {
	stats, err := (&op.BatchStats{}).Do(in[0])
	if err != nil {
		return nil, err
	}
	if it.statistics != nil {
		rows := stats.Data().([]float32)
		c := len(rows) / 2
		it.statistics(n, rows[:c], rows[c:], in[0].Shape().TotalSize()/c)
	}
	return (&op.BatchNormTrain{Epsilon: norm.Epsilon}).Do(in[0], in[1], in[2], stats)
}

// distance is the largest absolute difference over the largest absolute reference value.
func distance(t testing.TB, got, want []float32) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	worst, scale := 0.0, 0.0
	for i := range want {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if !(d <= worst) { // NaN counts
			worst = d
		}
		scale = math.Max(scale, math.Abs(float64(want[i])))
	}
	return worst / scale
}

type fixture struct {
	Name    string
	Tool    string
	Train   bool
	Inputs  []string
	Outputs []string
}

// fixtures lists the real exports beside the checkout.
func fixtures(t testing.TB) (folder string, list []fixture) {
	t.Helper()
	folder = filepath.Join(golden.Dir(t), "fixtures")
	data, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return folder, list
}

// optionalFixtures is fixtures for tests that do without.
func optionalFixtures(t *testing.T) (folder string, list []fixture) {
	t.Run("shared", func(t *testing.T) { folder, list = fixtures(t) })
	return folder, list
}

// TestFixtures imports the exports of every tool and compares with what PyTorch and ONNX Runtime computed.
func TestFixtures(t *testing.T) {
	folder, list := fixtures(t)
	for _, f := range list {
		t.Run(f.Name, func(t *testing.T) { compareFixture(t, filepath.Join(folder, f.Name), f.Train && f.Tool != "dyn") })
	}
}

// TestOwnFixtures proves the same on the narrow networks that are part of the repository.
func TestOwnFixtures(t *testing.T) {
	for _, name := range ownFixtures(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			compareFixture(t, name, strings.Contains(name, ".ts.train."))
		})
	}
}

// TestForms compares tiny networks in many spellings with what ONNX Runtime computed (testdata/forms.py).
func TestForms(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "forms", "*.onnx"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("testdata/forms holds no models (%v)", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(path, ".onnx")
		t.Run(filepath.Base(name), func(t *testing.T) { compareFixture(t, name, false) })
	}
}

// ownFixtures are the paths of testdata's exports without .onnx.
func ownFixtures(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "*.onnx"))
	if err != nil || len(names) == 0 {
		t.Fatalf("testdata holds no fixtures (%v)", err)
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(name, ".onnx")
	}
	return names
}

func compareFixture(t *testing.T, path string, training bool) {
	ref := golden.Npz(t, absolute(t, path+".npz"))
	input := ref["input"]
	net, _, err := Read(path+".onnx", ReadOptions{})
	if err == nil {
		net, err = net.WithBatch(input.Shape[0])
	}
	if err != nil {
		t.Fatal(err)
	}
	if training {
		unwind(t, net, input.Data, ref)
	}
	compared := 0
	for i, got := range (interpreter{net: net}).run(t, input.Data) {
		keys := []string{fmt.Sprintf("torch_eval_%d", i), fmt.Sprintf("keras_eval_%d", i)}
		if !training { // ONNX Runtime's results of training exports are in training form
			keys = append(keys, fmt.Sprintf("ort_%d", i))
		}
		for _, key := range keys {
			want, ok := ref[key]
			if !ok {
				continue
			}
			compared++
			if d := distance(t, got, want.Data); !(d <= 1e-4) {
				t.Errorf("%s: relative error %.1e, want at most 1e-4", key, d)
			} else {
				t.Logf("%s: relative error %.1e", key, d)
			}
		}
	}
	if compared < len(net.Outputs) {
		t.Errorf("compared %d outputs of %d", compared, len(net.Outputs))
	}
}

func absolute(t testing.TB, path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// unwind checks a training export in training form and then takes one momentum step back in all running
// statistics: TorchScript's exporter traces a forward pass in training mode, which moves them by the
// statistics of the example input, while the stored results of inference were computed before.
func unwind(t *testing.T, net *engine.Network, input []float32, ref map[string]golden.Array) {
	t.Helper()
	before := map[*engine.Param][]float32{}
	it := interpreter{net: net, training: true, statistics: func(n *gorgonia.Node, mean, variance []float32, count int) {
		keep := n.Op().(*op.BatchNorm).Momentum
		in := op.Inputs(n)
		unbiased := float32(count) / float32(count-1)
		for i, batch := range [][]float32{mean, variance} {
			p := net.ParamOf(in[3+i])
			old := make([]float32, len(p.Value))
			for c := range old {
				b := batch[c]
				if i == 1 {
					b *= unbiased
				}
				old[c] = (p.Value[c] - (1-keep)*b) / keep
			}
			before[p] = old
		}
	}}
	for i, got := range it.run(t, input) {
		key := fmt.Sprintf("torch_train_%d", i)
		if d := distance(t, got, ref[key].Data); !(d <= 1e-4) {
			t.Errorf("%s: relative error %.1e, want at most 1e-4", key, d)
		} else {
			t.Logf("%s: relative error %.1e", key, d)
		}
	}
	for key, want := range ref {
		if name, ok := strings.CutPrefix(key, "after_train."); ok {
			p, err := net.Param(name)
			if err != nil {
				t.Fatal(err)
			}
			if d := distance(t, p.Value, want.Data); !(d <= 1e-5) {
				t.Errorf("%s: relative error %.1e, want at most 1e-5", name, d)
			}
		}
	}
	for p, old := range before {
		p.Value = old
	}
}
