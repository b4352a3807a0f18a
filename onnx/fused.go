package onnx

import (
	"fmt"
	"slices"

	"regraft/engine/op"
)

// ONNX Runtime's own operators (domain com.microsoft), which it puts in the place of several when it saves a model
// that it has optimised. They are taken apart again.

// within lowers a part of the node, whose result is not the node's own.
func (c *call) within(lower func(*call) error) (*value, error) {
	part, n, proto := *c, *c.node, *c.node.nodeProto
	proto.outputs = []string{proto.outputs[0] + "/inner"}
	out := &value{name: proto.outputs[0]}
	n.nodeProto, n.out = &proto, []*value{out}
	part.node = &n
	err := lower(&part)
	return out.resolve(), err
}

// lowerFusedConv is a convolution, to which another value may be added, and an activation.
func lowerFusedConv(c *call) error {
	activation, err := c.activation(c.floats("activation_params"))
	if err != nil {
		return err
	}
	y, err := c.within(func(c *call) error {
		conv, err := c.conv()
		if err != nil {
			return err
		}
		in := make([]*value, 0, 3)
		for i := range min(len(c.node.in), 3) {
			if c.operand(i) == nil {
				continue
			}
			v, err := c.tensor(i)
			if err != nil {
				return err
			}
			in = append(in, v)
		}
		return c.emit(conv, in...)
	})
	if err == nil && c.operand(3) != nil {
		var summand *value
		if summand, err = c.tensor(3); err == nil {
			y, err = c.onto("Add", y, summand)
		}
	}
	if err != nil {
		return err
	}
	return c.activate(activation, y)
}

// onto adds a value to y, whose shape stays.
func (c *call) onto(suffix string, y, summand *value) (*value, error) {
	if err := c.fits(summand, y); err != nil {
		return nil, err
	}
	return c.step(suffix, &op.Add{}, y, summand)
}

// lowerFusedGemm is Gemm and an activation.
func lowerFusedGemm(c *call) error {
	activation, err := c.activation([]float32{c.float("activation_alpha", 0), c.float("activation_beta", 0), c.float("activation_gamma", 0)})
	if err != nil {
		return err
	}
	y, err := c.within(lowerGemm)
	if err != nil {
		return err
	}
	return c.activate(activation, y)
}

// activation is the operator that the attribute activation names, nil for none.
func (c *call) activation(params []float32) (op.Op, error) {
	param := func(i int) float32 {
		if i < len(params) {
			return params[i]
		}
		return 0
	}
	switch name := c.text("activation", ""); {
	case name == "":
		return nil, nil
	case name == "Relu":
		return &op.Relu{}, nil
	case name == "Sigmoid":
		return &op.Sigmoid{}, nil
	case name == "Tanh":
		return &op.Tanh{}, nil
	case name == "LeakyRelu" && len(params) >= 1:
		return &op.LeakyRelu{Alpha: param(0)}, nil
	case name == "Clip" && len(params) >= 2:
		return &op.Clip{Min: param(0), Max: param(1)}, nil
	case name == "HardSigmoid" && len(params) >= 2:
		return &op.HardSigmoid{Alpha: param(0), Beta: param(1)}, nil
	default:
		return nil, c.refused("attribute activation is %s with parameters %v", quoted(name), params)
	}
}

func (c *call) activate(activation op.Op, y *value) error {
	if activation == nil {
		return c.same(y)
	}
	return c.add(c.node.label()+"/"+activation.Name(), activation, []*value{y}, c.node.out[0])
}

// lowerFusedMatMul is MatMul of operands that may be transposed, times a number.
func lowerFusedMatMul(c *call) error {
	alpha := c.float("alpha", 1)
	batches := [2]bool{c.flag("transBatchA", false), c.flag("transBatchB", false)}
	flags := [2]bool{c.flag("transA", false), c.flag("transB", false)}
	in, err := c.tensors()
	if err != nil {
		return err
	}
	for i, transpose := range flags {
		rank := len(in[i].shape)
		if !transpose && !batches[i] || rank < 2 {
			continue
		}
		var perm []int
		for k := range rank {
			perm = append(perm, k)
		}
		if batches[i] { // the first axis is that of rows, behind those of the batch
			perm = slices.Concat(perm[1:rank-1], perm[:1], perm[rank-1:])
		}
		if transpose {
			slices.Reverse(perm[rank-2:])
		}
		if in[i], err = c.step([]string{"transA", "transB"}[i], &op.Transpose{Perm: perm}, in[i]); err != nil {
			return err
		}
	}
	if alpha == 1 {
		return c.product(in[0], in[1])
	}
	if in[1].constant != nil {
		return c.product(in[0], scaled(in[1], alpha))
	}
	y, err := c.within(func(c *call) error { return c.product(in[0], in[1]) })
	if err != nil {
		return err
	}
	return c.emit(&op.Mul{}, y, c.scalar(alpha))
}

// lowerQuickGelu is x * Sigmoid(alpha * x), SiLU for an alpha of 1.
func lowerQuickGelu(c *call) error {
	alpha := c.float("alpha", 1.702)
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	if alpha == 1 {
		return c.emit(&op.SiLU{}, x)
	}
	scaled, err := c.step("Mul", &op.Mul{}, x, c.scalar(alpha))
	if err != nil {
		return err
	}
	gate, err := c.step("Sigmoid", &op.Sigmoid{}, scaled)
	if err != nil {
		return err
	}
	return c.emit(&op.Mul{}, x, gate)
}

// lowerBiasGelu is Gelu(x + b), b along the last axis.
func lowerBiasGelu(c *call) error {
	in, err := c.tensors()
	if err != nil {
		return err
	}
	sum, err := c.onto("Add", in[0], in[1])
	if err != nil {
		return err
	}
	return c.emit(&op.Gelu{}, sum)
}

// lowerFastGelu is Gelu by tanh, of x + b where there is a b along the last axis.
func lowerFastGelu(c *call) error {
	in, err := c.tensors()
	if err != nil {
		return err
	}
	sum := in[0]
	if len(in) > 1 {
		if sum, err = c.onto("Add", sum, in[1]); err != nil {
			return err
		}
	}
	return c.emit(&op.Gelu{Tanh: true}, sum)
}

// lowerSkipLayerNorm is the LayerNormalization of a sum, of x, another value and a bias; the fourth result is the sum itself.
func lowerSkipLayerNorm(c *call) error {
	o := &op.LayerNorm{Axis: -1, Epsilon: c.float("epsilon", 1e-12)}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	for i, at := range []int{1, 4} {
		if c.operand(at) == nil {
			continue
		}
		v, err := c.tensor(at)
		if err == nil {
			x, err = c.onto(fmt.Sprint("sum", i), x, v)
		}
		if err != nil {
			return err
		}
	}
	o.Axis += len(x.shape)
	in := []*value{x}
	for _, at := range []int{2, 3} {
		if c.operand(at) == nil {
			continue
		}
		v, err := c.tensor(at)
		if err != nil {
			return err
		}
		in = append(in, v)
	}
	if len(c.node.out) > 3 {
		if err := c.alias(3, x); err != nil {
			return err
		}
	}
	return c.emit(o, in...)
}
