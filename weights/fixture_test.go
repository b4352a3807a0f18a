package weights_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/engine/run"
	"regraft/engine/solver"
	"regraft/photo"
	"regraft/weights"
)

// TestStateDict takes a narrow ResNet-18 from PyTorch's files in all formats to logits and to one training step. They are made
// by scripts/state_dict_reference.py resnet18 weights/testdata --classes 7 --divide 40 --size 64 --batch 4.
func TestStateDict(t *testing.T) {
	sets, err := kernel.Usable()
	if err != nil {
		t.Fatal(err)
	}
	s := stateIn(t, "testdata", "resnet18")
	net := s.imported(t, weights.Options{Arch: "resnet18", Size: photo.Square(64)})
	for _, isa := range sets {
		for _, direct := range []bool{true, false} {
			s.checkInference(t, net, plan.Options{ISA: isa, Direct: direct})
			s.checkTraining(t, net, plan.Options{ISA: isa, Direct: direct})
		}
	}
}

// TestInception does so with a narrow Inception-v3 and its auxiliary classifier, then takes three steps with every optimizer:
// scripts/state_dict_reference.py inception_v3 weights/testdata --classes 7 --divide 16 --batch 4 --samples 48 --optimizers,
// of whose files the .safetensors and the .npz are here.
func TestInception(t *testing.T) {
	s := stateIn(t, "testdata", "inception_v3")
	transform := true
	i, err := weights.Import(s.files["safetensors"], weights.Options{Arch: "inception_v3", TransformInput: &transform})
	if err != nil {
		t.Fatal(err)
	}
	net := s.throughFile(t, i.Net)
	isa, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	for _, direct := range []bool{true, false} {
		o := plan.Options{ISA: isa, Direct: direct}
		s.checkInference(t, net, o)
		s.checkTraining(t, net, o)
	}
	if isa == kernel.Go && testing.Short() {
		return
	}
	for name, optimizer := range optimizers {
		t.Run(name, func(t *testing.T) { s.checkOptimizer(t, net, isa, name, optimizer) })
	}
}

// optimizers are those of the script.
var optimizers = map[string]struct {
	method solver.Optimizer
	config solver.Config
	lr     float32
}{
	"sgd":      {"sgd", solver.Config{Momentum: 0.9, WeightDecay: 0.05}, 1e-4},
	"nesterov": {"sgd", solver.Config{Momentum: 0.9, WeightDecay: 0.05, Nesterov: true}, 1e-4},
	"adam":     {"adam", solver.Config{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-3}, 1e-4},
	"adamw":    {"adamw", solver.Config{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-3, WeightDecay: 1}, 1e-4},
	"rmsprop":  {"rmsprop", solver.Config{Alpha: 0.9, Epsilon: 1e-2, Momentum: 0.9}, 1e-4},
}

// checkOptimizer takes three steps and compares the losses, then elements of all parameters and running statistics.
func (s state) checkOptimizer(t *testing.T, net *engine.Network, isa *kernel.Set, name string, optimizer struct {
	method solver.Optimizer
	config solver.Config
	lr     float32
}) {
	none := float32(0)
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: net.Batch(), AuxWeight: 0.4, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Training(obj, plan.Options{ISA: isa, Direct: true})
	if err != nil {
		t.Fatal(err)
	}
	m, err := run.New(p, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	sol, err := solver.New(optimizer.method, optimizer.config, isa, 2)
	if err != nil {
		t.Fatal(err)
	}
	losses, own := s.arrays[name+".losses"].Data, s.arrays["own."+name+".losses"].Data
	for step, want := range losses {
		if err := m.Step(s.arrays["input"].Data, s.arrays["labels"].Data, 0); err != nil {
			t.Fatal(err)
		}
		d := math.Abs(float64(m.Losses()[0] - want))
		if r := ratio(d, float64(own[step]), float64(want)); r > 5 {
			t.Errorf("step %d: loss %v, want %v: %.1f times as far from float64 as PyTorch's", step+1, m.Losses()[0], want, r)
		}
		sol.Step(m.Params(), m.Grads(), optimizer.lr)
	}
	end := m.Parameters()
	maps.Copy(end, m.RunningStatistics())
	s.checkEnd(t, name+".end", end)
}

// Some twice what was measured, how many times as far as PyTorch's farthest run tensors may be after three steps: the
// median, the 99th percentile and the worst. PyTorch's own distance of a row of eight elements is small by luck here and there.
const endMedian, endPercentile99, endWorst = 1.2, 5, 12

func (s state) checkEnd(t *testing.T, key string, end map[string][]float32) {
	t.Helper()
	want, own := s.arrays[key], s.arrays["own."+key].Data
	names := slices.Sorted(maps.Keys(end))
	if len(names) != want.Shape[0] {
		t.Fatalf("%d parameters and running statistics, want %d", len(names), want.Shape[0])
	}
	count := want.Shape[1]
	var ratios []float64
	for k, name := range names {
		row, got := want.Data[k*count:][:count], end[name]
		worst, largest := 0.0, 0.0
		for i, w := range row {
			worst = max(worst, math.Abs(float64(got[i*(len(got)-1)/(count-1)]-w)))
			largest = max(largest, math.Abs(float64(w)))
		}
		ratios = append(ratios, ratio(worst, float64(own[k]), largest))
	}
	median, p99, worst := percentile(ratios, 50), percentile(ratios, 99), percentile(ratios, 100)
	t.Logf("%d tensors: median %.2f times as far from float64 as PyTorch's, percentile 99 %.2f, worst %.2f", len(names), median, p99, worst)
	if median > endMedian || p99 > endPercentile99 || worst > endWorst {
		t.Errorf("want at most %v, %v, %v", endMedian, endPercentile99, endWorst)
	}
}
