package run

import (
	"fmt"
	"hash/fnv"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op/optest"
	"regraft/engine/plan"
	"regraft/golden"
	"regraft/onnx"
)

// TestBits compares hashes of what programs compute on this machine with those of all machines (testdata/bits.txt): of every operator
// that takes images, of small pieces of networks, of steps of training, of the fixtures' outputs.
func TestBits(t *testing.T) {
	set, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	write := func(name string, values ...[]float32) { fmt.Fprintf(&text, "%-50s %016x\n", name, bits(values...)) }
	for _, row := range optest.Rows() {
		if net, x := rowNetwork(t, row); net != nil {
			write(row.Name, results(t, net, plan.Options{ISA: set}, x)...)
		}
	}
	for _, f := range forms {
		b := &tiny{t: t, b: engine.NewBuilder()}
		net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: b.form(3, f.build)})
		b.check(err)
		write(f.name, results(t, net, plan.Options{ISA: set}, noise(net.Input.Shape().TotalSize(), 3))...)
	}
	for _, direct := range []bool{false, true} {
		name := fmt.Sprintf("narrow Inception-v3, direct %v: ", direct)
		const images, size, classes = 4, 35, 5
		net, x := tinyInception(t, images, size, 16, classes), noise(images*3*size*size, 3)
		write(name+"inference", results(t, net, plan.Options{ISA: set, Direct: direct}, x)...)
		obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: images, AuxWeight: 0.4})
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.Training(obj, plan.Options{ISA: set, Direct: direct})
		if err != nil {
			t.Fatal(err)
		}
		m, err := New(p, 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Step(x, []float32{0, 1, 2, 3}, 3<<32|5); err != nil {
			t.Fatal(err)
		}
		write(name+"step of training", m.Losses(), m.Grads(), m.Running())
		m.Close()
	}
	folder, err := filepath.Abs("../../onnx/testdata")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(folder + "/*.onnx")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures in %s (%v)", folder, err)
	}
	for _, file := range files {
		x := golden.Npz(t, strings.TrimSuffix(file, ".onnx")+".npz")["input"]
		net, _, err := onnx.Read(file, onnx.ReadOptions{Batch: x.Shape[0]})
		if err != nil {
			t.Fatal(err)
		}
		write(filepath.Base(file), results(t, net, plan.Options{ISA: set}, x.Data)...)
	}
	golden.Text(t, "testdata/bits.txt", text.String())
}

// results are all outputs of a network.
func results(t *testing.T, net *engine.Network, o plan.Options, x []float32) (all [][]float32) {
	t.Helper()
	p, err := plan.Inference(net, o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(p, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Infer(x, net.Batch()); err != nil {
		t.Fatal(err)
	}
	for k := range p.Outputs {
		all = append(all, slices.Clone(m.Output(k)))
	}
	return all
}

// bits is a hash of numbers, in which all NaN are one.
func bits(values ...[]float32) uint64 {
	h := fnv.New64a()
	for _, list := range values {
		for _, v := range list {
			if v != v {
				v = float32(math.NaN())
			}
			b := math.Float32bits(v)
			h.Write([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
		}
	}
	return h.Sum64()
}
