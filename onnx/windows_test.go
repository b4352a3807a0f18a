package onnx

import (
	"testing"

	"gorgonia.org/tensor"
)

// TestSamePadding: SAME has an output for every stride of the input, and what cannot be halved lies behind (SAME_UPPER) or in front.
func TestSamePadding(t *testing.T) {
	for _, c := range []struct {
		size, kernel, stride, dilation int
		less, more                     int
	}{
		{6, 3, 2, 1, 0, 1}, {5, 3, 2, 1, 1, 1}, {8, 2, 2, 1, 0, 0}, {7, 2, 3, 1, 0, 1}, {6, 1, 2, 1, 0, 0}, {6, 3, 1, 2, 2, 2}, {6, 4, 1, 1, 1, 2}, {9, 1, 4, 1, 0, 0},
		{10, 5, 3, 2, 4, 4}, {11, 5, 3, 2, 3, 4}, {3, 3, 0, 1, 1, 1},
	} {
		for axis := range 2 {
			shape := tensor.Shape{1, 2, 4, 4}
			shape[2+axis] = c.size
			for auto, want := range map[string][2]int{"SAME_UPPER": {c.less, c.more}, "SAME_LOWER": {c.more, c.less}, "VALID": {}, "NOTSET": {7, 8}} {
				w := window{kernel: [2]int{1, 1}, strides: [2]int{1, 1}, dilations: [2]int{1, 1}, pads: []int{7, 7, 8, 8}, auto: auto}
				w.kernel[axis], w.strides[axis], w.dilations[axis] = c.kernel, c.stride, c.dilation
				if got := w.padding(shape); got[axis] != want[0] || got[2+axis] != want[1] {
					t.Errorf("%+v, %s: %v, want %v along axis %d", c, auto, got, want, axis)
				}
			}
		}
	}
}
