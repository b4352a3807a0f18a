package onnx

import (
	"testing"
	"unsafe"

	"regraft/engine"
)

// TestOwnedValues: parameters that use little of a file's bytes leave it, with the same values and sharing, and those that use most of it stay.
func TestOwnedValues(t *testing.T) {
	for _, c := range []struct{ used, floats int }{{10, 100}, {50, 100}, {51, 100}, {100, 100}} {
		numbers := make([]float32, c.floats)
		for i := range numbers {
			numbers[i] = float32(i)
		}
		file := unsafe.Slice((*byte)(unsafe.Pointer(&numbers[0])), 4*len(numbers))
		part := numbers[:c.used-1]
		params := []*engine.Param{{Value: part}, {Value: numbers[c.used-1 : c.used]}, {Value: []float32{-1}}, {}}
		if c.used < c.floats/2 {
			params = append(params, &engine.Param{Value: part}) // once more
		}
		own(params, file)
		leaves := c.used <= c.floats/2
		for k, p := range params[:2] {
			if got := &p.Value[0] != &numbers[k*(c.used-1)]; got != leaves {
				t.Errorf("%d of %d: parameter %d has memory of its own: %v", c.used, c.floats, k, got)
			}
			for i, v := range p.Value {
				if v != float32(i+k*(c.used-1)) {
					t.Fatalf("%d of %d: parameter %d has %v at %d", c.used, c.floats, k, v, i)
				}
			}
		}
		if len(params) > 4 && &params[4].Value[0] != &params[0].Value[0] {
			t.Errorf("%d of %d: one value of two parameters became two", c.used, c.floats)
		}
	}
	own(nil, nil)
}
