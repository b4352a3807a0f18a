package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"google.golang.org/protobuf/encoding/protowire"
)

// knownFields are the fields that are read, by the path of their numbers from the file on, with the wire types that ONNX has there.
var knownFields = map[string][]protowire.Type{
	"1": {protowire.VarintType}, "2": {protowire.BytesType}, "3": {protowire.BytesType}, "7": {protowire.BytesType}, "8": {protowire.BytesType}, "14": {protowire.BytesType}, "25": {protowire.BytesType},
	"8.1": {protowire.BytesType}, "8.2": {protowire.VarintType}, "14.1": {protowire.BytesType}, "14.2": {protowire.BytesType},
	"7.1": {protowire.BytesType}, "7.2": {protowire.BytesType}, "7.5": {protowire.BytesType}, "7.11": {protowire.BytesType}, "7.12": {protowire.BytesType},
	"7.1.1": {protowire.BytesType}, "7.1.2": {protowire.BytesType}, "7.1.3": {protowire.BytesType}, "7.1.4": {protowire.BytesType}, "7.1.5": {protowire.BytesType},
	"7.1.7": {protowire.BytesType}, "7.1.8": {protowire.BytesType}, "7.1.9": {protowire.BytesType},
	"7.1.5.1": {protowire.BytesType}, "7.1.5.2": {protowire.Fixed32Type}, "7.1.5.3": {protowire.VarintType}, "7.1.5.4": {protowire.BytesType}, "7.1.5.5": {protowire.BytesType},
	"7.1.5.6": {protowire.BytesType}, "7.1.5.7": {protowire.Fixed32Type, protowire.BytesType}, "7.1.5.8": {protowire.VarintType, protowire.BytesType}, "7.1.5.9": {protowire.BytesType},
	"7.1.5.20": {protowire.VarintType}, "7.1.5.21": {protowire.BytesType}, "7.1.9.1": {protowire.BytesType}, "7.1.9.2": {protowire.BytesType},
	"7.5.1": {protowire.VarintType, protowire.BytesType}, "7.5.2": {protowire.VarintType}, "7.5.4": {protowire.Fixed32Type, protowire.BytesType}, "7.5.5": {protowire.VarintType, protowire.BytesType},
	"7.5.6": {protowire.BytesType}, "7.5.7": {protowire.VarintType, protowire.BytesType}, "7.5.8": {protowire.BytesType}, "7.5.9": {protowire.BytesType},
	"7.5.10": {protowire.Fixed64Type, protowire.BytesType}, "7.5.11": {protowire.VarintType, protowire.BytesType}, "7.5.13": {protowire.BytesType}, "7.5.14": {protowire.VarintType},
	"7.11.1": {protowire.BytesType}, "7.11.2": {protowire.BytesType}, "7.11.2.1": {protowire.BytesType}, "7.11.2.1.1": {protowire.VarintType}, "7.11.2.1.2": {protowire.BytesType},
	"7.11.2.1.2.1": {protowire.BytesType}, "7.11.2.1.2.1.1": {protowire.VarintType}, "7.11.2.1.2.1.2": {protowire.BytesType},
	"25.1": {protowire.BytesType}, "25.4": {protowire.BytesType}, "25.5": {protowire.BytesType}, "25.6": {protowire.BytesType}, "25.7": {protowire.BytesType}, "25.9": {protowire.BytesType},
	"25.10": {protowire.BytesType}, "25.11": {protowire.BytesType}, "25.13": {protowire.BytesType},
}

// at puts a field into the messages that lie around it.
func at(path string, typ protowire.Type, value []byte) []byte {
	numbers := strings.Split(path, ".")
	var b []byte
	for i, word := range slices.Backward(numbers) {
		var n int
		fmt.Sscan(word, &n)
		if i == len(numbers)-1 {
			b = append(protowire.AppendTag(nil, protowire.Number(n), typ), value...)
		} else {
			b = appendMessage(nil, protowire.Number(n), b)
		}
	}
	return b
}

// TestWireTypes: a known field with another wire type than ONNX has there is refused, and one that has the right one but is cut, too.
func TestWireTypes(t *testing.T) {
	whole := map[protowire.Type][]byte{protowire.VarintType: {0x81, 0x01}, protowire.Fixed32Type: {1, 2, 3, 4}, protowire.Fixed64Type: {1, 2, 3, 4, 5, 6, 7, 8}, protowire.BytesType: {0}}
	for path, types := range knownFields {
		for typ, value := range whole {
			_, err := parseModel(at(path, typ, value))
			if right := slices.Contains(types, typ); right != (err == nil) || !right && !strings.Contains(err.Error(), "ONNX has") {
				t.Errorf("field %s with wire type %d: %v", path, typ, err)
			}
			for cut := range len(value) {
				if _, err := parseModel(at(path, typ, value[:cut])); err == nil || !strings.Contains(err.Error(), "truncated") {
					t.Errorf("field %s with wire type %d, cut to %d bytes: %v", path, typ, cut, err)
				}
			}
		}
	}
	for path, value := range map[string][]byte{"7.5.4": {3, 0, 0, 0}, "7.5.10": {4, 0, 0, 0, 0}, "7.1.5.7": {5, 0, 0, 0, 0, 0}} {
		if _, err := parseModel(at(path, protowire.BytesType, value)); err == nil || !strings.Contains(err.Error(), "no whole number of") {
			t.Errorf("field %s: %v", path, err)
		}
	}
	for _, path := range []string{"7.5.1", "7.1.5.8"} {
		if _, err := parseModel(at(path, protowire.BytesType, []byte{2, 1, 0x80})); err == nil || !strings.Contains(err.Error(), "truncated") {
			t.Errorf("a number of packed field %s that is cut: %v", path, err)
		}
	}
	if _, err := parseModel(at("1", protowire.VarintType, slices.Repeat([]byte{0xff}, 11))); err == nil || !strings.Contains(err.Error(), "overflow") {
		t.Errorf("a number of 11 bytes: %v", err)
	}
}

// TestAllowance: a file that names more than its allowance is refused, whichever field repeats.
func TestAllowance(t *testing.T) {
	for _, path := range []string{"7.1.1", "25.4", "7.5.6", "7.5.13", "7.11"} {
		one := at(path, protowire.BytesType, []byte{0})
		w := &wire{file: one, elements: maxElements}
		if err := w.fields(w.file, func(f field) error { return (&graphProtoReader{}).read(f) }); err == nil || !strings.Contains(err.Error(), "more than 1048576") {
			t.Errorf("field %s: %v", path, err)
		}
	}
}

// graphProtoReader reads graphs and functions alone.
type graphProtoReader struct{}

func (*graphProtoReader) read(f field) error {
	if f.number == 25 {
		return parseFunction(f, &functionProto{})
	}
	return parseGraph(f, &graphProto{})
}

// TestPayloads: the values of tensors in every form in which ONNX stores their type: raw, packed, and one by one.
func TestPayloads(t *testing.T) {
	const packed, single = protowire.BytesType, protowire.VarintType
	varints := func(values ...int64) (b []byte) {
		for _, v := range values {
			b = protowire.AppendVarint(b, uint64(v))
		}
		return b
	}
	le := binary.LittleEndian
	double := le.AppendUint64(le.AppendUint64(nil, math.Float64bits(1.5)), math.Float64bits(-2))
	float := le.AppendUint32(le.AppendUint32(nil, math.Float32bits(1.5)), math.Float32bits(-2))
	for name, c := range map[string]struct {
		dtype  dataType
		number protowire.Number
		typ    protowire.Type
		data   []byte
		want   []float64
		as     dataType
	}{
		"float32, raw":            {typeFloat, 9, packed, float, []float64{1.5, -2}, typeFloat},
		"float32":                 {typeFloat, 4, packed, float, []float64{1.5, -2}, typeFloat},
		"float32, one by one":     {typeFloat, 4, protowire.Fixed32Type, float, []float64{1.5, -2}, typeFloat},
		"float64, raw":            {typeDouble, 9, packed, double, []float64{1.5, -2}, typeDouble},
		"float64":                 {typeDouble, 10, packed, double, []float64{1.5, -2}, typeDouble},
		"float64, one by one":     {typeDouble, 10, protowire.Fixed64Type, double, []float64{1.5, -2}, typeDouble},
		"float16, raw":            {typeFloat16, 9, packed, []byte{0x00, 0x3e, 0x00, 0xc0}, []float64{1.5, -2}, typeFloat},
		"float16":                 {typeFloat16, 5, packed, varints(0x3e00, 0xc000), []float64{1.5, -2}, typeFloat},
		"bfloat16, raw":           {typeBFloat16, 9, packed, []byte{0xc0, 0x3f, 0x00, 0xc0}, []float64{1.5, -2}, typeFloat},
		"bfloat16, one by one":    {typeBFloat16, 5, single, varints(0x3fc0, 0xc000), []float64{1.5, -2}, typeFloat},
		"int64, raw":              {typeInt64, 9, packed, le.AppendUint64(le.AppendUint64(nil, 3), 1<<64-4), []float64{3, -4}, typeInt64},
		"int64":                   {typeInt64, 7, packed, varints(3, -4), []float64{3, -4}, typeInt64},
		"int64, one by one":       {typeInt64, 7, single, varints(3, -4), []float64{3, -4}, typeInt64},
		"uint64":                  {typeUint64, 11, packed, varints(3, 4), []float64{3, 4}, typeUint64},
		"int32, raw":              {typeInt32, 9, packed, le.AppendUint32(le.AppendUint32(nil, 3), 1<<32-4), []float64{3, -4}, typeInt32},
		"int32":                   {typeInt32, 5, packed, varints(3, -4), []float64{3, -4}, typeInt32},
		"uint32, raw":             {typeUint32, 9, packed, le.AppendUint32(le.AppendUint32(nil, 3), 1<<32-4), []float64{3, 1<<32 - 4}, typeUint32},
		"int16, raw":              {typeInt16, 9, packed, []byte{3, 0, 0xfc, 0xff}, []float64{3, -4}, typeInt16},
		"uint16, raw":             {typeUint16, 9, packed, []byte{3, 0, 0xfc, 0xff}, []float64{3, 65532}, typeUint16},
		"int8, raw":               {typeInt8, 9, packed, []byte{3, 0xfc}, []float64{3, -4}, typeInt8},
		"uint8, raw":              {typeUint8, 9, packed, []byte{3, 0xfc}, []float64{3, 252}, typeUint8},
		"bool, raw":               {typeBool, 9, packed, []byte{1, 0}, []float64{1, 0}, typeBool},
		"int4, raw":               {typeInt4, 9, packed, []byte{0xc3}, []float64{3, -4}, typeInt4},
		"uint4, raw":              {typeUint4, 9, packed, []byte{0xc3}, []float64{3, 12}, typeUint4},
		"float32, raw, too few":   {typeFloat, 9, packed, float[:4], nil, 0},
		"float32, raw, cut":       {typeFloat, 9, packed, float[:7], nil, 0},
		"float32, too few":        {typeFloat, 4, packed, float[:4], nil, 0},
		"int64, too many":         {typeInt64, 7, packed, varints(1, 2, 3), nil, 0},
		"int4, raw, too many":     {typeInt4, 9, packed, []byte{0xc3, 1}, nil, 0},
		"a type that is not read": {dataType(14), 9, packed, make([]byte, 16), nil, 0},
	} {
		message := appendInt(appendInt(nil, 1, 2), 2, int64(c.dtype))
		if c.typ == packed {
			message = protowire.AppendBytes(protowire.AppendTag(message, c.number, packed), c.data)
		} else {
			for data := c.data; len(data) > 0; {
				n := map[protowire.Type]int{protowire.Fixed32Type: 4, protowire.Fixed64Type: 8}[c.typ]
				if c.typ == single {
					_, n = protowire.ConsumeVarint(data)
				}
				message = append(protowire.AppendTag(message, c.number, c.typ), data[:n]...)
				data = data[n:]
			}
		}
		tensor := &tensorProto{}
		w := &wire{file: appendMessage(nil, 1, message)}
		if err := w.fields(w.file, func(f field) error { return parseTensor(f, tensor) }); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		k, err := tensor.constant()
		if c.want == nil {
			if err == nil {
				t.Errorf("%s: %v", name, k)
			}
			continue
		}
		if err != nil || k.dtype != c.as || k.size() != len(c.want) {
			t.Errorf("%s: %+v (%v)", name, k, err)
			continue
		}
		for i, v := range c.want {
			if k.at(i) != v {
				t.Errorf("%s: element %d is %v, want %v", name, i, k.at(i), v)
			}
		}
	}
}

// failing is a file that fails at the look or the read that is told.
type failing struct {
	fs.File
	look, looks int
	read        error
}

var errBroken = errors.New("the disk is broken")

func (f *failing) Stat() (fs.FileInfo, error) {
	if f.looks++; f.looks == f.look {
		return nil, errBroken
	}
	return f.File.Stat()
}

func (f *failing) Read(p []byte) (int, error) {
	if f.read != nil {
		return 0, f.read
	}
	return f.File.Read(p)
}

// TestFilesThatFail: what the file system says is told, with the file, and a file that became shorter has changed.
func TestFilesThatFail(t *testing.T) {
	folder := fstest.MapFS{"w": {Data: []byte("0123456789")}}
	for name, c := range map[string]struct {
		f    failing
		want error
	}{
		"the first look": {failing{look: 1}, errBroken}, "the second look": {failing{look: 2}, errBroken}, "reading": {failing{read: errBroken}, errBroken},
		"no bytes": {failing{read: io.EOF}, errChanged}, "nothing": {failing{}, nil},
	} {
		var err error
		if c.f.File, err = folder.Open("w"); err != nil {
			t.Fatal(err)
		}
		if data, err := contents(&c.f, 10); !errors.Is(err, c.want) || (err == nil) != (string(data) == "0123456789") {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "w"), []byte("01"), 0o644); err != nil {
		t.Fatal(err)
	}
	if data, err := Contents(filepath.Join(dir, "w")); err != nil || string(data) != "01" {
		t.Errorf("%q, %v", data, err)
	}
	missing := filepath.Join(dir, "missing")
	for name, err := range map[string]error{
		"Contents": second(Contents(missing)), "Read": third(Read(missing, ReadOptions{})), "ReadFS": third(ReadFS(os.DirFS(dir), "missing", ReadOptions{})),
	} {
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "missing") {
			t.Errorf("%s of no file: %v", name, err)
		}
	}
	for name, err := range map[string]error{"Contents": second(Contents(dir)), "Read": third(Read(dir, ReadOptions{})), "ReadFS": third(ReadFS(os.DirFS(dir), ".", ReadOptions{}))} {
		if err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s of a folder: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func third[A, B any](_ A, _ B, err error) error { return err }
