package head

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/random"
	"regraft/engine/run"
	"regraft/golden"
	"regraft/onnx"
)

// narrow is a narrow Inception-v3 of PyTorch with its auxiliary classifier.
const narrow = "../onnx/testdata/inception_v3.ts.train.op20.transform.onnx"

// mainAlone imports a file and leaves its main output alone.
func mainAlone(t *testing.T, file string) (whole, alone *engine.Network) {
	t.Helper()
	whole, _, err := onnx.Read(file, onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if alone, err = whole.Subgraph(whole.Outputs[0]); err != nil {
		t.Fatal(err)
	}
	return whole, alone
}

// TestAddAux: attached to the trunk alone, with PyTorch's weights, the new classifier computes what PyTorch's own does (which the
// tests of the import compare with PyTorch).
func TestAddAux(t *testing.T) {
	whole, alone := mainAlone(t, narrow)
	at := AuxPlace(alone)
	if at == nil || !AuxFits(at) {
		t.Fatalf("the place was not found: %v", at)
	}
	if AuxPlace(whole) != nil {
		t.Error("a network that has the classifier lacks it")
	}
	net, err := AddAux(alone, at, 7, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range net.Params {
		if name, aux := strings.CutPrefix(p.Name, "AuxLogits."); aux {
			checkInitial(t, p, name)
		}
		own, err := whole.Param(p.Name)
		if err != nil || !slices.Equal(own.Shape, p.Shape) || own.Running != p.Running {
			t.Fatalf("%s %v: PyTorch's network has %+v (%v)", p.Name, p.Shape, own, err)
		}
		p.Value = own.Value
	}
	if len(net.Params) != len(whole.Params) {
		t.Errorf("%d parameters, PyTorch has %d", len(net.Params), len(whole.Params))
	}
	shape := net.Input.Shape()
	x := uniform(random.At(1, "photos"), shape.TotalSize(), 1)
	compute := func(net *engine.Network) [][]float32 {
		values, err := run.Interpret(net, map[*gorgonia.Node][]float32{net.Input: x}, net.Outputs[0].Node, net.Outputs[1].Node)
		if err != nil {
			t.Fatal(err)
		}
		return values
	}
	got, want := compute(net), compute(whole)
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("output %d is %v, want %v", i, got[i], want[i])
		}
	}
	heads := mustFind(t, net)
	if len(heads) != 2 || heads[1].Kind != Aux || heads[1].Name() != "AuxLogits.fc" || heads[0].Output != 0 {
		t.Errorf("heads %+v", heads)
	}
}

// checkInitial: torchvision's initialisation.
func checkInitial(t *testing.T, p *engine.Param, name string) {
	t.Helper()
	deviation := map[string]float64{"conv0.conv.weight": 0.1, "conv1.conv.weight": 0.01, "fc.weight": 0.001}[name]
	if deviation == 0 {
		want := float32(0)
		if strings.HasSuffix(name, "bn.weight") || strings.HasSuffix(name, "running_var") {
			want = 1
		}
		if slices.ContainsFunc(p.Value, func(v float32) bool { return v != want }) {
			t.Errorf("%s is not all %v", name, want)
		}
		return
	}
	n := float64(len(p.Value))
	if d := rms(p.Value); math.Abs(d/deviation-1) > 4/math.Sqrt(2*n) { // four standard errors
		t.Errorf("%s: deviation %.4f of %v numbers, want %v", name, d, n, deviation)
	}
}

// TestAuxPlace: Inception-v3 of every exporter is recognised, and nothing else.
func TestAuxPlace(t *testing.T) {
	files, err := filepath.Glob("../onnx/testdata/*.onnx")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("shared", func(t *testing.T) {
		more, err := filepath.Glob(filepath.Join(golden.Dir(t), "fixtures", "*.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	})
	for _, file := range files {
		name := filepath.Base(file)
		_, alone := mainAlone(t, file)
		at := AuxPlace(alone)
		if found := at != nil; found != strings.HasPrefix(name, "inception_v3.") {
			t.Errorf("%s: the place was found: %v", name, found)
		}
		if at != nil && AuxFits(at) != (alone.Input.Shape()[3] == 299) {
			t.Errorf("%s: a map of %v fits: %v", name, at.Shape(), AuxFits(at))
		}
	}
}

// TestAuxFits: both sides must be 17 at least.
func TestAuxFits(t *testing.T) {
	for _, c := range []struct {
		h, w int
		want bool
	}{{17, 17, true}, {17, 30, true}, {16, 17, false}, {17, 16, false}, {16, 16, false}} {
		at := gorgonia.NewTensor(gorgonia.NewGraph(), tensor.Float32, 4, gorgonia.WithShape(1, 768, c.h, c.w))
		if AuxFits(at) != c.want {
			t.Errorf("%d x %d: %v", c.h, c.w, !c.want)
		}
	}
}
