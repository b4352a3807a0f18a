package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// The safetensors format: the length of a header (8 bytes, little-endian), the header in JSON,
//
//	{"NAME": {"dtype": "F32", "shape": [64, 3], "data_offsets": [0, 768]}, ..., "__metadata__": {...}}
//
// then the tensors' bytes, to which the offsets refer.

// maxHeader bounds the header; the format's own limit is 100 MB.
const maxHeader = 16 << 20

var safetensorsTypes = map[string]dtype{
	"F32": float32Type, "F16": float16Type, "BF16": bfloat16Type, "F64": float64Type, "I64": int64Type, "I32": int32Type,
	"I16": int16Type, "I8": int8Type, "U8": uint8Type, "BOOL": boolType,
}

// isSafetensors tells whether data begins with the length of a header and the header's brace.
func isSafetensors(data []byte) bool {
	return len(data) > 8 && data[8] == '{' && data[6]|data[7] == 0
}

func readSafetensors(data []byte) (*Tensors, error) {
	length := binary.LittleEndian.Uint64(data)
	if length > maxHeader || length > uint64(len(data)-8) {
		return nil, fmt.Errorf("its header of %d bytes is larger than the file or than %d bytes", length, maxHeader)
	}
	header, payload := data[8:8+length], data[8+length:]
	t := &Tensors{Format: "safetensors"}
	err := members(header, func(name string, value json.RawMessage) error {
		if name == "__metadata__" {
			return nil
		}
		tensor, err := safetensor(value, payload)
		if err != nil {
			return fmt.Errorf("tensor %.200q: %w", name, err)
		}
		return t.add(name, tensor)
	})
	if err != nil {
		return nil, err
	}
	if len(t.List) == 0 {
		return nil, fmt.Errorf("it holds no tensors")
	}
	return t, nil
}

// members visits the members of a JSON object in their order, repeated ones too.
func members(object []byte, visit func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(object))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("its header is no JSON object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return fmt.Errorf("its header: %w", err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("its header: %w", err)
		}
		if err := visit(name.(string), value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("its header: %w", err)
	}
	if rest, _ := io.ReadAll(d.Buffered()); len(bytes.TrimSpace(rest)) > 0 {
		return fmt.Errorf("its header has something behind the JSON object")
	}
	return nil
}

// safetensor reads one entry of the header.
func safetensor(entry json.RawMessage, payload []byte) (Tensor, error) {
	var e struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets []int  `json:"data_offsets"`
	}
	if err := json.Unmarshal(entry, &e); err != nil {
		return Tensor{}, err
	}
	dtype, known := safetensorsTypes[e.DType]
	if !known {
		return Tensor{}, fmt.Errorf("elements of type %.200q are not read", e.DType)
	}
	size, err := checkedProduct(e.Shape)
	if err != nil {
		return Tensor{}, err
	}
	if len(e.Offsets) != 2 || e.Offsets[0] < 0 || e.Offsets[1] < e.Offsets[0] || e.Offsets[1] > len(payload) {
		return Tensor{}, fmt.Errorf("its bytes %v lie outside the file's %d: the file is damaged or truncated", e.Offsets, len(payload))
	}
	begin, end := e.Offsets[0], e.Offsets[1]
	if end-begin != size*dtype.width() {
		return Tensor{}, fmt.Errorf("%d bytes for shape %v of %s", end-begin, e.Shape, e.DType)
	}
	s := &storage{dtype: dtype, elements: size, raw: payload[begin:end:end]}
	return s.view(0, e.Shape, rowMajor(e.Shape))
}
