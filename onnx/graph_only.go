package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"regraft/engine"
)

// Placeholder is a parameter of a graph that is stored without weights: an initializer whose data
// is external.
type Placeholder struct {
	Name  string
	Shape []int
}

// Placeholders lists the parameters of a graph without weights, in the file's order.
func Placeholders(graph []byte) ([]Placeholder, error) {
	m, err := parseModel(graph)
	if err == nil {
		err = checkModel(m)
	}
	if err != nil {
		return nil, invalid(err)
	}
	var list []Placeholder
	for _, t := range m.graph.initializers {
		if t.location != 1 {
			continue
		}
		if _, err := elements(t.dims); err != nil {
			return nil, invalid(fmt.Errorf("tensor %s: %w", quoted(t.name), err))
		}
		list = append(list, Placeholder{t.name, toShape(t.dims)})
	}
	return list, nil
}

// Values supplies a parameter: its shape, which may differ from the graph's, and its row-major
// values. The values are shared, not copied.
type Values func(name string) (shape []int, values []float32, err error)

// ReadGraph is ReadBytes for a graph without weights, whose parameters get the supplied values.
func ReadGraph(graph []byte, values Values, o ReadOptions) (*engine.Network, *Info, error) {
	return read(graph, supplied(values), o)
}

// supplied implements payloads.
type supplied Values

func (s supplied) load(t *tensorProto) error {
	if t.location != 1 {
		return nil
	}
	shape, values, err := s(t.name)
	if err != nil {
		return err
	}
	t.dims = int64s(shape)
	t.dtype, t.raw, t.hasRaw = typeFloat, floatBytes(values), true
	return nil
}

// floatBytes is the inverse of floatSlice.
func floatBytes(values []float32) []byte {
	if len(values) == 0 {
		return nil
	}
	if unaligned {
		return unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), 4*len(values))
	}
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return raw
}
