package op_test

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

func TestKeySurvives(t *testing.T) {
	for _, key := range []uint64{0, 1, 0xffff, 0x123456789abcdef0, math.MaxUint64} {
		if got := op.JoinKey(op.SplitKey(key)); got != key {
			t.Errorf("key %#x became %#x", key, got)
		}
	}
}

// TestDropoutMask checks the share that is kept within five standard deviations, and that images, keys and
// dropouts draw differently while prefixes agree.
func TestDropoutMask(t *testing.T) {
	const n, ratio = 100000, 0.2
	mask := make([]float32, n)
	op.DropoutMask(mask, ratio, "a", 1, 0)
	kept := 0
	for _, m := range mask {
		switch m {
		case 1 / (1 - ratio):
			kept++
		case 0:
		default:
			t.Fatalf("mask element %v", m)
		}
	}
	if off, limit := math.Abs(float64(kept)/n-(1-ratio)), 5*math.Sqrt(ratio*(1-ratio)/n); off > limit {
		t.Errorf("the kept share is off by %v, limit %v", off, limit)
	}
	short := make([]float32, 100)
	op.DropoutMask(short, ratio, "a", 1, 0)
	if !slices.Equal(short, mask[:100]) {
		t.Error("the mask depends on its length")
	}
	for _, c := range []struct {
		id    string
		key   uint64
		image int
	}{{"b", 1, 0}, {"a", 2, 0}, {"a", 1, 1}} {
		op.DropoutMask(short, ratio, c.id, c.key, c.image)
		if slices.Equal(short, mask[:100]) {
			t.Errorf("the mask of %v is that of {a 1 0}", c)
		}
	}
}

// A run that resumes with a later version must drop the same elements.
func TestDropoutMaskIsPinned(t *testing.T) {
	mask := make([]float32, 16)
	op.DropoutMask(mask, 0.5, "a", 1, 2)
	want := []float32{2, 2, 0, 0, 0, 2, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0}
	if !slices.Equal(mask, want) {
		t.Errorf("the mask is %v, want %v", mask, want)
	}
}

// TestDropoutTrainUsesTheMask checks that every image has the mask of its own, whatever the batch.
func TestDropoutTrainUsesTheMask(t *testing.T) {
	const key = 0x0123456789abcdef
	parts := op.SplitKey(key)
	y, err := (&op.DropoutTrain{Ratio: 0.5, ID: "a"}).Do(
		tensor.New(tensor.WithShape(3, 2, 4), tensor.WithBacking(slices.Repeat([]float32{1.5}, 24))),
		tensor.New(tensor.WithShape(4), tensor.WithBacking(parts[:])))
	if err != nil {
		t.Fatal(err)
	}
	got := floats32(t, y)
	mask := make([]float32, 8)
	for image := range 3 {
		op.DropoutMask(mask, 0.5, "a", key, image)
		for i, m := range mask {
			if got[image*8+i] != 1.5*m {
				t.Errorf("image %d, element %d is %v, want %v", image, i, got[image*8+i], 1.5*m)
			}
		}
	}
}

func TestDropoutIsTheIdentity(t *testing.T) {
	y, err := (&op.Dropout{Ratio: 0.5}).Do(gorgonia.NewF32(3))
	if err != nil {
		t.Fatal(err)
	}
	if got := floats32(t, y); got[0] != 3 {
		t.Errorf("got %v, want 3", got[0])
	}
}
