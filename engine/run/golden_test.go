package run_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op"
	"regraft/engine/plan"
	"regraft/engine/run"
	"regraft/golden"
	"regraft/onnx"
)

// trained reads the really trained Inception-v3 for batches of n photos.
func trained(t *testing.T, n int) *engine.Network {
	t.Helper()
	net, _, err := onnx.Read(golden.Model(t), onnx.ReadOptions{Batch: n})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// pixels turns uint8 (N, H, W, 3) into float32 (N, 3, H, W), divided by 255.
func pixels(a golden.Array) []float32 {
	n, h, w := a.Shape[0], a.Shape[1], a.Shape[2]
	x := make([]float32, len(a.Bytes))
	for i := range n {
		for p := range h * w {
			for c := range 3 {
				x[(i*3+c)*h*w+p] = float32(a.Bytes[(i*h*w+p)*3+c]) / 255
			}
		}
	}
	return x
}

// instructionSets lists those of this machine, best first; with -short it is the best alone, for networks of full depth.
func instructionSets(t *testing.T) []*kernel.Set {
	sets, err := kernel.Usable()
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		return sets[:1]
	}
	return sets
}

// relative is the largest difference over the largest magnitude of want.
func relative(got, want []float32) float64 {
	worst, largest := 0.0, 0.0
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		worst, largest = max(worst, d), max(largest, math.Abs(float64(w)))
	}
	return worst / largest
}

func machine(t *testing.T, p *plan.Program, err error, threads int) *run.Machine {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	m, err := run.New(p, threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// withFeatures adds the operand of the main output's linear layer to the outputs.
func withFeatures(t *testing.T, net *engine.Network) *engine.Network {
	t.Helper()
	both, err := net.Subgraph(net.Outputs[0], engine.Output{Name: "features", Node: op.Inputs(net.Outputs[0].Node)[0]})
	if err != nil {
		t.Fatal(err)
	}
	return both
}

// TestGoldenInference compares logits and pooled features of eight photos with PyTorch's, and the
// bits between instruction sets, thread counts, and a photo alone or in a batch.
func TestGoldenInference(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	x := pixels(golden.Npy(t, "golden/inputs.npy"))
	wantLogits, wantFeatures := golden.Npy(t, "golden/logits.npy"), golden.Npy(t, "golden/features.npy")
	const images, image, bound = 8, 3 * 299 * 299, 1e-5
	net := withFeatures(t, trained(t, images))
	alone := withFeatures(t, trained(t, 1))
	for _, direct := range []bool{false, true} {
		var first [2][]float32
		for _, isa := range instructionSets(t) {
			o := plan.Options{ISA: isa, Direct: direct}
			if isa != kernel.Go {
				for threads := 1; threads <= 2; threads++ {
					p, err := plan.Inference(net, o)
					m := machine(t, p, err, threads)
					if err := m.Infer(x, images); err != nil {
						t.Fatal(err)
					}
					got := [2][]float32{slices.Clone(m.Output(0)), slices.Clone(m.Output(1))}
					if first[0] == nil {
						first = got
						l, f := relative(got[0], wantLogits.Data), relative(got[1], wantFeatures.Data)
						t.Logf("%s direct=%v: logits %.2g, features %.2g of the largest value", isa, direct, l, f)
						if l > bound || f > bound {
							t.Errorf("%s direct=%v: logits differ by %g, features by %g of the largest value, want at most %g", isa, direct, l, f, bound)
						}
					}
					if !slices.Equal(got[0], first[0]) || !slices.Equal(got[1], first[1]) {
						t.Errorf("%s direct=%v, %d threads: other bits", isa, direct, threads)
					}
				}
			}
			if isa == kernel.Go && testing.Short() {
				continue
			}
			const photo = 5
			p, err := plan.Inference(alone, o)
			m := machine(t, p, err, 2)
			if err := m.Infer(x[photo*image:][:image], 1); err != nil {
				t.Fatal(err)
			}
			if first[0] != nil && (!slices.Equal(m.Output(0), first[0][photo*5:][:5]) || !slices.Equal(m.Output(1), first[1][photo*2048:][:2048])) {
				t.Errorf("%s direct=%v: a photo alone has other bits than in a batch", isa, direct)
			}
			if first[0] == nil {
				if l := relative(m.Output(0), wantLogits.Data[photo*5:][:5]); l > bound {
					t.Errorf("%s: logits differ by %g of the largest value", isa, l)
				}
			}
		}
	}
}

// TestGoldenTrainingForward compares the outputs with batch statistics.
func TestGoldenTrainingForward(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	x := pixels(golden.Npy(t, "golden/inputs.npy"))
	none := float32(0)
	obj, err := engine.NewObjective(trained(t, 8), engine.ObjectiveOptions{Batch: 8, AuxWeight: 0.4, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	for _, isa := range instructionSets(t) {
		if isa == kernel.Go {
			continue
		}
		p, err := plan.Training(obj, plan.Options{ISA: isa})
		m := machine(t, p, err, 2)
		if err := m.Step(x, make([]float32, 8), 0); err != nil {
			t.Fatal(err)
		}
		for k, name := range []string{"golden/train_logits.npy", "golden/train_aux.npy"} {
			want := golden.Npy(t, name)
			d := relative(m.Output(k), want.Data)
			t.Logf("%s %s: %.2g of the largest value", isa, name, d)
			if d > 1e-4 {
				t.Errorf("%s %s: differs by %g of the largest value", isa, name, d)
			}
		}
	}
}

// TestFixtures runs the small exports that every clone has; TestSharedFixtures all of them.
func TestFixtures(t *testing.T) {
	folder, err := filepath.Abs("../../onnx/testdata")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(folder + "/*.npz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures in %s (%v)", folder, err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, ".npz") + ".onnx"
	}
	testFixtures(t, files)
}

func TestSharedFixtures(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	testFixtures(t, golden.Glob(t, "fixtures/*.onnx"))
}

// testFixtures runs exports compiled, against the outputs that PyTorch (or, for the one made by hand, ONNX
// Runtime) gave; training exports with their batch statistics too.
func testFixtures(t *testing.T, files []string) {
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".onnx")
		t.Run(name, func(t *testing.T) {
			ref := golden.Npz(t, strings.TrimSuffix(file, ".onnx")+".npz")
			n := ref["input"].Shape[0]
			net, _, err := onnx.Read(file, onnx.ReadOptions{Batch: n})
			if err != nil {
				t.Fatal(err)
			}
			_, trains := ref["torch_train_0"]
			if trains && !strings.Contains(name, "dyn.train") {
				compareTraining(t, net, ref, n)
			}
			for _, isa := range instructionSets(t) {
				p, err := plan.Inference(net, plan.Options{ISA: isa})
				m := machine(t, p, err, 2)
				if err := m.Infer(ref["input"].Data, n); err != nil {
					t.Fatal(err)
				}
				compareOutputs(t, m, net, ref, "torch_eval_", isa)
			}
		})
	}
}

func compareOutputs(t *testing.T, m *run.Machine, net *engine.Network, ref map[string]golden.Array, prefix string, isa *kernel.Set) {
	t.Helper()
	compared := 0
	for k := range net.Outputs {
		want, ok := ref[prefix+string(rune('0'+k))]
		if !ok {
			want, ok = ref["ort_"+string(rune('0'+k))]
		}
		if !ok {
			continue
		}
		compared++
		if d := relative(m.Output(k), want.Data); d > 1e-4 {
			t.Errorf("%s output %d: differs from %s by %g of the largest value", isa, k, prefix, d)
		}
	}
	if compared == 0 {
		t.Errorf("%s: no reference output was compared", isa)
	}
}

// compareTraining compares a training step, and then takes back the step that the running statistics made while the
// file was exported: TorchScript's exporter runs the network once, so the file holds 0.9*old + 0.1*batch, and
// torch_eval was computed before.
func compareTraining(t *testing.T, net *engine.Network, ref map[string]golden.Array, n int) {
	t.Helper()
	none := float32(0)
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: n, AuxWeight: 0.3, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	var after map[string][]float32
	for _, isa := range instructionSets(t) {
		p, err := plan.Training(obj, plan.Options{ISA: isa})
		m := machine(t, p, err, 2)
		if err := m.Step(ref["input"].Data, make([]float32, n), 0); err != nil {
			t.Fatal(err)
		}
		compareOutputs(t, m, net, ref, "torch_train_", isa)
		after = m.RunningStatistics()
	}
	for _, u := range obj.Updates {
		stat, err := net.Param(u.Param.Name)
		if err != nil {
			t.Fatal(err)
		}
		if want, ok := ref["after_train."+stat.Name]; ok && relative(stat.Value, want.Data) > 1e-6 {
			t.Errorf("%s: the file holds other statistics than PyTorch after one step", stat.Name)
		}
		old := make([]float32, len(stat.Value))
		for i, v := range stat.Value {
			old[i] = float32((1.9*float64(v) - float64(after[stat.Name][i])) / 0.9)
		}
		stat.Value = old
	}
	again, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: n, AuxWeight: 0.3, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Training(again, plan.Options{ISA: instructionSets(t)[0]})
	m := machine(t, p, err, 2)
	if err := m.Step(ref["input"].Data, make([]float32, n), 0); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for name, got := range m.RunningStatistics() {
		if want, ok := ref["after_train."+name]; ok {
			compared++
			if d := relative(got, want.Data); d > 1e-5 {
				t.Errorf("%s after one step: differs by %g of the largest value", name, d)
			}
		}
	}
	if compared != 4 && len(obj.Updates) > 0 {
		t.Errorf("%d running statistics were compared, want 4", compared)
	}
}
