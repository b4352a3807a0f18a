package weights

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// TestPerChannel: vectors of channels keep their values as (C, 1, 1); what is no vector, or does not lie in order, stays.
func TestPerChannel(t *testing.T) {
	values := []float32{1, 2, 3, 4, 5, 6}
	data := &storage{float32Type, len(values), nil}
	for _, v := range values {
		data.raw = binary.LittleEndian.AppendUint32(data.raw, math.Float32bits(v))
	}
	for _, c := range []struct{ shape, strides, want []int }{
		{[]int{6}, []int{1}, []int{6, 1, 1}},
		{[]int{3}, []int{2}, []int{3}},
		{[]int{2, 3}, []int{3, 1}, []int{2, 3}},
	} {
		before := &Tensor{Shape: c.shape, strides: c.strides, data: data}
		want, err := before.Values()
		if err != nil {
			t.Fatal(err)
		}
		after := before.perChannel()
		if got, err := after.Values(); err != nil || !slices.Equal(got, want) || !slices.Equal(after.Shape, c.want) {
			t.Errorf("%v by %v: %v of shape %v (%v), want %v of %v", c.shape, c.strides, got, after.Shape, err, want, c.want)
		}
	}
}
