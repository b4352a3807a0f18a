package op

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Resize samples x at another number of places along its axes (ONNX Resize-19).
type Resize struct {
	base
	// Shape is the result's, with 0 for axes that stay as they are; unless Scales has the factors of all axes.
	Shape  []int
	Scales []float32
	// Mode is linear, cubic or nearest.
	Mode string
	// Cubic is the coefficient a of the cubic kernel (Keys 1981): -0.75 in PyTorch, -0.5 in Pillow.
	Cubic float32
	// ExcludeOutside gives elements beyond the edges no weight, instead of those at the edges in their place.
	ExcludeOutside bool
	// Antialias widens the kernel where the result is smaller than x; PyTorch excludes what is outside as well.
	Antialias bool
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
				for k, index := range p.index {
					y.data[to+i*step] += float64(p.weight[k] * x.data[from+index*step])
				}
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
				for k, index := range p.index {
					dx.data[to+index*step] += float64(p.weight[k] * dy.data[from+i*step])
				}
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

// tap is a sample: a weighted sum of elements.
type tap struct {
	index  []int
	weight []float64
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
			t[i] = tap{[]int{min(max(int(o.round(at)), 0), n-1)}, []float64{1}}
			continue
		}
		t[i] = o.sample(at, n, float64(scale))
	}
	return t
}

// sample weighs the elements around a place among n.
func (o *Resize) sample(at float64, n int, scale float64) (t tap) {
	stretch := 1.0
	if o.Antialias {
		stretch = min(scale, 1)
	}
	radius := o.radius() / stretch
	sum := 0.0
	for k := int(math.Floor(at-radius)) + 1; float64(k) < at+radius; k++ {
		w := o.kernel((float64(k) - at) * stretch)
		if w == 0 || o.ExcludeOutside && (k < 0 || k >= n) {
			continue
		}
		sum += w
		t.index, t.weight = append(t.index, min(max(k, 0), n-1)), append(t.weight, w)
	}
	if (o.ExcludeOutside || o.Antialias) && sum != 0 {
		for k := range t.weight {
			t.weight[k] /= sum
		}
	}
	return t
}

// radius is how far the kernel reaches.
func (o *Resize) radius() float64 {
	if o.Mode == "cubic" {
		return 2
	}
	return 1
}

// kernel is the weight of an element at a distance.
func (o *Resize) kernel(distance float64) float64 {
	d := math.Abs(distance)
	if o.Mode != "cubic" {
		return max(1-d, 0)
	}
	a := float64(o.Cubic)
	switch {
	case d <= 1:
		return float64(float64((a+2)*d)-(a+3))*d*d + 1
	case d < 2:
		return a * (float64((float64((d-5)*d)+8)*d) - 4)
	}
	return 0
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
