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

// TestTowers: of a network of image and text the image's tower is left, with outputs in their places; what needs the text is named.
func TestTowers(t *testing.T) {
	m := chainModel("both", "deep", "features")
	m.inputs = append([][]byte{inputProto("ids", typeInt64, 2, 7)}, m.inputs...)
	m.node("Cast", []string{"ids"}, "text", intAttribute("to", int(typeFloat)))
	m.node("Conv", []string{"x", m.float("w", 4, 3, 1, 1)}, "c")
	m.node("Relu", []string{"c"}, "deep")
	m.node("GlobalAveragePool", []string{"c"}, "p")
	m.node("Flatten", []string{"p"}, "features")
	m.node("ReduceMean", []string{"text"}, "mean", intsAttribute("axes", 1))
	m.node("Mul", []string{"features", "mean"}, "both")
	net, info, err := ReadBytes(m.bytes(), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(info.Warnings, func(w string) bool { return w == `output "both" is left out: it depends on input "ids"` }) || !info.Outputs[0].LeftOut || info.Outputs[1].LeftOut {
		t.Errorf("warnings %q, outputs %v", info.Warnings, info.Outputs)
	}
	file, err := writtenBytes(net)
	if err != nil {
		t.Fatal(err)
	}
	_, info, err = ReadBytes(file, ReadOptions{})
	if err != nil || len(info.Outputs) != 2 || info.Outputs[0].Name != "deep" || net.Outputs[0].Name != "features" {
		t.Errorf("main output %s, written %v, error %v", net.Outputs[0].Name, info.Outputs, err)
	}
}
