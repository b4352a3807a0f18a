package onnx

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"regraft/engine"
	"regraft/golden"
)

// seed adds small real and hand-made models to the corpus.
func seed(f *testing.F) {
	for _, name := range []string{"zoo_form.hand.op9", "squeezenet1_1.dyn.eval.op20", "resnet18.ts.train.op17"} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".onnx"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	forms, err := filepath.Glob(filepath.Join("testdata", "forms", "*.onnx"))
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range forms {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, path := range backbonePaths(f) {
		f.Add(golden.Unpacked(f, path))
	}
	for _, s := range slices.Concat(spellings, settled) {
		m := chainModel("y")
		s.build(&m)
		f.Add(m.bytes())
	}
	f.Add(externalModel("location", "w.data", "offset", "64", "length", "24"))
}

// FuzzWire walks arbitrary bytes: whatever comes back lies inside the file.
func FuzzWire(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseModel(data)
		if err != nil || m.graph == nil {
			return
		}
		tensors := m.graph.initializers
		for _, n := range m.graph.nodes {
			for _, a := range n.attributes {
				if a.t != nil {
					tensors = append(tensors, a.t)
				}
			}
		}
		for _, tensor := range tensors {
			if len(tensor.raw) > 0 {
				offset := uintptr(unsafe.Pointer(&tensor.raw[0])) - uintptr(unsafe.Pointer(&data[0]))
				if offset >= uintptr(len(data)) || int(offset)+len(tensor.raw) > len(data) {
					t.Fatalf("tensor %q lies outside of the file", tensor.name)
				}
			}
			k, err := tensor.constant()
			if err == nil && k.size() != k.shape.TotalSize() && len(k.shape) > 0 {
				t.Fatalf("tensor %q has %d values for shape %v", tensor.name, k.size(), k.shape)
			}
		}
	})
}

// FuzzImport reads arbitrary bytes as a model, in bounded memory; what it accepts it can write and read again.
func FuzzImport(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		net, _, err := ReadBytes(data, ReadOptions{})
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 256<<20 {
			t.Fatalf("%d bytes made the import allocate %d MiB", len(data), allocated>>20)
		}
		if err != nil {
			return
		}
		file, err := writtenBytes(net)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := ReadBytes(file, ReadOptions{})
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		sameNetwork(t, net, again)
	})
}

// writtenBytes is what Write puts into a file.
func writtenBytes(net *engine.Network) ([]byte, error) {
	d, err := encode(net)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = d.write(&b)
	return b.Bytes(), err
}
