package onnx

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

const N = -1 // a dimension as large as the batch

// TestInferShape: shapes with a batch of N come out as what they are for every N, and nothing that only some N fit passes.
func TestInferShape(t *testing.T) {
	for _, c := range []struct {
		op   op.Op
		in   []tensor.Shape
		want tensor.Shape
		err  string
	}{
		{op: &op.Relu{}, in: []tensor.Shape{{N, 3, 8}}, want: tensor.Shape{N, 3, 8}},
		{op: &op.Add{}, in: []tensor.Shape{{N, 3, 8}, {1, 1, 8}}, want: tensor.Shape{N, 3, 8}},
		{op: &op.Add{}, in: []tensor.Shape{{N, 3}, {2, 3}}, err: "do not broadcast"},
		{op: &op.Add{}, in: []tensor.Shape{{N, 3}, {3, 3}}, err: "do not broadcast"},
		{op: &op.Add{}, in: []tensor.Shape{{N, 1}, {1, N}}, err: "every image with every other"},
		{op: &op.Reshape{Shape: []int{-1, 4}}, in: []tensor.Shape{{N, 3, 8}}, want: tensor.Shape{6 * N, 4}},
		{op: &op.Reshape{Shape: []int{-1, 16}}, in: []tensor.Shape{{N, 3, 8}}, err: "do not fit"},
		{op: &op.Reshape{Shape: []int{-1, 5, 2}}, in: []tensor.Shape{{10 * N, 7}}, want: tensor.Shape{7 * N, 5, 2}},
		{op: &op.Concat{Axis: 0}, in: []tensor.Shape{{N, 3}, {2 * N, 3}}, want: tensor.Shape{3 * N, 3}},
		{op: &op.Concat{Axis: 0}, in: []tensor.Shape{{N, 3}, {1, 3}}, err: "no multiple of the number of images"},
		{op: &op.Concat{Axis: 1}, in: []tensor.Shape{{N, 3}, {1, 3}}, err: "does not fit"},
		{op: &op.MatMul{}, in: []tensor.Shape{{4 * N, 5, 6}, {4 * N, 6, 5}}, want: tensor.Shape{4 * N, 5, 5}},
		{op: &op.MatMul{}, in: []tensor.Shape{{N, 6}, {6, N}}, err: "every image with every other"},
		{op: &op.Transpose{Perm: []int{1, 0, 2}}, in: []tensor.Shape{{N, 4, 5}}, want: tensor.Shape{4, N, 5}},
		{op: &op.Slice{Starts: []int{0}, Ends: []int{1}}, in: []tensor.Shape{{N, 4}}, want: tensor.Shape{1, 4}},
		{op: &op.Slice{Starts: []int{1}, Ends: []int{9}}, in: []tensor.Shape{{N, 4}}, err: "no multiple of the number of images"},
		{op: &op.BatchTile{}, in: []tensor.Shape{{1, 4}, {N, 3, 8, 8}}, want: tensor.Shape{N, 4}},
		{op: &op.BatchTile{}, in: []tensor.Shape{{5, 4}, {N, 3, 8, 8}}, want: tensor.Shape{5 * N, 4}},
	} {
		got, err := inferShape(c.op, c.in...)
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%v of %v: shape %v, error %v, want an error with %q", c.op.Name(), c.in, got, err, c.err)
		case c.err == "" && (err != nil || !slices.Equal(got, c.want)):
			t.Errorf("%v of %v: shape %v, error %v, want %v", c.op.Name(), c.in, got, err, c.want)
		}
	}
}

// TestAcrossImages: operators whose result has a row for every image, and yet depends on the others.
func TestAcrossImages(t *testing.T) {
	for _, c := range []struct {
		op    op.Op
		shape tensor.Shape
		want  bool
	}{
		{&op.Softmax{Axis: -1}, tensor.Shape{N, 5}, false},
		{&op.Softmax{Axis: 0}, tensor.Shape{N, 5}, false}, // allowed at the end, see mixing
		{&op.Softmax{Axis: -2}, tensor.Shape{4, N, 5}, true},
		{&op.LogSoftmax{Axis: 1}, tensor.Shape{4, N, 5}, true},
		{&op.LayerNorm{Axis: 1}, tensor.Shape{N, 5}, false},
		{&op.LayerNorm{Axis: -1}, tensor.Shape{4, N, 5}, false},
		{&op.LayerNorm{Axis: 1}, tensor.Shape{4, N, 5}, true},
		{&op.Conv{}, tensor.Shape{N, 3, 8, 8}, false},
		{&op.Conv{}, tensor.Shape{3, 8, N, 8}, true},
		{&op.Relu{}, tensor.Shape{3, 8, N, 8}, false},
	} {
		if err := acrossImages(c.op, []tensor.Shape{c.shape}); (err != nil) != c.want {
			t.Errorf("%s of shape %s: error %v", c.op.Name(), shapeText(c.shape), err)
		}
	}
}

// TestOpenArithmetic: what files compute of the number of images, exact or refused.
func TestOpenArithmetic(t *testing.T) {
	number, images := func(v int64) size { return size{v, false} }, func(v int64) size { return size{v, true} }
	const most = math.MaxInt64
	for _, c := range []struct {
		what string
		f    func(a, b size) (size, error)
		a, b size
		want any
	}{
		{"N + 0", openAdd, images(1), number(0), images(1)},
		{"0 + N", openAdd, number(0), images(1), images(1)},
		{"N + 2N", openAdd, images(1), images(2), images(3)},
		{"N + 1", openAdd, images(1), number(1), errOpen},
		{"overflow", openAdd, images(most), images(1), errOverflow},
		{"3N - N", openSub, images(3), images(1), images(2)},
		{"N - N", openSub, images(1), images(1), number(0)},
		{"N - 1", openSub, images(1), number(1), errOpen},
		{"N * 7", openMul, images(1), number(7), images(7)},
		{"-1 * N", openMul, number(-1), images(1), images(-1)},
		{"N * 0", openMul, images(1), number(0), number(0)},
		{"N * N", openMul, images(1), images(1), errOpen},
		{"overflow of a product", openMul, images(1 << 40), number(1 << 30), errOverflow},
		{"64N / 64", openDiv, images(64), number(64), images(1)},
		{"64N / N", openDiv, images(64), images(1), number(64)},
		{"N / 2", openDiv, images(1), number(2), errOpen},
		{"8 / N", openDiv, number(8), images(1), errOpen},
		{"6N % 3", openMod, images(6), number(3), number(0)},
		{"N % 2", openMod, images(1), number(2), errOpen},
		{"max(N, 1)", openMax, images(1), number(1), images(1)},
		{"min(N, 1)", openMin, images(1), number(1), number(1)},
		{"max(N, -1)", openMax, images(1), number(-1), images(1)},
		{"min(N, 100)", openMin, images(1), number(100), errOpen},
		{"max(N, 2)", openMax, images(1), number(2), errOpen},
		{"max(2, N)", openMax, number(2), images(1), errOpen},
		{"min(2, N)", openMin, number(2), images(1), errOpen},
		{"min(1, N)", openMin, number(1), images(1), number(1)},
		{"max(4N, 3N)", openMax, images(4), images(3), images(4)},
	} {
		got, err := c.f(c.a, c.b)
		if want, exact := c.want.(size); exact && (err != nil || got != want) || !exact && err != c.want {
			t.Errorf("%s: %v, error %v, want %v", c.what, got, err, c.want)
		}
	}
}

func TestCompareSizes(t *testing.T) {
	equal, more := func(a, b float64) bool { return a == b }, func(a, b float64) bool { return a > b }
	for _, c := range []struct {
		what           string
		f              func(a, b float64) bool
		a, b           size
		holds, several bool
		err            error
	}{
		{"N == -1", equal, size{1, true}, size{-1, false}, false, false, nil},
		{"N == 0", equal, size{1, true}, size{0, false}, false, false, nil},
		{"N == N", equal, size{1, true}, size{1, true}, true, false, nil},
		{"N == 1", equal, size{1, true}, size{1, false}, false, true, nil},
		{"N == 8", equal, size{1, true}, size{8, false}, false, false, errOpen},
		{"9 == 3N", equal, size{9, false}, size{3, true}, false, false, errOpen},
		{"N > 0", more, size{1, true}, size{0, false}, true, false, nil},
		{"N > 1", more, size{1, true}, size{1, false}, true, true, nil},
		{"N > 5", more, size{1, true}, size{5, false}, false, false, errOpen},
		{"7 > 8N", more, size{7, false}, size{8, true}, false, false, nil},
	} {
		holds, several, err := compareSizes(c.f, c.a, c.b)
		if err != c.err || err == nil && (holds != c.holds || several != c.several) {
			t.Errorf("%s: %v, several %v, error %v", c.what, holds, several, err)
		}
	}
}

// TestFreedShape: where the images lie after a Reshape that was exported for a certain number of them.
func TestFreedShape(t *testing.T) {
	for _, c := range []struct {
		x, to tensor.Shape
		own   int
		want  tensor.Shape
	}{
		{tensor.Shape{N, 3, 8}, tensor.Shape{1, 24}, 1, tensor.Shape{N, 24}},
		{tensor.Shape{N, 3, 8}, tensor.Shape{4, 24}, 4, tensor.Shape{N, 24}},
		{tensor.Shape{N, 4, 12}, tensor.Shape{1, 4, 3, 4}, 1, tensor.Shape{N, 4, 3, 4}},
		{tensor.Shape{N, 4, 12}, tensor.Shape{12, 4}, 1, tensor.Shape{12 * N, 4}},
		{tensor.Shape{N, 4, 12}, tensor.Shape{24, 4}, 2, tensor.Shape{12 * N, 4}},
		{tensor.Shape{12 * N, 4}, tensor.Shape{2, 4, 12}, 2, tensor.Shape{N, 4, 12}},
		{tensor.Shape{5, N, 12}, tensor.Shape{5, 3, 4}, 1, tensor.Shape{5, 3 * N, 4}},
		{tensor.Shape{5, N, 12}, tensor.Shape{5, 6, 4}, 2, tensor.Shape{5, 3 * N, 4}},
		{tensor.Shape{5, N, 12}, tensor.Shape{10, 12}, 2, nil}, // images lie within rows of the outer axis
		{tensor.Shape{5, N, 12}, tensor.Shape{5, 12}, 1, nil},  // and not among the features
		{tensor.Shape{1, N, 12}, tensor.Shape{1, 1, 12}, 1, tensor.Shape{1, N, 12}},
		{tensor.Shape{N, 1, 12}, tensor.Shape{1, 1, 12}, 1, tensor.Shape{N, 1, 12}},
		{tensor.Shape{N, 12}, tensor.Shape{1, 1, 12}, 1, tensor.Shape{N, 1, 12}},
		{tensor.Shape{N, 3, 8}, tensor.Shape{3, 8, 2}, 2, nil},
		{tensor.Shape{5, 3}, tensor.Shape{15}, 2, nil},
	} {
		if got := freedShape(c.x, c.to, c.own); !slices.Equal(got, c.want) {
			t.Errorf("%s to %v of %d images: %v, want %v", shapeText(c.x), c.to, c.own, got, c.want)
		}
	}
}
