package regraft_test

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"regraft"
)

// copyOf puts a copy of the narrow network into a folder of the test.
func copyOf(t *testing.T) (path string, data []byte) {
	t.Helper()
	data, err := os.ReadFile(narrow)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path, data
}

// TestFileReplaced: what others do to the file of an open model changes no answer, not even the first.
func TestFileReplaced(t *testing.T) {
	photos := pictures(2)
	want := classify(t, open(t, narrow), photos...)
	for name, change := range map[string]func(path string, data []byte) error{
		"cut short": func(path string, data []byte) error { return os.Truncate(path, 100) },
		"removed":   func(path string, data []byte) error { return os.Remove(path) },
		"other weights": func(path string, data []byte) error {
			for i := len(data) / 4; i < len(data)/2; i++ {
				data[i] ^= 0x15
			}
			return os.WriteFile(path, data, 0o666) // in place: the same inode
		},
	} {
		path, data := copyOf(t)
		m := open(t, path)
		if err := change(path, data); err != nil {
			t.Fatal(err)
		}
		if got := classify(t, m, photos...); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other answers than before", name)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		if got := classify(t, m, photos...); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other answers after Close", name)
		}
	}
}

// inception is a narrow Inception-v3, whose file is large enough to be missed.
const inception = "onnx/testdata/inception_v3.ts.train.op20.transform.onnx"

// TestModelsAreGivenBack: models that were closed and dropped leave neither memory nor address space behind.
func TestModelsAreGivenBack(t *testing.T) {
	photos := pictures(1)
	held := func() (heap uint64, mappings int) {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Skip("needs /proc/self/maps")
		}
		return s.HeapAlloc, strings.Count(string(maps), "\n")
	}
	use := func() {
		m, err := regraft.Open(inception)
		if err != nil {
			t.Fatal(err)
		}
		classify(t, m, photos...)
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	use()
	heap, mappings := held()
	for range 10 {
		use()
	}
	moreHeap, moreMappings := held()
	size := uint64(0)
	if info, err := os.Stat(inception); err == nil {
		size = uint64(info.Size())
	}
	if moreHeap > heap+2*size {
		t.Errorf("the heap has grown from %d to %d bytes over ten models of %d", heap, moreHeap, size)
	}
	if moreMappings > mappings+5 {
		t.Errorf("%d mappings have become %d over ten models", mappings, moreMappings)
	}
}

// TestOpenForms: a path, bytes and a file system give the same model.
func TestOpenForms(t *testing.T) {
	photos := pictures(2)
	want := classify(t, open(t, narrow), photos...)
	path, data := copyOf(t)

	fromBytes, err := regraft.OpenBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	defer fromBytes.Close()
	clear(data) // the model has its own copy
	fromFS, err := regraft.OpenFS(os.DirFS(filepath.Dir(path)), "model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	defer fromFS.Close()
	for name, m := range map[string]*regraft.Model{"bytes": fromBytes, "a file system": fromFS} {
		if got := classify(t, m, photos...); !reflect.DeepEqual(got, want) {
			t.Errorf("from %s: other answers than from the path", name)
		}
	}
	for _, m := range []func() (*regraft.Model, error){
		func() (*regraft.Model, error) { return regraft.OpenBytes(nil) },
		func() (*regraft.Model, error) { return regraft.OpenFS(os.DirFS("."), "nothing.onnx") },
		func() (*regraft.Model, error) { return regraft.Open(t.TempDir()) },
	} {
		if m, err := m(); err == nil || m != nil {
			t.Errorf("a model and the error %v", err)
		}
	}
}
