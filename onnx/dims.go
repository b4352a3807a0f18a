package onnx

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// The dimensions of values are numbers or multiples of N, the number of images in a batch. In a shape of integers -k stands for
// kN, so that equal dimensions are equal integers, no open one equals a number, and products and exact quotients with one
// open factor keep their sense.

// images is the dimension kN.
func images(k int) int { return -k }

// isOpen tells whether a dimension depends on the number of images.
func isOpen(d int) bool { return d < 0 }

// openAxis is the axis along which a shape depends on the number of images, -1 where it does not.
func openAxis(shape []int) int { return slices.IndexFunc(shape, isOpen) }

// forImages is a shape for n images.
func forImages(shape tensor.Shape, n int) tensor.Shape {
	numbers := shape.Clone()
	for i, d := range numbers {
		if isOpen(d) {
			numbers[i] = -d * n
		}
	}
	return numbers
}

// inferShape is op.Infer for shapes with open dimensions. The engine's operators know numbers; since 2 and 3 have no common
// factor, a dimension that is 2k for 2 images and 3k for 3 is kN, and one that is the same for both is a number. Sizes that do
// not divide for all N, or that fit one N by accident, fail for one of the two.
func inferShape(o op.Op, shapes ...tensor.Shape) (tensor.Shape, error) {
	if !slices.ContainsFunc(shapes, func(s tensor.Shape) bool { return openAxis(s) >= 0 }) {
		return op.Infer(o, shapes...)
	}
	var found [2]tensor.Shape
	for i, n := range []int{2, 3} {
		numbers := make([]tensor.Shape, len(shapes))
		for k, s := range shapes {
			numbers[k] = forImages(s, n)
		}
		var err error
		if found[i], err = op.Infer(o, numbers...); err != nil {
			return nil, fmt.Errorf("for a batch of %d images: %w", n, err)
		}
	}
	shape, open := make(tensor.Shape, len(found[0])), 0
	for i, two := range found[0] {
		switch three := found[1][i]; {
		case two == three:
			shape[i] = two
		case 3*two == 2*three:
			shape[i] = images(two / 2)
			open++
		default:
			return nil, fmt.Errorf("%s: dimension %d of the result is no multiple of the number of images: %d for 2 images, %d for 3", o.Name(), i, two, three)
		}
	}
	if open > 1 {
		return nil, fmt.Errorf("%s: the result of shape %s relates every image with every other", o.Name(), shapeText(shape))
	}
	return shape, nil
}

// dimProduct multiplies dimensions, of which one may be open; ok tells that there is no second one and no overflow.
func dimProduct(dims []int) (product int, ok bool) {
	product = 1
	for _, d := range dims {
		if isOpen(d) && isOpen(product) {
			return 0, false
		}
		size, factor := uint64(max(product, -product)), uint64(max(d, -d))
		hi, lo := bits.Mul64(size, factor)
		if hi != 0 || lo > op.MaxElements {
			return 0, false
		}
		product *= d
	}
	return product, true
}

// shapeText writes a shape with N for the number of images: (N, 3, 224, 224).
func shapeText(shape tensor.Shape) string {
	words := make([]string, len(shape))
	for i, d := range shape {
		words[i] = dimText(d)
	}
	return "(" + strings.Join(words, ", ") + ")"
}

func dimText(d int) string {
	switch {
	case d == images(1):
		return "N"
	case isOpen(d):
		return fmt.Sprintf("%dN", -d)
	}
	return fmt.Sprint(d)
}
