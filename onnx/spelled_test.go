package onnx

import (
	"fmt"
	"path/filepath"
	"testing"

	"regraft/engine/op"
)

// TestOlderOpsets exports operators to opset 13 that ONNX has only since later ones, and all of them to the newest: what is
// read again computes the same, by the same operators.
func TestOlderOpsets(t *testing.T) {
	m := chainModel("y")
	m.opset = 18
	m.node("Conv", []string{"x", m.float("w", 4, 3, 1, 1)}, "c")
	m.node("HardSwish", []string{"c"}, "h")
	m.node("Mish", []string{"h"}, "mish")
	m.node("GroupNormalization", []string{"mish", m.float("scale", 2), m.float("shift", 2)}, "group", intAttribute("num_groups", 2))
	m.node("InstanceNormalization", []string{"group", m.float("i.weight", 4), m.float("i.bias", 4)}, "instance")
	m.node("PRelu", []string{"instance", m.float("slope", 4, 1, 1)}, "p")
	last := "p"
	for name, attributes := range map[string][][]byte{
		"LeakyRelu": {floatAttribute("alpha", 0.3)}, "Elu": {floatAttribute("alpha", 0.5)}, "Selu": nil, "Celu": {floatAttribute("alpha", 0.25)},
		"Softplus": nil, "Softsign": nil, "Abs": nil, "ThresholdedRelu": {floatAttribute("alpha", 0.25)},
	} {
		m.node(name, []string{last}, "n"+name, attributes...)
		last = "n" + name
	}
	m.node("Transpose", []string{last}, "last", intsAttribute("perm", 0, 2, 3, 1))
	m.node("LayerNormalization", []string{"last", m.float("gamma", 4), m.float("beta", 4)}, "n", intAttribute("axis", -1))
	m.node("ReduceL2", []string{"n", m.ints("axes", 1)}, "r")
	m.node("ReduceSum", []string{"r", m.ints("axis", 2)}, "r2")
	m.node("Flatten", []string{"r2"}, "y")
	net, _, err := ReadBytes(m.bytes(), ReadOptions{Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, opset := range []int{13, 17, NewestExport} {
		path := filepath.Join(t.TempDir(), "older.onnx")
		if err := Export(path, net, ExportOptions{Opset: opset}); err != nil {
			t.Fatal(err)
		}
		again, info, err := Read(path, ReadOptions{Batch: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"LayerNormalization", "Mish", "HardSwish", "GroupNormalization"} {
			if opset == 13 && info.Operators[name] > 0 {
				t.Errorf("opset %d: the file has a %s", opset, name)
			}
		}
		for k, n := range again.Nodes() {
			if want := net.Nodes()[k].Op().(op.Op).Name(); n.Op().(op.Op).Name() != want {
				t.Errorf("opset %d: operator %d is %v, want %s", opset, k, n.Op(), want)
			}
		}
		image := ramp(2 * 3 * 8 * 8)
		want, got := interpreter{net: net}.run(t, image)[0], interpreter{net: again}.run(t, image)[0]
		if d := distance(t, got, want); !(d <= 1e-5) {
			t.Errorf("opset %d: the exported network is off by %.1e of the largest value", opset, d)
		}
	}
}

// TestTransposedWeights: transposing the weights that a file holds is affordable, in several steps too; much more is not.
func TestTransposedWeights(t *testing.T) {
	const side = 1000 // 3.8 MiB
	model := func(times int) []byte {
		m := chainModel("y")
		m.float("w", side, side)
		m.node("GlobalAveragePool", []string{"x"}, "p")
		m.node("Flatten", []string{"p"}, "f")
		last := "f"
		m.node("Gemm", []string{last, m.float("w0", 3, side)}, "g")
		last = "g"
		for i := range times {
			name := fmt.Sprint("n", i)
			m.node("Transpose", []string{"w"}, name+"t", intsAttribute("perm", 1, 0))
			m.node("MatMul", []string{last, name + "t"}, name+"p")
			last = name + "p"
		}
		m.node("Relu", []string{last}, "y")
		return m.bytes()
	}
	if _, _, err := ReadBytes(model(25), ReadOptions{}); err != nil { // 12 of its size beside the 64 MiB for all
		t.Error(err)
	}
	if _, _, err := ReadBytes(model(35), ReadOptions{}); err == nil {
		t.Error("134 MiB of transposed weights out of 3.8: no error")
	}
}
