package onnx

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// graphAttribute is a branch of If.
func graphAttribute(name string, nodes [][]byte, tensors [][]byte, outputs ...string) []byte {
	var g []byte
	for number, list := range map[protowire.Number][][]byte{1: nodes, 5: tensors} {
		for _, b := range list {
			g = appendMessage(g, number, b)
		}
	}
	for _, out := range outputs {
		g = appendMessage(g, 12, inputProto(out, typeFloat))
	}
	return attributeOut(name, attributeGraph, func(b []byte) []byte { return appendMessage(b, 6, g) })
}

// condition adds the comparison of a size of x, (2, 3, 8, 8), with a number.
func (m *testModel) condition(axis, size int64) string {
	m.tensors = append(m.tensors, intTensor("axis", nil, axis), intTensor("size", nil, size))
	m.node("Shape", []string{"x"}, "s")
	m.node("Gather", []string{"s", "axis"}, "g")
	m.node("Equal", []string{"g", "size"}, "c")
	return "c"
}

func boolTensor(name string, v byte) []byte {
	b := appendInt(newTensorOut(name, nil, nil, nil).header, 2, int64(typeBool))
	return append(b, 0x4a, 1, v) // raw_data
}

// settled are models with nodes that the import takes away, and what is left of them.
var settled = []spelling{
	{"a branch that is known", "Conv Sigmoid", func(m *testModel) {
		c := m.condition(1, 3)
		m.nodes = append(m.nodes, nodeOut("If", "if", []string{c}, []string{"y"},
			graphAttribute("then_branch", [][]byte{nodeOut("Conv", "", []string{"x", "w"}, []string{"a"}), nodeOut("Sigmoid", "", []string{"a"}, []string{"b"})},
				[][]byte{floatTensor("w", []int{4, 3, 1, 1}, ramp(12)...)}, "b"),
			graphAttribute("else_branch", [][]byte{nodeOut("Tanh", "", []string{"x"}, []string{"b"})}, nil, "b")))
	}},
	{"the other branch, which is a value from outside", "Relu", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		c := m.condition(1, 4)
		m.nodes = append(m.nodes, nodeOut("If", "if", []string{c}, []string{"y"},
			graphAttribute("then_branch", [][]byte{nodeOut("Tanh", "", []string{"x"}, []string{"b"})}, nil, "b"),
			graphAttribute("else_branch", nil, nil, "r")))
	}},
	{"parts of a sequence", "Slice Slice Relu Concat", func(m *testModel) {
		m.tensors = append(m.tensors, intTensor("i", nil, 0), intTensor("j", nil, -1), intTensor("parts", []int{2}, 1, 2))
		m.node("SplitToSequence", []string{"x", "parts"}, "q", intAttribute("axis", 1))
		m.node("SequenceAt", []string{"q", "i"}, "a")
		m.node("Relu", []string{"a"}, "b")
		m.node("SequenceAt", []string{"q", "j"}, "d")
		m.node("Concat", []string{"b", "d"}, "y", intAttribute("axis", 1))
	}},
	{"limits", "Conv Clip", func(m *testModel) {
		m.node("Conv", []string{"x", m.float("w", 4, 3, 1, 1)}, "c")
		m.node("Max", []string{m.scalar("zero", 0), "c"}, "a")
		m.node("Min", []string{"a", m.scalar("six", 6)}, "y")
	}},
	{"lower limit 0", "Relu", func(m *testModel) {
		m.node("Max", []string{"x", m.scalar("zero", 0)}, "y")
	}},
	{"stochastic depth", "Conv Relu Add", func(m *testModel) {
		m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "c")
		m.node("Relu", []string{"c"}, "r")
		m.node("RandomUniformLike", []string{m.float("like", 2, 1, 1, 1)}, "u")
		m.node("Less", []string{"u", m.scalar("p", 0.8)}, "l")
		m.node("Cast", []string{"l"}, "f", intAttribute("to", 1))
		m.node("Div", []string{"f", "p"}, "d")
		m.node("Mul", []string{"r", "d"}, "k")
		m.node("Add", []string{"k", "c"}, "y")
	}},
	{"dropped paths that are scaled at inference", "Relu Mul", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		m.node("RandomUniform", nil, "u", intsAttribute("shape", 2, 1, 1, 1))
		m.node("Add", []string{m.scalar("p", 0.75), "u"}, "s")
		m.node("Floor", []string{"s"}, "f")
		m.node("Mul", []string{"f", "r"}, "y")
	}},
	{"a table for every image of the batch", "Relu Add", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		m.node("Shape", []string{"x"}, "s")
		m.node("Expand", []string{m.float("row", 1, 3, 8, 8), "s"}, "e")
		m.node("Add", []string{"e", "r"}, "y")
	}},
	{"weights that are computed", "Flatten Linear", func(m *testModel) {
		m.node("Tanh", []string{m.float("w", 192, 4)}, "t")
		m.node("Flatten", []string{"x"}, "f")
		m.node("Gemm", []string{"f", "t"}, "y")
	}},
}

// TestSettled takes nodes away that can be settled at import.
func TestSettled(t *testing.T) {
	for _, s := range settled {
		t.Run(s.name, func(t *testing.T) {
			m := chainModel("y")
			s.build(&m)
			net, _, err := ReadBytes(m.bytes(), ReadOptions{Batch: 2})
			if err != nil {
				t.Fatal(err)
			}
			checkOperators(t, net, s.want)
		})
	}
}

// TestBranchOfTheBatch: a branch that depends on the number of images is said.
func TestBranchOfTheBatch(t *testing.T) {
	for axis, warns := range map[int64]bool{0: true, 1: false} {
		m := chainModel("y")
		m.inputs = [][]byte{inputProto("x", typeFloat, 0, 3, 8, 8)}
		c := m.condition(axis, 1)
		m.nodes = append(m.nodes, nodeOut("If", "if", []string{c}, []string{"y"},
			graphAttribute("then_branch", [][]byte{nodeOut("Tanh", "", []string{"x"}, []string{"a"})}, nil, "a"),
			graphAttribute("else_branch", [][]byte{nodeOut("Sigmoid", "", []string{"x"}, []string{"b"})}, nil, "b")))
		net, info, err := ReadBytes(m.bytes(), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		checkOperators(t, net, "Sigmoid")
		if got := strings.Contains(strings.Join(info.Warnings, "\n"), "by the number of images"); got != warns {
			t.Errorf("axis %d: warnings %q", axis, info.Warnings)
		}
	}
}

// TestUnsettled: what the import would have to guess is refused, with the node that it is about.
func TestUnsettled(t *testing.T) {
	for mention, build := range map[string]func(m *testModel){
		`If (node "if"): its condition is not known`: func(m *testModel) {
			m.nodes = append(m.nodes, nodeOut("If", "if", []string{"x"}, []string{"y"}, graphAttribute("then_branch", nil, nil, "x"), graphAttribute("else_branch", nil, nil, "x")))
		},
		`If (node "if"): its condition is not known at import`: func(m *testModel) {
			m.node("Greater", []string{"x", m.scalar("k", 1)}, "c")
			m.nodes = append(m.nodes, nodeOut("If", "if", []string{"c"}, []string{"y"}, graphAttribute("then_branch", nil, nil, "x"), graphAttribute("else_branch", nil, nil, "x")))
		},
		`If (node "if"): the condition is float32`: func(m *testModel) {
			m.nodes = append(m.nodes, nodeOut("If", "if", []string{m.scalar("k", 1)}, []string{"y"}, graphAttribute("then_branch", nil, nil, "x"), graphAttribute("else_branch", nil, nil, "x")))
		},
		`a branch is missing`: func(m *testModel) {
			m.tensors = append(m.tensors, boolTensor("c", 1))
			m.nodes = append(m.nodes, nodeOut("If", "if", []string{"c"}, []string{"y"}, graphAttribute("then_branch", nil, nil, "x")))
		},
		`0 inputs and 2 outputs, the node has 1 results`: func(m *testModel) {
			m.tensors = append(m.tensors, boolTensor("c", 1))
			m.nodes = append(m.nodes, nodeOut("If", "if", []string{"c"}, []string{"y"}, graphAttribute("then_branch", nil, nil, "x", "x"), graphAttribute("else_branch", nil, nil, "x")))
		},
		`Softmax (node "inner"): axis 9`: func(m *testModel) {
			m.tensors = append(m.tensors, boolTensor("c", 1))
			inner := nodeOut("Softmax", "inner", []string{"x"}, []string{"a"}, intAttribute("axis", 9))
			m.nodes = append(m.nodes, nodeOut("If", "if", []string{"c"}, []string{"y"}, graphAttribute("then_branch", [][]byte{inner}, nil, "a"), graphAttribute("else_branch", nil, nil, "x")))
		},
		`reads "nowhere"`: func(m *testModel) {
			m.tensors = append(m.tensors, boolTensor("c", 1))
			m.nodes = append(m.nodes, nodeOut("If", "if", []string{"c"}, []string{"y"}, graphAttribute("then_branch", nil, nil, "nowhere"), graphAttribute("else_branch", nil, nil, "x")))
		},
		`position 3 is outside of a sequence of 2 tensors`: func(m *testModel) {
			m.tensors = append(m.tensors, intTensor("i", nil, 3))
			m.node("SequenceConstruct", []string{"x", "x"}, "q")
			m.node("SequenceAt", []string{"q", "i"}, "y")
		},
		`operand 0 is a sequence`: func(m *testModel) {
			m.node("SequenceConstruct", []string{"x", "x"}, "q")
			m.node("Relu", []string{"q"}, "y")
		},
		`operand 0 is no sequence`: func(m *testModel) {
			m.node("ConcatFromSequence", []string{"x"}, "y", intAttribute("axis", 1))
		},
		`2 parts do not make up axis 1`: func(m *testModel) {
			m.tensors = append(m.tensors, intTensor("parts", []int{2}, 1, 1))
			m.node("SplitToSequence", []string{"x", "parts"}, "q", intAttribute("axis", 1))
			m.node("ConcatFromSequence", []string{"q"}, "y", intAttribute("axis", 1))
		},
		`two operands are computed from the image`: func(m *testModel) {
			m.node("Neg", []string{"x"}, "n")
			m.node("Max", []string{"x", "n"}, "y")
		},
		`only single numbers are supported as limits`: func(m *testModel) {
			m.node("Min", []string{"x", m.float("w", 3, 1, 1)}, "y")
		},
		`values between layers are quantised`: func(m *testModel) {
			m.tensors = append(m.tensors, floatTensor("s", nil, 0.1))
			m.node("QuantizeLinear", []string{"x", "s"}, "q")
			m.node("DequantizeLinear", []string{"q", "s"}, "y")
		},
		`attribute activation is "Swish"`: func(m *testModel) {
			m.imports = [][]byte{appendInt(appendText(nil, 1, "com.microsoft"), 2, 1)}
			m.nodes = append(m.nodes, domainNode("com.microsoft", "FusedConv", "f", []string{"x", m.float("w", 4, 3, 1, 1)}, []string{"y"}, textAttribute("activation", "Swish")))
		},
		`ORT_ENABLE_BASIC`: func(m *testModel) {
			m.nodes = append(m.nodes, domainNode("com.microsoft.nchwc", "Conv", "f", []string{"x", "x"}, []string{"y"}))
		},
		`scikit-learn`: func(m *testModel) {
			m.nodes = append(m.nodes, domainNode("ai.onnx.ml", "LinearClassifier", "f", []string{"x"}, []string{"y"}))
		},
		`TrainingMode.PRESERVE`: func(m *testModel) {
			m.node("RandomNormalLike", []string{"x"}, "n")
			m.node("Add", []string{"x", "n"}, "y")
		},
		`Add (node "node_y"): random numbers`: func(m *testModel) {
			m.node("RandomUniformLike", []string{"x"}, "n")
			m.node("Add", []string{"x", "n"}, "y")
		},
		`several probabilities`: func(m *testModel) {
			m.node("Bernoulli", []string{m.float("p", 2, 1, 1, 1)}, "n")
			m.node("Mul", []string{"x", "n"}, "y")
		},
		`without attribute broadcast`: func(m *testModel) {
			m.opset = 6
			m.node("Add", []string{"x", m.float("w", 3, 1, 1)}, "y")
		},
		`the shape has dimension -2`: func(m *testModel) {
			m.opset = 4
			m.node("Reshape", []string{"x"}, "y", intsAttribute("shape", 2, -2))
		},
		`does not fit along axis 3`: func(m *testModel) {
			m.opset = 6
			m.node("Add", []string{"x", m.float("w", 8, 8)}, "y", intAttribute("broadcast", 1), intAttribute("axis", 3))
		},
		`"COMPLEX64", which is no type that is read`: func(m *testModel) {
			m.opset = 5
			m.node("Cast", []string{"x"}, "y", textAttribute("to", "COMPLEX64"))
		},
	} {
		m := chainModel("y")
		build(&m)
		_, _, err := ReadBytes(m.bytes(), ReadOptions{})
		if err == nil || !strings.Contains(err.Error(), mention) {
			t.Errorf("%v, want an error that mentions %q", err, mention)
		}
	}
}

// TestReshapeAttribute: before opset 5 the shape is an attribute, where 0 copies a size and -1 is the rest.
func TestReshapeAttribute(t *testing.T) {
	m := chainModel("y")
	m.opset = 4
	m.node("Reshape", []string{"x"}, "y", intsAttribute("shape", 0, 0, -1))
	net, _, err := ReadBytes(m.bytes(), ReadOptions{Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	if shape := net.Outputs[0].Node.Shape(); !slices.Equal(shape, []int{2, 3, 64}) {
		t.Errorf("shape %v", shape)
	}
}

// TestSettledBombs: small files that ask for much work or memory when nodes are settled.
func TestSettledBombs(t *testing.T) {
	deepest := graphAttribute("then_branch", nil, nil, "x")
	for range maxSubgraphs + 1 {
		deepest = graphAttribute("then_branch", [][]byte{nodeOut("If", "if", []string{"c"}, []string{"b"}, deepest)}, nil, "b")
	}
	square := floatTensor("a", []int{1200, 1200}, make([]float32, 1200*1200)...)
	for mention, build := range map[string]func(m *testModel){
		"32 deep": func(m *testModel) {
			m.nodes = append(m.nodes, nodeOut("If", "if", []string{"c"}, []string{"y"}, deepest))
		},
		"a sequence of": func(m *testModel) {
			m.node("SequenceEmpty", nil, "q0")
			for i := range 20000 {
				m.node("SequenceInsert", []string{fmt.Sprint("q", i), "x"}, fmt.Sprint("q", i+1))
			}
			m.node("ConcatFromSequence", []string{"q20000"}, "y", intAttribute("axis", 1))
		},
		"cannot be cut into parts of 1": func(m *testModel) {
			m.tensors = append(m.tensors, intTensor("one", nil, 1))
			m.node("Tile", []string{m.float("w", 1000), m.ints("r", 1000)}, "t")
			m.node("SplitToSequence", []string{"t", "one"}, "q")
			m.node("ConcatFromSequence", []string{"q"}, "y", intAttribute("axis", 0))
		},
		"takes more than": func(m *testModel) {
			m.tensors = append(m.tensors, square)
			m.node("MatMul", []string{"a", "a"}, "y")
		},
		"too many": func(m *testModel) {
			m.node("Tile", []string{m.float("w", 1000), m.ints("r", 1<<40)}, "y")
		},
		"is too large": func(m *testModel) {
			m.node("Tile", []string{m.float("w", 1000), m.ints("r", 1<<16)}, "y")
		},
		"picks too many": func(m *testModel) {
			m.tensors = append(m.tensors, intTensor("i", []int{1 << 21}, make([]int64, 1<<21)...))
			for i := range 8 {
				m.node("Gather", []string{"x", "i"}, fmt.Sprint("g", i), intAttribute("axis", 3))
			}
			m.node("Add", []string{"g0", "g1"}, "y")
		},
		"axes": func(m *testModel) {
			m.tensors = append(m.tensors, intTensor("s", []int{1 << 16}, slices.Repeat([]int64{1}, 1<<16)...))
			for i := range 1000 {
				m.node("Reshape", []string{"x", "s"}, fmt.Sprint("r", i))
			}
			m.node("Relu", []string{"x"}, "y")
		},
	} {
		m := chainModel("y")
		build(&m)
		allocated, err := allocations(m.bytes())
		if err == nil || !strings.Contains(err.Error(), mention) {
			t.Errorf("%.500v, want an error that mentions %q", err, mention)
		}
		if allocated > 256<<20 {
			t.Errorf("%s: %d MiB were allocated", mention, allocated>>20)
		}
	}
}
