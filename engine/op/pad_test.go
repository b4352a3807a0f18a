package op

import (
	"testing"

	"gorgonia.org/tensor"
)

// TestPadShapes: negative pads crop; what leaves nothing, and what no memory holds, is refused.
func TestPadShapes(t *testing.T) {
	for _, c := range []struct {
		pads []int
		want tensor.Shape
	}{
		{[]int{1, 0, 2, 3}, tensor.Shape{5, 6}},
		{[]int{-1, 2, 0, -3}, tensor.Shape{1, 2}},
		{[]int{-1, 0, -1, 0}, nil},
		{[]int{-3, 0, 5, 0}, nil},
		{[]int{MaxElements + 1, 0, 0, 0}, nil},
		{[]int{0, 0, 0, MaxElements + 1}, nil},
		{[]int{1 << 62, 0, 1 << 62, 0}, nil},
		{[]int{0, 0, 0}, nil},
	} {
		got, err := (&Pad{Pads: c.pads}).OutShape(tensor.Shape{2, 3})
		if (err == nil) != (c.want != nil) || err == nil && !got.Eq(c.want) {
			t.Errorf("pads %v: shape %v, error %v; want %v", c.pads, got, err, c.want)
		}
	}
}
