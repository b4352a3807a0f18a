package onnx

import (
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
