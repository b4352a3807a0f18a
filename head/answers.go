package head

import (
	"errors"
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/kernel"
)

// Answers is the part of a network that answers for photos, and what its answers mean.
type Answers struct {
	// Net has the scores (N, K) as an output, before what makes probabilities of them, and behind it the features (N, F) that the
	// classifier reads; one of the two may be absent.
	Net     *engine.Network
	Meaning Meaning
	// Classes is the number of classes that Row answers for, 0 where the network has no scores.
	Classes int
	// Features says that Net's last output is the features.
	Features bool
	// Assumed says in words what the file leaves open.
	Assumed []string
}

// AnswersOf finds the main classifier and reads what the file makes of its scores. Where several have the same depth it takes the
// first and says so; where none is recognised it takes the first output as it is and says so, unless that is features.
func AnswersOf(net *engine.Network) (*Answers, error) {
	a := &Answers{}
	heads, err := Find(net)
	var ambiguous *AmbiguousError
	switch {
	case errors.As(err, &ambiguous):
		first := net.Outputs[heads[0].Output].Name
		a.Assumed = append(a.Assumed, fmt.Sprintf("%v: the answers are those of output %q", err, first))
	case err != nil:
		a.Assumed = append(a.Assumed, fmt.Sprintf("output %q is taken for scores: %v", net.Outputs[0].Name, err))
		heads = []Head{{}}
	}
	out := net.Outputs[heads[0].Output].Node
	if heads[0].Node == nil && isSummary(net, out) {
		return nil, err
	}
	if h := &heads[0]; h.Node != nil && h.Weight == nil {
		a.Meaning, a.Features = NoScores, true
		a.Net, err = a.ending(net, out, h)
		return a, err
	}
	if !isVector(out) {
		return nil, fmt.Errorf("output %q has shape %v: no scores of classes for a photo", net.Outputs[heads[0].Output].Name, out.Shape())
	}
	r := read(net, out)
	a.Meaning, a.Classes = r.meaning, max(perPhoto(r.scores), 2)
	a.Assumed = append(a.Assumed, r.assumed...)
	if a.Meaning == Independent && perPhoto(r.scores) == 1 && len(net.Meta.Labels) == 0 {
		a.Assumed = append(a.Assumed, "the only score is the probability of class_1; class_0 is its absence")
	}
	a.Features = heads[0].Weight != nil && !heads[0].Rectified
	a.Net, err = a.ending(net, r.scores, &heads[0])
	return a, err
}

// ending is the network that ends in the scores and, where a has them, the features of h.
func (a *Answers) ending(net *engine.Network, scores *gorgonia.Node, h *Head) (*engine.Network, error) {
	var ends []engine.Output
	if a.Meaning != NoScores {
		ends = append(ends, engine.Output{Name: net.Outputs[h.Output].Name, Node: scores})
	}
	if a.Features {
		ends = append(ends, engine.Output{Name: "features", Node: h.Input})
	}
	return net.Extend(ends, func(b *engine.Builder, i int, x *gorgonia.Node) (*gorgonia.Node, error) {
		if a.Features && i == len(ends)-1 {
			return features(b, h, x)
		}
		return flat(b, ends[i].Name, x)
	})
}

// ErrFeatures says that a network names nothing.
var ErrFeatures = errors.New("the network ends in features: it has no classifier")

// Check is ErrFeatures where the network ends in features.
func (a *Answers) Check() error {
	if a.Classes == 0 {
		return ErrFeatures
	}
	return nil
}

// Single says that there is one score, that of one class against its absence.
func (a *Answers) Single() bool {
	return a.Meaning != NoScores && a.Net.Outputs[0].Node.Shape()[1] == 1
}

// Exclusive says that a photo belongs to exactly one of the classes, as far as the file tells: Softmax of the logits gives their
// probabilities. Otherwise Sigmoid of each does.
func (a *Answers) Exclusive() bool { return a.Meaning != Independent || a.Single() }

// Words says in a line what the answers are.
func (a *Answers) Words() string {
	switch {
	case a.Meaning == NoScores:
		return "features, no scores of classes"
	case a.Single():
		return "one score: the probability of one class against its absence"
	case a.Meaning == Independent:
		return fmt.Sprintf("%d probabilities that do not exclude each other (Sigmoid)", a.Classes)
	case a.Meaning == Given:
		return fmt.Sprintf("%d probabilities, as the network computes them", a.Classes)
	}
	return fmt.Sprintf("%d classes, of which a photo has one: probabilities are Softmax of the logits", a.Classes)
}

// Row turns the scores of a photo into logits and probabilities of the classes. A single score is that of one class against its
// absence: there are two classes then, the absence, whose logit is 0, first. Of probabilities that are given the logits are the
// logarithms.
func (a *Answers) Row(scores []float32) (logits, p []float32) {
	switch {
	case a.Meaning == NoScores:
		return nil, nil
	case a.Meaning == Given:
		if a.Single() {
			scores = []float32{1 - scores[0], scores[0]}
		}
		return logarithms(scores), scores
	case a.Single():
		scores = []float32{0, scores[0]}
	case a.Meaning == Independent:
		return scores, sigmoids(scores)
	}
	return scores, softmax(scores)
}

// Probabilities are those that logits of the classes, as Row gives them, stand for.
func (a *Answers) Probabilities(logits []float32) []float32 {
	if a.Exclusive() {
		return softmax(logits)
	}
	return sigmoids(logits)
}

// softmax computes in float64, with an exponential that has the same bits on every architecture.
func softmax(logits []float32) []float32 {
	top := slices.Max(logits)
	e := make([]float64, len(logits))
	sum := 0.0
	for i, l := range logits {
		e[i] = kernel.Exp(float64(l) - float64(top))
		sum += e[i]
	}
	p := make([]float32, len(logits))
	for i := range p {
		p[i] = float32(e[i] / sum)
	}
	return p
}

func sigmoids(logits []float32) []float32 {
	p := make([]float32, len(logits))
	for i, l := range logits {
		p[i] = float32(1 / (1 + kernel.Exp(-float64(l))))
	}
	return p
}

// logarithms are finite where a probability is 0.
func logarithms(p []float32) []float32 {
	const least = 0x1p-126
	l := make([]float32, len(p))
	for i, v := range p {
		l[i] = float32(kernel.Log(max(float64(v), least)))
	}
	return l
}
