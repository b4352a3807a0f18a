package onnx

import (
	"slices"

	"regraft/photo"
)

// Types other than float32 on the way of the image. Halves are computed in float32, like everything; pixels, which
// are uint8, may only be moved until they are cast.

// moving are the operators that do not compute on the elements of their first operand.
var moving = []string{
	"Identity", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Split", "Gather", "Concat", "Expand", "Shape", "Size",
}

// passPixels refuses arithmetic on uint8, which wraps and rounds, and notes which results are uint8 again.
func (c *call) passPixels() error {
	if !slices.ContainsFunc(c.node.in, func(v *value) bool { return v != nil && v.pixels }) || c.node.opType == "Cast" || c.node.opType == "CastLike" {
		return nil
	}
	if !slices.Contains(moving, c.node.opType) {
		return c.refused("it computes on uint8, only float32 is computed on")
	}
	for _, out := range c.node.out {
		if out != nil && c.node.opType != "Shape" && c.node.opType != "Size" {
			out.pixels = true
		}
	}
	return nil
}

// isHalf tells whether t has 16 bits.
func isHalf(t dataType) bool { return t == typeFloat16 || t == typeBFloat16 }

// half tells whether the file gives the value 16 bits.
func (v ValueInfo) half() bool {
	return v.DType == typeFloat16.String() || v.DType == typeBFloat16.String()
}

// plainPixels is the only preprocessing that a uint8 input leaves: the photo's pixels as they are. The metadata, if any, says how
// the photo is resized, and which order of channels it has.
func plainPixels(told *photo.Preprocess, in *imageInput) *photo.Preprocess {
	p := photo.Pixels(in.size)
	if told != nil {
		p.Size, p.Short, p.Resize, p.Resample, p.Channels, p.Decode = told.Size, told.Short, told.Resize, told.Resample, told.Channels, told.Decode
	}
	return p
}

// widened is the type that values of type t are computed in.
func widened(t dataType) dataType {
	if isHalf(t) {
		return typeFloat
	}
	return t
}
