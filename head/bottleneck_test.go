package head

import (
	"strings"
	"testing"

	"regraft/engine/op"
)

// TestClassTokenBehindStem: where several convolutions make the patches, the last one counts them.
func TestClassTokenBehindStem(t *testing.T) {
	s, x := newSketch(t)
	patches := s.conv("patches", s.conv("stem", x, 4, 3), 6, 5) // 3 x 3 of them
	tokens := s.apply(&op.Transpose{Perm: []int{0, 2, 1}}, s.apply(&op.Reshape{Shape: []int{0, 6, 9}}, patches))
	class := s.apply(&op.BatchTile{}, s.param("class", 1, 1, 6), x)
	net := s.network(s.apply(&op.Concat{Axis: 1}, class, tokens))
	pooled, said, err := Pool(net, PoolAuto)
	if err != nil || !strings.HasPrefix(said, "cls of output") {
		t.Fatalf("%q, %v", said, err)
	}
	if shape := pooled.Outputs[0].Node.Shape(); shape[1] != 6 {
		t.Errorf("features %v", shape)
	}
}

// TestLastMapOfManyPaths: sums of a value with itself have twice as many paths each, which takes no time.
func TestLastMapOfManyPaths(t *testing.T) {
	s, x := newSketch(t)
	last := s.conv("a", x, 4, 3)
	y := s.apply(&op.Reshape{Shape: []int{0, 4, 7, 7}}, s.apply(&op.Flatten{Axis: 1}, last))
	for range 64 {
		y = s.apply(&op.Add{}, y, y)
	}
	hidden := s.apply(&op.Relu{}, s.linear("hidden", s.apply(&op.Flatten{Axis: 1}, y), 6))
	answers, err := AnswersOf(s.network(s.linear("fc", hidden, 5)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := answers.LastMap()
	if err != nil || m.Node.Op().(op.Op).Name() != "Relu" || m.Node.Shape()[1] != 4 || m.Weights != nil {
		t.Errorf("%+v, %v", m, err)
	}
}
