package onnx

import (
	"fmt"
	"strconv"

	onnxgo "github.com/owulveryck/onnx-go"
	gonum "gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/simple"
)

// backend receives the topology from onnx-go: it implements onnxgo.Backend. Edges run from a
// result to the operands of the node that computes it, weighted with the operand's position.
type backend struct {
	*simple.WeightedDirectedGraph
	nodes    []*nodeProto
	skeleton *skeleton
	graph    *graph
}

// vertex is a value in onnx-go's hands.
type vertex struct {
	gonum.Node
	backend  *backend
	value    *value
	operands []*value
}

// SetName implements onnxgo.Namer: names are the numbers of the skeleton's values.
func (v *vertex) SetName(name string) {
	if id, err := strconv.Atoi(name); err == nil && id < len(v.backend.skeleton.values) {
		v.value = v.backend.skeleton.values[id]
	}
}

// GetName implements onnxgo.Namer.
func (v *vertex) GetName() string { return v.value.name }

// NewNode returns a vertex that is not yet part of the graph.
func (b *backend) NewNode() gonum.Node {
	return &vertex{Node: b.WeightedDirectedGraph.NewNode(), backend: b}
}

// SetWeightedEdge records an operand. Gonum keeps one edge between two vertices, but an operand may
// occur several times (x + x), so positions are kept here.
func (b *backend) SetWeightedEdge(e gonum.WeightedEdge) {
	from, to := e.From().(*vertex), e.To().(*vertex)
	slot := int(e.Weight())
	for len(from.operands) <= slot {
		from.operands = append(from.operands, nil)
	}
	from.operands[slot] = to.value
}

// ApplyOperation is called once for every node, in the skeleton's order, with all its results.
func (b *backend) ApplyOperation(operation onnxgo.Operation, results ...gonum.Node) error {
	index, ok := operation.Attributes[nodeIndex].(int64)
	if !ok || index != int64(len(b.graph.nodes)) || len(results) == 0 {
		return fmt.Errorf("onnx-go delivered node %v out of order", operation.Attributes)
	}
	n := &node{nodeProto: b.nodes[index]}
	for _, r := range results {
		n.out = append(n.out, r.(*vertex).value)
	}
	operands := results[0].(*vertex).operands
	if len(operands) < len(n.reads()) || len(n.out) != len(n.outputs) {
		return fmt.Errorf("onnx-go lost operands of node %s", quoted(n.name))
	}
	n.in, n.outer = operands[:len(n.inputs)], operands[len(n.inputs):len(n.reads())]
	b.graph.nodes = append(b.graph.nodes, n)
	return nil
}

// carry sends the nodes through onnx-go and receives them linked.
func (g *graph) carry(nodes []*nodeProto) error {
	if len(nodes) == 0 {
		return nil
	}
	s := &skeleton{}
	data := s.encode(g, nodes)
	b := &backend{WeightedDirectedGraph: simple.NewWeightedDirectedGraph(0, 0), nodes: nodes, skeleton: s, graph: g}
	if err := onnxgo.NewModel(b).UnmarshalBinary(data); err != nil {
		return fmt.Errorf("onnx-go: %w", err)
	}
	if len(g.nodes) != len(nodes) {
		return fmt.Errorf("onnx-go delivered %d of %d nodes", len(g.nodes), len(nodes))
	}
	return nil
}
