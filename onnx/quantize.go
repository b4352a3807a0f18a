package onnx

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"
)

// Weights that are stored as integers become float32 at import. Activations are not computed in integers.

const quantised = "the values between layers are quantised: use the float32 original, or a file of which only the weights are quantised"

func lowerDequantize(c *call) error {
	c.ignore("axis", "block_size", "output_dtype")
	if v := c.operand(0); v.unknown() {
		return errUnknown
	}
	return c.refused(quantised)
}

func lowerQuantize(c *call) error {
	c.ignore("saturate", "precision")
	return lowerDequantize(c)
}

// quantisation finds scale and zero point for every element: one of each for all, for every index along an axis, or for
// every block along it.
type quantisation struct {
	scale, zero   *constant
	axis, block   int
	shape, scales tensor.Shape
}

// quantisation reads what DequantizeLinear and QuantizeLinear (opset 10 to 25) share.
func (c *call) quantisation(shape tensor.Shape, in []*constant) (*quantisation, error) {
	q := &quantisation{scale: in[1], axis: c.int("axis", 1), block: c.int("block_size", 0), shape: shape, scales: in[1].shape}
	if len(in) > 2 {
		q.zero = in[2]
	}
	if q.scale.floats == nil || q.zero != nil && !q.zero.shape.Eq(q.scale.shape) && (q.zero.size() != 1 || q.scale.size() != 1) {
		return nil, fmt.Errorf("scale is %v of shape %v and zero point of another shape, or no float32", q.scale.dtype, q.scale.shape)
	}
	if q.scale.size() == 1 && q.block == 0 {
		q.scales = nil
		return q, nil
	}
	axis, err := axisIn(q.axis, len(shape))
	if err != nil {
		return nil, err
	}
	q.axis = axis
	fits := len(q.scales) == 1 && q.block == 0 && q.scales[0] == shape[axis]
	if q.block > 0 && len(q.scales) == len(shape) {
		fits = true
		for i, d := range shape {
			if i == axis {
				d = (d + q.block - 1) / q.block
			}
			fits = fits && q.scales[i] == d
		}
	}
	if !fits {
		return nil, fmt.Errorf("scales of shape %v do not fit values of shape %v (axis %d, block size %d)", q.scales, shape, q.axis, q.block)
	}
	return q, nil
}

// at gives scale and zero point for the element at the given index.
func (q *quantisation) at(index []int) (scale, zero float64) {
	i := 0
	switch {
	case len(q.scales) == 0:
	case q.block == 0:
		i = index[q.axis]
	default:
		for k, d := range q.scales {
			at := index[k]
			if k == q.axis {
				at /= q.block
			}
			i = i*d + at
		}
	}
	if q.zero != nil {
		zero = q.zero.at(i)
	}
	return float64(q.scale.floats[i]), zero
}

// foldDequantize computes (x - zero) * scale.
func foldDequantize(c *call, in []*constant) ([]*constant, error) {
	if t := dataType(c.int("output_dtype", int(typeFloat))); t != typeFloat && t != 0 {
		return nil, fmt.Errorf("the result is %v, only float32 is supported", t)
	}
	q, err := c.quantisation(in[0].shape, in)
	if err != nil {
		return nil, err
	}
	if !in[0].integral() || q.zero != nil && (!q.zero.integral() || q.zero.dtype != in[0].dtype) {
		return nil, fmt.Errorf("values of type %v", in[0].dtype)
	}
	return c.requantise(in[0], q, typeFloat, func(x, scale, zero float64) float64 { return (x - zero) * scale })
}

// foldQuantize computes x / scale + zero, rounded to even and cut off at the ends of the type.
func foldQuantize(c *call, in []*constant) ([]*constant, error) {
	c.ignore("saturate", "precision")
	q, err := c.quantisation(in[0].shape, in)
	if err != nil {
		return nil, err
	}
	dtype := dataType(c.int("output_dtype", 0))
	switch {
	case q.zero != nil:
		dtype = q.zero.dtype
	case dtype == 0:
		dtype = typeUint8
	}
	ends, ok := map[dataType][2]float64{typeInt8: {-128, 127}, typeUint8: {0, 255}, typeInt16: {-32768, 32767}, typeUint16: {0, 65535}}[dtype]
	if !ok || in[0].floats == nil {
		return nil, fmt.Errorf("values of type %v to %v", in[0].dtype, dtype)
	}
	return c.requantise(in[0], q, dtype, func(x, scale, zero float64) float64 {
		return min(max(math.RoundToEven(float64(float32(x)/float32(scale)))+zero, ends[0]), ends[1])
	})
}

func (c *call) requantise(k *constant, q *quantisation, dtype dataType, f func(x, scale, zero float64) float64) ([]*constant, error) {
	result, err := c.allocate(dtype, k.shape)
	if err != nil {
		return nil, err
	}
	index := make([]int, len(k.shape))
	for i := range k.size() {
		scale, zero := q.at(index)
		result.set(i, f(k.at(i), scale, zero))
		for a := len(index) - 1; a >= 0; a-- {
			if index[a]++; index[a] < k.shape[a] {
				break
			}
			index[a] = 0
		}
	}
	return []*constant{result}, nil
}
