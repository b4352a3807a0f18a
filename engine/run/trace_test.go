package run_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"regraft/engine"
	"regraft/engine/plan"
	"regraft/engine/solver"
	"regraft/golden"
	"regraft/head"
	"regraft/photo"
)

// summary is a tensor in the golden files: its norm and a few elements by flat index.
type summary struct {
	L2 float64            `json:"l2"`
	At map[string]float64 `json:"at"`
}

type trainingGolden struct {
	Batches []struct {
		Files  []string
		Labels []int
	}
	Classes       []string
	GradientsStep map[string]summary `json:"gradients_step1"`
	Traces        map[string]struct {
		Steps []struct {
			Main  float64 `json:"loss_main"`
			Aux   float64 `json:"loss_aux"`
			Total float64 `json:"loss"`
		}
		After struct{ Parameters, Buffers map[string]summary } `json:"after_last_step"`
	}
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(golden.Dir(t), path))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// traces are the optimizers of the golden file with their settings, and the limits that golden/README.md derives from
// measured noise for the relative error of the loss at steps one to six.
var traces = []struct {
	name   string
	method solver.Optimizer
	config solver.Config
	lr     float32
	loss   [6]float64
}{
	{"sgd", "sgd", solver.Config{Momentum: 0.9, WeightDecay: 1e-4}, 0.01, [6]float64{1e-5, 1e-4, 5e-4, 5e-3, 2e-2, 2e-2}},
	{"sgd_nesterov", "sgd", solver.Config{Momentum: 0.9, WeightDecay: 1e-4, Nesterov: true}, 0.01, [6]float64{1e-5, 1e-4, 5e-4, 5e-3, 2e-2, 2e-2}},
	{"adam", "adam", solver.Config{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, 1e-4, [6]float64{1e-5, 1e-4, 5e-4, 2e-3, 2e-3, 2e-3}},
	{"adamw", "adamw", solver.Config{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01}, 1e-4, [6]float64{1e-5, 1e-4, 5e-4, 2e-3, 2e-3, 2e-3}},
	{"rmsprop", "rmsprop", solver.Config{Alpha: 0.9, Epsilon: 1e-3, Momentum: 0.9}, 1e-4, [6]float64{1e-5, 1e-4, 5e-4, 5e-3, 2e-2, 2e-2}},
}

// headLoss are the limits for the loss of one head, where the golden file's are for the sum of both: five times the
// largest noise that was measured for it (noise.json; at step six PyTorch's own auxiliary loss under Nesterov moves by
// 2.9e-2 when the inputs are scaled by 1 - 1e-6).
var headLoss = [6]float64{2.2e-5, 2.5e-4, 2.2e-3, 5e-3, 2.2e-2, 0.15}

// nine is the trained network with the golden file's heads of nine classes.
func nine(t *testing.T, classes []string) *engine.Network {
	t.Helper()
	net, err := head.Swap(trained(t, 8), classes, 0)
	if err != nil {
		t.Fatal(err)
	}
	heads := golden.Npz(t, "golden/heads.npz")
	for name, key := range map[string]string{
		"fc.weight": "fc_weight", "fc.bias": "fc_bias", "AuxLogits.fc.weight": "aux_weight", "AuxLogits.fc.bias": "aux_bias",
	} {
		p, err := net.Param(name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.Shape, heads[key].Shape) {
			t.Fatalf("%s has shape %v, want %v", name, p.Shape, heads[key].Shape)
		}
		p.Value = heads[key].Data
	}
	return net
}

// photos reads a batch of places9 as the golden file's script does: Pillow's bilinear to 299x299, divided by 255.
func photos(t *testing.T, files []string) []float32 {
	t.Helper()
	const size = 299
	p := photo.Preprocess{Size: photo.Square(size), Resize: photo.Squash, Rescale: 1.0 / 255, Std: [3]float32{1, 1, 1}}
	x := make([]float32, len(files)*3*size*size)
	for i, f := range files {
		img, err := photo.Load(filepath.Join(golden.Dir(t), "data/places9", f), photo.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(img, 0, x[i*3*size*size:][:3*size*size]); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

// TestGoldenTraces trains for six steps with every optimizer and compares with PyTorch: losses, every gradient of the
// first step (judged against float64), every parameter and running statistic after the last.
func TestGoldenTraces(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	var want trainingGolden
	readJSON(t, "golden/training.json", &want)
	var noise struct {
		Runs map[string]struct {
			Gradients map[string]summary `json:"gradients_step1"`
		}
	}
	readJSON(t, "golden/noise.json", &noise)
	exact := noise.Runs["sgd:fp64"].Gradients
	var batches [][]float32
	for _, b := range want.Batches {
		batches = append(batches, photos(t, b.Files))
	}
	none := float32(0)
	obj, err := engine.NewObjective(nine(t, want.Classes), engine.ObjectiveOptions{Batch: 8, AuxWeight: 0.4, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Training(obj, plan.Options{ISA: instructionSets(t)[0]})
	if err != nil {
		t.Fatal(err)
	}
	for k, trace := range traces {
		t.Run(trace.name, func(t *testing.T) {
			m := machine(t, p, nil, 2)
			s, err := solver.New(trace.method, trace.config, p.ISA, 2)
			if err != nil {
				t.Fatal(err)
			}
			golden := want.Traces[trace.name]
			for step, b := range want.Batches {
				labels := make([]float32, len(b.Labels))
				for i, l := range b.Labels {
					labels[i] = float32(l)
				}
				if err := m.Step(batches[step], labels, 0); err != nil {
					t.Fatal(err)
				}
				losses, w := m.Losses(), golden.Steps[step]
				for i, l := range []float64{w.Total, w.Main, w.Aux} {
					bound := trace.loss[step]
					if i > 0 {
						bound = headLoss[step]
					}
					if d := math.Abs(float64(losses[i])-l) / l; d > bound {
						t.Errorf("step %d: loss %d is %g, want %g: relative error %.2g, at most %g", step+1, i, losses[i], l, d, bound)
					}
				}
				if step == 0 && k == 0 {
					compareGradients(t, m.Gradients(), exact, want.GradientsStep)
				}
				s.Step(m.Params(), m.Grads(), trace.lr)
			}
			compareEnd(t, "parameter", m.Parameters(), golden.After.Parameters, 5e-2)
			compareEnd(t, "running statistic", m.RunningStatistics(), golden.After.Buffers, 2e-2)
		})
	}
}

// errorsOf gives the relative errors of norms and the errors of elements over the tensor's root mean square.
func errorsOf(t *testing.T, got map[string][]float32, want map[string]summary) (norms map[string]float64, elements []float64) {
	t.Helper()
	norms = map[string]float64{}
	if len(got) != len(want) {
		t.Errorf("%d tensors, want %d", len(got), len(want))
	}
	for name, w := range want {
		g, ok := got[name]
		if !ok {
			t.Errorf("%s was not compared", name)
			continue
		}
		norm := l2(g)
		norms[name] = math.Abs(norm-w.L2) / w.L2
		rms := w.L2 / math.Sqrt(float64(len(g)))
		for at, v := range w.At {
			i, err := strconv.Atoi(at)
			if err != nil {
				t.Fatal(err)
			}
			elements = append(elements, math.Abs(float64(g[i])-v)/rms)
		}
	}
	slices.Sort(elements)
	return norms, elements
}

func l2(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

func sorted(m map[string]float64) []float64 {
	var v []float64
	for _, x := range m {
		v = append(v, x)
	}
	slices.Sort(v)
	return v
}

func compareGradients(t *testing.T, got map[string][]float32, exact, torch map[string]summary) {
	t.Helper()
	norms, elements := errorsOf(t, got, exact)
	v := sorted(norms)
	median, p99 := func(x []float64) float64 { return x[len(x)/2] }, func(x []float64) float64 { return x[len(x)*99/100] }
	t.Logf("distance to the float64 gradients: l2 median %.2g, p99 %.2g, max %.2g; elements median %.2g, p99 %.2g",
		median(v), p99(v), v[len(v)-1], median(elements), p99(elements))
	torchNorms := map[string]float64{}
	for name, w := range exact {
		torchNorms[name] = math.Abs(torch[name].L2-w.L2) / w.L2
	}
	u := sorted(torchNorms)
	t.Logf("PyTorch's own distance: l2 median %.2g, p99 %.2g, max %.2g", median(u), p99(u), u[len(u)-1])
	if median(v) > 1e-3 || median(elements) > 5e-3 || p99(elements) > 5e-2 {
		t.Error("the gradients are further from float64 than the noise allows")
	}
	for name, d := range norms {
		if d > 2e-2 {
			t.Errorf("gradient of %s: norm is off by %.2g", name, d)
		}
	}
}

// compareEnd compares norms after the last step. Six steps from fresh heads are a chaotic system: parameters that start
// at zero move by up to 1.4e-2 under noise that is nobody's fault, running statistics by up to 5e-3.
func compareEnd(t *testing.T, what string, got map[string][]float32, want map[string]summary, bound float64) {
	t.Helper()
	norms, _ := errorsOf(t, got, want)
	v := sorted(norms)
	t.Logf("%ss after the last step: norms differ by median %.2g, max %.2g", what, v[len(v)/2], v[len(v)-1])
	for name, d := range norms {
		if d > bound {
			t.Errorf("%s %s after the last step: norm is off by %.2g, at most %g", what, name, d, bound)
		}
	}
}
