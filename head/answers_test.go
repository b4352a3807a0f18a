package head

import (
	"errors"
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// TestRow: the logits and probabilities of classes that scores stand for, worked out by hand; probabilities of logits lead back.
func TestRow(t *testing.T) {
	third, ln3 := float32(1.0/3), float32(math.Log(3))
	low := float32(math.Log(0x1p-126))
	for _, c := range []struct {
		meaning   Meaning
		scores    []float32
		logits, p []float32
		words     string
		exclusive bool
	}{
		{Logits, []float32{0, ln3, 0}, []float32{0, ln3, 0}, []float32{0.2, 0.6, 0.2}, "3 classes, of which a photo has one: probabilities are Softmax of the logits", true},
		{Logits, []float32{ln3}, []float32{0, ln3}, []float32{0.25, 0.75}, "one score: the probability of one class against its absence", true},
		{Independent, []float32{0, ln3, -ln3}, []float32{0, ln3, -ln3}, []float32{0.5, 0.75, 0.25}, "3 probabilities that do not exclude each other (Sigmoid)", false},
		{Independent, []float32{-ln3}, []float32{0, -ln3}, []float32{0.75, 0.25}, "one score: the probability of one class against its absence", true},
		{Given, []float32{third, 0, 2 * third}, []float32{-ln3, low, float32(math.Log(2.0 / 3))}, []float32{third, 0, 2 * third}, "3 probabilities, as the network computes them", true},
		{Given, []float32{0.25}, []float32{float32(math.Log(0.75)), float32(math.Log(0.25))}, []float32{0.75, 0.25}, "one score: the probability of one class against its absence", true},
	} {
		s, x := newSketch(t)
		a := &Answers{Net: s.network(s.linear("fc", s.pooled(x), len(c.scores))), Meaning: c.meaning, Classes: max(len(c.scores), 2)}
		logits, p := a.Row(c.scores)
		if !near(logits, c.logits) || !near(p, c.p) {
			t.Errorf("%s %v: logits %v, probabilities %v, want %v and %v", c.meaning, c.scores, logits, p, c.logits, c.p)
		}
		if again := a.Probabilities(c.logits); !near(again, c.p) {
			t.Errorf("%s: the logits %v stand for %v, want %v", c.meaning, c.logits, again, c.p)
		}
		if a.Words() != c.words || a.Exclusive() != c.exclusive || a.Single() != (len(c.scores) == 1) || a.Check() != nil {
			t.Errorf("%s %v: %q, exclusive %v, single %v, %v", c.meaning, c.scores, a.Words(), a.Exclusive(), a.Single(), a.Check())
		}
	}
	features := &Answers{Meaning: NoScores}
	if logits, p := features.Row([]float32{1}); logits != nil || p != nil || !errors.Is(features.Check(), ErrFeatures) || features.Words() != "features, no scores of classes" {
		t.Errorf("features: %v, %v, %v, %q", logits, p, features.Check(), features.Words())
	}
}

// near allows a rounding of float32.
func near(got, want []float32) bool {
	for i := range want {
		if i >= len(got) || math.Abs(float64(got[i]-want[i])) > 1e-6*math.Max(1, math.Abs(float64(want[i]))) {
			return false
		}
	}
	return len(got) == len(want)
}

// ending is how a network ends and what its answers are; bare says that they are taken from the linear layer.
type ending struct {
	name    string
	classes int
	build   func(s *sketch, fc *gorgonia.Node) *gorgonia.Node
	meta    func(m *engine.Meta)
	// want is the meaning, "" where the network is refused with says.
	want     Meaning
	answers  int
	features bool
	bare     bool
	says     string
}

func apply(o op.Op) func(*sketch, *gorgonia.Node) *gorgonia.Node {
	return func(s *sketch, x *gorgonia.Node) *gorgonia.Node { return s.apply(o, x) }
}

// times is x times a number, or divided by it.
func times(o op.Op, factor float32, first op.Op) func(*sketch, *gorgonia.Node) *gorgonia.Node {
	return func(s *sketch, x *gorgonia.Node) *gorgonia.Node {
		if first != nil {
			x = s.apply(first, x)
		}
		k, err := s.Param(&engine.Param{Name: "factor", Shape: []int{1}, Value: []float32{factor}})
		if err != nil {
			s.Fatal(err)
		}
		return s.apply(o, x, k)
	}
}

var endings = []ending{
	{name: "scores", classes: 3, build: apply(&op.Identity{}), want: Logits, answers: 3, features: true, bare: true},
	{name: "scores of two classes", classes: 2, build: apply(&op.Identity{}), want: Logits, answers: 2, features: true, bare: true},
	{name: "one score", classes: 1, build: apply(&op.Identity{}), want: Independent, answers: 2, features: true, bare: true, says: "no Sigmoid behind it"},
	{name: "one probability", classes: 1, build: apply(&op.Sigmoid{}), want: Independent, answers: 2, features: true, bare: true, says: "the probability of class_1; class_0 is its absence"},
	{name: "one probability that has a name", classes: 1, build: apply(&op.Sigmoid{}), meta: func(m *engine.Meta) { m.Labels = []string{"smile"} }, want: Independent, answers: 2, features: true, bare: true},
	{name: "scores that the metadata call independent", classes: 3, build: apply(&op.Identity{}), meta: func(m *engine.Meta) { m.Probabilities = string(Independent) }, want: Independent, answers: 3, features: true, bare: true},
	{name: "one score that the metadata call independent", classes: 1, build: apply(&op.Identity{}), meta: func(m *engine.Meta) { m.Probabilities = string(Independent) }, want: Independent, answers: 2, features: true, bare: true, says: "class_0 is its absence"},
	{name: "Softmax over the photos", classes: 3, build: apply(&op.Softmax{Axis: 0}), want: Logits, answers: 3, features: true, bare: true, says: "takes Softmax over an axis that is not that of the classes"},
	{name: "per cent of Softmax", classes: 3, build: times(&op.Mul{}, 100, &op.Softmax{Axis: 1}), want: Logits, answers: 3, features: true, bare: true, says: "multiplies probabilities by 100"},
	{name: "Softmax divided by a hundredth", classes: 3, build: times(&op.Div{}, 0.01, &op.Softmax{Axis: 1}), want: Logits, answers: 3, features: true, bare: true, says: "multiplies probabilities by 100"},
	{name: "Softmax times 1", classes: 3, build: times(&op.Mul{}, 1, &op.Softmax{Axis: 1}), want: Given, answers: 3, features: true},
	{name: "a temperature", classes: 3, build: times(&op.Div{}, 2, nil), want: Logits, answers: 3, features: true},
	{name: "the largest score", classes: 3, build: apply(&op.Reduce{Kind: op.MaxOf, ReduceMean: op.ReduceMean{Axes: []int{1}, KeepDims: true}}), says: "sums up the scores"},
	{name: "the mean of the scores behind others", classes: 3, build: func(s *sketch, x *gorgonia.Node) *gorgonia.Node {
		return s.apply(&op.Relu{}, s.apply(&op.ReduceMean{Axes: []int{1}, KeepDims: true}, x))
	}, says: "sums up the scores"},
	{name: "features", classes: 3, build: apply(&op.Relu{}), want: NoScores, features: true},
}

// TestAnswersOfEndings: what the end of a network makes of the scores of its classifier decides what they mean, and what is assumed is said.
func TestAnswersOfEndings(t *testing.T) {
	for _, e := range endings {
		s, x := newSketch(t)
		fc := s.linear("fc", s.pooled(s.conv("a", x, 4, 3)), e.classes)
		net := s.network(e.build(s, fc))
		net.Meta.Labels = nil
		if e.meta != nil {
			e.meta(&net.Meta)
		}
		a, err := AnswersOf(net)
		if e.want == "" {
			if err == nil || !strings.Contains(err.Error(), e.says) {
				t.Errorf("%s: %v, want an error that says %q", e.name, err, e.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", e.name, err)
			continue
		}
		if a.Meaning != e.want || a.Classes != e.answers || a.Features != e.features {
			t.Errorf("%s: %s, %d classes, features %v; want %s, %d, %v", e.name, a.Meaning, a.Classes, a.Features, e.want, e.answers, e.features)
		}
		if assumed := strings.Join(a.Assumed, "; "); !strings.Contains(assumed, e.says) || e.says == "" && assumed != "" {
			t.Errorf("%s: assumed %q, want %q", e.name, assumed, e.says)
		}
		if _, bare := shaped(a.Net.Outputs[0].Node).Op().(*op.Linear); bare != e.bare {
			t.Errorf("%s: the answers are those of %v", e.name, a.Net.Outputs[0].Node.Op())
		}
		if count := len(a.Net.Outputs); e.want != NoScores && count != 2 || e.want == NoScores && count != 1 {
			t.Errorf("%s: %d outputs", e.name, count)
		}
	}
}

// TestAnswersWithoutAClassifier: what is no classifier's is taken for scores, and that is said, or refused where it is no row for every photo.
func TestAnswersWithoutAClassifier(t *testing.T) {
	s, x := newSketch(t)
	one, other := s.linear("one", s.pooled(x), 4), s.linear("other", s.pooled(x), 4)
	a, err := AnswersOf(s.network(s.apply(&op.Add{}, one, other)))
	if err != nil || a.Classes != 4 || a.Features || len(a.Assumed) != 1 || !strings.Contains(a.Assumed[0], `output "output0" is taken for scores: no classifier was found`) {
		t.Errorf("%+v (%v)", a, err)
	}
	s, x = newSketch(t)
	if _, err := AnswersOf(s.network(s.apply(&op.Softmax{Axis: 1}, s.conv("a", x, 4, 3)))); err == nil || !strings.Contains(err.Error(), "no scores of classes for a photo") {
		t.Errorf("a map of scores: %v", err)
	}
}
