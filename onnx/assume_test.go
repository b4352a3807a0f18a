package onnx

import (
	"strings"
	"testing"

	"regraft/photo"
)

// TestAssumed: a file that says nothing gets ImageNet's preprocessing, unless its own first steps can only mean another.
func TestAssumed(t *testing.T) {
	same := func(v float32) []float32 { return []float32{v, v, v} }
	caffe := []float32{-103.939, -116.779, -123.68}
	for name, c := range map[string]struct {
		transform *Transform
		channels  int
		want      string
	}{
		"nothing":                           {nil, 3, "ImageNet's mean and std"},
		"torchvision's transform_input":     {&Transform{same(0.45), same(-0.1)}, 3, "ImageNet's mean and std"},
		"Rescaling(1/127.5, -1)":            {&Transform{same(1 / 127.5), same(-1)}, 3, "pixels from 0 to 255"},
		"1/255, then ImageNet's":            {&Transform{same(0.0171), same(-2)}, 3, "pixels from 0 to 255"},
		"Caffe's means":                     {&Transform{same(1), caffe}, 3, "pixels from 0 to 255"},
		"ImageNet's inside":                 {&Transform{same(4.4), same(-2)}, 3, "pixels from 0 to 1"},
		"what fits none":                    {&Transform{same(3000), same(0)}, 3, "ImageNet's mean and std"},
		"grey":                              {nil, 1, "pixels from 0 to 1"},
		"grey with Rescaling(1/255) inside": {&Transform{[]float32{1.0 / 255}, []float32{0}}, 1, "pixels from 0 to 255"},
	} {
		info := &Info{Image: Image{Channels: c.channels, Height: 8, Width: 6}, begins: c.transform}
		p := info.Assumed()
		if p.Scaling() != c.want || p.Depth() != c.channels || p.Size != (photo.Size{H: 8, W: 6}) {
			t.Errorf("%s: %s, %+v", name, p.Scaling(), p)
		}
	}
}

// TestOrderDoubt: the order of the channels is doubted where means tell another.
func TestOrderDoubt(t *testing.T) {
	rgb := photo.ImageNet(photo.Square(8))
	bgr := rgb.Reordered(photo.BGR)
	wrong, caffe := *rgb, *photo.Pixels(photo.Square(8))
	wrong.Channels = photo.BGR
	caffe.Mean = [3]float32{103.939, 116.779, 123.68}
	inside := &Transform{[]float32{1, 1, 1}, []float32{-104, -117, -123}}
	for name, c := range map[string]struct {
		p         photo.Preprocess
		transform *Transform
		want      string
	}{
		"ImageNet":                    {*rgb, nil, ""},
		"ImageNet, reordered":         {bgr, nil, ""},
		"ImageNet's in the old order": {wrong, nil, "order red, green, blue"},
		"Caffe's means":               {caffe, nil, "Channels bgr"},
		"Caffe's means, told":         {caffe.With(photo.Override{Channels: photo.BGR, Mean: &caffe.Mean, Std: &caffe.Std}), nil, ""},
		"Caffe's means inside":        {*photo.Pixels(photo.Square(8)), inside, "Channels bgr"},
		"the same, told":              {photo.Pixels(photo.Square(8)).Reordered(photo.BGR), inside, ""},
	} {
		doubt := (&Info{Image: Image{Channels: 3}, begins: c.transform}).Doubt(&c.p)
		if c.want == "" && doubt != "" || !strings.Contains(doubt, c.want) {
			t.Errorf("%s: %q, want %q", name, doubt, c.want)
		}
	}
}
