package onnx

import (
	"encoding/binary"
	"math"
	"runtime"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"regraft/engine"
)

// testModel is a small ONNX file for tests: fields are encoded as they stand, right or wrong.
type testModel struct {
	ir, opset int
	producer  string
	nodes     [][]byte
	tensors   [][]byte
	inputs    [][]byte
	outputs   [][]byte
	functions [][]byte
	imports   [][]byte
	metadata  map[string]string
}

func (m testModel) bytes() []byte {
	var g []byte
	for number, list := range map[protowire.Number][][]byte{1: m.nodes, 5: m.tensors, 11: m.inputs, 12: m.outputs} {
		for _, b := range list {
			g = appendMessage(g, number, b)
		}
	}
	out := appendInt(nil, 1, int64(m.ir))
	out = appendText(out, 2, m.producer)
	out = appendMessage(out, 7, g)
	out = appendMessage(out, 8, appendInt(nil, 2, int64(m.opset)))
	for _, i := range m.imports {
		out = appendMessage(out, 8, i)
	}
	for _, f := range m.functions {
		out = appendMessage(out, 25, f)
	}
	for k, v := range m.metadata {
		out = appendMessage(out, 14, appendText(appendText(nil, 1, k), 2, v))
	}
	return out
}

// chainModel has an image input "x" (2, 3, 8, 8) and the outputs named.
func chainModel(outputs ...string) testModel {
	m := testModel{ir: 8, opset: 17, inputs: [][]byte{inputProto("x", typeFloat, 2, 3, 8, 8)}}
	for _, name := range outputs {
		m.outputs = append(m.outputs, inputProto(name, typeFloat))
	}
	return m
}

func inputProto(name string, dtype dataType, shape ...int) []byte {
	var dims []byte
	for _, d := range shape {
		dims = appendMessage(dims, 1, appendInt(nil, 1, int64(d)))
	}
	t := appendMessage(appendInt(nil, 1, int64(dtype)), 2, dims)
	return appendMessage(appendText(nil, 1, name), 2, appendMessage(nil, 1, t))
}

func nodeOut(opType, name string, in, out []string, attributes ...[]byte) []byte {
	return domainNode("", opType, name, in, out, attributes...)
}

func domainNode(domain, opType, name string, in, out []string, attributes ...[]byte) []byte {
	var b []byte
	for _, v := range in {
		b = appendText(b, 1, v)
	}
	for _, v := range out {
		b = appendText(b, 2, v)
	}
	b = appendText(b, 3, name)
	b = appendText(b, 4, opType)
	for _, a := range attributes {
		b = appendMessage(b, 5, a)
	}
	if domain != "" {
		b = appendText(b, 7, domain)
	}
	return b
}

// refAttribute refers to an attribute of the function that the node is part of.
func refAttribute(name, ref string, kind attributeKind) []byte {
	return appendText(attributeOut(name, kind, func(b []byte) []byte { return b }), 21, ref)
}

func floatTensor(name string, shape []int, values ...float32) []byte {
	b := newTensorOut(name, shape, values, nil).header
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return protowire.AppendBytes(protowire.AppendTag(b, 9, protowire.BytesType), raw)
}

func intTensor(name string, shape []int, values ...int64) []byte {
	b := newTensorOut(name, shape, nil, values).header
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return protowire.AppendBytes(protowire.AppendTag(b, 9, protowire.BytesType), raw)
}

func functionProtoOut(domain, name string, in, out, attributes []string, nodes ...[]byte) []byte {
	b := appendText(nil, 1, name)
	for _, v := range in {
		b = appendText(b, 4, v)
	}
	for _, v := range out {
		b = appendText(b, 5, v)
	}
	for _, v := range attributes {
		b = appendText(b, 6, v)
	}
	for _, n := range nodes {
		b = appendMessage(b, 7, n)
	}
	b = appendMessage(b, 9, appendInt(nil, 2, 17))
	return appendText(b, 10, domain)
}

// ramp is n values that differ.
func ramp(n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i%7)/8 - 0.25
	}
	return values
}

// convertModel builds the network of a parsed model.
func convertModel(t *testing.T, m *modelProto) *engine.Network {
	t.Helper()
	nodes, err := inline(m)
	if err != nil {
		t.Fatal(err)
	}
	constants, err := m.graph.constants(&externalData{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := link(m.graph, nodes, constants, nil)
	if err != nil {
		t.Fatal(err)
	}
	net, err := convert(g, describe(m, nodes), engine.Meta{}, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// allocations reads a model and counts the bytes that it takes.
func allocations(data []byte) (uint64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := ReadBytes(data, ReadOptions{})
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, err
}
