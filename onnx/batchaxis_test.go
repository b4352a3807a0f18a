package onnx

import (
	"strings"
	"testing"
)

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
