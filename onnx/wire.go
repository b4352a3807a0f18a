package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxElements bounds the repeated elements (nodes, attributes, names, numbers outside packed
// fields) of one file, so that a small file cannot claim much memory.
const maxElements = 1 << 20

// wire walks protobuf messages without copying them: whatever it hands out are sub-slices of the
// file. It owns every bounds check; what it returned may be trusted to lie inside the file.
type wire struct {
	file     []byte
	elements int
	depth    int // of subgraphs
}

// field is one field of a message as it lies in the file.
type field struct {
	w       *wire
	number  protowire.Number
	typ     protowire.Type
	at      int    // offset of the field's tag in the file
	scalar  uint64 // value of a varint, fixed32 or fixed64 field
	content []byte // value of a length-delimited field
}

// fields visits the fields of a message in file order.
func (w *wire) fields(message []byte, visit func(field) error) error {
	for len(message) > 0 {
		f, n, err := w.next(message)
		if err != nil {
			return err
		}
		if err := visit(f); err != nil {
			return err
		}
		message = message[n:]
	}
	return nil
}

// next reads one field and returns how many bytes it takes.
func (w *wire) next(message []byte) (f field, n int, err error) {
	f = field{w: w, at: w.offset(message)}
	tag, n, err := w.varint(message)
	if err != nil {
		return f, 0, err
	}
	f.number, f.typ = protowire.DecodeTag(tag)
	if f.number < protowire.MinValidNumber {
		return f, 0, fmt.Errorf("byte %d: field number %d is not valid protobuf", f.at, tag>>3)
	}
	rest := message[n:]
	switch f.typ {
	case protowire.VarintType:
		v, m, err := w.varint(rest)
		f.scalar = v
		return f, n + m, err
	case protowire.Fixed32Type:
		if len(rest) < 4 {
			return f, 0, w.truncated(rest, 4)
		}
		f.scalar = uint64(binary.LittleEndian.Uint32(rest))
		return f, n + 4, nil
	case protowire.Fixed64Type:
		if len(rest) < 8 {
			return f, 0, w.truncated(rest, 8)
		}
		f.scalar = binary.LittleEndian.Uint64(rest)
		return f, n + 8, nil
	case protowire.BytesType:
		size, m, err := w.varint(rest)
		if err != nil {
			return f, 0, err
		}
		rest = rest[m:]
		if size > uint64(len(rest)) {
			return f, 0, w.truncated(rest, size)
		}
		f.content = rest[:size]
		return f, n + m + int(size), nil
	}
	return f, 0, fmt.Errorf("byte %d: wire type %d does not occur in ONNX files", f.at, f.typ)
}

// varint reads a base-128 number of at most ten bytes.
func (w *wire) varint(b []byte) (uint64, int, error) {
	v, n := protowire.ConsumeVarint(b)
	switch {
	case n > 0:
		return v, n, nil
	case len(b) < binary.MaxVarintLen64:
		return 0, 0, w.truncated(b, uint64(len(b))+1)
	}
	return 0, 0, fmt.Errorf("byte %d: varint overflow: more than 64 bits", w.offset(b))
}

func (w *wire) truncated(rest []byte, want uint64) error {
	return fmt.Errorf("byte %d: a length of %d bytes reaches beyond the end (%d left): the file is truncated or damaged", w.offset(rest), want, len(rest))
}

// offset is where b starts in the file; sub-slices share the end of the file's capacity.
func (w *wire) offset(b []byte) int { return cap(w.file) - cap(b) }

// count takes n repeated elements from the file's allowance.
func (w *wire) count(n int) error {
	if w.elements += n; w.elements > maxElements {
		return fmt.Errorf("more than %d nodes, attributes and names", maxElements)
	}
	return nil
}

// maxSubgraphs bounds how deep subgraphs of nodes lie inside one another.
const maxSubgraphs = 32

// nested parses a subgraph.
func (w *wire) nested(parse func() error) error {
	if w.depth++; w.depth > maxSubgraphs {
		return fmt.Errorf("subgraphs (of If, Loop or Scan) lie more than %d deep inside one another", maxSubgraphs)
	}
	err := parse()
	w.depth--
	return err
}

func (f field) expect(typ protowire.Type) error {
	if f.typ != typ {
		return fmt.Errorf("byte %d: field %d has wire type %d, ONNX has %d there", f.at, f.number, f.typ, typ)
	}
	return nil
}

// message visits the fields of an embedded message.
func (f field) message(visit func(field) error) error {
	if err := f.expect(protowire.BytesType); err != nil {
		return err
	}
	if err := f.w.count(1); err != nil {
		return err
	}
	return f.w.fields(f.content, visit)
}

func (f field) bytes(to *[]byte) error {
	*to = f.content
	return f.expect(protowire.BytesType)
}

func (f field) text(to *string) error {
	*to = string(f.content)
	return f.expect(protowire.BytesType)
}

// maxName bounds names, so that messages can show them.
const maxName = 1 << 12

// name is text for the names of nodes, values and operators.
func (f field) name(to *string) error {
	if len(f.content) > maxName {
		return fmt.Errorf("byte %d: a name of %d bytes", f.at, len(f.content))
	}
	return f.text(to)
}

func (f field) int(to *int64) error {
	*to = int64(f.scalar)
	return f.expect(protowire.VarintType)
}

func (f field) float(to *float32) error {
	*to = math.Float32frombits(uint32(f.scalar))
	return f.expect(protowire.Fixed32Type)
}

// appendName reads one element of a repeated string.
func (f field) appendName(to *[]string) error {
	var name string
	if err := f.w.count(1); err != nil {
		return err
	}
	err := f.name(&name)
	*to = append(*to, name)
	return err
}

// appendInts reads a repeated int64, packed or one element.
func (f field) appendInts(to *[]int64) error {
	if f.typ != protowire.BytesType {
		if err := f.w.count(1); err != nil {
			return err
		}
		*to = append(*to, int64(f.scalar))
		return f.expect(protowire.VarintType)
	}
	count := 0
	for _, b := range f.content {
		if b < 0x80 {
			count++
		}
	}
	if *to == nil {
		*to = make([]int64, 0, count)
	}
	for rest := f.content; len(rest) > 0; {
		v, n, err := f.w.varint(rest)
		if err != nil {
			return err
		}
		*to, rest = append(*to, int64(v)), rest[n:]
	}
	return nil
}

// appendFixed gathers a repeated float (width 4) or double (width 8) as little-endian bytes; the
// packed form, in one piece, stays a slice of the file.
func (f field) appendFixed(to *[]byte, width int) error {
	switch {
	case f.typ == protowire.BytesType && len(f.content)%width != 0:
		return fmt.Errorf("byte %d: %d bytes are no whole number of %d-byte elements", f.at, len(f.content), width)
	case f.typ == protowire.BytesType && len(*to) == 0:
		*to = f.content[:len(f.content):len(f.content)]
		return nil
	case f.typ == protowire.BytesType:
		*to = append(*to, f.content...)
		return f.w.count(len(f.content) / width)
	case width == 4:
		*to = binary.LittleEndian.AppendUint32(*to, uint32(f.scalar))
	default:
		*to = binary.LittleEndian.AppendUint64(*to, f.scalar)
	}
	if err := f.w.count(1); err != nil {
		return err
	}
	return f.expect(map[int]protowire.Type{4: protowire.Fixed32Type, 8: protowire.Fixed64Type}[width])
}
