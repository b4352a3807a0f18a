package onnx

import (
	"fmt"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Positions of tokens as rotations.

// lowerRotary turns pairs of a head's numbers by the angles of their positions, whose cosines and sines are known:
// (a, b) becomes (a*cos - b*sin, a*sin + b*cos).
func lowerRotary(c *call) error {
	interleaved, width, heads := c.flag("interleaved", false), c.int("rotary_embedding_dim", 0), c.int("num_heads", 0)
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	flat := len(x.shape) == 3
	if x, err = c.splitHeads(x, heads, "x"); err != nil {
		return err
	}
	size := x.shape[3]
	if width == 0 {
		width = size
	}
	if width < 2 || width%2 != 0 || width > size {
		return c.refused("%d of %d numbers of a head are turned", width, size)
	}
	cos, err := c.angles(1, x.shape[2], width/2)
	if err != nil {
		return err
	}
	sin, err := c.angles(2, x.shape[2], width/2)
	if err != nil {
		return err
	}
	// The halves of all pairs, first and second, lie apart, or alternate.
	from, step, far := []int{0, width / 2}, 1, []int{width / 2, width}
	if interleaved {
		from, step, far = []int{0, 1}, 2, []int{width, width}
	}
	var part [2]*value
	for i := range part {
		cut := &op.Slice{Starts: from[i : i+1], Ends: far[i : i+1], Axes: []int{3}, Steps: []int{step}}
		if part[i], err = c.step(fmt.Sprint("part", i), cut, x); err != nil {
			return err
		}
	}
	turned, err := c.turned(part, cos, sin)
	if err != nil {
		return err
	}
	if interleaved {
		for i := range turned {
			if turned[i], err = c.step(fmt.Sprint("pair", i), &op.Unsqueeze{Axes: []int{4}}, turned[i]); err != nil {
				return err
			}
		}
	}
	axis := 3
	if interleaved {
		axis = 4
	}
	y, err := c.step("turned", &op.Concat{Axis: axis}, turned[0], turned[1])
	if err != nil {
		return err
	}
	if interleaved {
		if y, err = c.step("pairs", reshape(y.shape, append(y.shape[:3].Clone(), width)), y); err != nil {
			return err
		}
	}
	if width < size {
		rest, err := c.step("rest", &op.Slice{Starts: []int{width}, Ends: []int{size}, Axes: []int{3}, Steps: []int{1}}, x)
		if err != nil {
			return err
		}
		if y, err = c.step("whole", &op.Concat{Axis: 3}, y, rest); err != nil {
			return err
		}
	}
	if !flat {
		return c.same(y)
	}
	if y, err = c.step("tokens", &op.Transpose{Perm: []int{0, 2, 1, 3}}, y); err != nil {
		return err
	}
	return c.emit(joinHeads(y.shape), y)
}

// turned computes (a*cos - b*sin, a*sin + b*cos).
func (c *call) turned(part [2]*value, cos, sin *value) (turned [2]*value, err error) {
	for i, o := range []op.Op{&op.Sub{}, &op.Add{}} {
		factors := [2]*value{cos, sin}
		if i == 1 {
			factors = [2]*value{sin, cos}
		}
		var products [2]*value
		for k := range products {
			if products[k], err = c.step(fmt.Sprintf("product%d%d", i, k), &op.Mul{}, part[k], factors[k]); err != nil {
				return turned, err
			}
		}
		if turned[i], err = c.step(fmt.Sprint("half", i), o, products[0], products[1]); err != nil {
			return turned, err
		}
	}
	return turned, nil
}

// angles is a table of cosines or sines as (1, 1, tokens, half): operand i for every token, or picked by known positions (operand 3).
func (c *call) angles(i, tokens, half int) (*value, error) {
	k, err := c.constant(i, "the table of angles")
	if err != nil {
		return nil, err
	}
	if positions, err := c.constant(3, "the list of positions"); err != nil {
		return nil, err
	} else if positions != nil {
		indices, err := c.integers(3, "the list of positions")
		if err != nil {
			return nil, err
		}
		if indices, err = sameRows(indices, tokens); err != nil || len(k.shape) != 2 {
			return nil, c.refused("positions of shape %v in a table of shape %v", positions.shape, k.shape)
		}
		picked, err := c.take(k, 0, tensor.Shape{len(indices)}, indices)
		if err != nil {
			return nil, err
		}
		k = picked[0]
	}
	if k.floats == nil || k.size() != tokens*half {
		return nil, c.refused("a table of angles of shape %v for %d tokens and %d pairs", k.shape, tokens, half)
	}
	table, err := reshaped(k, tensor.Shape{1, 1, tokens, half})
	if err != nil {
		return nil, err
	}
	return known(c.operand(i).name, table[0]), nil
}

// sameRows is the first of rows that are all the same: every image has the same positions.
func sameRows(list []int, row int) ([]int, error) {
	if len(list) == 0 || len(list)%row != 0 {
		return nil, fmt.Errorf("%d positions for %d tokens", len(list), row)
	}
	for i, v := range list {
		if v != list[i%row] {
			return nil, fmt.Errorf("positions differ between images")
		}
	}
	return list[:row], nil
}
