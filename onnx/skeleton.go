package onnx

import (
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// nodeIndex is the one attribute of a skeleton's nodes: the index of the node that it stands for.
const nodeIndex = "regraft.node"

// skeleton is an ONNX model with the topology of a graph and nothing else: onnx-go decodes it
// whatever the original holds (bool tensors, external data, new types make it fail). Values are called by
// numbers, so that no name of the file can upset it; operands and results that are left out get numbers of
// their own, since onnx-go takes equal empty names for one value.
type skeleton struct {
	ids    map[string]int
	values []*value // by number; nil for what is left out
}

// encode returns the skeleton of a graph with the given nodes, in their order.
func (s *skeleton) encode(g *graph, nodes []*nodeProto) []byte {
	s.ids = map[string]int{}
	var body []byte
	for i, n := range nodes {
		body = appendMessage(body, 1, s.node(g, n, i))
	}
	for _, v := range g.outputs {
		body = appendMessage(body, 12, appendName(nil, 1, s.id(g, v.name)))
	}
	for _, v := range g.inputs {
		body = appendMessage(body, 11, appendName(nil, 1, s.id(g, v.name)))
	}
	return appendMessage(nil, 7, body)
}

func (s *skeleton) node(g *graph, n *nodeProto, index int) []byte {
	var b []byte
	for _, name := range n.reads() {
		b = appendName(b, 1, s.id(g, name))
	}
	for _, name := range n.outputs {
		b = appendName(b, 2, s.id(g, name))
	}
	b = protowire.AppendTag(b, 4, protowire.BytesType)
	b = protowire.AppendString(b, "node")
	a := protowire.AppendTag(nil, 1, protowire.BytesType)
	a = protowire.AppendString(a, nodeIndex)
	a = appendInt(a, 3, int64(index))
	a = appendInt(a, 20, int64(attributeInt))
	return appendMessage(b, 5, a)
}

// id is the number of the value called name.
func (s *skeleton) id(g *graph, name string) int {
	if id, ok := s.ids[name]; ok && name != "" {
		return id
	}
	id := len(s.values)
	s.values = append(s.values, g.values[name])
	s.ids[name] = id
	return id
}

func appendName(b []byte, number protowire.Number, id int) []byte {
	return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), strconv.Itoa(id))
}

func appendMessage(b []byte, number protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), message)
}

func appendInt(b []byte, number protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), uint64(v))
}
