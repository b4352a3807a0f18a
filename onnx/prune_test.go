package onnx

import (
	"slices"
	"strings"
	"testing"
)

// TestPrune: an input that only feeds dead nodes goes with them; two live ones are refused by name; a string initializer that is
// listed as an input is no panic.
func TestPrune(t *testing.T) {
	relu := func(in, out string) []byte { return nodeOut("Relu", "relu_"+out, []string{in}, []string{out}) }
	m := chainModel("y")
	m.inputs = append([][]byte{inputProto("z", typeDouble, 4)}, m.inputs...)
	m.nodes = [][]byte{relu("z", "dead"), nodeOut("Einsum", "odd", []string{"dead"}, []string{"deader"}), relu("x", "y")}
	net, info, err := ReadBytes(m.bytes(), ReadOptions{})
	if err != nil || net.Input.Name() != "x" || info.Image.Name != "x" || !slices.ContainsFunc(info.Warnings, func(w string) bool { return strings.Contains(w, `"z" is left out`) }) {
		t.Errorf("%v, %q", err, info.Warnings)
	}
	m.nodes = append(m.nodes[:2], nodeOut("Add", "sum", []string{"x", "deader"}, []string{"y"}))
	if _, _, err := ReadBytes(m.bytes(), ReadOptions{}); err == nil || !strings.Contains(err.Error(), `"z" "x"`) {
		t.Errorf("two inputs: %v", err)
	}
	m = chainModel("y")
	m.inputs = append(m.inputs, inputProto("s", typeString))
	m.tensors = [][]byte{appendText(appendInt(nil, 2, int64(typeString)), 8, "s")}
	m.nodes = [][]byte{nodeOut("Add", "sum", []string{"x", "s"}, []string{"y"})}
	if _, _, err := ReadBytes(m.bytes(), ReadOptions{}); err == nil {
		t.Error("a string was added")
	}
}
