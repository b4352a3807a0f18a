package onnx

import (
	"math"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
	"regraft/photo"
)

// lowerResize reads sizes or scales. In opset 10 (and as Upsample in 7 to 9) there are only scales, and places are asymmetric.
func lowerResize(c *call) error {
	o := &op.Resize{
		Mode:        c.text("mode", "nearest"),
		Coordinates: c.text("coordinate_transformation_mode", "half_pixel"),
		Nearest:     c.text("nearest_mode", "round_prefer_floor"),
	}
	c.ignore("extrapolation_value") // of crops, which are refused
	cubic := c.float("cubic_coeff_a", -0.75)
	o.ExcludeOutside, o.Antialias = c.flag("exclude_outside", false), c.flag("antialias", false)
	axes, policy, scales, sizes := c.ints("axes"), c.text("keep_aspect_ratio_policy", "stretch"), 2, 3
	if old := c.opset() < 11 || c.node.opType == "Upsample"; old {
		o.Coordinates, o.Nearest, scales, sizes = "asymmetric", "floor", 1, 4
	}
	if o.Mode == "bilinear" {
		o.Mode = "linear"
	}
	if o.Mode == "cubic" {
		o.Cubic = cubic
	}
	switch {
	case o.Mode != "linear" && o.Mode != "nearest" && o.Mode != "cubic":
		return c.refused("attribute mode is %q, only linear, cubic and nearest are supported", o.Mode)
	case !slices.Contains([]string{"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn"}, o.Coordinates):
		return c.refused("attribute coordinate_transformation_mode is %q", o.Coordinates)
	case !slices.Contains([]string{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}, o.Nearest):
		return c.refused("attribute nearest_mode is %q", o.Nearest)
	case policy != "stretch":
		return c.refused("attribute keep_aspect_ratio_policy is %q, only stretch is supported", policy)
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	if o.Shape, o.Scales, err = c.resized(x.shape, axes, scales, sizes); err != nil {
		return err
	}
	shape, err := inferShape(o, x.shape)
	if err != nil {
		return c.refused("%v", err)
	}
	c.resizedTo(x, shape)
	if slices.Equal(shape, x.shape) && o.Scales == nil {
		return c.same(x)
	}
	return c.emit(o, x)
}

// resized is the shape that the operand with the sizes tells, or else the scales of the other.
func (c *call) resized(shape tensor.Shape, axes []int, scalesAt, sizesAt int) (sizes []int, scales []float32, err error) {
	if axes == nil {
		for i := range shape {
			axes = append(axes, i)
		}
	}
	if _, err := axisSet(axes, len(shape)); err != nil {
		return nil, nil, err
	}
	wanted, err := c.sizes(sizesAt, "the sizes")
	if err != nil {
		return nil, nil, err
	}
	factors, err := c.constant(scalesAt, "the scales")
	if err != nil {
		return nil, nil, err
	}
	switch {
	case wanted != nil && len(wanted) == len(axes):
		sizes = make([]int, len(shape))
		for i, axis := range axes {
			if a, _ := axisIn(axis, len(shape)); wanted[i] != shape[a] {
				sizes[a] = wanted[i]
			}
		}
		return sizes, nil, nil
	case wanted == nil && factors != nil && len(factors.floats) == len(axes):
		scales = slices.Repeat([]float32{1}, len(shape))
		for i, axis := range axes {
			a, _ := axisIn(axis, len(shape))
			scales[a] = factors.floats[i]
		}
		return asSizes(shape, scales)
	}
	return nil, nil, c.refused("want a size or a scale for each of %d axes", len(axes))
}

// asSizes gives scales as the sizes that they make, where those have exactly these scales.
func asSizes(shape tensor.Shape, scales []float32) ([]int, []float32, error) {
	sizes := make([]int, len(shape))
	for i, d := range shape {
		if scales[i] == 1 {
			continue
		}
		size := float32(d) * scales[i]
		if isOpen(d) || !(size >= 1 && size < op.MaxElements) || float32(int(size))/float32(d) != scales[i] {
			return nil, scales, nil
		}
		sizes[i] = int(size)
	}
	return sizes, nil, nil
}

// resizedTo notes the size to which the image itself is resized, before any layer.
func (c *call) resizedTo(x *value, shape tensor.Shape) {
	if len(shape) != 4 || c.ownSize != (photo.Size{}) || !early(x, 0) {
		return
	}
	if c.ownSize = (photo.Size{H: shape[2], W: shape[3]}); shape[1] != x.shape[1] { // (N, H, W, C)
		c.ownSize = photo.Size{H: shape[1], W: shape[2]}
	}
}

// early tells whether v is the image after nothing but arithmetic and moves.
func early(v *value, steps int) bool {
	const most = 16
	s := v.resolve().step
	if s == nil || v.constant != nil {
		return true
	}
	if steps == most {
		return false
	}
	switch s.op.(type) {
	case *op.Transpose, *op.Gather, *op.Slice, *op.Concat, *op.Unsqueeze:
	default:
		if !op.Elementwise(s.op) {
			return false
		}
	}
	return !slices.ContainsFunc(s.in, func(in *value) bool { return !early(in, steps+1) })
}

// writeResize writes scales: sizes would bind the number of images.
func writeResize(e *exporter, o *op.Resize, in []string) {
	from, to := op.Inputs(e.current)[0].Shape(), e.current.Shape()
	scales := slices.Clone(o.Scales)
	if scales == nil {
		for i := range from {
			scale := float32(to[i]) / float32(from[i])
			for int(float32(from[i])*scale) < to[i] { // rounded below
				scale = math.Nextafter32(scale, math.MaxFloat32)
			}
			scales = append(scales, scale)
		}
	}
	attributes := [][]byte{textAttribute("mode", o.Mode), textAttribute("coordinate_transformation_mode", o.Coordinates), textAttribute("nearest_mode", o.Nearest)}
	if o.Mode == "cubic" {
		attributes = append(attributes, floatAttribute("cubic_coeff_a", o.Cubic))
	}
	if o.ExcludeOutside {
		attributes = append(attributes, flagAttribute("exclude_outside", true))
	}
	if o.Antialias {
		attributes = append(attributes, flagAttribute("antialias", true))
	}
	e.node("Resize", []string{in[0], "", e.floats("scales", []int{len(scales)}, scales)}, attributes...)
}
