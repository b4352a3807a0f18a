package onnx

import (
	"slices"
	"unsafe"

	"regraft/engine"
)

// own copies what values of parameters are parts of a file's bytes, if they are less than half of it: importers turn and scale weights, and
// the little that they leave as it is would keep all of the file in memory.
func own(params []*engine.Param, file []byte) {
	if len(file) == 0 {
		return
	}
	first := uintptr(unsafe.Pointer(&file[0]))
	inside := func(v []float32) bool {
		at := uintptr(unsafe.Pointer(unsafe.SliceData(v)))
		return len(v) > 0 && at >= first && at < first+uintptr(len(file))
	}
	used := 0
	for _, p := range params {
		if inside(p.Value) {
			used += 4 * len(p.Value)
		}
	}
	if used > len(file)/2 {
		return
	}
	type place struct {
		at *float32
		n  int
	}
	copies := map[place][]float32{} // values that are shared stay so
	for _, p := range params {
		if !inside(p.Value) {
			continue
		}
		k := place{&p.Value[0], len(p.Value)}
		if copies[k] == nil {
			copies[k] = slices.Clone(p.Value)
		}
		p.Value = copies[k]
	}
}
