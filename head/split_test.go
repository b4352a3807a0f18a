package head

import (
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// TestSplit: a network is cut at the vector that its classifier reads, also where the classifier is a convolution of the map behind it;
// where a map is classified before it is averaged there is nothing to cut.
func TestSplit(t *testing.T) {
	for name, classify := range map[string]func(s *sketch, a *gorgonia.Node) *gorgonia.Node{
		"a linear layer": func(s *sketch, a *gorgonia.Node) *gorgonia.Node { return s.linear("fc", s.pooled(a), 5) },
		"a convolution of what is pooled": func(s *sketch, a *gorgonia.Node) *gorgonia.Node {
			c := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}
			y := s.apply(c, s.apply(&op.GlobalAveragePool{}, a), s.param("fc.weight", 5, 4, 1, 1), s.param("fc.bias", 5))
			return s.apply(&op.Flatten{Axis: 1}, y)
		},
		"a map": func(s *sketch, a *gorgonia.Node) *gorgonia.Node { return s.pooled(s.conv("classifier", a, 5, 1)) },
	} {
		s, x := newSketch(t)
		answers, err := AnswersOf(s.network(s.apply(&op.Softmax{Axis: 1}, classify(s, s.conv("a", x, 4, 3)))))
		if err != nil {
			t.Fatal(err)
		}
		trunk, scores, err := answers.Split()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if cut := name != "a map"; (trunk != nil) != cut || (scores != nil) != cut {
			t.Errorf("%s: trunk %v, scores %v", name, trunk != nil, scores != nil)
		} else if cut && (trunk.Outputs[0].Node.Shape()[1] != 4 || scores.Input.Shape()[1] != 4 || scores.Outputs[0].Node.Shape()[1] != 5) {
			t.Errorf("%s: %v features, scores %v of %v", name, trunk.Outputs[0].Node.Shape(), scores.Outputs[0].Node.Shape(), scores.Input.Shape())
		}
	}
}
