package head

import (
	"errors"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/op"
)

func mustFind(t *testing.T, net *engine.Network) []Head {
	t.Helper()
	heads, err := Find(net)
	if err != nil {
		t.Fatal(err)
	}
	return heads
}

func TestFindByDepthNotByOrder(t *testing.T) {
	heads := mustFind(t, twoHeaded(t))
	if len(heads) != 2 {
		t.Fatalf("%d heads", len(heads))
	}
	for i, want := range []Head{
		{Kind: Main, Output: 1, Features: 6, Classes: 5},
		{Kind: Aux, Output: 0, Features: 4, Classes: 5},
	} {
		h := heads[i]
		if h.Kind != want.Kind || h.Output != want.Output || h.Features != want.Features || h.Classes != want.Classes {
			t.Errorf("head %d is %+v, want %+v", i, h, want)
		}
	}
	if heads[0].Weight.Name != "fc.weight" || heads[0].Bias.Name != "fc.bias" || heads[1].Name() != "aux.fc" {
		t.Errorf("heads %q and %q", heads[0].Name(), heads[1].Name())
	}
}

func TestFindConvolutionHead(t *testing.T) {
	s, x := newSketch(t)
	net := s.network(s.pooled(s.conv("classifier.1", s.conv("a", x, 4, 3), 7, 1)))
	h := mustFind(t, net)[0]
	if !h.Convolution() || !h.Rectified || h.Features != 4 || h.Classes != 7 || h.Input.Dims() != 4 {
		t.Errorf("head %+v", h)
	}
}

func TestConvolutionWithoutGlobalPoolIsNoHead(t *testing.T) {
	s, x := newSketch(t)
	net := s.network(s.conv("b", s.conv("a", x, 4, 3), 7, 1))
	if h := mustFind(t, net)[0]; h.Weight != nil || h.Features != 7 {
		t.Errorf("head %+v, want features", h)
	}
}

func TestFeaturesCountOnlyWithoutClassifiers(t *testing.T) {
	s, x := newSketch(t)
	f := s.pooled(s.conv("a", x, 4, 3))
	heads := mustFind(t, s.network(f, s.linear("fc", f, 3)))
	if len(heads) != 1 || heads[0].Output != 1 {
		t.Errorf("heads %+v", heads)
	}
}

func TestEqualDepthIsAmbiguous(t *testing.T) {
	s, x := newSketch(t)
	f := s.pooled(s.conv("a", x, 4, 3))
	net := s.network(s.linear("colour", f, 3), s.linear("shape", f, 4))
	_, err := Find(net)
	var ambiguous *AmbiguousError
	if !errors.As(err, &ambiguous) || !strings.Contains(err.Error(), "colour") || !strings.Contains(err.Error(), "shape") {
		t.Fatalf("error %v", err)
	}
	for _, name := range []string{"shape", "output1"} {
		chosen, err := Choose(net, name)
		if err != nil {
			t.Fatal(err)
		}
		if h := mustFind(t, chosen)[0]; h.Weight.Name != "shape.weight" || len(chosen.Params) != 4 {
			t.Errorf("chose %q with %d parameters", h.Weight.Name, len(chosen.Params))
		}
	}
	if _, err := Choose(net, "size"); err == nil || !strings.Contains(err.Error(), "colour") {
		t.Errorf("error %v does not list the heads", err)
	}
}

func TestOutputWithoutWeight(t *testing.T) {
	s, x := newSketch(t)
	if _, err := Find(s.network(s.apply(&op.Relu{}, x))); err == nil {
		t.Error("a network without weights has heads")
	}
}

// TestSharedClassifierIsOneHead: the output that says most about the scores stands for both.
func TestSharedClassifierIsOneHead(t *testing.T) {
	s, x := newSketch(t)
	logits := s.linear("fc", s.pooled(s.conv("a", x, 4, 3)), 5)
	net := s.network(logits, s.apply(&op.Sigmoid{}, logits))
	heads := mustFind(t, net)
	if len(heads) != 1 || heads[0].Output != 1 || heads[0].Weight.Name != "fc.weight" {
		t.Errorf("heads %+v", heads)
	}
	if a, err := AnswersOf(net); err != nil || a.Meaning != Independent || len(a.Assumed) > 0 {
		t.Errorf("answers %+v (%v)", a, err)
	}
}

// TestEmbeddingIsNoHead: a linear layer from which the classifier is computed is none itself.
func TestEmbeddingIsNoHead(t *testing.T) {
	s, x := newSketch(t)
	embedding := s.linear("embedding", s.pooled(s.conv("a", x, 4, 3)), 6)
	if heads := mustFind(t, s.network(embedding, s.linear("fc", embedding, 3))); len(heads) != 1 || heads[0].Features != 6 {
		t.Errorf("heads %+v", heads)
	}
}

// TestAuxiliaryIsNotTheMainHead: a classifier halfway up is not taken for that of a deeper output, whether that holds features or
// scores of which no classifier is known.
func TestAuxiliaryIsNotTheMainHead(t *testing.T) {
	s, x := newSketch(t)
	a := s.conv("a", x, 4, 3)
	deep := s.pooled(s.conv("b", a, 6, 3))
	heads := mustFind(t, s.network(s.linear("aux.fc", s.pooled(a), 5), deep))
	if len(heads) != 2 || heads[0].Weight != nil || heads[0].Features != 6 || heads[1].Kind != Aux {
		t.Errorf("heads %+v", heads)
	}

	s, x = newSketch(t)
	a = s.conv("a", x, 4, 3)
	unclear := s.apply(&op.Softmax{Axis: 1}, s.pooled(s.conv("b", a, 6, 3)))
	_, err := Find(s.network(s.linear("aux.fc", s.pooled(a), 5), unclear))
	var unknown *UnknownError
	if !errors.As(err, &unknown) || unknown.Output != "output1" || !strings.Contains(unknown.Saw, "Softmax") {
		t.Errorf("error %v", err)
	}
}

// TestFirstOfTwoTasksAnswers: of two classifiers of equal depth the first answers, and that is said.
func TestFirstOfTwoTasksAnswers(t *testing.T) {
	s, x := newSketch(t)
	f := s.pooled(s.conv("a", x, 4, 3))
	a, err := AnswersOf(s.network(s.linear("colour", f, 3), s.linear("shape", f, 4)))
	if err != nil || a.Classes != 3 || len(a.Assumed) != 1 || !strings.Contains(a.Assumed[0], `"output0"`) {
		t.Errorf("answers %+v (%v)", a, err)
	}
}

// TestLabelsMakeScores: as many values as there are names of classes are scores, whatever ends the network.
func TestLabelsMakeScores(t *testing.T) {
	s, x := newSketch(t)
	net := s.network(s.apply(&op.Relu{}, s.linear("fc", s.pooled(s.conv("a", x, 4, 3)), 3)))
	if h := mustFind(t, net)[0]; h.Weight != nil {
		t.Errorf("a hidden layer is a head: %+v", h)
	}
	net.Meta.Labels = places
	if h := mustFind(t, net)[0]; h.Weight == nil || h.Classes != 3 {
		t.Errorf("head %+v", h)
	}
}

// TestResidualSumIsFeatures: a layer and what a block of layers adds to it are features, layers side by side are scores of which none is the
// classifier.
func TestResidualSumIsFeatures(t *testing.T) {
	s, x := newSketch(t)
	f := s.pooled(s.conv("a", x, 4, 3))
	first := s.linear("proj", f, 4)
	block := s.linear("fc2", s.apply(&op.Relu{}, s.linear("fc1", first, 6)), 4)
	h := mustFind(t, s.network(s.apply(&op.Add{}, first, block)))[0]
	if h.Weight != nil || h.Features != 4 {
		t.Errorf("head %+v, want features", h)
	}
	s, x = newSketch(t)
	f = s.pooled(s.conv("a", x, 4, 3))
	if heads, err := Find(s.network(s.apply(&op.Add{}, s.linear("one", f, 4), s.linear("other", f, 4)))); err == nil {
		t.Errorf("heads %+v of two layers side by side", heads)
	}
}

// TestLastBlockIsNoClassifier: a 1x1 convolution with Relu in front of a global pool is a classifier, but not where BatchNorm was
// folded into it, unless Softmax comes behind.
func TestLastBlockIsNoClassifier(t *testing.T) {
	for _, softmax := range []bool{false, true} {
		s, x := newSketch(t)
		out := s.pooled(s.conv("last", s.conv("a", x, 4, 3), 7, 1))
		if softmax {
			out = s.apply(&op.Softmax{Axis: 1}, out)
		}
		net := s.network(out)
		for _, p := range net.Params {
			p.Folded = p.Name == "last.bias"
		}
		if h := mustFind(t, net)[0]; softmax != (h.Weight != nil) || softmax != h.Rectified || softmax != (h.Features == 4) {
			t.Errorf("Softmax behind it %v: head %+v", softmax, h)
		}
	}
}
