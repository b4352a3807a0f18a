package heatmap

import (
	"fmt"

	"regraft/engine"
	"regraft/engine/session"
	"regraft/head"
)

// Maker makes maps of one network's scores, one at a time.
type Maker struct {
	answers *head.Answers
	last    *head.LastMap
	shape   []int // of the map: C, H, W

	program *session.Compiled
	session *session.Session // from the photo to the scores and the map
	tail    *tail            // nil where the weights are known
}

// New prepares maps of net's answers; direct computes without Winograd's algorithm, on so many threads, 0 for all. It is a
// *head.NoMapError where the network has none.
func New(net *engine.Network, direct bool, threads int) (_ *Maker, err error) {
	net, err = net.WithBatch(1)
	if err != nil {
		return nil, err
	}
	answers, err := head.AnswersOf(net)
	if err != nil {
		return nil, err
	}
	last, err := answers.LastMap()
	if err != nil {
		return nil, err
	}
	scores := answers.Net.Outputs[0]
	m := &Maker{answers: answers, last: last, shape: last.Node.Shape()[1:]}
	defer func() {
		if err != nil {
			m.Close()
		}
	}()
	if last.Weights == nil {
		if m.tail, err = newTail(answers, last, direct, threads); err != nil {
			return nil, err
		}
	}
	both, err := answers.Net.Subgraph(scores, engine.Output{Name: "last map", Node: last.Node})
	if err != nil {
		return nil, err
	}
	if m.program, err = session.ForInference(both, 1, direct); err != nil {
		return nil, err
	}
	if m.session, err = m.program.New(threads); err != nil {
		return nil, err
	}
	return m, nil
}

// Map is that of a class for one prepared photo, x (C, H, W).
func (m *Maker) Map(x []float32, class int) (*Map, error) {
	if class < 0 || class >= m.answers.Classes {
		return nil, fmt.Errorf("class %d: the network has classes 0 to %d", class, m.answers.Classes-1)
	}
	outputs, err := m.program.Infer(m.session, x, 1)
	if err != nil {
		return nil, err
	}
	score, sign := class, float32(1)
	if m.answers.Single() { // of the class; its absence is class 0
		score = 0
		if class == 0 {
			sign = -1
		}
	}
	places := outputs[1].Row(0)
	method, weights := CAM, m.last.Weights
	if m.tail != nil {
		method = GradCAM
		if weights, err = m.tail.gradient(places, score); err != nil {
			return nil, err
		}
	} else {
		weights = weights[score*m.shape[0]:][:m.shape[0]]
	}
	return &Map{
		Class: class, Method: method, Height: m.shape[1], Width: m.shape[2],
		Values: weighted(places, weights, sign/float32(m.shape[1]*m.shape[2])),
	}, nil
}

// Close gives the memory back.
func (m *Maker) Close() error {
	if m.tail != nil {
		m.tail.session.Close()
	}
	if m.session == nil {
		return nil
	}
	return m.session.Close()
}

// weighted is the sum of the channels of a map (C, places), each times its weight and all times factor.
func weighted(places, weights []float32, factor float32) []float32 {
	n := len(places) / len(weights)
	sums := make([]float64, n)
	for c, w := range weights {
		for i, v := range places[c*n : (c+1)*n] {
			sums[i] += float64(float64(w) * float64(v))
		}
	}
	values := make([]float32, n)
	for i, s := range sums {
		values[i] = float32(s * float64(factor))
	}
	return values
}

// tail is the part of a network between the last map and the scores, as a training program: what it trains is a number for every channel
// that is added to all places of the map, so that the gradient in it is that in the channel, summed over its places.
type tail struct {
	session *session.Session
	scores  int
}

func newTail(answers *head.Answers, last *head.LastMap, direct bool, threads int) (*tail, error) {
	behind, err := answers.BehindMap(last)
	if err != nil {
		return nil, err
	}
	none := float32(0)
	objective, err := engine.NewObjective(behind, engine.ObjectiveOptions{Batch: 1, Dropout: &none})
	if err != nil {
		return nil, &head.NoMapError{Reason: err.Error()}
	}
	native, err := session.Native(direct)
	if err != nil {
		return nil, err
	}
	compiled, err := session.Trainer(objective, native)
	if err != nil {
		return nil, &head.NoMapError{Reason: err.Error()}
	}
	t := &tail{scores: answers.Net.Outputs[0].Node.Shape()[1]}
	t.session, err = compiled.New(threads)
	return t, err
}

// gradient is that of a score in the channels of the map, places (C, H, W), summed over their places. Cross entropy with
// the class as label and with the 0 behind all scores differ by that score, and so do their gradients.
func (t *tail) gradient(places []float32, score int) ([]float32, error) {
	var gradients [2][]float32
	for i, label := range []int{t.scores, score} {
		if err := t.session.Step(places, []float32{float32(label)}, 0); err != nil {
			return nil, err
		}
		gradients[i] = t.session.Gradients()[head.Shift]
	}
	for c, g := range gradients[1] {
		gradients[0][c] -= g
	}
	return gradients[0], nil
}
