package onnx

import (
	"slices"
	"unsafe"

	"regraft/engine"
)

// lend lets every parameter whose values lie in one of the mapped files give its pages back to the system.
func lend(net *engine.Network, files [][]byte) {
	for _, p := range net.Params {
		for _, f := range files {
			if from, ok := within(f, p.Value); ok {
				p.Lent = func() { release(f[from : from+4*len(p.Value)]) }
			}
		}
	}
}

// within tells where in data the values lie.
func within(data []byte, values []float32) (from int, ok bool) {
	if len(values) == 0 || len(data) < mapAbove {
		return 0, false
	}
	start, v := uintptr(unsafe.Pointer(&data[0])), uintptr(unsafe.Pointer(&values[0]))
	if v < start || v+uintptr(4*len(values)) > start+uintptr(len(data)) {
		return 0, false
	}
	return int(v - start), true
}

// mapped lists the mapped files.
func (e *externalData) mapped(data []byte) [][]byte {
	files := [][]byte{data}
	for _, f := range e.files {
		files = append(files, f.data)
	}
	return slices.DeleteFunc(files, func(f []byte) bool { return len(f) < mapAbove })
}
