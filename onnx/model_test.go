package onnx

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"regraft/golden"
	"regraft/photo"
)

// TestModel imports the real model: every initializer becomes a parameter under its own name, weights are not copied.
func TestModel(t *testing.T) {
	path := golden.Model(t)
	net, info, err := Read(path, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseModel(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.graph.initializers) != 484 || len(net.Params) != 484 {
		t.Errorf("%d initializers, %d parameters, want 484 of each", len(m.graph.initializers), len(net.Params))
	}
	for _, tensor := range m.graph.initializers {
		p, err := net.Param(tensor.name)
		if err != nil {
			t.Error(err)
			continue
		}
		k, err := tensor.constant()
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range k.floats {
			if p.Value[i] != v {
				t.Errorf("%s: value %d is %v, want %v", tensor.name, i, p.Value[i], v)
				break
			}
		}
		if running := strings.HasSuffix(p.Name, ".running_mean") || strings.HasSuffix(p.Name, ".running_var"); running != p.Running || p.Constant || p.Alias != "" {
			t.Errorf("%s: running %v, constant %v, alias %q", p.Name, p.Running, p.Constant, p.Alias)
		}
	}
	if info.Dialect != "torchscript-train" || info.BatchNorm != "trainable" || info.Opset != 17 || len(info.Unsupported) > 0 {
		t.Errorf("dialect %s, BatchNorm %s, opset %d, unsupported %v", info.Dialect, info.BatchNorm, info.Opset, info.Unsupported)
	}
	if len(net.Outputs) != 2 || net.Label(net.Outputs[0].Node) != "/fc/Gemm" || net.Label(net.Outputs[1].Node) != "/AuxLogits/fc/Gemm" {
		t.Errorf("the outputs are not main and auxiliary: %v", net.Outputs)
	}
}

// TestMainOutputFirst permutes the outputs of a file: structure decides which is the main one.
func TestMainOutputFirst(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "inception_v3.ts.train.op20.transform.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseModel(data)
	if err != nil {
		t.Fatal(err)
	}
	m.graph.outputs[0], m.graph.outputs[1] = m.graph.outputs[1], m.graph.outputs[0]
	net := convertModel(t, m)
	if label := net.Label(net.Outputs[0].Node); label != "/fc/Gemm" {
		t.Errorf("the main output is %s", label)
	}
}

// TestTies checks that equal tensors which the exporter stores once are parameters of their own.
func TestTies(t *testing.T) {
	folder, _ := fixtures(t)
	path := filepath.Join(folder, "resnet18.ts.eval.op20.preserve.ties.onnx")
	net, _, err := Read(path, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(net.Params) != 102 {
		t.Errorf("%d parameters, want 102", len(net.Params))
	}
	parameter := regexp.MustCompile(`^(layer\d\.\d\.)?(downsample\.\d|conv\d|bn\d|fc)\.(weight|bias|running_mean|running_var)$`)
	for _, p := range net.Params {
		if !parameter.MatchString(p.Name) {
			t.Errorf("parameter %q has no name of torchvision's", p.Name)
		}
	}
}

// TestNames checks names of exports that lost them.
func TestNames(t *testing.T) {
	folder, list := fixtures(t)
	want := map[string]bool{}
	reference, _, err := Read(filepath.Join(folder, "inception_v3.ts113.train.op14.onnx"), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range reference.Params {
		want[p.Name] = true
	}
	for _, f := range list {
		if !strings.HasPrefix(f.Name, "inception_v3.") {
			continue
		}
		net, _, err := Read(filepath.Join(folder, f.Name+".onnx"), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range net.Params {
			if folded := strings.HasSuffix(p.Name, ".conv.bias"); !folded && !want[p.Name] {
				t.Errorf("%s: parameter %q (%q in the file) is none of torchvision's", f.Name, p.Name, p.Alias)
			}
		}
	}
}

// TestDottedNames tells names of PyTorch's modules from those that exporters invent.
func TestDottedNames(t *testing.T) {
	for name, want := range map[string]bool{
		"fc.weight": true, "layer1.0.bn1.running_mean": true, "trunk_output.block1.block1-0.proj.0.weight": true,
		"onnx::Conv_193": false, "/fc/Gemm": false, "weight": false, "1.weight": false, "fc.": false,
	} {
		if got := dotted.MatchString(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}

// TestInputSize asks for other image sizes than the file's.
func TestInputSize(t *testing.T) {
	folder, _ := fixtures(t)
	for name, size := range map[string]int{"inception_v3.ts113.eval.op14": 139, "resnet18.dyn.eval.op20.batch": 96, "squeezenet1_1.dyn.eval.op20": 80} {
		net, _, err := Read(filepath.Join(folder, name+".onnx"), ReadOptions{Size: photo.Square(size), Batch: 3})
		if err != nil {
			t.Error(err)
			continue
		}
		if in, out := net.Input.Shape(), net.Outputs[0].Node.Shape(); !in.Eq([]int{3, 3, size, size}) || !out.Eq([]int{3, 7}) {
			t.Errorf("%s: %v -> %v", name, in, out)
		}
	}
	_, _, err := Read(filepath.Join(folder, "alexnet.ts113.eval.op14.onnx"), ReadOptions{Size: photo.Square(300)})
	if err == nil || !strings.Contains(err.Error(), "exported for images of 224 pixels") {
		t.Errorf("AlexNet at 300 pixels: %v", err)
	}
	_, _, err = Read(filepath.Join(folder, "inception_v3.ts113.eval.op14.onnx"), ReadOptions{Size: photo.Square(20)})
	if err == nil || !strings.Contains(err.Error(), "exported for images of 75 pixels") {
		t.Errorf("Inception-v3 at 20 pixels: %v", err)
	}
}

// BenchmarkRead imports the real model.
func BenchmarkRead(b *testing.B) {
	path := golden.Model(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Read(path, ReadOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWire walks the real model's bytes alone.
func BenchmarkWire(b *testing.B) {
	data, err := Contents(golden.Model(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseModel(data); err != nil {
			b.Fatal(err)
		}
	}
	runtime.KeepAlive(data)
}
