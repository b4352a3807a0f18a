package onnx

import (
	"slices"
	"strings"
	"testing"
)

// tokensFirst has tokens (4, images, 5) of so many images, each a file's own.
func tokensFirst(own int) testModel {
	m := chainModel("y")
	m.inputs = [][]byte{inputProto("x", typeFloat, own, 3, 8, 8)}
	m.node("Conv", []string{"x", m.float("w", 5, 3, 4, 4)}, "maps", intsAttribute("strides", 4, 4))
	m.node("Reshape", []string{"maps", m.ints("flat", int64(own), 5, 4)}, "columns")
	m.node("Transpose", []string{"columns"}, "tokens", intsAttribute("perm", 2, 0, 1))
	return m
}

// TestTokensFirst: one axis of tokens and images, as PyTorch's attention has it, works on any number of images, each for itself.
func TestTokensFirst(t *testing.T) {
	for _, own := range []int{1, 2} {
		m := tokensFirst(own)
		m.node("Reshape", []string{"tokens", m.ints("rows", int64(4*own), 5)}, "merged")
		m.node("Gemm", []string{"merged", m.float("g", 5, 5)}, "product")
		m.node("Reshape", []string{"product", m.ints("apart", 4, int64(own), 5)}, "split")
		m.node("Transpose", []string{"split"}, "first", intsAttribute("perm", 1, 0, 2))
		m.node("Flatten", []string{"first"}, "y")
		net := readModel(t, m)
		three, err := net.WithBatch(3)
		if err != nil {
			t.Fatal(err)
		}
		image := ramp(3 * 192)
		rows := (interpreter{net: three}).run(t, image)[0]
		for i := range 3 {
			if alone := (interpreter{net: net}).run(t, image[i*192:][:192])[0]; !slices.Equal(alone, rows[i*20:][:20]) {
				t.Errorf("file of %d: image %d is %v in a batch, %v alone", own, i, rows[i*20:][:20], alone)
			}
		}
	}
}

// TestTokensMixed: what would mix tokens of one axis is refused.
func TestTokensMixed(t *testing.T) {
	m := tokensFirst(1)
	m.node("Reshape", []string{"tokens", m.ints("rows", 4, 5)}, "merged")
	m.node("Softmax", []string{"merged"}, "s", intAttribute("axis", 0))
	m.node("Reshape", []string{"s", m.ints("flat1", 1, 20)}, "y")
	if _, _, err := ReadBytes(m.bytes(), ReadOptions{}); err == nil || !strings.Contains(err.Error(), "tokens and images in one axis") {
		t.Errorf("error %v", err)
	}
}
