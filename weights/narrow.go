package weights

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"regraft/engine"
	"regraft/engine/random"
	"regraft/onnx"
	"regraft/photo"
)

// Narrow is a family's network with all numbers of channels divided, for square photos of size pixels, with labels.
// Its weights are random, for a training from scratch: convolutions as He and others initialise them ("Delving Deep into
// Rectifiers", 2015), BatchNorm as the identity. Inception-v3's auxiliary head, whose last convolution would take
// the 5 x 5 positions that 299 pixels give, has one of 1 x 1 where the photos are smaller.
// Families with depthwise convolutions cannot be narrowed: their graphs hold the number of groups.
func Narrow(arch string, divisor, size int, labels []string, seed uint64) (*engine.Network, error) {
	at := slices.IndexFunc(families(), func(f *family) bool { return f.name == arch })
	if at < 0 {
		return nil, fmt.Errorf("architecture %q is not known: choose one of %s", arch, strings.Join(Families(), ", "))
	}
	f := families()[at]
	values := func(name string) ([]int, []float32, error) {
		i := slices.IndexFunc(f.params, func(p onnx.Placeholder) bool { return p.Name == name })
		shape, err := narrowed(f.params[i].Shape, divisor, len(labels))
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		return shape, initial(name, shape, random.At(seed, "narrow", uint64(i))), nil
	}
	net, _, err := onnx.ReadGraph(f.graph, values, onnx.ReadOptions{})
	if err != nil {
		return nil, err
	}
	net.Meta = engine.Meta{Arch: arch, Labels: labels, Preprocess: photo.ImageNet(photo.Square(size))}
	shape := net.Input.Shape().Clone()
	if shape[2] == size {
		return net, nil
	}
	shape[2], shape[3] = size, size
	if p, err := net.Param("AuxLogits.conv1.conv.weight"); err == nil && arch == "inception_v3" {
		p.Shape = []int{p.Shape[0], p.Shape[1], 1, 1}
		p.Value = initial(p.Name, p.Shape, random.At(seed, "narrow head"))
	}
	return net.Rewrite(shape, nil)
}

// narrowed divides channels. Photos keep their 3 colours, and a classifier has the new number of classes.
func narrowed(shape []int, divisor, classes int) ([]int, error) {
	const colours = 3
	shape = slices.Clone(shape)
	for i, n := range shape[:min(len(shape), 2)] {
		switch {
		case i == 0 && n == graphClasses:
			shape[i] = classes
		case i == 1 && n == colours || i == 1 && n == 1:
		case n%divisor != 0:
			return nil, fmt.Errorf("%d channels cannot be divided by %d", n, divisor)
		default:
			shape[i] = n / divisor
		}
	}
	return shape, nil
}

// initial draws the first values of a parameter.
func initial(name string, shape []int, r *random.Stream) []float32 {
	values := make([]float32, product(shape))
	switch {
	case len(shape) > 1:
		fan := product(shape) / shape[0]
		for i := range values {
			values[i] = float32(r.Normal() * math.Sqrt(2/float64(fan)))
		}
	case strings.HasSuffix(name, ".weight"), strings.HasSuffix(name, ".running_var"):
		for i := range values {
			values[i] = 1
		}
	}
	return values
}
