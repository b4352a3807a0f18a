package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"testing"
)

// pickled assembles pickles of protocol 2, opcode by opcode.
type pickled struct{ bytes.Buffer }

func newPickle() *pickled {
	p := &pickled{}
	p.Write([]byte{opProto, 2})
	return p
}

func (p *pickled) op(codes ...byte) *pickled {
	p.Write(codes)
	return p
}

func (p *pickled) text(s string) *pickled {
	p.op(opBinUnicode)
	p.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
	p.WriteString(s)
	return p
}

func (p *pickled) int(v int) *pickled {
	p.op(opBinInt)
	p.Write(binary.LittleEndian.AppendUint32(nil, uint32(int32(v))))
	return p
}

func (p *pickled) ints(values ...int) *pickled {
	p.op(opMark)
	for _, v := range values {
		p.int(v)
	}
	return p.op(opTuple)
}

func (p *pickled) global(module, name string) *pickled {
	p.op(opGlobal)
	p.WriteString(module + "\n" + name + "\n")
	return p
}

// storage pushes the persistent identifier of a storage and loads it.
func (p *pickled) storage(class, key string, elements int, view bool) *pickled {
	p.op(opMark).text("storage").global("torch", class).text(key).text("cpu").int(elements)
	if view {
		p.op(opNone)
	}
	return p.op(opTuple, opPersistentID)
}

// tensor pushes a tensor on float32 elements.
func (p *pickled) tensor(key string, elements, offset int, shape, strides []int) *pickled {
	return p.typed("FloatStorage", key, elements, offset, shape, strides)
}

func (p *pickled) typed(class, key string, elements, offset int, shape, strides []int) *pickled {
	p.global("torch._utils", "_rebuild_tensor_v2").op(opMark).storage(class, key, elements, false)
	p.int(offset).ints(shape...).ints(strides...).op(opNewFalse)
	return p.global("collections", "OrderedDict").op(opEmptyTuple, opReduce, opTuple, opReduce)
}

// dict surrounds pairs, which add pushes, with a dict.
func (p *pickled) dict(add func()) *pickled {
	p.op(opEmptyDict, opMark)
	add()
	return p.op(opSetItems)
}

// one is a state dict of one tensor called w.
func one(elements, offset int, shape, strides []int) []byte {
	p := newPickle()
	p.dict(func() { p.text("w").tensor("0", elements, offset, shape, strides) })
	return p.op(opStop).Bytes()
}

// zipFile is PyTorch's zip format; entries are pairs of name and content.
func zipFile(t testing.TB, method uint16, pickle []byte, entries ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	entries = append([]any{"archive/data.pkl", pickle}, entries...)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: entries[i].(string), Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(entries[i+1].([]byte)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// floats are little-endian float32 values.
func floats(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// legacyFile is the format of PyTorch before 1.6: state and storages by key, in the given order.
func legacyFile(state []byte, keys []string, elements []int, data ...[]byte) []byte {
	var b bytes.Buffer
	magic := newPickle().op(opLong1, byte(len(legacyMagic)))
	magic.WriteString(string(legacyMagic))
	b.Write(magic.op(opStop).Bytes())
	b.Write(newPickle().int(int(legacyVersion)).op(opStop).Bytes())
	sizes := newPickle()
	sizes.dict(func() { sizes.text("little_endian").op(opNewTrue) })
	b.Write(sizes.op(opStop).Bytes())
	b.Write(state)
	list := newPickle().op(opEmptyList, opMark)
	for _, k := range keys {
		list.text(k)
	}
	b.Write(list.op(opAppends, opStop).Bytes())
	for i := range keys {
		b.Write(binary.LittleEndian.AppendUint64(nil, uint64(elements[i])))
		b.Write(data[i])
	}
	return b.Bytes()
}

// safetensorsFile puts a header, which is JSON or a text, in front of data.
func safetensorsFile(header any, data []byte) []byte {
	text, isText := header.(string)
	if !isText {
		encoded, err := json.Marshal(header)
		if err != nil {
			panic(fmt.Sprint(err))
		}
		text = string(encoded)
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	return append(append(b, text...), data...)
}

// entry is a tensor in a safetensors header.
func entry(dtype string, shape []int, begin, end int) map[string]any {
	return map[string]any{"dtype": dtype, "shape": shape, "data_offsets": []int{begin, end}}
}
