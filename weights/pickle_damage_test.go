package weights

import (
	"archive/zip"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// everyOperation is a pickle with all operations that are read, and what it holds.
func everyOperation() ([]byte, *dict) {
	p := newPickle().op(opFrame, 0, 0, 0, 0, 0, 0, 0, 0)
	p.op(opEmptyDict, opMark)
	p.op(opShortBinString, 1, 'a').op(opBinInt1, 200)
	p.op(opBinString, 1, 0, 0, 0, 'b').op(opBinInt2, 1, 2)
	p.op(opShortBinUnicode, 1, 'c').op(opBinInt, 0xfe, 0xff, 0xff, 0xff)
	p.op(opBinUnicode, 1, 0, 0, 0, 'd').op(opBinFloat, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0)
	p.op(opBinUnicode8, 1, 0, 0, 0, 0, 0, 0, 0, 'e').op(opLong1, 2, 0, 1)
	p.op(opShortBinBytes, 1, 'f').op(opLong4, 1, 0, 0, 0, 0xff)
	p.op(opBinBytes, 1, 0, 0, 0, 'g').op(opNewTrue)
	p.op(opBinBytes8, 1, 0, 0, 0, 0, 0, 0, 0, 'h').op(opNewFalse, opBinPut, 7, opLongBinPut, 8, 0, 0, 0, opMemoize)
	p.op(opBinGet, 7, opPop, opLongBinGet, 8, 0, 0, 0, opPop, opNone, opDup, opPop, opPop, opMark, opNone, opPopMark)
	p.text("tuples").op(opEmptyTuple, opTuple1, opNone, opTuple2, opNone, opNone, opTuple3)
	p.text("lists").op(opMark, opNone, opList, opNone, opAppend, opMark, opNone, opNone, opAppends)
	p.text("dicts").op(opMark).text("k").op(opNone, opDict).text("l").op(opNone, opSetItem)
	p.text("called").global("collections", "OrderedDict").op(opEmptyTuple, opReduce, opEmptyDict, opBuild)
	p.text("new").text("some").text("Class").op(opStackGlobal, opEmptyTuple, opNewObj)
	p.text("newer").global("some", "Class").op(opEmptyTuple, opEmptyDict, opNewObjEx, opEmptyTuple, opReduce)
	p.text("sets").op(opEmptySet, opMark, opNone, opAddItems).text("frozen").op(opMark, opNone, opFrozenSet)
	p.op(opSetItems, opStop)
	object := func(class global) *opaque { return &opaque{class} }
	return p.Bytes(), &dict{
		[]any{"a", "b", "c", "d", "e", "f", "g", "h", "tuples", "lists", "dicts", "called", "new", "newer", "sets", "frozen"},
		[]any{int64(200), int64(513), int64(-2), 1.5, int64(256), int64(-1), true, false,
			tuple{tuple{tuple{tuple{}}, nil}, nil, nil}, &list{[]any{nil, nil, nil, nil}}, &dict{[]any{"k", "l"}, []any{nil, nil}}, &dict{},
			object("some.Class"), object("some.Class"), object("builtins.set"), object("builtins.set")},
	}
}

// TestEveryOperation: what the operations of pickles make.
func TestEveryOperation(t *testing.T) {
	data, want := everyOperation()
	var u unpickler
	got, rest, err := u.unpickle(append(data, "rest"...))
	if err != nil || string(rest) != "rest" {
		t.Fatalf("%v, then %q", err, rest)
	}
	d := got.(*dict)
	for i, key := range want.keys {
		if d.keys[i] != key || shown(d.values[i]) != shown(want.values[i]) {
			t.Errorf("%v: %s, want %v: %s", d.keys[i], shown(d.values[i]), key, shown(want.values[i]))
		}
	}
	if len(d.keys) != len(want.keys) {
		t.Errorf("%d values, want %d", len(d.keys), len(want.keys))
	}
}

// shown spells a value, those behind pointers too.
func shown(v any) string {
	var parts []string
	all := func(values []any) string {
		for _, x := range values {
			parts = append(parts, shown(x))
		}
		return strings.Join(parts, " ")
	}
	switch v := v.(type) {
	case tuple:
		return "(" + all(v) + ")"
	case *list:
		return "[" + all(v.items) + "]"
	case *dict:
		return "{" + all(slices.Concat(v.keys, v.values)) + "}"
	case *opaque:
		return "object " + string(v.class)
	}
	return fmt.Sprintf("%T %v", v, v)
}

// TestPickleCutAnywhere: of no beginning of a pickle anything is read.
func TestPickleCutAnywhere(t *testing.T) {
	data, _ := everyOperation()
	for n := range data {
		var u unpickler
		if v, _, err := u.unpickle(data[:n:n]); err == nil {
			t.Errorf("cut at byte %d: %v", n, v)
		}
	}
}

// TestOperationsLackValues: operations that take values from the stack refuse where there are too few, and say so.
func TestOperationsLackValues(t *testing.T) {
	for name, c := range map[string]struct {
		operation []byte
		takes     int
		mark      bool
	}{
		"Pop": {[]byte{opPop}, 1, false}, "PopMark": {[]byte{opPopMark}, 0, true}, "Dup": {[]byte{opDup}, 1, false}, "PersistentID": {[]byte{opPersistentID}, 1, false},
		"Reduce": {[]byte{opReduce}, 2, false}, "NewObj": {[]byte{opNewObj}, 2, false}, "NewObjEx": {[]byte{opNewObjEx}, 3, false}, "AddItems": {[]byte{opAddItems}, 1, true},
		"FrozenSet": {[]byte{opFrozenSet}, 0, true}, "Build": {[]byte{opBuild}, 2, false}, "StackGlobal": {[]byte{opStackGlobal}, 2, false}, "BinPut": {[]byte{opBinPut, 0}, 1, false},
		"LongBinPut": {[]byte{opLongBinPut, 0, 0, 0, 0}, 1, false}, "Memoize": {[]byte{opMemoize}, 1, false}, "Tuple": {[]byte{opTuple}, 0, true},
		"Tuple1": {[]byte{opTuple1}, 1, false}, "Tuple2": {[]byte{opTuple2}, 2, false}, "Tuple3": {[]byte{opTuple3}, 3, false}, "List": {[]byte{opList}, 0, true},
		"Dict": {[]byte{opDict}, 0, true}, "Append": {[]byte{opAppend}, 2, false}, "Appends": {[]byte{opAppends}, 1, true}, "SetItem": {[]byte{opSetItem}, 3, false}, "SetItems": {[]byte{opSetItems}, 1, true},
		"Stop": {nil, 1, false},
	} {
		for n := range c.takes {
			p := newPickle().op(bytes.Repeat([]byte{opNone}, n)...)
			if c.mark {
				p.op(opMark)
			}
			var u unpickler
			if v, _, err := u.unpickle(p.op(c.operation...).op(opStop).Bytes()); err == nil || !strings.Contains(err.Error(), "takes a value that is not there") {
				t.Errorf("%s of %d values: %v, %v", name, n, v, err)
			}
		}
		if c.mark {
			var u unpickler
			if v, _, err := u.unpickle(newPickle().op(opNone, opNone).op(c.operation...).op(opStop).Bytes()); err == nil || !strings.Contains(err.Error(), "up to a mark that is not there") {
				t.Errorf("%s without a mark: %v, %v", name, v, err)
			}
		}
	}
}

// TestStrangeStateDicts: files whose parts contradict one another are refused by what is wrong, and names and sizes that only look strange are read.
func TestStrangeStateDicts(t *testing.T) {
	data := []any{"archive/data/0", floats(1, 2)}
	w := func(add func(p *pickled)) []byte {
		p := newPickle()
		p.dict(func() { add(p) })
		return p.op(opStop).Bytes()
	}
	legacy := legacyFile(one(2, 0, []int{2}, []int{1}), []string{"0"}, []int{2}, floats(1, 2))
	legacyTail := legacy[bytes.LastIndex(legacy, newPickle().Bytes()):]
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"a size that is a torch.Size": {zipFile(t, zip.Store, w(func(p *pickled) {
			p.text("w").global("torch._utils", "_rebuild_tensor_v2").op(opMark).storage("FloatStorage", "0", 2, false).int(0)
			p.global("torch", "Size").ints(2).op(opTuple1, opReduce).ints(1).op(opTuple, opReduce)
		}), data...), ""},
		"a torch.Size of two": {zipFile(t, zip.Store, w(func(p *pickled) {
			p.text("w").global("torch", "Size").ints(2).ints(2).op(opTuple2, opReduce)
		}), data...), "torch.Size with other arguments"},
		"a name of a class that is no text":   {zipFile(t, zip.Store, newPickle().int(1).text("x").op(opStackGlobal, opStop).Bytes()), "is no text"},
		"a key that is no text":               {zipFile(t, zip.Store, w(func(p *pickled) { p.int(1).tensor("0", 2, 0, []int{2}, []int{1}) }), data...), "no named tensors"},
		"a name of a tensor that is too long": {zipFile(t, zip.Store, w(func(p *pickled) { p.text(strings.Repeat("n", maxName+1)).tensor("0", 2, 0, []int{2}, []int{1}) }), data...), "no named tensors"},
		"the longest name":                    {zipFile(t, zip.Store, w(func(p *pickled) { p.text(strings.Repeat("n", maxName)).tensor("0", 2, 0, []int{2}, []int{1}) }), data...), ""},
		"a long name in safetensors":          {safetensorsFile(map[string]any{strings.Repeat("n", maxName+1): entry("F32", []int{2}, 0, 8)}, floats(1, 2)), "the name of a tensor has 513 bytes"},
		"a header that is a list":             {safetensorsFile(`{"a"`, nil), "its header"},
		"a header that ends in a name":        {safetensorsFile(`{"`, nil), "its header"},
		"a legacy file":                       {legacy, ""},
		"a legacy file without its list":      {append(slices.Clone(legacy[:len(legacy)-len(legacyTail)]), newPickle().op(opNone, opStop).Bytes()...), "the list of storages is missing"},
	} {
		_, err := read(c.file)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
