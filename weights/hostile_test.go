package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// hostile are files that must be refused; want is part of the message.
func hostile(t testing.TB) map[string]struct {
	data []byte
	want string
} {
	t.Helper()
	type file = struct {
		data []byte
		want string
	}
	stored := func(pickle []byte, entries ...any) []byte { return zipFile(t, zip.Store, pickle, entries...) }
	data := []any{"archive/data/0", floats(1, 2, 3, 4)}
	shaped := func(elements, offset int, shape, strides []int) []byte {
		return stored(one(elements, offset, shape, strides), data...)
	}
	good := one(4, 0, []int{4}, []int{1})
	whole := stored(good, data...)
	call := newPickle().global("os", "system").text("touch owned").op(opTuple1, opReduce, opStop).Bytes()
	byStack := newPickle().text("builtins").text("eval").op(opStackGlobal).text("1").op(opTuple1, opReduce, opStop).Bytes()
	deep := newPickle().op(bytes.Repeat([]byte{opEmptyList}, 1<<19)...).op(bytes.Repeat([]byte{opAppend}, 1<<19-1)...).op(opStop).Bytes()
	long := newPickle().op(bytes.Repeat([]byte{opNone, opPop}, maxOpcodes)...).op(opStop).Bytes()
	self := newPickle().op(opEmptyDict, opBinPut, 0).text("model").op(opBinGet, 0, opSetItem, opStop).Bytes()
	huge := newPickle().op(opBinUnicode8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, opStop).Bytes()
	view := newPickle()
	view.dict(func() {
		view.text("w").global("torch._utils", "_rebuild_tensor_v2").op(opMark).op(opMark).text("storage").global("torch", "FloatStorage")
		view.text("0").text("cpu").int(4).ints(1, 2, 3).op(opTuple, opPersistentID).int(0).ints(4).ints(1).op(opTuple, opReduce)
	})
	// pairs is a list of a thousand pairs in the memo, made into an OrderedDict again and again.
	pairs := newPickle().op(opEmptyList, opBinPut, 0)
	for range 1000 {
		pairs.op(opEmptyList, opMark, opNone, opNone, opAppends, opAppend)
	}
	pairs.op(opPop)
	for range 1 << 16 {
		pairs.global("collections", "OrderedDict").op(opBinGet, 0, opTuple1, opReduce)
	}
	// doubled is a tuple of itself twice, sixty times over: as a text it would have 2^60 characters.
	doubled := newPickle().int(1)
	for range 60 {
		doubled.op(opDup, opTuple2)
	}
	// wide is a list that takes all of another in, from the stack that the memo fills.
	wide := newPickle().op(opNone, opBinPut, 0, opPop, opMark)
	for range 1 << 10 {
		wide.op(opBinGet, 0)
	}
	wide.op(opTuple, opBinPut, 1, opPop)
	for range 1 << 10 {
		wide.op(opEmptyList, opMark)
		for range 1 << 10 {
			wide.op(opBinGet, 1)
		}
		wide.op(opAppends)
	}
	// nest is a dict of dicts of dicts, each a hundred times the same: 10^16 of them in all.
	nest := newPickle().op(opEmptyDict, opBinPut, 0, opPop)
	for depth := range byte(8) {
		nest.op(opEmptyDict, opMark)
		for i := range 100 {
			nest.text(string(rune('a'+i))).op(opBinGet, depth)
		}
		nest.op(opSetItems, opBinPut, depth+1, opPop)
	}
	longName := strings.Repeat("n", 1<<20)
	longClass := newPickle().text(longName).op(opBinPut, 0, opPop)
	for range 1 << 16 {
		longClass.op(opBinGet, 0, opBinGet, 0, opStackGlobal, opPop)
	}
	twice := newPickle()
	twice.dict(func() {
		twice.text("w").tensor("0", 4, 0, []int{4}, []int{1}).text("w").tensor("0", 4, 0, []int{4}, []int{1})
	})
	tensors := func(entries map[string]any) []byte { return safetensorsFile(entries, floats(1, 2)) }
	return map[string]file{
		"a call of os.system":            {stored(call), `"os.system"`},
		"a call of eval":                 {stored(byStack), `"builtins.eval"`},
		"a call in a legacy file":        {legacyFile(call, nil, nil), `"os.system"`},
		"a call of what is no name":      {stored(newPickle().text("f").op(opEmptyTuple, opReduce, opStop).Bytes()), "no function"},
		"strange arguments":              {stored(newPickle().global("torch._utils", "_rebuild_tensor_v2").op(opEmptyTuple, opReduce, opStop).Bytes()), "other arguments"},
		"a tensor without storage":       {stored(newPickle().global("torch._utils", "_rebuild_tensor_v2").op(opNone).int(0).ints().op(opTuple3, opReduce, opStop).Bytes()), "other arguments"},
		"a whole module":                 {stored(newPickle().global("torchvision.models.resnet", "ResNet").op(opStop).Bytes()), "state_dict"},
		"opcodes of protocol 0":          {stored([]byte("I1\n.")), "0x49"},
		"nothing on the stack":           {stored(newPickle().op(opStop).Bytes()), "not there"},
		"no mark":                        {stored(newPickle().op(opTuple, opStop).Bytes()), "mark"},
		"a value below the mark":         {stored(newPickle().op(opNone, opMark, opTuple1, opStop).Bytes()), "not there"},
		"an unknown memo":                {stored(newPickle().op(opBinGet, 9, opStop).Bytes()), "object 9"},
		"items for a number":             {stored(newPickle().int(1).op(opNone, opAppend, opStop).Bytes()), "no container"},
		"a dict with a key alone":        {stored(newPickle().op(opEmptyDict, opMark, opNone, opSetItems, opStop).Bytes()), "no container"},
		"attributes of a list":           {stored(newPickle().op(opEmptyList, opNone, opBuild, opStop).Bytes()), "OrderedDict"},
		"a pickle without end":           {stored(newPickle().op(opNone).Bytes()), "truncated"},
		"a name without end":             {stored(newPickle().op(opGlobal, 'x').Bytes()), "not complete"},
		"a huge text":                    {stored(huge), "beyond the end"},
		"half a million nested lists":    {stored(deep), "no dict"},
		"millions of operations":         {stored(long), "more than"},
		"a dict that holds itself":       {stored(self), "no named tensors"},
		"a number alone":                 {stored(newPickle().int(1).op(opStop).Bytes()), "no dict"},
		"no storage file":                {stored(good), "no data/0"},
		"a storage outside":              {stored(newPickle().storage("FloatStorage", "../x", 1, false).op(opStop).Bytes()), "no data/"},
		"a persistent identifier":        {stored(newPickle().int(1).op(opPersistentID, opStop).Bytes()), "no storage"},
		"a storage of minus one":         {shaped(-1, 0, nil, nil), "size"},
		"a view of a storage":            {stored(view.op(opStop).Bytes(), data...), "view"},
		"a tensor past its storage":      {shaped(4, 1, []int{4}, []int{1}), "outside"},
		"a negative offset":              {shaped(4, -1, []int{4}, []int{1}), "outside"},
		"a negative stride":              {shaped(4, 3, []int{4}, []int{-1}), "outside"},
		"a negative size":                {shaped(4, 0, []int{-4}, []int{1}), "negative"},
		"a size of 2^60":                 {shaped(4, 0, []int{1 << 30, 1 << 30}, []int{0, 0}), "too large"},
		"one element a million times":    {shaped(4, 0, []int{1 << 20}, []int{0}), "does not fit"},
		"a stride of 2^31":               {shaped(4, 0, []int{2, 2}, []int{1<<31 - 1, 1}), "outside"},
		"a shape without strides":        {shaped(4, 0, []int{4}, nil), "strides"},
		"twenty axes":                    {shaped(4, 0, make([]int, 20), make([]int, 20)), "strides"},
		"an OrderedDict of many":         {stored(pairs.op(opStop).Bytes()), "containers hold more"},
		"a doubled tuple":                {stored(doubled.op(opStop).Bytes()), "no dict"},
		"a doubled tuple as version":     {append(legacyFile(nil, nil, nil)[:15], doubled.Bytes()...), "of version 0"},
		"lists of all":                   {stored(wide.op(opStop).Bytes()), "no dict"},
		"dicts of the same dicts":        {stored(nest.op(opBinGet, 8, opStop).Bytes()), "more than any network"},
		"a class name of a megabyte":     {stored(longClass.op(opStop).Bytes()), "name of a class has"},
		"a name twice":                   {stored(twice.op(opStop).Bytes(), data...), "twice"},
		"a compressed archive":           {zipFile(t, zip.Deflate, good, data...), "compressed"},
		"another zip archive":            {archiveOf(t, "readme.txt", []byte("hello")), "data.pkl"},
		"TorchScript":                    {stored(good, "archive/constants.pkl", []byte{1}), "TorchScript"},
		"big-endian":                     {stored(good, "archive/byteorder", []byte("big")), "byte order"},
		"half an archive":                {whole[:len(whole)/2], "truncated"},
		"another pickle":                 {newPickle().int(1).op(opStop).Bytes(), "none of PyTorch's"},
		"another version":                {append(legacyFile(nil, nil, nil)[:15], newPickle().int(1000).op(opStop).Bytes()...), "version 1000"},
		"a storage that is not used":     {legacyFile(good, []string{"1"}, []int{4}, floats(1, 2, 3, 4)), `"1"`},
		"a storage twice":                {legacyFile(good, []string{"0", "0"}, []int{4, 4}, floats(1, 2, 3, 4), floats(1, 2, 3, 4)), "twice"},
		"a storage of another length":    {legacyFile(good, []string{"0"}, []int{5}, floats(1, 2, 3, 4, 5)), "4 elements"},
		"a truncated storage":            {legacyFile(good, []string{"0"}, []int{4}, floats(1, 2, 3)), "truncated"},
		"a header beyond the end":        {append(binary.LittleEndian.AppendUint64(nil, 1<<40), `{"w"`...), "larger"},
		"a header of half a text":        {safetensorsFile(`{"w"`, nil), "header"},
		"a list as header":               {safetensorsFile(`{]`, nil), "header"},
		"something behind the header":    {safetensorsFile(`{} {}`, nil), "behind"},
		"no tensors":                     {safetensorsFile(`{"__metadata__":{}}`, nil), "no tensors"},
		"bytes beyond the end":           {tensors(map[string]any{"w": entry("F32", []int{3}, 0, 12)}), "outside"},
		"bytes backwards":                {tensors(map[string]any{"w": entry("F32", []int{1}, 4, 0)}), "outside"},
		"negative bytes":                 {tensors(map[string]any{"w": entry("F32", []int{1}, -4, 0)}), "outside"},
		"another number of bytes":        {tensors(map[string]any{"w": entry("F32", []int{1}, 0, 8)}), "8 bytes for shape"},
		"a negative shape":               {tensors(map[string]any{"w": entry("F32", []int{-1, -2}, 0, 8)}), "negative"},
		"a shape of 2^62":                {tensors(map[string]any{"w": entry("F32", []int{1 << 31, 1 << 31}, 0, 8)}), "too large"},
		"an unknown type":                {tensors(map[string]any{"w": entry("F8_E4M3", []int{8}, 0, 8)}), "F8_E4M3"},
		"a tensor that is a number":      {tensors(map[string]any{"w": 1}), `"w"`},
		"a safetensors name twice":       {safetensorsFile(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, floats(1)), "twice"},
		"a header nested a million deep": {safetensorsFile(`{"w":`+strings.Repeat("[", 1<<20), nil), "header"},
	}
}

// archiveOf is a zip archive with one file.
func archiveOf(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestHostile: files that lie are refused with the reason, without panic and within 256 MiB.
func TestHostile(t *testing.T) {
	for name, file := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			tensors, err := read(file.data)
			if err == nil {
				_, err = tensors.List[0].Values()
			}
			runtime.ReadMemStats(&after)
			switch {
			case err == nil:
				t.Errorf("it was read: %v", tensors.List)
			case !strings.Contains(err.Error(), file.want):
				t.Errorf("the message is %q, it should say %q", err, file.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
				t.Errorf("it took %d MiB", used>>20)
			}
		})
	}
}

// TestOtherFiles: what is no weights at all is named.
func TestOtherFiles(t *testing.T) {
	for name, file := range map[string]struct{ content, want string }{
		"empty.pth":         {"", "empty"},
		"page.pth":          {"<!DOCTYPE html><html>", "HTML"},
		"pointer.pth":       {"version https://git-lfs.github.com/spec/v1\n", "Git LFS"},
		"old.tar.pth":       {"storages" + strings.Repeat("\x00", 600), "not a valid ONNX model"},
		"weights.h5":        {"\x89HDF\r\n\x1a\n", "HDF5"},
		"small.safetensors": {"\x02\x00\x00\x00\x00\x00\x00\x00{}", "no tensors"},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(file.content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Import(path, Options{}); err == nil || !strings.Contains(err.Error(), file.want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: the message is %q, it should say %q", name, err, file.want)
		}
	}
}

// FuzzRead: whatever the bytes, reading ends with tensors that lie inside the file, or an error.
func FuzzRead(f *testing.F) {
	for _, file := range hostile(f) {
		if len(file.data) < 1<<16 {
			f.Add(file.data)
		}
	}
	f.Add(zipFile(f, zip.Store, one(4, 0, []int{2, 2}, []int{1, 2}), "archive/data/0", floats(1, 2, 3, 4)))
	f.Add(legacyFile(one(4, 0, []int{2, 2}, []int{2, 1}), []string{"0"}, []int{4}, floats(1, 2, 3, 4)))
	f.Add(safetensorsFile(map[string]any{"w": entry("BF16", []int{2, 2}, 0, 8)}, floats(1, 2)))
	for _, ending := range []string{".pth", ".legacy.pth", ".safetensors"} {
		data, err := os.ReadFile(filepath.Join("testdata", "resnet18"+ending))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, err := read(data)
		if err != nil {
			return
		}
		for _, tensor := range tensors.List {
			v, err := tensor.Values()
			if err == nil && len(v) != tensor.Size() {
				t.Errorf("%s: %d values for shape %v", tensor.Name, len(v), tensor.Shape)
			}
		}
		if _, err := FindFamily(tensors, "", ""); err != nil && tensors.byName == nil {
			t.Error(err)
		}
	})
}

// FuzzPickle goes straight for the pickle, with storages of four elements.
func FuzzPickle(f *testing.F) {
	f.Add(one(4, 0, []int{2, 2}, []int{1, 2}))
	for _, file := range hostile(f) {
		if at := bytes.Index(file.data, []byte{opProto, 2}); at >= 0 && len(file.data) < 1<<12 {
			f.Add(file.data[at:])
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		u := unpickler{load: func(id any) (any, error) {
			_, s, err := storageID(id)
			if err == nil {
				s.raw = make([]byte, min(s.elements, 4)*s.dtype.width())
			}
			return s, err
		}}
		value, _, err := u.unpickle(data)
		if err != nil {
			return
		}
		tensors, err := stateDict("pth", value)
		if err != nil {
			return
		}
		for _, tensor := range tensors.List {
			if v, err := tensor.Values(); err == nil && len(v) != tensor.Size() {
				t.Errorf("%s: %d values for shape %v", tensor.Name, len(v), tensor.Shape)
			}
		}
	})
}
