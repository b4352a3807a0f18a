package onnx

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/photo"
)

// TestRoundTrip writes what was read and reads it again: graph, parameters and metadata are the same
// to the bit, and so is the file when it is written once more.
func TestRoundTrip(t *testing.T) {
	paths := ownFixtures(t)
	if folder, list := optionalFixtures(t); folder != "" {
		for _, f := range list {
			paths = append(paths, filepath.Join(folder, f.Name))
		}
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			net, _, err := Read(path+".onnx", ReadOptions{Batch: 2})
			if err != nil {
				t.Fatal(err)
			}
			net.Meta.Labels = []string{"it's", `a "place"`, "ort, straße"}
			net.Meta.Preprocess = photo.ImageNet(photo.Square(75))
			net.Meta.Arch = "narrow"
			net.Meta.History = []engine.Epoch{{Mode: "full", Number: 1, TrainLoss: 0.5, LR: 1e-3}}
			roundTrip(t, net)
		})
	}
}

func roundTrip(t *testing.T, net *engine.Network) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "model.onnx")
	again := rewrite(t, net, file)
	sameNetwork(t, net, again)
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, again, file)
	second, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("the file changes when it is written again")
	}
}

// TestRoundTripOfTokens: linear layers over tokens, with biases and without, are products with matrices in files.
func TestRoundTripOfTokens(t *testing.T) {
	b := engine.NewBuilder()
	check := func(n *gorgonia.Node, err error) *gorgonia.Node {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	param := func(name string, shape ...int) *gorgonia.Node {
		values := make([]float32, tensor.Shape(shape).TotalSize())
		for k := range values {
			values[k] = float32(k%7) - 2.5
		}
		return check(b.Param(&engine.Param{Name: name, Shape: shape, Value: values}))
	}
	x := check(b.Placeholder("x", 2, 3, 4, 4))
	x = check(b.Apply("reshape", &op.Reshape{Shape: []int{0, 3, 16}}, x))
	x = check(b.Apply("tokens", &op.Transpose{Perm: []int{0, 2, 1}}, x))
	x = check(b.Apply("fc1", &op.Linear{}, x, param("fc1.weight", 5, 3), param("fc1.bias", 5)))
	x = check(b.Apply("fc2", &op.Linear{}, x, param("fc2.weight", 4, 5)))
	x = check(b.Apply("mean", &op.ReduceMean{Axes: []int{1}}, x))
	net, err := b.Network(engine.Meta{}, engine.Output{Name: "y", Node: x})
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, net)
}

func rewrite(t *testing.T, net *engine.Network, file string) *engine.Network {
	t.Helper()
	if err := Write(file, net); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Fatalf("the folder holds %v (%v), want the model alone", left, err)
	}
	again, info, err := Read(file, ReadOptions{Batch: net.Batch()})
	if err != nil {
		t.Fatal(err)
	}
	if info.Dialect != "regraft" {
		t.Errorf("dialect %q, want regraft", info.Dialect)
	}
	return again
}

// sameNetwork compares everything but the file's own names of parameters (Alias).
func sameNetwork(t *testing.T, want, got *engine.Network) {
	t.Helper()
	if len(got.Params) != len(want.Params) {
		t.Fatalf("%d parameters, want %d", len(got.Params), len(want.Params))
	}
	number := map[*gorgonia.Node]int{want.Input: -1, got.Input: -1}
	for i, w := range want.Params {
		g := got.Params[i]
		number[w.Node], number[g.Node] = i, i
		if g.Name != w.Name || !slices.Equal(g.Shape, w.Shape) || g.Constant != w.Constant || g.Running != w.Running {
			t.Errorf("parameter %d: %s %v %v %v, want %s %v %v %v", i, g.Name, g.Shape, g.Constant, g.Running, w.Name, w.Shape, w.Constant, w.Running)
		}
		if !slices.EqualFunc(g.Value, w.Value, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
			t.Errorf("parameter %s: values differ", w.Name)
		}
	}
	a, b := want.Nodes(), got.Nodes()
	if len(a) != len(b) {
		t.Fatalf("%d operators, want %d", len(b), len(a))
	}
	for i := range a {
		number[a[i]], number[b[i]] = len(want.Params)+i, len(want.Params)+i
		if w, g := a[i].Op().(op.Op).String(), b[i].Op().(op.Op).String(); w != g || want.Label(a[i]) != got.Label(b[i]) {
			t.Errorf("operator %d: %s %q, want %s %q", i, g, got.Label(b[i]), w, want.Label(a[i]))
		}
		x, y := op.Inputs(a[i]), op.Inputs(b[i])
		if !slices.EqualFunc(x, y, func(p, q *gorgonia.Node) bool { return number[p] == number[q] }) {
			t.Errorf("operator %d (%s): other operands", i, want.Label(a[i]))
		}
	}
	for i, w := range want.Outputs {
		if g := got.Outputs[i]; g.Name != w.Name || number[g.Node] != number[w.Node] {
			t.Errorf("output %d is %s, want %s", i, g.Name, w.Name)
		}
	}
	wantProps, err := want.Meta.Props()
	if err != nil {
		t.Fatal(err)
	}
	gotProps, err := got.Meta.Props()
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range wantProps {
		if gotProps[key] != value {
			t.Errorf("metadata %s: %q, want %q", key, gotProps[key], value)
		}
	}
	if len(gotProps) != len(wantProps) {
		t.Errorf("%d metadata entries, want %d", len(gotProps), len(wantProps))
	}
}

// TestWriteFails leaves nothing behind.
func TestWriteFails(t *testing.T) {
	net, _, err := Read(ownFixtures(t)[0]+".onnx", ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(t.TempDir(), "missing", "model.onnx"), net); err == nil {
		t.Error("no error for a folder that does not exist")
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "model.onnx")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	net.Params[0].Value = net.Params[0].Value[:1]
	if len(net.Params[0].Value) == net.Params[0].Shape.TotalSize() {
		t.Fatal("the parameter has one value")
	}
	if err := Write(file, net); err == nil {
		t.Error("no error for a parameter without its values")
	}
	old, err := os.ReadFile(file)
	if err != nil || string(old) != "old" {
		t.Errorf("the old file was damaged: %q, %v", old, err)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v", left)
	}
}
