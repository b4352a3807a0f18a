package onnx

import (
	"slices"
	"testing"
)

// TestPoolLargerThanItsMap: with ceil_mode a window may reach past the end of its map, as that of transformers' EfficientNet does, which is as
// large as there are channels; it is a global pool then. Without ceil_mode, or where further windows would lie outside, it is refused.
func TestPoolLargerThanItsMap(t *testing.T) {
	image := make([]float32, 3*8*8)
	for i := range image {
		image[i] = float32(i*i%31) / 8
	}
	pooled := func(kind string, attributes ...[]byte) ([]float32, error) {
		m := tokens()
		m.node(kind, []string{"maps"}, "y", attributes...)
		net, _, err := ReadBytes(m.bytes(), ReadOptions{})
		if err != nil {
			return nil, err
		}
		return interpreter{net: net}.run(t, image)[0], nil
	}
	window := func(stride int, ceil int) [][]byte {
		return [][]byte{intsAttribute("kernel_shape", 7, 7), intsAttribute("strides", stride, stride), intAttribute("ceil_mode", ceil)}
	}
	for _, kind := range []string{"AveragePool", "MaxPool"} {
		want, err := pooled("Global" + kind)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pooled(kind, window(7, 1)...)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s gives %v, want %v (%v)", kind, got, want, err)
		}
		for name, attributes := range map[string][][]byte{"without ceil_mode": window(7, 0), "windows outside": window(1, 1)} {
			if got, err := pooled(kind, attributes...); err == nil {
				t.Errorf("%s %s gives %v", kind, name, got)
			}
		}
	}
}
