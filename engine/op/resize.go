package op

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Resize samples x at another number of places along its axes (ONNX Resize-19, modes linear and nearest, without antialiasing).
type Resize struct {
	base
	// Shape is the result's, with 0 for axes that stay as they are; unless Scales has the factors of all axes.
	Shape  []int
	Scales []float32
	// Mode is linear or nearest.
	Mode string
	// Coordinates says where in x an element lies: half_pixel, pytorch_half_pixel, align_corners, asymmetric or
	// tf_half_pixel_for_nn.
	Coordinates string
	// Nearest rounds a place to an element: round_prefer_floor, round_prefer_ceil, floor or ceil.
	Nearest string
}

// Name is Resize.
func (*Resize) Name() string { return "Resize" }

// OutShape is Shape, or x's times Scales, rounded down.
func (o *Resize) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	x := in[0]
	if len(o.Shape) != len(x) && len(o.Scales) != len(x) {
		return nil, fmt.Errorf("shape %v or scales %v for shape %v", o.Shape, o.Scales, x)
	}
	out := x.Clone()
	for i := range out {
		switch {
		case len(o.Scales) > 0:
			size := float32(x[i]) * o.Scales[i]
			if !(size >= 1 && size <= MaxElements) {
				return nil, fmt.Errorf("scale %g for size %d", o.Scales[i], x[i])
			}
			out[i] = int(size)
		case o.Shape[i] > 0:
			out[i] = o.Shape[i]
		}
	}
	return out, nil
}

// Do samples.
func (o *Resize) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*Resize) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff spreads dy over the elements that were sampled.
func (o *Resize) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&ResizeGrad{Resize: *o, In: in[0].Shape().Clone()}, dy)
}

func (o *Resize) eval(in []array, out array) {
	x := in[0]
	for axis := range x.shape {
		t := o.taps(axis, x.shape[axis], out.shape[axis])
		if t == nil {
			continue
		}
		y := newArray(x.shape, axis, len(t))
		along(x, y, axis, func(from, to, step int) {
			for i, p := range t {
				y.data[to+i*step] = float64((1-p.weight)*x.data[from+p.low*step]) + float64(p.weight*x.data[from+p.high*step])
			}
		})
		x = y
	}
	copy(out.data, x.data)
}

// ResizeGrad is the gradient of Resize: dy goes back to the elements of an x of shape In that made y.
type ResizeGrad struct {
	undifferentiable
	Resize Resize
	In     []int
}

// Name is ResizeGrad.
func (*ResizeGrad) Name() string { return "ResizeGrad" }

// OutShape is In with dy's number of images.
func (o *ResizeGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, len(o.In)); err != nil {
		return nil, err
	}
	out := tensor.Shape(o.In).Clone()
	out[0] = in[0][0]
	return out, nil
}

// Do spreads.
func (o *ResizeGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *ResizeGrad) eval(in []array, out array) {
	dy := in[0]
	for axis := range dy.shape {
		t := o.Resize.taps(axis, out.shape[axis], dy.shape[axis])
		if t == nil {
			continue
		}
		dx := newArray(dy.shape, axis, out.shape[axis])
		along(dy, dx, axis, func(from, to, step int) {
			for i, p := range t {
				v := dy.data[from+i*step]
				dx.data[to+p.low*step] += float64((1 - p.weight) * v)
				dx.data[to+p.high*step] += float64(p.weight * v)
			}
		})
		dy = dx
	}
	copy(out.data, dy.data)
}

// newArray is like shape, with n elements along one axis.
func newArray(shape tensor.Shape, axis, n int) array {
	s := shape.Clone()
	s[axis] = n
	return array{shape: s, data: make([]float64, product(s))}
}

// along calls f for every line of x and y along an axis, with where the lines begin and how far their elements are apart.
func along(x, y array, axis int, f func(from, to, step int)) {
	step := product(x.shape[axis+1:])
	for outer := range product(x.shape[:axis]) {
		for inner := range step {
			f(outer*x.shape[axis]*step+inner, outer*y.shape[axis]*step+inner, step)
		}
	}
}

// tap is a sample: (1-weight) of element low and weight of element high.
type tap struct {
	low, high int
	weight    float64
}

// taps are the samples along an axis of size n that make an axis of size m; nil where they are the axis itself.
func (o *Resize) taps(axis, n, m int) []tap {
	scale := float32(m) / float32(n)
	if len(o.Scales) > 0 {
		scale = o.Scales[axis]
	}
	if n == m && scale == 1 {
		return nil
	}
	t := make([]tap, m)
	for i := range t {
		at := float64(o.place(i, n, m, scale))
		if o.Mode == "nearest" {
			k := min(max(int(o.round(at)), 0), n-1)
			t[i] = tap{low: k, high: k}
			continue
		}
		at = min(max(at, 0), float64(n-1))
		low := int(at)
		t[i] = tap{low, min(low+1, n-1), at - float64(low)}
	}
	return t
}

// place is where element i of m lies among n elements, in float32 as ONNX Runtime computes it: its rounding decides between
// neighbours.
func (o *Resize) place(i, n, m int, scale float32) float32 {
	switch {
	case o.Coordinates == "align_corners" && m > 1:
		return float32(i*(n-1)) / float32(m-1)
	case o.Coordinates == "align_corners" || o.Coordinates == "pytorch_half_pixel" && m == 1:
		return 0
	case o.Coordinates == "asymmetric":
		return float32(i) / scale
	case o.Coordinates == "tf_half_pixel_for_nn":
		return (float32(i) + 0.5) / scale
	}
	return (float32(i)+0.5)/scale - 0.5
}

// round is a place as the number of an element.
func (o *Resize) round(at float64) float64 {
	switch o.Nearest {
	case "floor":
		return math.Floor(at)
	case "ceil":
		return math.Ceil(at)
	case "round_prefer_ceil":
		return math.Floor(at + 0.5)
	}
	return math.Ceil(at - 0.5)
}
