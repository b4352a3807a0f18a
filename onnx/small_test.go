package onnx

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine/op"
	"regraft/photo"
)

// TestThen: what one step after the other does to a channel.
func TestThen(t *testing.T) {
	k := &value{shape: []int{2, 1, 1}, constant: &constant{shape: []int{2, 1, 1}, floats: []float32{4, 8}}}
	for _, c := range []struct {
		o            op.Op
		k            *value
		swapped      bool
		scale, shift []float32 // of 2x + 1 and 4x + 3
	}{
		{&op.Add{}, k, false, []float32{2, 4}, []float32{5, 11}}, {&op.Add{}, k, true, []float32{2, 4}, []float32{5, 11}},
		{&op.Sub{}, k, false, []float32{2, 4}, []float32{-3, -5}}, {&op.Sub{}, k, true, []float32{-2, -4}, []float32{3, 5}},
		{&op.Mul{}, k, false, []float32{8, 32}, []float32{4, 24}}, {&op.Div{}, k, false, []float32{0.5, 0.5}, []float32{0.25, 0.375}},
		{&op.Div{}, k, true, nil, nil}, {&op.Relu{}, nil, false, nil, nil}, {&op.Resize{}, nil, false, []float32{2, 4}, []float32{1, 3}},
		{&op.Affine{Scale: []float32{2, 3}, Shift: []float32{-1, 1}}, nil, false, []float32{4, 12}, []float32{1, 10}},
	} {
		before := &Transform{[]float32{2, 4}, []float32{1, 3}}
		switch got := before.then(c.o, c.k, c.swapped); {
		case c.scale == nil:
			if got != nil {
				t.Errorf("%s, swapped %v: %+v", c.o.Name(), c.swapped, got)
			}
		case got == nil || !slices.Equal(got.Scale, c.scale) || !slices.Equal(got.Shift, c.shift):
			t.Errorf("%s, swapped %v: %+v, want %v and %v", c.o.Name(), c.swapped, got, c.scale, c.shift)
		}
		if !slices.Equal(before.Scale, []float32{2, 4}) || !slices.Equal(before.Shift, []float32{1, 3}) {
			t.Errorf("%s changed what was before", c.o.Name())
		}
	}
	mean := &value{shape: []int{1, 2, 1, 2}, constant: &constant{shape: []int{1, 2, 1, 2}, floats: []float32{1, 3, 5, 9}}}
	if got := channelMeans(mean, 2); !slices.Equal(got, []float32{2, 7}) {
		t.Errorf("means %v", got)
	}
	if got := channelMeans(mean, 3); got != nil {
		t.Errorf("means of other channels: %v", got)
	}
}

// TestResizedWarning: a network that resizes its own input says so, and one that does not is silent.
func TestResizedWarning(t *testing.T) {
	m := chainModel("y")
	m.node("Relu", []string{"x"}, "y")
	net := readModel(t, m)
	for own, want := range map[photo.Size]int{{}: 0, {H: 8, W: 8}: 0, {H: 4, W: 6}: 1} {
		info := &Info{ownSize: own}
		if info.warn(net); len(info.Warnings) != want || want > 0 && !strings.Contains(info.Warnings[0], "resizes its input from 8") {
			t.Errorf("%v: %q", own, info.Warnings)
		}
	}
}

// TestBatchIsNotDivided: Split divides the images where it does not say what, and is refused.
func TestBatchIsNotDivided(t *testing.T) {
	m := chainModel("y")
	m.nodes = append(m.nodes, nodeOut("Split", "split", []string{"x"}, []string{"y", "z"}))
	if _, _, err := ReadBytes(m.bytes(), ReadOptions{}); err == nil || !strings.Contains(err.Error(), "of a batch") {
		t.Error(err)
	}
}

// TestRoundTripOfLogSoftmax: the axis stays.
func TestRoundTripOfLogSoftmax(t *testing.T) {
	m := chainModel("y")
	m.node("LogSoftmax", []string{"x"}, "y", intAttribute("axis", 1))
	again := rewrite(t, readModel(t, m), filepath.Join(t.TempDir(), "model.onnx"))
	if o, is := again.Outputs[0].Node.Op().(*op.LogSoftmax); !is || o.Axis != 1 {
		t.Errorf("%v", again.Outputs[0].Node.Op())
	}
}

// TestPixelsTold: of an input of bytes the metadata say how photos are resized, not how pixels are scaled.
func TestPixelsTold(t *testing.T) {
	in := &imageInput{size: photo.Square(8)}
	told := &photo.Preprocess{Size: photo.Square(6), Short: 7, Resize: photo.Crop, Resample: photo.Bicubic, Channels: photo.BGR, Decode: photo.Fast,
		Mean: [3]float32{1, 2, 3}, Std: [3]float32{4, 5, 6}}
	want := *photo.Pixels(in.size)
	if got := plainPixels(nil, in); *got != want {
		t.Errorf("%+v", got)
	}
	want.Size, want.Short, want.Resize, want.Resample, want.Channels, want.Decode = told.Size, told.Short, told.Resize, told.Resample, told.Channels, told.Decode
	if got := plainPixels(told, in); *got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
