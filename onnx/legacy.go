package onnx

import (
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Old forms of operators (opset 1 to 6, files of the years 2017 and 2018), as far as they are not read where the operator is.

// onceBroadcast are the operators whose second operand was laid along the first one's axes by attributes.
var onceBroadcast = []string{"Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less", "PRelu"}

// modernise takes an old node to the form that it has had since opset 7.
func (c *call) modernise() error {
	if c.node.domain != "" || c.opset() >= 7 {
		return nil
	}
	// They say where results lie, that all is done for inference, and that Gemm's C may be smaller, which is seen.
	c.ignore("consumed_inputs", "is_test")
	if c.node.opType == "Gemm" {
		c.ignore("broadcast")
	}
	if slices.Contains(onceBroadcast, c.node.opType) && len(c.node.in) == 2 {
		return c.align()
	}
	return nil
}

// align gives the second operand axes of size 1 behind its own, so that it broadcasts as attributes axis and broadcast say.
func (c *call) align() error {
	slope := c.node.opType == "PRelu"
	broadcast, axis := slope || c.flag("broadcast", false), c.int("axis", -1)
	if slope {
		axis = 1
	}
	a, b := c.operand(0), c.operand(1)
	if a == nil || b == nil || a.shape == nil || b.shape == nil {
		return nil // which is told where the operator is lowered
	}
	if !broadcast && !a.shape.Eq(b.shape) {
		return c.refused("operands of shapes %v and %v without attribute broadcast", a.shape, b.shape)
	}
	if !broadcast || axis < 0 || sizeOf(b.shape) == 1 {
		return nil
	}
	behind := len(a.shape) - len(b.shape) - axis
	if behind < 0 {
		return c.refused("an operand of shape %v does not fit along axis %d of shape %v", b.shape, axis, a.shape)
	}
	if behind == 0 {
		return nil
	}
	shape, axes := b.shape.Clone(), []int(nil)
	for range behind {
		axes = append(axes, len(shape))
		shape = append(shape, 1)
	}
	aligned, err := c.reshapedTo(b, shape, axes)
	if err != nil {
		return err
	}
	c.node.in = []*value{c.node.in[0], aligned}
	return nil
}

// reshapedTo is a value with new axes of size 1, which its new shape has already.
func (c *call) reshapedTo(v *value, shape tensor.Shape, axes []int) (*value, error) {
	if v.constant == nil {
		return c.step("aligned", &op.Unsqueeze{Axes: axes}, v)
	}
	k, err := reshaped(v.constant, shape)
	if err != nil {
		return nil, err
	}
	return &value{name: v.name, shape: shape, constant: k[0]}, nil
}

// since is the name of an attribute from an opset on, and what it was called before.
func (c *call) since(opset int, name, before string) string {
	if c.opset() < opset {
		return before
	}
	return name
}

// castTo reads the type that Cast is to give, which was a word before opset 6.
func (c *call) castTo() dataType {
	if c.opset() >= 6 {
		return dataType(c.int("to", 0))
	}
	word := c.text("to", "")
	for t, name := range typeWords {
		if strings.EqualFold(word, name) {
			return t
		}
	}
	c.refused("attribute to is %s, which is no type that is read", quoted(word))
	return typeFloat
}

// typeWords are the names of TensorProto.DataType.
var typeWords = map[dataType]string{
	typeFloat: "FLOAT", typeUint8: "UINT8", typeInt8: "INT8", typeUint16: "UINT16", typeInt16: "INT16", typeInt32: "INT32",
	typeInt64: "INT64", typeBool: "BOOL", typeDouble: "DOUBLE", typeUint32: "UINT32", typeUint64: "UINT64",
}
