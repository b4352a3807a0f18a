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

// foldPow has the type of the base, whatever the exponent's.
func foldPow(c *call, in []*constant) ([]*constant, error) {
	exponent, err := c.cast(in[1], typeDouble)
	if err != nil {
		return nil, err
	}
	base, err := c.cast(in[0], typeDouble)
	if err != nil {
		return nil, err
	}
	power, err := c.binary(arithmetic{real: math.Pow}, base[0], exponent[0], typeDouble)
	if err != nil {
		return nil, err
	}
	return c.cast(power, in[0].dtype)
}

// lowerPow accepts a known exponent of any type.
func lowerPow(c *call) error {
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	exponent := c.operand(1)
	if k := exponent.constant; k != nil && k.dtype != typeFloat {
		cast, err := c.cast(k, typeFloat)
		if err != nil {
			return err
		}
		exponent = &value{name: exponent.name, shape: k.shape, constant: cast[0]}
	} else if exponent, err = c.tensor(1); err != nil {
		return err
	}
	return c.emit(&op.Pow{}, ranked(x), ranked(exponent))
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

// limit builds Min and Max of a value and known numbers, which is how ReLU6 was spelled before Clip.
func limit(f arithmetic, clip func(bound float32) op.Op) func(*call) error {
	return func(c *call) error {
		in, err := c.tensors()
		if err != nil {
			return err
		}
		var x *value
		var bound *constant
		for i, v := range in {
			switch {
			case v.constant == nil && x == nil:
				x = v
			case v.constant == nil:
				return c.refused("two operands are computed from the image: only limits that are known are supported")
			case v.constant.size() != 1:
				return c.refused("operand %d has shape %v: only single numbers are supported as limits", i, v.shape)
			case bound == nil:
				bound = v.constant
			default:
				if bound, err = c.binary(f, bound, v.constant, typeFloat); err != nil {
					return err
				}
			}
		}
		if bound == nil {
			return c.same(x)
		}
		if extra := len(bound.shape) - len(x.shape); extra > 0 {
			return c.refused("a limit of shape %v gives %v more axes", bound.shape, extra)
		}
		return c.emit(clip(bound.floats[0]), x)
	}
}

// atMost and atLeast are Clip with one limit.
func atMost(bound float32) op.Op { return &op.Clip{Min: -math.MaxFloat32, Max: bound} }

func atLeast(bound float32) op.Op {
	if bound == 0 {
		return &op.Relu{}
	}
	return &op.Clip{Min: bound, Max: math.MaxFloat32}
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
	a := c.text("approximate", "none")
	if a != "none" && a != "tanh" {
		return c.refused("attribute approximate is %s, only none and tanh are supported", quoted(a))
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	return c.emit(&op.Gelu{Tanh: a == "tanh"}, x)
}

func writeClip(e *exporter, o *op.Clip, in []string) {
	e.node("Clip", append(in, e.scalar("min", o.Min), e.scalar("max", o.Max)))
}

func writeHardSigmoid(e *exporter, o *op.HardSigmoid, in []string) {
	e.node("HardSigmoid", in, floatAttribute("alpha", o.Alpha), floatAttribute("beta", o.Beta))
}

// writeHardSwish writes x * HardSigmoid(x) before opset 14.
func writeHardSwish(e *exporter, _ *op.HardSwish, in []string) {
	if e.form.opset >= 14 {
		e.node("HardSwish", in)
		return
	}
	e.node("Mul", []string{in[0], e.inner("HardSigmoid", in, floatAttribute("alpha", 1.0/6), floatAttribute("beta", 0.5))})
}

// writeSiLU writes x * Sigmoid(x).
func writeSiLU(e *exporter, _ *op.SiLU, in []string) {
	e.node("Mul", []string{in[0], e.inner("Sigmoid", in)})
}

// writeGelu writes x * (1 + Erf(x / sqrt 2)) * 0.5, or x * (1 + Tanh(sqrt(2/pi) * (x + 0.044715*x*x*x))) * 0.5.
func writeGelu(e *exporter, o *op.Gelu, in []string) {
	if o.Tanh {
		cube := e.inner("Mul", []string{e.inner("Mul", []string{in[0], in[0]}), in[0]})
		sum := e.inner("Add", []string{in[0], e.inner("Mul", []string{cube, e.scalar("cubic", 0.044715)})})
		tanh := e.inner("Tanh", []string{e.inner("Mul", []string{sum, e.scalar("slope", float32(math.Sqrt(2/math.Pi)))})})
		factor := e.inner("Add", []string{tanh, e.scalar("one", 1)})
		e.node("Mul", []string{e.inner("Mul", []string{in[0], factor}), e.scalar("half", 0.5)})
		return
	}
	root := e.inner("Div", []string{in[0], e.scalar("root", math.Sqrt2)})
	factor := e.inner("Add", []string{e.inner("Erf", []string{root}), e.scalar("one", 1)})
	e.node("Mul", []string{e.inner("Mul", []string{in[0], factor}), e.scalar("half", 0.5)})
}

// writeAffine writes a factor and a summand per channel.
func writeAffine(e *exporter, o *op.Affine, in []string) {
	shape := []int{1, len(o.Scale), 1, 1}
	product := e.inner("Mul", []string{in[0], e.floats("scale", shape, o.Scale)})
	e.node("Add", []string{product, e.floats("shift", shape, o.Shift)})
}
