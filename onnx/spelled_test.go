package onnx

import (
	"path/filepath"
	"testing"

	"regraft/engine/op"
)

// TestOlderOpsets exports operators to opset 13 that ONNX has only since later ones: what is read again computes the same.
func TestOlderOpsets(t *testing.T) {
	m := chainModel("y")
	m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "c")
	m.node("HardSwish", []string{"c"}, "h")
	m.node("Transpose", []string{"h"}, "last", intsAttribute("perm", 0, 2, 3, 1))
	m.node("LayerNormalization", []string{"last", m.float("gamma", 3), m.float("beta", 3)}, "n", intAttribute("axis", -1))
	m.node("Flatten", []string{"n"}, "y")
	net, _, err := ReadBytes(m.bytes(), ReadOptions{Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "older.onnx")
	if err := Export(path, net, ExportOptions{Opset: 13}); err != nil {
		t.Fatal(err)
	}
	again, _, err := Read(path, ReadOptions{Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range again.Nodes() {
		if _, ok := n.Op().(*op.LayerNorm); ok {
			t.Error("the file has a LayerNormalization")
		}
	}
	image := ramp(2 * 3 * 8 * 8)
	want, got := interpreter{net: net}.run(t, image)[0], interpreter{net: again}.run(t, image)[0]
	if d := distance(t, got, want); !(d <= 1e-6) {
		t.Errorf("the exported network is off by %.1e of the largest value", d)
	}
}

// TestTransposedWeights: transposing the weights that a file holds is affordable, each tensor once; more is not.
func TestTransposedWeights(t *testing.T) {
	const side = 3000 // 34 MiB
	model := func(times int) []byte {
		m := chainModel("y")
		m.float("w", side, side)
		m.node("GlobalAveragePool", []string{"x"}, "p")
		m.node("Flatten", []string{"p"}, "f")
		last := "f"
		m.node("Gemm", []string{last, m.float("w0", 3, side)}, "g")
		last = "g"
		for i := range times {
			name := string(rune('a' + i))
			m.node("Transpose", []string{"w"}, name+"t", intsAttribute("perm", 1, 0))
			m.node("MatMul", []string{last, name + "t"}, name+"p")
			last = name + "p"
		}
		m.node("Relu", []string{last}, "y")
		return m.bytes()
	}
	if _, _, err := ReadBytes(model(2), ReadOptions{}); err != nil { // one is free, one within the limit
		t.Error(err)
	}
	if _, _, err := ReadBytes(model(3), ReadOptions{}); err == nil {
		t.Error("102 MiB of transposed weights out of 34: no error")
	}
}
