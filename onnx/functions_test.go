package onnx

import (
	"strings"
	"testing"

	"regraft/engine/op"
)

// TestFunctions inlines functions that call functions, with attributes by reference and defaults.
func TestFunctions(t *testing.T) {
	m := chainModel("y")
	m.imports = [][]byte{appendInt(appendText(nil, 1, "blocks"), 2, 1)}
	m.functions = [][]byte{
		functionProtoOut("blocks", "Inner", []string{"a", "w", "b"}, []string{"r"}, []string{"pads"},
			nodeOut("Conv", "conv", []string{"a", "w", "b"}, []string{"c"}, refAttribute("pads", "pads", attributeInts), refAttribute("group", "missing", attributeInt)),
			nodeOut("Relu", "relu", []string{"c"}, []string{"r"})),
		functionProtoOut("blocks", "Outer", []string{"a", "w"}, []string{"r"}, []string{"pads"},
			domainNode("blocks", "Inner", "one", []string{"a", "w", ""}, []string{"m"}, refAttribute("pads", "pads", attributeInts)),
			domainNode("blocks", "Inner", "two", []string{"m", "w"}, []string{"r"})),
	}
	m.tensors = [][]byte{floatTensor("layer.weight", []int{3, 3, 3, 3}, ramp(81)...)}
	m.nodes = [][]byte{
		domainNode("blocks", "Outer", "top", []string{"x", "layer.weight"}, []string{"z"}, intsAttribute("pads", 1, 1, 1, 1), floatAttribute("weights::repeated", 1)),
		nodeOut("GlobalAveragePool", "pool", []string{"z"}, []string{"p"}),
		nodeOut("Flatten", "flat", []string{"p"}, []string{"y"}),
	}
	net, info, err := ReadBytes(m.bytes(), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, n := range net.Nodes() {
		labels = append(labels, net.Label(n))
	}
	if got, want := strings.Join(labels, " "), "top/one/conv top/one/relu top/two/conv top/two/relu pool flat"; got != want {
		t.Errorf("nodes %s, want %s", got, want)
	}
	first, second := net.Nodes()[0].Op().(*op.Conv), net.Nodes()[2].Op().(*op.Conv)
	if first.Pads != [4]int{1, 1, 1, 1} || second.Pads != [4]int{} {
		t.Errorf("pads %v and %v", first.Pads, second.Pads)
	}
	if info.Functions != 2 {
		t.Errorf("%d functions, want 2", info.Functions)
	}
	if len(net.Params) != 2 {
		t.Errorf("%d parameters, want one for each use of the weight", len(net.Params))
	}
	tied, _, err := ReadBytes(m.bytes(), ReadOptions{KeepTies: true})
	if err != nil || len(tied.Params) != 1 {
		t.Errorf("with ties kept: %v, %v", tied.Params, err)
	}
}

// TestFunctionBombs reads functions that call themselves or multiply.
func TestFunctionBombs(t *testing.T) {
	call := func(to, in, out string) []byte { return domainNode("f", to, "", []string{in}, []string{out}) }
	self := chainModel("y")
	self.functions = [][]byte{functionProtoOut("f", "Self", []string{"a"}, []string{"b"}, nil, call("Self", "a", "b"))}
	self.nodes = [][]byte{call("Self", "x", "y")}

	double := chainModel("y")
	double.nodes = [][]byte{call("F0", "x", "y")}
	for i := range 30 {
		name, next := "F"+string(rune('0'+i)), "F"+string(rune('1'+i))
		double.functions = append(double.functions, functionProtoOut("f", name, []string{"a"}, []string{"c"}, nil, call(next, "a", "b"), call(next, "b", "c")))
	}
	double.functions = append(double.functions, functionProtoOut("f", "F"+string(rune('0'+30)), []string{"a"}, []string{"b"}, nil, nodeOut("Relu", "", []string{"a"}, []string{"b"})))

	for name, m := range map[string]testModel{"deep": self, "more than": double} {
		_, _, err := ReadBytes(m.bytes(), ReadOptions{})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want an error that mentions %q", err, name)
		}
	}
}
