package onnx

import (
	"math"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Operators that compute element by element.

// lowerUnary builds operators of one operand without attributes.
func lowerUnary(make func() op.Op) func(*call) error {
	return func(c *call) error {
		x, err := c.tensor(0)
		if err != nil {
			return err
		}
		return c.emit(make(), x)
	}
}

// lowerBinary builds operators of two operands that broadcast.
func lowerBinary(make func() op.Op) func(*call) error {
	return func(c *call) error {
		in, err := c.tensors()
		if err != nil {
			return err
		}
		for i := range in {
			in[i] = ranked(in[i])
		}
		return c.emit(make(), in...)
	}
}

// ranked gives a known scalar the shape (1), which broadcasts alike.
func ranked(v *value) *value {
	if v.constant == nil || len(v.shape) > 0 {
		return v
	}
	return derived(v, tensor.Shape{1}, v.constant.floats)
}

// lowerSum adds its operands one after the other.
func lowerSum(c *call) error {
	in, err := c.tensors()
	if err != nil {
		return err
	}
	sum := in[0]
	for i, v := range in[1:] {
		if i == len(in)-2 {
			return c.emit(&op.Add{}, sum, ranked(v))
		}
		if sum, err = c.step("partial", &op.Add{}, sum, ranked(v)); err != nil {
			return err
		}
	}
	return c.same(sum)
}

// lowerClip reads limits from attributes (before opset 11) or operands.
func lowerClip(c *call) error {
	limits := [2]float32{c.float("min", -math.MaxFloat32), c.float("max", math.MaxFloat32)}
	for i, name := range []string{"the lower limit", "the upper limit"} {
		k, err := c.constant(i+1, name)
		if err != nil {
			return err
		}
		if k != nil {
			if k.size() != 1 || k.floats == nil {
				return c.refused("%s is %v of shape %v, want a float32 scalar", name, k.dtype, k.shape)
			}
			limits[i] = k.floats[0]
		}
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	return c.emit(&op.Clip{Min: limits[0], Max: limits[1]}, x)
}

func lowerHardSigmoid(c *call) error {
	o := &op.HardSigmoid{Alpha: c.float("alpha", 0.2), Beta: c.float("beta", 0.5)}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	return c.emit(o, x)
}

func lowerGelu(c *call) error {
	if a := c.text("approximate", "none"); a != "none" {
		return c.refused("attribute approximate is %q, only none is supported", a)
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	return c.emit(&op.Gelu{}, x)
}
