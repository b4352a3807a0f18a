package regraft

import (
	"context"
	"fmt"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/session"
)

// Matrix is a row-major result of Rows photos.
type Matrix struct {
	Name       string
	Rows, Cols int
	Values     []float32
}

// Row is what belongs to photo i.
func (m Matrix) Row(i int) []float32 { return m.Values[i*m.Cols : (i+1)*m.Cols] }

// Infer runs prepared input, x (images, C, H, W), any number of images, and returns the main output (images, classes), before a
// final Softmax or Sigmoid, unless the network ends in features, and the features (images, F) that enter its classifier, where
// it was recognised. It returns when ctx ends; x must not change before the next call of Infer or Close returns.
func (m *Model) Infer(ctx context.Context, x []float32, images int) ([]Matrix, error) {
	net := m.Network()
	if err := fits(net, x, images); err != nil {
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
			outputs, err = infer(l.session, l.compiled, x, images)
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

// Outputs runs prepared input through the whole network and returns all outputs as the file has
// them, auxiliary ones included.
func (m *Model) Outputs(x []float32, images int) ([]Matrix, error) {
	return m.run(m.Network(), x, images)
}

// LayerOutput is what a node of the file computes.
type LayerOutput struct {
	// Node is the node's name in the file, Op its operator.
	Node, Op string
	// Shape begins with the number of images; Values are row-major.
	Shape  []int
	Values []float32
}

// LayerOutputs runs prepared input through the network and returns the results of the nodes that are wanted, in the order
// in which they are computed. Nothing is fused across them. Nodes that import merged into others are absent.
func (m *Model) LayerOutputs(x []float32, images int, wanted func(node string) bool) ([]LayerOutput, error) {
	net := m.Network()
	nodes := net.Nodes()
	last := map[string]int{} // a node of the file may have become several
	for i, n := range nodes {
		last[net.Label(n)] = i
	}
	var outputs []engine.Output
	for i, n := range nodes {
		if label := net.Label(n); last[label] == i && wanted(label) {
			outputs = append(outputs, engine.Output{Name: label, Node: n})
		}
	}
	if len(outputs) == 0 {
		return nil, nil
	}
	net, err := net.Subgraph(outputs...)
	if err != nil {
		return nil, err
	}
	results, err := m.run(net, x, images)
	if err != nil {
		return nil, err
	}
	layers := make([]LayerOutput, len(results))
	for i, r := range results {
		node := net.Outputs[i].Node
		layers[i] = LayerOutput{r.Name, node.Op().(op.Op).Name(), append([]int{images}, node.Shape()[1:]...), r.Values}
	}
	return layers, nil
}

// run computes all outputs of a network.
func (m *Model) run(net *engine.Network, x []float32, images int) ([]Matrix, error) {
	if err := fits(net, x, images); err != nil {
		return nil, err
	}
	c, err := m.compile(net, min(images, m.options.batch), m.options.direct)
	if err != nil {
		return nil, err
	}
	s, err := c.New(m.options.threads)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return infer(s, c, x, images)
}

// infer runs the images in batches through s, a session of c.
func infer(s *session.Session, c *session.Compiled, x []float32, images int) ([]Matrix, error) {
	outputs := make([]Matrix, len(c.Outputs))
	size := len(x) / images
	for done := 0; done < images; {
		n := min(images-done, c.Batch)
		if err := s.Infer(x[done*size:(done+n)*size], n); err != nil {
			return nil, err
		}
		for i, v := range c.Outputs {
			values := append(outputs[i].Values, s.Output(i)[:n*v.Cols]...)
			outputs[i] = Matrix{v.Name, done + n, v.Cols, values}
		}
		done += n
	}
	return outputs, nil
}

func fits(net *engine.Network, x []float32, images int) error {
	if shape := net.Input.Shape()[1:]; images < 1 || len(x) != images*shape.TotalSize() {
		return fmt.Errorf("%d values are not %d images of %v", len(x), images, shape)
	}
	return nil
}

// Plan is the program that answers for so many images at a time.
func (m *Model) Plan(images int) (*session.Compiled, error) {
	net, err := m.classifierSubgraph()
	if err != nil {
		return nil, err
	}
	return m.compile(net, images, m.options.direct)
}

// PlanAfter prints the network as the planner of that program has it behind one of its passes.
func (m *Model) PlanAfter(images int, pass string) (string, error) {
	net, err := m.classifierSubgraph()
	if err != nil {
		return "", err
	}
	if net, err = net.WithBatch(images); err != nil {
		return "", err
	}
	native, err := session.Native(m.options.direct)
	if err != nil {
		return "", err
	}
	return session.After(net, native, pass)
}

// Passes names the planner's passes, in their order.
func Passes() []string { return session.Passes() }

// compile prepares the inference of so many images at a time.
func (m *Model) compile(net *engine.Network, images int, direct bool) (*session.Compiled, error) {
	net, err := net.WithBatch(images)
	if err != nil {
		return nil, err
	}
	native, err := session.Native(direct)
	if err != nil {
		return nil, err
	}
	return session.Compile(net, native)
}

// classifierSubgraph is the part of the network that computes the scores of the classes, or the first output where no classifier is found.
func (m *Model) classifierSubgraph() (*engine.Network, error) {
	if a, err := m.answersOf(m.Network()); err == nil {
		return a.Net, nil
	}
	net := m.Network()
	return net.Subgraph(net.Outputs[0])
}
