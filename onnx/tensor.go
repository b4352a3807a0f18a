package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"unsafe"

	"gorgonia.org/tensor"
)

// dataType is TensorProto.DataType.
type dataType int64

const (
	typeFloat    dataType = 1
	typeUint8    dataType = 2
	typeInt8     dataType = 3
	typeUint16   dataType = 4
	typeInt16    dataType = 5
	typeInt32    dataType = 6
	typeInt64    dataType = 7
	typeString   dataType = 8
	typeBool     dataType = 9
	typeFloat16  dataType = 10
	typeDouble   dataType = 11
	typeUint32   dataType = 12
	typeUint64   dataType = 13
	typeBFloat16 dataType = 16
	typeUint4    dataType = 21
	typeInt4     dataType = 22
)

var typeNames = map[dataType]string{
	0: "undefined", typeFloat: "float32", typeUint8: "uint8", typeInt8: "int8", typeUint16: "uint16", typeInt16: "int16",
	typeInt32: "int32", typeInt64: "int64", typeString: "string", typeBool: "bool", typeFloat16: "float16",
	typeDouble: "float64", typeUint32: "uint32", typeUint64: "uint64", 14: "complex64", 15: "complex128",
	typeBFloat16: "bfloat16", 17: "float8e4m3fn", 18: "float8e4m3fnuz", 19: "float8e5m2", 20: "float8e5m2fnuz",
	typeUint4: "uint4", typeInt4: "int4", 23: "float4e2m1", 24: "float8e8m0", 25: "uint2", 26: "int2",
}

func (t dataType) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("data type %d", int64(t))
}

// width is the size of one element in raw_data, 0 for types that are not read.
func (t dataType) width() int {
	switch t {
	case typeUint8, typeInt8, typeBool:
		return 1
	case typeUint16, typeInt16, typeFloat16, typeBFloat16:
		return 2
	case typeFloat, typeInt32, typeUint32:
		return 4
	case typeInt64, typeUint64, typeDouble:
		return 8
	}
	return 0
}

// tensorProto is a tensor as it lies in the file; payloads are slices of it.
type tensorProto struct {
	name     string
	dims     []int64
	dtype    dataType
	raw      []byte
	hasRaw   bool
	floats   []byte  // float_data, little-endian
	doubles  []byte  // double_data, little-endian
	ints     []int64 // int32_data, int64_data or uint64_data
	strings  []string
	external map[string]string
	location int64 // 1: the payload is external data
}

func parseTensor(f field, t *tensorProto) error {
	return f.message(func(f field) error {
		switch f.number {
		case 1:
			return f.appendInts(&t.dims)
		case 2:
			return f.int((*int64)(&t.dtype))
		case 4:
			return f.appendFixed(&t.floats, 4)
		case 5, 7, 11:
			return f.appendInts(&t.ints)
		case 6:
			return f.appendName(&t.strings)
		case 8:
			return f.name(&t.name)
		case 9:
			t.hasRaw = true
			return f.bytes(&t.raw)
		case 10:
			return f.appendFixed(&t.doubles, 8)
		case 13:
			if t.external == nil {
				t.external = map[string]string{}
			}
			return parseProperty(f, t.external)
		case 14:
			return f.int(&t.location)
		}
		return nil
	})
}

// constant is a tensor whose value is known at import. Its slices may point into the file and are
// shared freely: they are never written to.
type constant struct {
	// name is the tensor's name in the file: an initializer's, or the output's of the node that made it.
	name string
	// origin is the initializer that this is a copy or another form of, "" where there is none or several.
	origin string
	shape  tensor.Shape
	dtype  dataType
	// stored tells that the file holds the values, rather than nodes that compute them.
	stored bool
	// Exactly one holds the values: floats for float32 (and the half types, widened), doubles for
	// float64, ints for all integers and bool, or bytes for quantised weights: int8 and uint8 in great numbers, int4 and uint4.
	floats  []float32
	doubles []float64
	ints    []int64
	bytes   []byte
	// open marks the values that count images: element i is so many for each. nil where there are none.
	open []bool
	// several tells that a value holds for more than one image only.
	several bool
}

// isOpen tells whether element i depends on the number of images.
func (c *constant) isOpen(i int) bool { return c.open != nil && c.open[i] }

func (c *constant) size() int { return len(c.floats) + len(c.doubles) + len(c.ints) + len(c.bytes) }

// integral tells whether the values are integers.
func (c *constant) integral() bool { return c.ints != nil || c.bytes != nil }

// integer is element i of integers.
func (c *constant) integer(i int) int64 {
	switch {
	case c.bytes == nil:
		return c.ints[i]
	case c.dtype == typeInt8, c.dtype == typeInt4:
		return int64(int8(c.bytes[i]))
	}
	return int64(c.bytes[i])
}

// maxRank bounds the axes of a tensor (NumPy's limit), and so the work on one element.
const maxRank = 64

// elements multiplies dimensions with checks for sign and overflow.
func elements(dims []int64) (int, error) {
	if len(dims) > maxRank {
		return 0, fmt.Errorf("a shape of %d axes", len(dims))
	}
	n := uint64(1)
	zero := false
	for _, d := range dims {
		if d < 0 {
			return 0, fmt.Errorf("negative dimension in shape %v", dims)
		}
		if d == 0 {
			zero = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, fmt.Errorf("shape %v is too large: its size overflows 63 bits", dims)
		}
		n = lo
	}
	if zero {
		return 0, nil
	}
	return int(n), nil
}

func toShape(dims []int64) tensor.Shape {
	shape := make(tensor.Shape, len(dims))
	for i, d := range dims {
		shape[i] = int(d)
	}
	return shape
}

// maxIntegers bounds tensors of integers that are widened to int64.
const maxIntegers = 1 << 22

// constant checks the payload's size against the shape and reads it; float32 in raw_data or packed
// float_data is not copied.
func (t *tensorProto) constant() (*constant, error) {
	n, err := elements(t.dims)
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", quoted(t.name), err)
	}
	width := t.dtype.width()
	if k := t.quantised(n); k != nil {
		return k, nil
	}
	switch t.dtype {
	case typeFloat, typeDouble, typeFloat16, typeBFloat16:
	default:
		if n > maxIntegers {
			return nil, fmt.Errorf("tensor %s has %d values of type %v: so many integers are read only as weights of 8 bits in raw_data", quoted(t.name), n, t.dtype)
		}
	}
	if width == 0 {
		return nil, fmt.Errorf("tensor %s: %v tensors cannot be read", quoted(t.name), t.dtype)
	}
	c := &constant{name: t.name, shape: toShape(t.dims), dtype: t.dtype}
	switch {
	case t.hasRaw:
		if len(t.raw)/width != n || len(t.raw)%width != 0 {
			return nil, fmt.Errorf("tensor %s: raw_data has %d bytes, shape %v of %v needs %d elements of %d bytes", quoted(t.name), len(t.raw), t.dims, t.dtype, n, width)
		}
		c.fromRaw(t.raw, n)
		return c, nil
	case t.dtype == typeFloat:
		c.floats = floatSlice(t.floats)
	case t.dtype == typeDouble:
		c.doubles = doubleSlice(t.doubles)
	case t.dtype == typeFloat16 || t.dtype == typeBFloat16:
		c.floats = make([]float32, len(t.ints))
		for i, v := range t.ints {
			c.floats[i] = widen(t.dtype, uint16(v))
		}
		c.dtype = typeFloat
	default:
		c.ints = t.ints
	}
	if c.size() != n {
		return nil, fmt.Errorf("tensor %s: %d values, shape %v needs a size of %d", quoted(t.name), c.size(), t.dims, n)
	}
	return c, nil
}

// quantised reads weights of 4 bits, or of 8 in great numbers, from raw_data; nil where t is none of these.
func (t *tensorProto) quantised(n int) *constant {
	k := &constant{name: t.name, shape: toShape(t.dims), dtype: t.dtype}
	switch {
	case !t.hasRaw:
		return nil
	case (t.dtype == typeInt8 || t.dtype == typeUint8) && n > maxIntegers && len(t.raw) == n:
		k.bytes = t.raw
	case (t.dtype == typeInt4 || t.dtype == typeUint4) && len(t.raw) == (n+1)/2:
		k.bytes = unpack(t.raw, n, t.dtype == typeInt4)
	default:
		return nil
	}
	return k
}

// unpack gives each number of 4 bits a byte; the first of two is in the lower half.
func unpack(raw []byte, n int, signed bool) []byte {
	values := make([]byte, n)
	for i := range values {
		v := raw[i/2] >> (4 * (i % 2)) & 15
		if signed && v > 7 {
			v |= 0xf0
		}
		values[i] = v
	}
	return values
}

// fromRaw decodes little-endian elements.
func (c *constant) fromRaw(raw []byte, n int) {
	switch c.dtype {
	case typeFloat:
		c.floats = floatSlice(raw)
		return
	case typeDouble:
		c.doubles = doubleSlice(raw)
		return
	case typeFloat16, typeBFloat16:
		c.floats = make([]float32, n)
		for i := range c.floats {
			c.floats[i] = widen(c.dtype, binary.LittleEndian.Uint16(raw[2*i:]))
		}
		c.dtype = typeFloat
		return
	}
	c.ints = make([]int64, n)
	for i := range c.ints {
		switch c.dtype {
		case typeBool, typeUint8:
			c.ints[i] = int64(raw[i])
		case typeInt8:
			c.ints[i] = int64(int8(raw[i]))
		case typeUint16:
			c.ints[i] = int64(binary.LittleEndian.Uint16(raw[2*i:]))
		case typeInt16:
			c.ints[i] = int64(int16(binary.LittleEndian.Uint16(raw[2*i:])))
		case typeInt32:
			c.ints[i] = int64(int32(binary.LittleEndian.Uint32(raw[4*i:])))
		case typeUint32:
			c.ints[i] = int64(binary.LittleEndian.Uint32(raw[4*i:]))
		default:
			c.ints[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
		}
	}
}

// unaligned tells whether the machine reads little-endian floats at any address.
const unaligned = runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"

// floatSlice views little-endian bytes as float32. Protobuf aligns nothing, so machines that need
// alignment get a copy.
func floatSlice(raw []byte) []float32 {
	if len(raw) < 4 {
		return []float32{}
	}
	if unaligned {
		return unsafe.Slice((*float32)(unsafe.Pointer(&raw[0])), len(raw)/4)
	}
	values := make([]float32, len(raw)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return values
}

func doubleSlice(raw []byte) []float64 {
	values := make([]float64, len(raw)/8)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return values
}

// widen converts a bfloat16 or an IEEE 754 half to float32, exactly.
func widen(t dataType, v uint16) float32 {
	if t == typeBFloat16 {
		return math.Float32frombits(uint32(v) << 16)
	}
	return Float16(v)
}

// Float16 is the value of an IEEE 754 half.
func Float16(v uint16) float32 {
	sign, exponent, fraction := uint32(v>>15)<<31, uint32(v>>10)&31, uint32(v)&1023
	switch {
	case exponent == 31:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	case exponent == 0: // subnormal: fraction * 2^-24
		value := float32(fraction) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(value))
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}
