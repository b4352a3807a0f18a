package regraft

import (
	"context"

	"regraft/engine/session"
)

// Matrix is a row-major result of Rows photos.
type Matrix = session.Matrix

// Infer runs prepared input, x (images, C, H, W), any number of images, and returns the main output (images, classes), before a
// final Softmax or Sigmoid, unless the network ends in features, and the features (images, F) that enter its classifier, where
// it was recognised. It returns when ctx ends; x must not change before the next call of Infer or Close returns.
func (m *Model) Infer(ctx context.Context, x []float32, images int) ([]Matrix, error) {
	net := m.Network()
	outputs, err := m.infer(ctx, net, x, images)
	if err != nil {
		return nil, err
	}
	a, err := m.answersOf(net)
	if err != nil {
		return nil, err
	}
	return outputs[:len(a.Net.Outputs)], nil
}

// infer is Infer with how the photos look as a further result, where the model knows a distance.
func (m *Model) infer(ctx context.Context, net *Network, x []float32, images int) ([]Matrix, error) {
	if err := session.Fits(net, x, images); err != nil {
		return nil, err
	}
	l, err := m.lanes.take(ctx)
	if err != nil {
		return nil, err
	}
	type answer struct {
		outputs []Matrix
		err     error
	}
	done := make(chan answer, 1)
	go func() {
		defer m.lanes.yield(l)
		err := m.start(l, net, images)
		var outputs []Matrix
		if err == nil {
			outputs, err = l.compiled.Infer(l.session, x, images)
		}
		done <- answer{outputs, err}
	}()
	select {
	case a := <-done:
		return a.outputs, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
