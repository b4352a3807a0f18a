package measure

import (
	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/session"
)

// Matrix is a row-major result of Rows photos.
type Matrix = session.Matrix

// Outputs runs prepared input x (images, C, H, W) through the whole network and returns all outputs as the file has
// them, auxiliary ones included.
func (m *Model) Outputs(x []float32, images int) ([]Matrix, error) {
	return m.run(m.net, x, images, min(images, m.Batch))
}

// LayerOutput is what a node of the file computes.
type LayerOutput struct {
	// Node is the node's name in the file, Op its operator.
	Node, Op string
	// Shape is that in the network, where images are along the first axis as a rule; Values are row-major.
	Shape  []int
	Values []float32
}

// LayerOutputs runs prepared input through the network and returns the results of the nodes that are wanted, in the order
// in which they are computed. Nothing is fused across them. Nodes that import merged into others are absent. All images go through at
// a time: where tokens lie before images, (T, N, C), parts of a batch do not lie one behind the other.
func (m *Model) LayerOutputs(x []float32, images int, wanted func(node string) bool) ([]LayerOutput, error) {
	net := m.net
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
	if net, err = net.WithBatch(images); err != nil {
		return nil, err
	}
	results, err := m.run(net, x, images, images)
	if err != nil {
		return nil, err
	}
	layers := make([]LayerOutput, len(results))
	for i, r := range results {
		node := net.Outputs[i].Node
		layers[i] = LayerOutput{r.Name, node.Op().(op.Op).Name(), node.Shape().Clone(), r.Values}
	}
	return layers, nil
}

// run computes all outputs of a network, for so many images at a time.
func (m *Model) run(net *engine.Network, x []float32, images, batch int) ([]Matrix, error) {
	if err := session.Fits(net, x, images); err != nil {
		return nil, err
	}
	c, err := session.ForInference(net, batch, m.Direct)
	if err != nil {
		return nil, err
	}
	s, err := c.New(m.Threads)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return c.Infer(s, x, images)
}
