package onnx

import (
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Activations beside Relu.

// lowerActivation builds operators of one operand out of their attributes.
func lowerActivation(make func(c *call) op.Op) func(*call) error {
	return func(c *call) error {
		o := make(c)
		x, err := c.tensor(0)
		if err != nil {
			return err
		}
		return c.emit(o, x)
	}
}

func leakyRelu(c *call) op.Op { return &op.LeakyRelu{Alpha: c.float("alpha", 0.01)} }

func thresholdedRelu(c *call) op.Op { return &op.ThresholdedRelu{Alpha: c.float("alpha", 1)} }

func elu(c *call) op.Op { return &op.Elu{Alpha: c.float("alpha", 1), Gamma: 1, Rate: 1} }

// selu had rounder constants before opset 6.
func selu(c *call) op.Op {
	alpha, gamma := float32(1.67326319217681884765625), float32(1.05070102214813232421875)
	if c.opset() < 6 {
		alpha, gamma = 1.6732, 1.0507
	}
	return &op.Elu{Alpha: c.float("alpha", alpha), Gamma: c.float("gamma", gamma), Rate: 1}
}

func celu(c *call) op.Op {
	alpha := c.float("alpha", 1)
	if alpha == 0 {
		c.refused("attribute alpha is 0, by which it divides")
	}
	return &op.Elu{Alpha: alpha, Gamma: 1, Rate: 1 / alpha}
}

// absoluteValue is the LeakyRelu of slope -1.
func absoluteValue(*call) op.Op { return &op.LeakyRelu{Alpha: -1} }

// lowerPRelu takes slopes (C) of files before opset 7 to (C, 1, 1), which broadcasts alike.
func lowerPRelu(c *call) error {
	in, err := c.tensors()
	if err != nil {
		return err
	}
	if len(in) != 2 {
		return c.refused("%d operands, want 2", len(in))
	}
	x, slope := in[0], ranked(in[1])
	if c.opset() < 7 && slope.constant != nil && len(slope.shape) == 1 {
		shape := tensor.Shape{slope.shape[0]}
		for range x.shape[min(2, len(x.shape)):] {
			shape = append(shape, 1)
		}
		slope = derived(slope, shape, slope.constant.floats)
	}
	return c.emit(&op.PRelu{}, x, slope)
}

func writeLeakyRelu(e *exporter, o *op.LeakyRelu, in []string) {
	if o.Alpha == -1 {
		e.node("Abs", in)
		return
	}
	e.node("LeakyRelu", in, floatAttribute("alpha", o.Alpha))
}

func writeThresholdedRelu(e *exporter, o *op.ThresholdedRelu, in []string) {
	e.node("ThresholdedRelu", in, floatAttribute("alpha", o.Alpha))
}

func writeElu(e *exporter, o *op.Elu, in []string) {
	alpha := floatAttribute("alpha", o.Alpha)
	switch {
	case o.Rate != 1:
		e.node("Celu", in, alpha)
	case o.Gamma != 1:
		e.node("Selu", in, alpha, floatAttribute("gamma", o.Gamma))
	default:
		e.node("Elu", in, alpha)
	}
}

// writeMish writes x * Tanh(Softplus(x)) before opset 18.
func writeMish(e *exporter, _ *op.Mish, in []string) {
	if e.form.opset >= 18 {
		e.node("Mish", in)
		return
	}
	e.node("Mul", []string{in[0], e.inner("Tanh", []string{e.inner("Softplus", in)})})
}
