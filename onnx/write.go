package onnx

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"regraft/atomicfile"
	"regraft/engine"
)

// What is written unless something else is asked for: the newest forms that every runtime of the last
// years reads.
const (
	writtenIR    = 8
	writtenOpset = 17
	writtenName  = "regraft"
)

// form is how a network is spelled in a file.
type form struct {
	opset int
	half  bool // weights are stored as float16
}

// Write stores a network as one ONNX file: standard operators of opset 17, BatchNormalization in inference
// form, Dropout inactive but with its ratio, so that the file serves anywhere as it is and can be trained again;
// labels, preprocessing and history in metadata_props. Read gives the same network back. The file is written
// whole: a temporary file in the same folder takes its place at the end.
func Write(path string, net *engine.Network) error {
	d, err := encode(net)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return d.save(path)
}

// save writes the file whole.
func (d *document) save(path string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return d.write(w) })
}

// document is an encoded model but for the weights, which are streamed.
type document struct {
	head, graph []byte
	tensors     []tensorOut
	tail        []byte
}

// tensorOut is an initializer to be written: floats, as float32 or float16, or ints.
type tensorOut struct {
	header []byte // TensorProto without its payload
	dtype  dataType
	floats []float32
	ints   []int64
}

func newTensorOut(name string, shape []int, floats []float32, ints []int64) tensorOut {
	dtype := typeFloat
	if floats == nil {
		dtype = typeInt64
	}
	return newTypedOut(name, shape, dtype, floats, ints)
}

func newTypedOut(name string, shape []int, dtype dataType, floats []float32, ints []int64) tensorOut {
	var h []byte
	for _, d := range shape {
		h = appendInt(h, 1, int64(d))
	}
	h = appendInt(h, 2, int64(dtype))
	h = appendText(h, 8, name)
	return tensorOut{h, dtype, floats, ints}
}

func (t tensorOut) payload() int { return t.dtype.width() * (len(t.floats) + len(t.ints)) }

// size is that of the TensorProto.
func (t tensorOut) size() int {
	return len(t.header) + protowire.SizeTag(9) + protowire.SizeBytes(t.payload())
}

func (t tensorOut) write(w io.Writer) error {
	b := protowire.AppendTag(nil, 5, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(t.size()))
	b = append(b, t.header...)
	b = protowire.AppendTag(b, 9, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(t.payload()))
	for _, v := range t.ints {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	const chunk = 1 << 14
	for part := range slices.Chunk(t.floats, chunk) {
		b = b[:0]
		for _, v := range part {
			if t.dtype == typeFloat16 {
				b = binary.LittleEndian.AppendUint16(b, narrow(v))
			} else {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// write streams the model.
func (d *document) write(w io.Writer) error {
	size := len(d.graph)
	for _, t := range d.tensors {
		size += protowire.SizeTag(5) + protowire.SizeBytes(t.size())
	}
	if size >= math.MaxInt32 {
		return fmt.Errorf("the model has %d bytes; an ONNX file can hold 2 GiB", size)
	}
	start := protowire.AppendTag(d.head, 7, protowire.BytesType)
	start = protowire.AppendVarint(start, uint64(size))
	for _, part := range [][]byte{start, d.graph} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	for _, t := range d.tensors {
		if err := t.write(w); err != nil {
			return err
		}
	}
	_, err := w.Write(d.tail)
	return err
}

// encode prepares everything but the payloads.
func encode(net *engine.Network) (*document, error) { return encodeAs(net, form{opset: writtenOpset}) }

// encodeAs is encode for another form.
func encodeAs(net *engine.Network, f form) (*document, error) {
	props, err := net.Meta.Props()
	if err != nil {
		return nil, err
	}
	e := newExporter(net, f)
	if err := e.network(); err != nil {
		return nil, err
	}
	d := &document{tensors: e.tensors}
	d.head = appendInt(nil, 1, f.ir())
	d.head = appendText(d.head, 2, writtenName)
	d.head = appendText(d.head, 3, engine.Version)

	d.graph = append(e.nodes, appendText(nil, 2, writtenName)...)
	d.graph = appendMessage(d.graph, 11, valueProto(net.Input.Name(), net.Input.Shape()))
	outputs := slices.Clone(net.Outputs)
	slices.SortStableFunc(outputs, func(a, b engine.Output) int { return a.Place - b.Place })
	for _, o := range outputs {
		d.graph = appendMessage(d.graph, 12, valueProto(o.Name, o.Node.Shape()))
	}
	d.tail = appendMessage(nil, 8, appendInt(appendText(nil, 1, ""), 2, int64(f.opset)))
	for _, key := range slices.Sorted(maps.Keys(props)) {
		d.tail = appendMessage(d.tail, 14, appendText(appendText(nil, 1, key), 2, props[key]))
	}
	return d, nil
}

// valueProto describes an input or output whose first size is the batch N.
func valueProto(name string, shape []int) []byte {
	var dims []byte
	for i, d := range shape {
		dim := appendInt(nil, 1, int64(d))
		if i == 0 {
			dim = appendText(nil, 2, "N")
		}
		dims = appendMessage(dims, 1, dim)
	}
	tensorType := appendMessage(appendInt(nil, 1, int64(typeFloat)), 2, dims)
	return appendMessage(appendText(nil, 1, name), 2, appendMessage(nil, 1, tensorType))
}

func appendText(b []byte, number protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), text)
}
