package onnx

import (
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/photo"
)

// affine is a network of one classifier behind y = x*scale + shift, both for all channels, or without that.
func affine(t *testing.T, scale, shift float32) *engine.Network {
	t.Helper()
	b := engine.NewBuilder()
	x, err := b.Placeholder("input", 1, 3, 8, 8)
	apply := func(o op.Op, in ...*gorgonia.Node) {
		if err == nil {
			x, err = b.Apply(o.Name(), o, append([]*gorgonia.Node{x}, in...)...)
		}
	}
	if scale != 0 {
		apply(&op.Affine{Scale: []float32{scale, scale, scale}, Shift: []float32{shift, shift, shift}})
	}
	apply(&op.GlobalAveragePool{})
	apply(&op.Flatten{Axis: 1})
	var w *gorgonia.Node
	if err == nil {
		w, err = b.Param(&engine.Param{Name: "fc.weight", Shape: []int{2, 3}, Value: []float32{1, 2, 3, 4, 5, 6}})
	}
	apply(&op.Linear{}, w)
	if err != nil {
		t.Fatal(err)
	}
	net, err := b.Network(engine.Meta{}, engine.Output{Name: "logits", Node: x})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// TestContradictions: normalising twice, other sizes and other numbers of classes are told; what is usual is not.
func TestContradictions(t *testing.T) {
	imageNet, half, plain := photo.ImageNet(photo.Square(8)), photo.ImageNet(photo.Square(8)), photo.ImageNet(photo.Square(8))
	half.Mean, half.Std = [3]float32{0.5, 0.5, 0.5}, [3]float32{0.5, 0.5, 0.5}
	plain.Mean, plain.Std = [3]float32{}, [3]float32{1, 1, 1}
	for name, c := range map[string]struct {
		scale, shift float32
		p            *photo.Preprocess
		labels       []string
		want         string
	}{
		"ImageNet":                      {p: imageNet},
		"nothing known":                 {},
		"what the network itself tells": {scale: 2, shift: -1},
		"transform_input alone":         {scale: 0.45, shift: -0.1, p: plain, want: "normalised too little"},
		"transform_input behind 0.5":    {scale: 0.45, shift: -0.1, p: half, want: "normalised too little"},
		"torchvision's transform_input": {scale: 0.45, shift: -0.1, p: imageNet},
		"all in the network":            {scale: 4.4, shift: -2.1, p: plain},
		"ImageNet twice":                {scale: 4.4, shift: -2.1, p: imageNet, want: "normalised twice"},
		"0.5 twice":                     {scale: 2, shift: -1, p: half, want: "normalised twice"},
		"ImageNet and 1/255 twice":      {scale: 0.017, shift: -2.1, p: imageNet, want: "normalised twice"},
		"three names for two classes":   {p: imageNet, labels: []string{"a", "b", "c"}, want: "names 3 classes, the network has 2"},
		"photos of another size":        {p: photo.ImageNet(photo.Square(9)), want: "9 pixels, the network is built for 8"},
	} {
		t.Run(name, func(t *testing.T) {
			net := affine(t, c.scale, c.shift)
			net.Meta.Preprocess, net.Meta.Labels = c.p, c.labels
			path := filepath.Join(t.TempDir(), "model.onnx")
			if err := Write(path, net); err != nil {
				t.Fatal(err)
			}
			_, info, err := Read(path, ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, w := range info.Warnings {
				if !strings.Contains(w, "preprocessing is part of the network") {
					told = append(told, w)
				}
			}
			text := strings.Join(told, "\n")
			if c.want == "" && text != "" || !strings.Contains(text, c.want) {
				t.Errorf("warnings %q, want %q", text, c.want)
			}
		})
	}
}
