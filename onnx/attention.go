package onnx

import (
	"math"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Operators of transformers that newer opsets have, taken apart into those that exporters wrote before.

// lowerAttention is Softmax(scale*Q*K' + mask)*V for heads (N, heads, tokens, size), or for tokens (N, tokens, heads*size) with the
// numbers of heads as attributes. Caches of earlier tokens are not read.
func lowerAttention(c *call) error {
	scale, cap := c.float("scale", 0), c.float("softcap", 0)
	causal, heads, keyHeads := c.flag("is_causal", false), c.int("q_num_heads", 0), c.int("kv_num_heads", 0)
	c.ignore("qk_matmul_output_mode", "softmax_precision")
	if c.operand(4) != nil || c.operand(5) != nil {
		return c.refused("it continues from earlier tokens (past_key, past_value)")
	}
	var in [3]*value
	for i := range in {
		x, err := c.tensor(i)
		if err != nil {
			return err
		}
		if in[i], err = c.splitHeads(x, []int{heads, keyHeads, keyHeads}[i], "qkv"[i:i+1]); err != nil {
			return err
		}
	}
	flat := len(c.operand(0).shape) == 3
	q, k, v := in[0], in[1], in[2]
	if scale == 0 {
		scale = float32(1 / math.Sqrt(float64(q.shape[3])))
	}
	var err error
	if k, v, err = c.sharedHeads(q, k, v); err != nil {
		return err
	}
	kt, err := c.step("keys", &op.Transpose{Perm: []int{0, 1, 3, 2}}, k)
	if err != nil {
		return err
	}
	if q, err = c.step("scale", &op.Mul{}, q, c.scalar(scale)); err != nil {
		return err
	}
	scores, err := c.step("scores", &op.MatMul{}, q, kt)
	if err != nil {
		return err
	}
	if scores, err = c.capped(scores, cap); err != nil {
		return err
	}
	if scores, err = c.masked(scores, causal); err != nil {
		return err
	}
	weights, err := c.step("weights", &op.Softmax{Axis: 3}, scores)
	if err != nil {
		return err
	}
	if !flat {
		return c.emit(&op.MatMul{}, weights, v)
	}
	y, err := c.step("values", &op.MatMul{}, weights, v)
	if err != nil {
		return err
	}
	if y, err = c.step("tokens", &op.Transpose{Perm: []int{0, 2, 1, 3}}, y); err != nil {
		return err
	}
	return c.emit(joinHeads(y.shape), y)
}

// joinHeads makes one axis of heads and sizes: (N, tokens, heads, size) to (N, tokens, heads*size).
func joinHeads(shape tensor.Shape) op.Op {
	return reshape(shape, tensor.Shape{shape[0], shape[1], shape[2] * shape[3]})
}

// splitHeads takes (N, tokens, heads*size) to (N, heads, tokens, size), and leaves what has four axes.
func (c *call) splitHeads(x *value, heads int, name string) (*value, error) {
	switch {
	case len(x.shape) == 4 && openAxis(x.shape) <= 0:
		return x, nil
	case len(x.shape) != 3 || openAxis(x.shape) > 0:
		return nil, c.refused("operand %s has shape %v: (N, heads, tokens, size) or (N, tokens, heads*size) is supported", name, x.shape)
	case heads < 1 || x.shape[2]%heads != 0:
		return nil, c.refused("%d heads for operand %s of shape %v", heads, name, x.shape)
	}
	to := tensor.Shape{x.shape[0], x.shape[1], heads, x.shape[2] / heads}
	split, err := c.step(name+"/heads", reshape(x.shape, to), x)
	if err != nil {
		return nil, err
	}
	return c.step(name, &op.Transpose{Perm: []int{0, 2, 1, 3}}, split)
}

// sharedHeads repeats keys and values where several heads of queries share one of theirs.
func (c *call) sharedHeads(q, k, v *value) (keys, values *value, err error) {
	heads, own := q.shape[1], k.shape[1]
	if heads == own {
		return k, v, nil
	}
	if heads%own != 0 || v.shape[1] != own {
		return nil, nil, c.refused("%d heads of queries for %d and %d of keys and values", heads, own, v.shape[1])
	}
	var indices []int
	for h := range heads {
		indices = append(indices, h*own/heads)
	}
	repeat := &op.Gather{Axis: 1, Indices: indices, IndexShape: []int{heads}}
	if keys, err = c.step("shared keys", repeat, k); err != nil {
		return nil, nil, err
	}
	values, err = c.step("shared values", repeat, v)
	return keys, values, err
}

// capped is cap*Tanh(scores/cap), the scores themselves without a cap.
func (c *call) capped(scores *value, cap float32) (*value, error) {
	if cap == 0 {
		return scores, nil
	}
	for _, o := range []struct {
		name   string
		op     op.Op
		factor float32
	}{{"uncapped", &op.Mul{}, 1 / cap}, {"tanh", &op.Tanh{}, 0}, {"capped", &op.Mul{}, cap}} {
		in := []*value{scores}
		if o.factor != 0 {
			in = append(in, c.scalar(o.factor))
		}
		var err error
		if scores, err = c.step(o.name, o.op, in...); err != nil {
			return nil, err
		}
	}
	return scores, nil
}

// masked adds the mask of operand 3, numbers or what is true where tokens are seen, and minus infinity to tokens that come later.
func (c *call) masked(scores *value, causal bool) (*value, error) {
	mask := c.operand(3)
	if mask != nil {
		v, err := c.additive(mask)
		if err == nil {
			scores, err = c.onto("masked", scores, v)
		}
		if err != nil {
			return nil, err
		}
	}
	if !causal {
		return scores, nil
	}
	rows, cols := scores.shape[2], scores.shape[3]
	k, err := c.allocate(typeFloat, tensor.Shape{rows, cols})
	if err != nil {
		return nil, err
	}
	for i := range k.floats {
		if i%cols > i/cols {
			k.floats[i] = float32(math.Inf(-1))
		}
	}
	return c.step("causal", &op.Add{}, scores, known(c.node.label()+"/causal", k))
}

// additive is a mask as what is added to scores.
func (c *call) additive(mask *value) (*value, error) {
	k := mask.constant
	if source := repeatedFrom(mask); source != nil {
		k = source.constant
	}
	switch {
	case k == nil && mask.unknown():
		return nil, errUnknown
	case k == nil && mask.truth:
		return c.step("mask", &op.Where{}, c.scalar(0), c.scalar(float32(math.Inf(-1))), mask)
	case k == nil || k.dtype == typeFloat:
		return c.tensor(3)
	case k.dtype != typeBool:
		return nil, c.refused("the mask is %v", k.dtype)
	}
	numbers, err := c.allocate(typeFloat, k.shape)
	if err != nil {
		return nil, err
	}
	for i, seen := range k.ints {
		if seen == 0 {
			numbers.floats[i] = float32(math.Inf(-1))
		}
	}
	if !slices.Contains(k.ints, 0) { // all is seen
		return c.scalar(0), nil
	}
	return ranked(known(mask.name, numbers)), nil
}
