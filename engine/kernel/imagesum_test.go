package kernel

import "testing"

// TestImageSum compares with sums in float64, on layouts with halos and channels that do not fill their last block.
func TestImageSum(t *testing.T) {
	const images = 5
	in, out := Blocked(21, 3, 4, 2), Blocked(21, 3, 4, 0)
	x := make([]float32, images*21*3*4)
	for i := range x {
		x[i] = float32(i%37)/8 - 2
	}
	packed, sums := Aligned(in.Len(images)), Aligned(out.Len(1))
	in.Pack(packed, x, images)
	p, err := NewImageSum(in, out)
	if err != nil {
		t.Fatal(err)
	}
	args := &Args{Operand: [8]uintptr{Address(packed), Address(sums)}, Images: images}
	for i := range p.Items(images) {
		p.Item(NewWorker(0), i, args)
	}
	got := make([]float32, 21*3*4)
	out.Unpack(got, sums, 1)
	for k, v := range got {
		want := 0.0
		for image := range images {
			want += float64(x[image*len(got)+k])
		}
		if v != float32(want) {
			t.Fatalf("element %d: %v, want %v", k, v, want)
		}
	}
	if _, err := NewImageSum(in, Blocked(20, 3, 4, 0)); err == nil {
		t.Error("other channels are taken")
	}
}
