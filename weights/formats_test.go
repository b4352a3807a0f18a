package weights

import (
	"archive/zip"
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

func mustRead(t *testing.T, data []byte) *Tensors {
	t.Helper()
	tensors, err := read(data)
	if err != nil {
		t.Fatal(err)
	}
	return tensors
}

// check compares a tensor.
func check(t *testing.T, tensors *Tensors, name string, shape []int, want ...float32) {
	t.Helper()
	tensor := tensors.Get(name)
	if tensor == nil {
		t.Fatalf("there is no %s in %v", name, tensors.List)
	}
	got, err := tensor.Values()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tensor.Shape, shape) || !slices.Equal(got, want) {
		t.Errorf("%s: shape %v, values %v; want %v, %v", name, tensor.Shape, got, shape, want)
	}
}

// TestViews: tensors of one storage, in part, transposed, and stored before an odd number of bytes.
func TestViews(t *testing.T) {
	p := newPickle()
	p.dict(func() {
		p.text("all").tensor("0", 6, 0, []int{2, 3}, []int{3, 1})
		p.text("transposed").tensor("0", 6, 0, []int{3, 2}, []int{1, 3})
		p.text("tail").tensor("0", 6, 4, []int{2}, []int{1})
		p.text("scalar").tensor("0", 6, 5, nil, nil)
		p.text("empty").tensor("0", 6, 0, []int{0, 3}, []int{3, 1})
	})
	p.op(opStop)
	data := floats(1, 2, 3, 4, 5, 6)
	for format, file := range map[string][]byte{
		"pth":        zipFile(t, zip.Store, p.Bytes(), "archive/data/0", data),
		"legacy pth": legacyFile(p.Bytes(), []string{"0"}, []int{6}, data),
	} {
		tensors := mustRead(t, file)
		if tensors.Format != format || len(tensors.List) != 5 {
			t.Errorf("%s was read as %s with %d tensors", format, tensors.Format, len(tensors.List))
		}
		check(t, tensors, "all", []int{2, 3}, 1, 2, 3, 4, 5, 6)
		check(t, tensors, "transposed", []int{3, 2}, 1, 4, 2, 5, 3, 6)
		check(t, tensors, "tail", []int{2}, 5, 6)
		check(t, tensors, "scalar", nil, 6)
		check(t, tensors, "empty", []int{0, 3})
	}
}

// TestTypes: every floating-point type is widened or rounded to float32.
func TestTypes(t *testing.T) {
	two := func(values ...uint16) (b []byte) {
		for _, v := range values {
			b = binary.LittleEndian.AppendUint16(b, v)
		}
		return b
	}
	eight := func(values ...float64) (b []byte) {
		for _, v := range values {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		return b
	}
	for _, c := range []struct {
		class, name string
		data        []byte
		want        []float32
	}{
		{"FloatStorage", "F32", floats(1.5, -2), []float32{1.5, -2}},
		{"DoubleStorage", "F64", eight(0.1, -3), []float32{0.1, -3}},
		{"BFloat16Storage", "BF16", two(0x3fc0, 0xc000), []float32{1.5, -2}},
		// 1, the smallest subnormal, the largest number, -0.
		{"HalfStorage", "F16", two(0x3c00, 1, 0x7bff, 0x8000), []float32{1, 1.0 / (1 << 24), 65504, float32(math.Copysign(0, -1))}},
	} {
		n := len(c.want)
		p := newPickle()
		p.dict(func() { p.text("w").typed(c.class, "0", n, 0, []int{n}, []int{1}) })
		file := zipFile(t, zip.Store, p.op(opStop).Bytes(), "archive/data/0", c.data)
		check(t, mustRead(t, file), "w", []int{n}, c.want...)
		file = safetensorsFile(map[string]any{"w": entry(c.name, []int{n}, 0, len(c.data))}, c.data)
		check(t, mustRead(t, file), "w", []int{n}, c.want...)
	}
}

// TestInfinities: half types keep infinite and undefined numbers.
func TestInfinities(t *testing.T) {
	data := []byte{0x00, 0x7c, 0x00, 0xfc, 0x01, 0x7e}
	tensors := mustRead(t, safetensorsFile(map[string]any{"w": entry("F16", []int{3}, 0, 6)}, data))
	v, err := tensors.Get("w").Values()
	if err != nil || !math.IsInf(float64(v[0]), 1) || !math.IsInf(float64(v[1]), -1) || !math.IsNaN(float64(v[2])) {
		t.Errorf("%v, %v", v, err)
	}
}

// TestCheckpoint reads the dicts of a checkpoint as modules of one another, and what they hold beside tensors not at all.
func TestCheckpoint(t *testing.T) {
	p := newPickle()
	p.dict(func() {
		p.text("epoch").int(7)
		p.text("lr").op(opBinFloat, 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a)
		p.text("optimizer").dict(func() { p.text("momentum").tensor("1", 1, 0, []int{1}, []int{1}) })
		p.text("model").dict(func() {
			p.text("w").tensor("0", 2, 0, []int{2}, []int{1})
			p.text("steps").typed("LongStorage", "2", 1, 0, nil, nil)
		})
	})
	file := zipFile(t, zip.Store, p.op(opStop).Bytes(), "archive/data/0", floats(1, 2), "archive/data/1", floats(3), "archive/data/2", make([]byte, 8))
	tensors := mustRead(t, file)
	check(t, tensors, "model.w", []int{2}, 1, 2)
	check(t, tensors, "optimizer.momentum", []int{1}, 3)
	if steps := tensors.Get("model.steps"); steps == nil || steps.Float() || len(tensors.List) != 3 {
		t.Errorf("read %v", tensors.List)
	}
	if _, err := tensors.Get("model.steps").Values(); err == nil {
		t.Error("integers were read as numbers")
	}
}

// TestObjects: what a training script stores beside tensors, objects of its own classes, is passed over and never built.
func TestObjects(t *testing.T) {
	p := newPickle()
	p.dict(func() {
		p.text("args").global("argparse", "Namespace").op(opEmptyTuple, opReduce).dict(func() { p.text("lr").int(1) }).op(opBuild)
		p.text("config").global("omegaconf.dictconfig", "DictConfig").op(opEmptyTuple, opNewObj).op(opMark).text("a").int(1).op(opSetItems)
		p.text("loss").global("numpy.core.multiarray", "scalar").op(opNone, opNone, opTuple2, opReduce)
		p.text("seen").op(opEmptySet, opMark).int(3).op(opAddItems)
		p.text("rng").op(opShortBinBytes, 2, 0xff, 0)
		p.text("module").global("torch.nn", "Linear").op(opEmptyTuple, opEmptyDict, opNewObjEx)
		p.text("history").global("collections", "defaultdict").global("builtins", "list").op(opTuple1, opReduce)
		p.text("w").tensor("0", 2, 0, []int{2}, []int{1})
	})
	tensors := mustRead(t, zipFile(t, zip.Store, p.op(opStop).Bytes(), "archive/data/0", floats(1, 2)))
	check(t, tensors, "w", []int{2}, 1, 2)
	if len(tensors.List) != 1 {
		t.Errorf("read %v", tensors.List)
	}
}

// TestSubclass: a tensor of a class derived from Tensor is the tensor.
func TestSubclass(t *testing.T) {
	p := newPickle()
	p.dict(func() {
		p.text("w").global("torch._tensor", "_rebuild_from_type_v2").op(opMark).global("torch._utils", "_rebuild_tensor_v2")
		p.global("my.package", "Tensor").op(opMark).storage("FloatStorage", "0", 2, false)
		p.int(0).ints(2).ints(1).op(opNewFalse, opEmptyDict, opTuple, opEmptyDict, opTuple, opReduce)
	})
	tensors := mustRead(t, zipFile(t, zip.Store, p.op(opStop).Bytes(), "archive/data/0", floats(5, 6)))
	check(t, tensors, "w", []int{2}, 5, 6)
}

// TestModernPickle: protocol 4 names classes by the stack, numbers the memo itself and frames its bytes.
func TestModernPickle(t *testing.T) {
	short := func(p *pickled, s string) *pickled {
		p.op(opShortBinUnicode, byte(len(s)))
		p.WriteString(s)
		return p
	}
	p := &pickled{}
	p.op(opProto, 4, opFrame, 0, 0, 0, 0, 0, 0, 0, 0)
	short(short(p, "collections"), "OrderedDict").op(opStackGlobal, opMemoize, opEmptyTuple, opReduce, opMemoize)
	short(p, "w").op(opMemoize)
	short(short(p, "torch._utils"), "_rebuild_parameter").op(opStackGlobal)
	p.tensor("0", 2, 0, []int{2}, []int{1})
	p.op(opNewTrue, opBinGet, 0, opEmptyTuple, opReduce, opTuple3, opReduce) // a Parameter, as Module attributes are
	p.op(opSetItem)
	p.op(opEmptyDict) // attributes of the OrderedDict
	short(p, "_metadata").op(opBinGet, 0, opEmptyTuple, opReduce, opSetItem, opBuild, opStop)
	tensors := mustRead(t, zipFile(t, zip.Store, p.Bytes(), "archive/data/0", floats(8, 9)))
	check(t, tensors, "w", []int{2}, 8, 9)
}

// TestOldPickle: Python 2 and PyTorch before 0.4 wrote dicts as lists of pairs, texts as bytes, and tensors
// by another function. torchvision's VGG and DenseNet files are that old.
func TestOldPickle(t *testing.T) {
	p := newPickle().global("collections", "OrderedDict").op(opEmptyList, opEmptyList, opShortBinString, 1, 'w', opAppend)
	p.global("torch._utils", "_rebuild_tensor").op(opMark).storage("FloatStorage", "0", 2, true)
	p.int(0).ints(2).ints(1).op(opTuple, opReduce, opAppend, opAppend, opTuple1, opReduce, opStop)
	tensors := mustRead(t, legacyFile(p.Bytes(), []string{"0"}, []int{2}, floats(3, 4)))
	check(t, tensors, "w", []int{2}, 3, 4)
	for _, wrong := range []*pickled{
		newPickle().global("collections", "OrderedDict").int(1).op(opTuple1, opReduce, opStop),
		newPickle().global("collections", "OrderedDict").op(opEmptyList, opNone, opAppend, opTuple1, opReduce, opStop),
	} {
		if _, err := read(legacyFile(wrong.Bytes(), nil, nil)); err == nil {
			t.Error("an OrderedDict of no pairs was read")
		}
	}
}

func TestSafetensorsOrder(t *testing.T) {
	header := `{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}  `
	tensors := mustRead(t, safetensorsFile(header, floats(1, 2)))
	if tensors.List[0].Name != "b" || tensors.List[1].Name != "a" || len(tensors.List) != 2 {
		t.Errorf("order %v", tensors.List)
	}
	check(t, tensors, "a", []int{}, 1)
	check(t, tensors, "b", []int{1}, 2)
}
