package run_test

import (
	"math"
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

// instructionSets lists those of this machine, best first.
func instructionSets(t *testing.T) (list []kernel.ISA) {
	best, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	for i := int(best); i >= 0; i-- {
		list = append(list, kernel.ISA(i))
	}
	return list
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
	both, err := net.Until(net.Outputs[0], engine.Output{Name: "features", Node: op.Inputs(net.Outputs[0].Node)[0]})
	if err != nil {
		t.Fatal(err)
	}
	return both
}

// TestGoldenInference compares logits and pooled features of eight photos with PyTorch's, and the
// bits between instruction sets, thread counts, and a photo alone or in a batch.
func TestGoldenInference(t *testing.T) {
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

// imports of the fixtures: every list that the importer promises.
func fixtureNames(t *testing.T) (names []string) {
	for _, f := range golden.Glob(t, "fixtures/*.onnx") {
		names = append(names, strings.TrimSuffix(f, ".onnx"))
	}
	return names
}

// TestFixtures runs every small export compiled, against the outputs that PyTorch (or, for the one made by
// hand, ONNX Runtime) gave; training exports with their batch statistics too.
func TestFixtures(t *testing.T) {
	for _, name := range fixtureNames(t) {
		t.Run(name[strings.LastIndex(name, "/")+1:], func(t *testing.T) {
			ref := golden.Npz(t, name+".npz")
			n := ref["input"].Shape[0]
			net, _, err := onnx.Read(name+".onnx", onnx.ReadOptions{Batch: n})
			if err != nil {
				t.Fatal(err)
			}
			for _, isa := range instructionSets(t) {
				p, err := plan.Inference(net, plan.Options{ISA: isa})
				m := machine(t, p, err, 2)
				if err := m.Infer(ref["input"].Data, n); err != nil {
					t.Fatal(err)
				}
				compareOutputs(t, m, net, ref, "torch_eval_", isa)
			}
			if _, train := ref["torch_train_0"]; train && !strings.Contains(name, "dyn.train") {
				compareTraining(t, net, ref, n)
			}
		})
	}
}

func compareOutputs(t *testing.T, m *run.Machine, net *engine.Network, ref map[string]golden.Array, prefix string, isa kernel.ISA) {
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

func compareTraining(t *testing.T, net *engine.Network, ref map[string]golden.Array, n int) {
	t.Helper()
	none := float32(0)
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: n, AuxWeight: 0.3, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	for _, isa := range instructionSets(t) {
		p, err := plan.Training(obj, plan.Options{ISA: isa})
		m := machine(t, p, err, 2)
		labels := make([]float32, n)
		if err := m.Step(ref["input"].Data, labels, 0); err != nil {
			t.Fatal(err)
		}
		compareOutputs(t, m, net, ref, "torch_train_", isa)
		running := m.RunningStatistics()
		for key, want := range ref {
			name, ok := strings.CutPrefix(key, "after_train.")
			if !ok {
				continue
			}
			if d := relative(running[name], want.Data); d > 1e-4 {
				t.Errorf("%s %s: differs by %g of the largest value", isa, name, d)
			}
		}
	}
}
