package onnx

import (
	"slices"
	"strings"
	"testing"
)

// TestSqueezedBatchOfOddShapes: no step on a vector without a batch ends the program.
func TestSqueezedBatchOfOddShapes(t *testing.T) {
	for what, add := range map[string]func(m *testModel){
		"no axes": func(m *testModel) { m.node("Unsqueeze", []string{"f", m.ints("none")}, "y") },
		"a scalar": func(m *testModel) {
			m.node("ReduceMean", []string{"f"}, "r")
			m.node("Reshape", []string{"r", m.ints("none")}, "y")
		},
		"two axes": func(m *testModel) { m.node("Unsqueeze", []string{"f", m.ints("axes", 0, 2)}, "y") },
	} {
		m := chainModel("y")
		m.inputs = [][]byte{inputProto("x", typeFloat, 1, 3, 8, 8)}
		m.node("Reshape", []string{"x", m.ints("flat", -1)}, "f")
		add(&m)
		if _, _, err := ReadBytes(m.bytes(), ReadOptions{}); err != nil {
			t.Logf("%s: %v", what, err)
		}
	}
}

// TestSqueezedBatchIsNamed: what is done to a vector without a batch is refused by name where no form with a batch is known.
func TestSqueezedBatchIsNamed(t *testing.T) {
	m := chainModel("y")
	m.inputs = [][]byte{inputProto("x", typeFloat, 1, 3, 8, 8)}
	m.node("Reshape", []string{"x", m.ints("flat", -1)}, "f")
	m.node("Transpose", []string{"f"}, "t", intsAttribute("perm", 0))
	m.node("Reshape", []string{"t", m.ints("row", 1, 192)}, "y")
	_, _, err := ReadBytes(m.bytes(), ReadOptions{})
	if err == nil || !strings.Contains(err.Error(), "lost the batch") {
		t.Errorf("error %v", err)
	}
}

// TestSqueezedBatch: what a file computes of the vector of one photo the network computes for every photo of a batch.
func TestSqueezedBatch(t *testing.T) {
	for what, add := range map[string]func(m *testModel){
		"softmax":     func(m *testModel) { m.node("Softmax", []string{"f"}, "z") },
		"log softmax": func(m *testModel) { m.node("LogSoftmax", []string{"f"}, "z", intAttribute("axis", 0)) },
		"softmax of rows": func(m *testModel) {
			m.node("Unsqueeze", []string{"f", m.ints("behind", 1)}, "u")
			m.node("Softmax", []string{"u"}, "s", intAttribute("axis", 0))
			m.node("Reshape", []string{"s", m.ints("flat again", -1)}, "z")
		},
		"parts": func(m *testModel) {
			m.node("Slice", []string{"f", m.ints("starts", 5), m.ints("ends", 100), m.ints("axes", 0)}, "a")
			m.node("Gather", []string{"f", m.ints("indices", 7, 3)}, "b")
			m.node("Concat", []string{"a", "b"}, "z", intAttribute("axis", 0))
		},
		"products": func(m *testModel) {
			m.node("MatMul", []string{"f", m.float("right", 192, 7)}, "a")
			m.node("MatMul", []string{m.float("left", 5, 7), "a"}, "z")
		},
		"a row and back": func(m *testModel) {
			m.node("Reshape", []string{"f", m.ints("row", 1, 192)}, "r")
			m.node("MatMul", []string{"r", m.float("weights", 192, 7)}, "p")
			m.node("Reshape", []string{"p", m.ints("flat again", -1)}, "z")
		},
		"arithmetic": func(m *testModel) {
			m.node("Sub", []string{m.float("table", 192), "f"}, "a")
			m.node("Relu", []string{"a"}, "b")
			m.node("Add", []string{"b", "f"}, "z")
		},
	} {
		t.Run(what, func(t *testing.T) {
			m := chainModel("y")
			m.inputs = [][]byte{inputProto("x", typeFloat, 1, 3, 8, 8)}
			m.node("Reshape", []string{"x", m.ints("flat", -1)}, "f")
			add(&m)
			m.node("Unsqueeze", []string{"z", m.ints("front", 0)}, "y")
			net, _, err := ReadBytes(m.bytes(), ReadOptions{Batch: 2})
			if err != nil {
				t.Fatal(err)
			}
			photos := ramp(2 * 192)
			slices.Reverse(photos[192:])
			want := slices.Concat(asSpelled(t, m.bytes(), []int{1, 3, 8, 8}, photos[:192]), asSpelled(t, m.bytes(), []int{1, 3, 8, 8}, photos[192:]))
			if d := distance(t, interpreter{net: net}.run(t, photos)[0], want); !(d <= 1e-6) {
				t.Errorf("it is off by %.1e of the largest value", d)
			}
		})
	}
}
