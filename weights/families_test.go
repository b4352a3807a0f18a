package weights_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/engine/run"
	"regraft/golden"
	"regraft/onnx"
	"regraft/photo"
	"regraft/weights"
)

// python is a Python for the given code: REGRAFT_PYTHON alone, since what it is wanted for takes long.
func python(t *testing.T, needs string) string {
	t.Helper()
	if os.Getenv("REGRAFT_PYTHON") == "" {
		t.Skip("needs a Python with torch and torchvision: REGRAFT_PYTHON=/path/to/python")
	}
	return golden.Python(t, needs)
}

// state is a network of PyTorch with random weights in all formats, and what PyTorch computes with it.
type state struct {
	family string
	files  map[string]string // by format
	npz    string            // holds arrays
	arrays map[string]golden.Array
}

// newState lets the script make the files, for a batch of n.
func newState(t *testing.T, family string, args ...string) state {
	t.Helper()
	dir := t.TempDir()
	script := filepath.Join("..", "scripts", "state_dict_reference.py")
	cmd := exec.Command(python(t, "import torch, torchvision"), append([]string{script, family, dir}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return stateIn(t, dir, family)
}

func stateIn(t *testing.T, dir, family string) state {
	t.Helper()
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := func(ending string) string { return filepath.Join(dir, family+ending) }
	return state{
		family: family,
		files:  map[string]string{"pth": path(".pth"), "legacy pth": path(".legacy.pth"), "safetensors": path(".safetensors")},
		npz:    path(".npz"),
		arrays: golden.Npz(t, path(".npz")),
	}
}

// imported reads every format, checks that they give the same network, and takes it through a file.
func (s state) imported(t *testing.T, o weights.Options) *engine.Network {
	t.Helper()
	transform := s.family == "inception_v3" || s.family == "googlenet"
	o.TransformInput = &transform
	var first *engine.Network
	for _, format := range []string{"pth", "legacy pth", "safetensors"} {
		i, err := weights.Import(s.files[format], o)
		if err != nil {
			t.Fatal(err)
		}
		if i.Format != format {
			t.Errorf("%s was taken for %s", s.files[format], i.Format)
		}
		if i.Net.Meta.Arch != s.family {
			t.Errorf("%s was taken for %q", s.files[format], i.Net.Meta.Arch)
		}
		if first == nil {
			first = i.Net
			continue
		}
		for k, p := range i.Net.Params {
			if want := first.Params[k]; p.Name != want.Name || !slices.Equal(p.Value, want.Value) {
				t.Errorf("%s: parameter %s differs from that of the first format", format, p.Name)
			}
		}
	}
	return s.throughFile(t, first)
}

// throughFile writes a network and reads it for the batch of the arrays.
func (s state) throughFile(t *testing.T, net *engine.Network) *engine.Network {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := onnx.Write(path, net); err != nil {
		t.Fatal(err)
	}
	net, info, err := onnx.Read(path, onnx.ReadOptions{Batch: s.arrays["input"].Shape[0]})
	if err != nil {
		t.Fatal(err)
	}
	if info.Dialect != "regraft" || net.Meta.Arch != s.family || net.Meta.Preprocess == nil {
		t.Errorf("the file is of dialect %s, architecture %q, preprocessing %v", info.Dialect, net.Meta.Arch, net.Meta.Preprocess)
	}
	return net
}

// checkInference compares the logits.
func (s state) checkInference(t *testing.T, net *engine.Network, o plan.Options) {
	t.Helper()
	net, err := net.Subgraph(net.Outputs[0])
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Inference(net, o)
	if err != nil {
		t.Fatal(err)
	}
	s.checkFast(t, "inference", p)
	m, err := run.New(p, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Infer(s.arrays["input"].Data, net.Batch()); err != nil {
		t.Fatal(err)
	}
	d := s.distance(t, "eval", m.Output(0))
	t.Logf("logits: relative error %.1e", d.relative())
	if d.relative() > 1e-4 {
		t.Errorf("logits: relative error %.1e, want at most 1e-4", d.relative())
	}
}

// checkTraining compares loss, gradients and running statistics of one step.
func (s state) checkTraining(t *testing.T, net *engine.Network, o plan.Options) {
	t.Helper()
	none := float32(0)
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: net.Batch(), AuxWeight: 0.4, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Training(obj, o)
	if err != nil {
		t.Fatal(err)
	}
	s.checkFast(t, "training", p)
	m, err := run.New(p, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Step(s.arrays["input"].Data, s.arrays["labels"].Data, 0); err != nil {
		t.Fatal(err)
	}
	if loss := s.distance(t, "loss", m.Losses()[:1]); loss.relative() > 1e-5 {
		t.Errorf("loss %v: relative error %.1e, want at most 1e-5", m.Losses()[0], loss.relative())
	}
	allowed := directTimes
	if !o.Direct {
		allowed = winogradTimes
	}
	var all figures
	gradients, running := m.Gradients(), m.RunningStatistics()
	for _, slot := range p.Params {
		d := s.distance(t, "grad."+slot.Param.Name, gradients[slot.Param.Name])
		if d.times() > allowed.each {
			t.Errorf("gradient of %s is more than %v times as far from float64 as PyTorch's: %v", slot.Param.Name, allowed.each, d)
		}
		all.add(d)
	}
	for _, slot := range p.Running {
		if d := s.distance(t, "after."+slot.Param.Name, running[slot.Param.Name]); d.relative() > 1e-4 {
			t.Errorf("%s: relative error %.1e, want at most 1e-4", slot.Param.Name, d.relative())
		}
	}
	t.Logf("direct %v: loss %.6g; %s; %d running statistics", o.Direct, m.Losses()[0], all.check(t, allowed), len(p.Running))
}

// checkFast complains of operators that only their reference computes: correct, but slow.
func (s state) checkFast(t *testing.T, what string, p *plan.Program) {
	t.Helper()
	found := map[string]int{}
	for _, step := range p.Steps {
		if step.Prim.Name() == "interpreted" {
			found[step.Op]++
		}
	}
	if len(found) > 0 {
		t.Errorf("%s: operators without a fast form: %v", what, found)
	}
}

// batches is larger where few values per channel would make BatchNorm's gradients all noise, smaller where two photos take long.
var batches = map[string]string{"inception_v3": "4", "vgg11_bn": "1", "vgg16": "1"}

var visionTransformer = regexp.MustCompile(`^(vit|deit|dinov2|clip|siglip|beit|swin)_`)

// TestFamilies takes every family from PyTorch's state dict to logits and to one training step.
func TestFamilies(t *testing.T) {
	python(t, "import torch, torchvision")
	isa, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range weights.Families() {
		if visionTransformer.MatchString(family) {
			continue // TestVit and TestSwin have those of every kind
		}
		t.Run(family, func(t *testing.T) {
			batch := "2"
			if b := batches[family]; b != "" {
				batch = b
			}
			s := newState(t, family, "--batch", batch, "--samples", "16384")
			input := s.arrays["input"].Shape
			net := s.imported(t, weights.Options{Size: photo.Size{H: input[2], W: input[3]}})
			for _, direct := range []bool{true, false} {
				s.checkInference(t, net, plan.Options{ISA: isa, Direct: direct})
				s.checkTraining(t, net, plan.Options{ISA: isa, Direct: direct})
			}
			s.checkExports(t, net, forms)
		})
	}
}
