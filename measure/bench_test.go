package measure

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regraft/engine"
	"regraft/engine/plan"
	"regraft/head"
	"regraft/onnx"
)

// narrow reads a file of onnx's tests: resnet18.ts.train.op17, of 7 classes and 64 x 64 pixels, or another.
func narrow(t *testing.T, name string) *engine.Network {
	t.Helper()
	net, _, err := onnx.Read(filepath.Join("..", "onnx", "testdata", name+".onnx"), onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

const resnet = "resnet18.ts.train.op17"

// waves are so many images.
func waves(net *engine.Network, images int) []float32 {
	x := make([]float32, images*net.Input.Shape()[1:].TotalSize())
	for i := range x {
		x[i] = float32(math.Sin(float64(i) / 7))
	}
	return x
}

// TestLayerBench: every layer of the planner's program has a time, of its own runs alone, and with others the times of the choices that
// were not made.
func TestLayerBench(t *testing.T) {
	net := narrow(t, resnet)
	for _, c := range []struct {
		options Options
		images  int
		labels  []float32
		others  bool
		layers  int // 20 convolutions and a linear layer, and in training their gradients but for the photo's
	}{
		{Options{Threads: 1}, 2, nil, false, 21}, {Options{Threads: 1}, 1, nil, true, 21}, {Options{Threads: 1, Direct: true}, 1, nil, true, 21},
		{Options{Threads: 1}, 2, []float32{0, 1}, false, 62},
	} {
		m := New(net, c.options)
		b, err := m.NewLayerBench(waves(net, c.images), c.labels, c.images, c.others)
		if err != nil {
			t.Fatal(err)
		}
		total := func() (sum time.Duration) {
			for _, l := range b.Layers() {
				sum += l.Time
			}
			return sum
		}
		round := func() {
			if err := b.Round(); err != nil {
				t.Fatal(err)
			}
		}
		if round(); total() != 0 {
			t.Errorf("%+v: the first round counts", c)
		}
		round()
		first := total()
		round()
		if again := total(); first == 0 || again > first {
			t.Errorf("%+v: %v, then %v", c, first, again)
		}
		layers, flops, choices := b.Layers(), 0.0, map[string]int{}
		for _, l := range layers {
			if flops += l.Flops; l.Time <= 0 || l.Node == "" || l.Op == "" || l.Shape == "" || l.Tensors == "" || l.Kernel == "" || l.Why == "" {
				t.Errorf("%+v: incomplete: %+v", c, l)
			}
			for choice, time := range l.Others {
				if choices[choice]++; time <= 0 {
					t.Errorf("%s: %s takes %v", l.Node, choice, time)
				}
			}
		}
		macs, err := m.MACs()
		if err != nil || len(layers) != c.layers || c.labels == nil && flops != float64(2*c.images*macs) {
			t.Errorf("%+v: %d layers of %g operations, %d multiply-adds an image, %v", c, len(layers), flops, macs, err)
		}
		// direct ones have no other tiles, since 16 channels are one block
		if direct := choices["direct"]; (direct > 0) != (c.others && !c.options.Direct) || direct == len(layers) {
			t.Errorf("%+v: %v", c, choices)
		}
		if b.Forget(); total() != 0 {
			t.Errorf("%+v: %v after all is forgotten", c, total())
		}
		if round(); total() == 0 { // which is warm
			t.Errorf("%+v: nothing is measured anew", c)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := New(net, Options{}).NewLayerBench(make([]float32, 5), nil, 1, false); err == nil {
		t.Error("an input that does not fit is measured")
	}
	if _, err := New(net, Options{}).NewLayerBench(nil, nil, 0, false); err == nil {
		t.Error("no image is measured")
	}
}

// TestStepper: steps on the same images lower their loss, and begin with that of an untrained network.
func TestStepper(t *testing.T) {
	net := narrow(t, resnet)
	x, labels := waves(net, 3), []float32{0, 1, 2}
	s, err := New(net, Options{Threads: 1}).NewStepper(3)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var losses []float32
	for range 30 {
		loss, err := s.Step(x, labels)
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, loss)
	}
	if first, last := losses[0], losses[len(losses)-1]; !(last < first) || first < 0.5 || first > 10 {
		t.Errorf("losses %v", losses)
	}
	if _, err := s.Step(x[1:], labels); err == nil {
		t.Error("a step on an input that does not fit")
	}
	if _, err := New(narrow(t, resnet), Options{}).NewStepper(0); err == nil {
		t.Error("steps of no images")
	}
}

// TestOutputs: images go through in parts of a batch, to the same bits; in training form they depend on one another.
func TestOutputs(t *testing.T) {
	net := narrow(t, resnet)
	x := waves(net, 5)
	want, err := New(net, Options{Threads: 1}).Outputs(x, 5)
	if err != nil || len(want) != 1 || want[0].Rows != 5 || want[0].Cols != 7 || want[0].Name != "output" {
		t.Fatalf("%+v, %v", want, err)
	}
	got, err := New(net, Options{Threads: 1, Batch: 2}).Outputs(x, 5)
	if err != nil || !slices.Equal(got[0].Values, want[0].Values) {
		t.Errorf("in parts: %v, %v", got, err)
	}
	image := len(x) / 5
	for _, images := range []int{2, 5} {
		trained, err := New(net, Options{Threads: 1}).TrainingOutputs(x[:images*image], images)
		if err != nil || len(trained) != 1 || trained[0].Rows != images || trained[0].Name != "output" || trained[0].Values[0] == want[0].Values[0] {
			t.Errorf("%+v, %v", trained, err)
		}
	}
	for name, run := range map[string]func(m *Model) error{
		"inference": func(m *Model) error { _, err := m.Outputs(x[1:], 5); return err },
		"training":  func(m *Model) error { _, err := m.TrainingOutputs(x[1:], 5); return err },
		"layers": func(m *Model) error {
			_, err := m.LayerOutputs(x[1:], 5, func(string) bool { return true })
			return err
		},
	} {
		if err := run(New(net, Options{})); err == nil {
			t.Errorf("%s of an input that does not fit", name)
		}
	}
	if layers, err := New(net, Options{}).LayerOutputs(x, 5, func(string) bool { return false }); err != nil || layers != nil {
		t.Errorf("no layers are wanted: %v, %v", layers, err)
	}
	layers, err := New(net, Options{}).LayerOutputs(x, 5, func(node string) bool { return node == "/fc/Gemm" || node == "/conv1/Conv" })
	if err != nil || len(layers) != 2 || layers[0].Node != "/conv1/Conv" || layers[0].Op != "Conv" || !slices.Equal(layers[1].Shape, []int{5, 7}) || !near(layers[1].Values, want[0].Values) {
		t.Errorf("%d layers, %v", len(layers), err)
	}
}

// near tells whether values differ by rounding at most.
func near(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) < 1e-4 })
}

// TestPlans: plans are of the part that answers, for the images and the algorithm that are asked for, behind every pass.
func TestPlans(t *testing.T) {
	net := narrow(t, resnet)
	for _, direct := range []bool{false, true} {
		m := New(net, Options{Direct: direct})
		p, err := m.Plan(3)
		if err != nil || p.Batch != 3 {
			t.Fatalf("%v", err)
		}
		winograd := slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return strings.HasPrefix(s.Prim.Name(), "winograd") })
		if winograd == direct {
			t.Errorf("direct %v: a step by Winograd's algorithm: %v", direct, winograd)
		}
		train, err := m.TrainingPlan(2)
		if err != nil || train.Batch != 2 || len(train.Steps) <= len(p.Steps) {
			t.Errorf("%v", err)
		}
	}
	m := New(net, Options{})
	texts := map[string]bool{}
	for _, pass := range Passes() {
		text, err := m.PlanAfter(3, pass)
		if err != nil || !strings.Contains(text, " 3x3x64x64 ") && !strings.Contains(text, "3x") {
			t.Errorf("%s: %v\n%s", pass, err, text)
		}
		texts[text] = true
	}
	if len(texts) < 5 {
		t.Errorf("%d different texts behind %d passes", len(texts), len(Passes()))
	}
	for images, pass := range map[int]string{3: "none", 0: "choose"} {
		if text, err := m.PlanAfter(images, pass); err == nil {
			t.Errorf("%d images behind %q: %s", images, pass, text)
		}
	}
	if m.Batch != 8 || New(net, Options{Batch: 2}).Batch != 2 {
		t.Errorf("batches of %d", m.Batch)
	}
	isa, err := ISA()
	if err != nil || !slices.Contains([]string{"avx512", "avx2", "neon", "go"}, isa) {
		t.Errorf("%q, %v", isa, err)
	}
}

// TestAnswersAreMeasured: what leads to an auxiliary output alone does not count.
func TestAnswersAreMeasured(t *testing.T) {
	net := narrow(t, "inception_v3.ts.train.op20.transform")
	macs, err := New(net, Options{}).MACs()
	a, failed := head.AnswersOf(net)
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	if main, err := New(a.Net, Options{}).MACs(); err != nil || main != macs {
		t.Errorf("%d multiply-adds, of the part that answers %d, %v", macs, main, err)
	}
	c, err := New(net, Options{}).classifier()
	if err != nil || len(c.Params) >= len(net.Params) {
		t.Errorf("%d of %d parameters, %v", len(c.Params), len(net.Params), err)
	}
}
