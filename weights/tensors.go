// Package weights says where weights come from: state dicts of PyTorch (.pth) and safetensors files, which
// hold tensors without a graph, and the known files on the internet. A small graph of the right family,
// embedded in the program, turns tensors into a network.
//
// Pickles of PyTorch are read by an own reader of the opcodes that state dicts consist of. The library that
// exists for Go, nlpodyssey/gopickle, allocates whatever length a file claims, panics on some files and loads
// every tensor into memory; none of that can be switched off from outside.
package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"slices"
	"unsafe"

	"regraft/onnx"
)

// Tensors are the named tensors of a file. Their values stay as the file has them until
// they are asked for.
type Tensors struct {
	// Format is pth, legacy pth or safetensors.
	Format string
	// List is in the file's order.
	List []*Tensor
	// PassedOver are the classes of objects that a pickle holds beside tensors; nothing is built of them.
	PassedOver []string
	byName     map[string]*Tensor
}

// Get returns the tensor with the given name, or nil.
func (t *Tensors) Get(name string) *Tensor { return t.byName[name] }

// add refuses a name that is there already.
func (t *Tensors) add(name string, tensor Tensor) error {
	if t.byName == nil {
		t.byName = map[string]*Tensor{}
	}
	if len(name) > maxName {
		return fmt.Errorf("the name of a tensor has %d bytes", len(name))
	}
	if t.byName[name] != nil {
		return fmt.Errorf("tensor %q appears twice", name)
	}
	tensor.Name = name
	t.byName[name] = &tensor
	t.List = append(t.List, &tensor)
	return nil
}

// Tensor is one array of numbers in a file.
type Tensor struct {
	Name  string
	Shape []int

	dtype dtype
	// data is what the elements lie in, little-endian; element i0, i1, ... is at offset + i0*strides[0] + ...
	data    *storage
	offset  int
	strides []int
	// derive computes the values, row-major, of a tensor that the file has in another form.
	derive func() ([]float32, error)
}

// storage is a piece of the file that tensors share.
type storage struct {
	dtype    dtype
	elements int
	raw      []byte
}

// dtype is an element type.
type dtype uint8

const (
	float32Type dtype = iota
	float16Type
	bfloat16Type
	float64Type
	// From here on what weights are not.
	int64Type
	int32Type
	int16Type
	int8Type
	uint8Type
	boolType
)

// width is the number of bytes of an element.
func (d dtype) width() int { return [...]int{4, 2, 2, 8, 8, 4, 2, 1, 1, 1}[d] }

// Float tells whether the elements are floating-point numbers, as weights are.
func (t *Tensor) Float() bool { return t.dtype <= float64Type }

// Size is the number of elements.
func (t *Tensor) Size() int { return product(t.Shape) }

// Values returns the elements in row-major order as float32; half types are widened and float64 is
// rounded. They must not be written to: those of contiguous float32 tensors lie in the file.
func (t *Tensor) Values() ([]float32, error) {
	if !t.Float() {
		return nil, fmt.Errorf("tensor %q does not hold floating-point numbers", t.Name)
	}
	if t.derive != nil {
		return t.derive()
	}
	n, width := t.Size(), t.dtype.width()
	raw := t.data.raw
	if len(raw) < t.data.elements*width {
		return nil, fmt.Errorf("tensor %q: %d bytes of data, %d elements of %d bytes are needed", t.Name, len(raw), t.data.elements, width)
	}
	if slices.Equal(t.strides, rowMajor(t.Shape)) {
		raw = raw[t.offset*width : (t.offset+n)*width]
		if t.dtype == float32Type {
			return float32s(raw), nil
		}
		return decode(make([]float32, 0, n), t.dtype, raw), nil
	}
	values := make([]float32, 0, n)
	index := make([]int, len(t.Shape))
	for range n {
		at := t.offset
		for axis, i := range index {
			at += i * t.strides[axis]
		}
		values = decode(values, t.dtype, raw[at*width:(at+1)*width])
		for axis := len(index) - 1; axis >= 0; axis-- {
			if index[axis]++; index[axis] < t.Shape[axis] {
				break
			}
			index[axis] = 0
		}
	}
	return values, nil
}

// view makes a tensor of part of a storage, if that holds all of it and no element is used twice over.
func (s *storage) view(offset int, shape, strides []int) (Tensor, error) {
	if len(shape) != len(strides) || len(shape) > maxRank {
		return Tensor{}, fmt.Errorf("shape %v with strides %v", shape, strides)
	}
	size, err := checkedProduct(shape)
	if err != nil {
		return Tensor{}, err
	}
	if size > s.elements {
		return Tensor{}, fmt.Errorf("shape %v does not fit into the %d elements of its storage", shape, s.elements)
	}
	last := offset
	for i, d := range shape {
		if strides[i] < 0 || d > 0 && strides[i] > s.elements {
			return Tensor{}, fmt.Errorf("shape %v with strides %v lies outside its storage of %d elements", shape, strides, s.elements)
		}
		last += max(d-1, 0) * strides[i]
	}
	if offset < 0 || size > 0 && (last < 0 || last >= s.elements) || offset > s.elements {
		return Tensor{}, fmt.Errorf("shape %v with strides %v at %d lies outside its storage of %d elements", shape, strides, offset, s.elements)
	}
	return Tensor{Shape: shape, dtype: s.dtype, data: s, offset: offset, strides: strides}, nil
}

// Limits of what a file may claim.
const (
	maxRank     = 16
	maxElements = 1 << 40
)

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// checkedProduct is product for sizes out of a file.
func checkedProduct(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 0 || d > maxElements || d > 0 && n > maxElements/d {
			return 0, fmt.Errorf("shape %v is negative or too large", shape)
		}
		n *= d
	}
	return n, nil
}

// rowMajor gives the strides of a contiguous tensor.
func rowMajor(shape []int) []int {
	strides := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= shape[i]
	}
	return strides
}

// float32s views little-endian bytes as numbers where the machine can, and copies them elsewhere.
func float32s(raw []byte) []float32 {
	little := runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"
	if len(raw) >= 4 && little && uintptr(unsafe.Pointer(&raw[0]))%4 == 0 {
		return unsafe.Slice((*float32)(unsafe.Pointer(&raw[0])), len(raw)/4)
	}
	return decode(make([]float32, 0, len(raw)/4), float32Type, raw)
}

// decode appends the elements of raw.
func decode(to []float32, d dtype, raw []byte) []float32 {
	for ; len(raw) > 0; raw = raw[d.width():] {
		switch d {
		case float32Type:
			to = append(to, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		case float16Type:
			to = append(to, onnx.Float16(binary.LittleEndian.Uint16(raw)))
		case bfloat16Type:
			to = append(to, math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw))<<16))
		default:
			to = append(to, float32(math.Float64frombits(binary.LittleEndian.Uint64(raw))))
		}
	}
	return to
}

// Open reads the names and shapes of a .pth or .safetensors file.
func Open(path string) (*Tensors, error) {
	data, err := onnx.Contents(path)
	if err != nil {
		return nil, err
	}
	t, err := read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// read recognises the format by the first bytes.
func read(data []byte) (*Tensors, error) {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return readZip(data)
	case isPickle(data):
		return readLegacy(data)
	case isSafetensors(data):
		return readSafetensors(data)
	}
	return nil, errFormat
}

// errFormat: the file is none that holds tensors without a graph.
var errFormat = fmt.Errorf("neither a .pth nor a .safetensors file")
