package onnx

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"
)

// Operators on known values that pick elements by position, repeat them, or make one of several.

// positions is the index of each element of a shape in row-major order; the slice is overwritten from one to the next.
func positions(shape tensor.Shape) func(yield func(i int, at []int) bool) {
	return func(yield func(i int, at []int) bool) {
		at := make([]int, len(shape))
		for i := range sizeOf(shape) {
			if !yield(i, at) {
				return
			}
			for a := len(at) - 1; a >= 0; a-- {
				if at[a]++; at[a] < shape[a] {
					break
				}
				at[a] = 0
			}
		}
	}
}

// foldNonZero lists the positions of elements that are not 0, one row an axis.
func foldNonZero(c *call, in []*constant) ([]*constant, error) {
	x := in[0]
	if err := c.spend(x.size()); err != nil {
		return nil, err
	}
	count := 0
	for i := range x.size() {
		if x.at(i) != 0 {
			count++
		}
	}
	result, err := c.allocate(typeInt64, tensor.Shape{len(x.shape), count})
	if err != nil {
		return nil, err
	}
	column := 0
	for i, at := range positions(x.shape) {
		if x.at(i) == 0 {
			continue
		}
		for a, p := range at {
			result.ints[a*count+column] = int64(p)
		}
		column++
	}
	return []*constant{result}, nil
}

// foldCompress keeps the slices along an axis, or the elements of all, for which the condition is true.
func foldCompress(c *call, in []*constant) ([]*constant, error) {
	x, condition := in[0], in[1]
	shape := x.shape
	if !c.has("axis") {
		shape = tensor.Shape{x.size()}
	}
	axis, err := axisIn(c.int("axis", 0), len(shape))
	if err != nil {
		return nil, err
	}
	if condition.dtype != typeBool || len(condition.shape) != 1 || condition.size() > shape[axis] {
		return nil, fmt.Errorf("a condition of %v and shape %v for shape %v", condition.dtype, condition.shape, shape)
	}
	var kept []int
	for i := range condition.size() {
		if condition.ints[i] != 0 {
			kept = append(kept, i)
		}
	}
	flat := *x
	flat.shape = shape
	return c.take(&flat, axis, tensor.Shape{len(kept)}, kept)
}

// take picks slices along an axis; of gives the shape of the list of indices.
func (c *call) take(data *constant, axis int, of tensor.Shape, indices []int) ([]*constant, error) {
	shape := slices.Concat(data.shape[:axis], of, data.shape[axis+1:])
	result, err := c.allocate(data.dtype, shape)
	if err != nil {
		return nil, err
	}
	outer, inner := sizeOf(data.shape[:axis]), sizeOf(data.shape[axis+1:])
	at := 0
	for o := range outer {
		for _, i := range indices {
			if i, err = axisIn(i, data.shape[axis]); err != nil {
				return nil, fmt.Errorf("index out of range: %w", err)
			}
			for j := range inner {
				result.copyElement(at, data, (o*data.shape[axis]+i)*inner+j)
				at++
			}
		}
	}
	return []*constant{result}, nil
}

// foldGatherElements picks one element for each of the indices, along an axis.
func foldGatherElements(c *call, in []*constant) ([]*constant, error) {
	data, indices := in[0], in[1]
	axis, err := axisIn(c.int("axis", 0), len(data.shape))
	if err != nil {
		return nil, err
	}
	if indices.ints == nil || len(indices.shape) != len(data.shape) {
		return nil, fmt.Errorf("indices of %v and shape %v for shape %v", indices.dtype, indices.shape, data.shape)
	}
	for i, d := range indices.shape {
		if i != axis && d > data.shape[i] {
			return nil, fmt.Errorf("indices of shape %v for shape %v", indices.shape, data.shape)
		}
	}
	result, err := c.allocate(data.dtype, indices.shape)
	if err != nil {
		return nil, err
	}
	strides := data.view().strides
	for i, at := range positions(indices.shape) {
		from := 0
		for a, p := range at {
			if a == axis {
				if p, err = axisIn(int(indices.ints[i]), data.shape[axis]); err != nil {
					return nil, fmt.Errorf("index out of range: %w", err)
				}
			}
			from += p * strides[a]
		}
		result.copyElement(i, data, from)
	}
	return []*constant{result}, nil
}

// foldGatherND picks the slices whose positions the last axis of the indices holds.
func foldGatherND(c *call, in []*constant) ([]*constant, error) {
	data, indices := in[0], in[1]
	c.want("batch_dims", 0)
	last := len(indices.shape) - 1
	if indices.ints == nil || last < 0 || indices.shape[last] > len(data.shape) {
		return nil, fmt.Errorf("indices of %v and shape %v for shape %v", indices.dtype, indices.shape, data.shape)
	}
	deep := indices.shape[last]
	result, err := c.allocate(data.dtype, slices.Concat(indices.shape[:last], data.shape[deep:]))
	if err != nil {
		return nil, err
	}
	inner := sizeOf(data.shape[deep:])
	for i := range sizeOf(indices.shape[:last]) {
		from, err := data.offset(indices.ints[i*deep:][:deep])
		if err != nil {
			return nil, err
		}
		for j := range inner {
			result.copyElement(i*inner+j, data, from+j)
		}
	}
	return []*constant{result}, nil
}

// offset is where the slice at a position along the first axes begins.
func (k *constant) offset(position []int64) (at int, err error) {
	for axis, i := range position {
		p, err := axisIn(int(i), k.shape[axis])
		if err != nil {
			return 0, fmt.Errorf("index out of range: %w", err)
		}
		at = at*k.shape[axis] + p
	}
	return at * sizeOf(k.shape[len(position):]), nil
}

// foldOneHot writes the second of two values where an index points to, the first elsewhere.
func foldOneHot(c *call, in []*constant) ([]*constant, error) {
	indices, depth, values := in[0], in[1], in[2]
	if depth.size() != 1 || values.size() != 2 || !(depth.at(0) >= 1) || depth.at(0) > maxValue {
		return nil, fmt.Errorf("a depth of shape %v and values of shape %v", depth.shape, values.shape)
	}
	n := int(depth.at(0))
	axis, err := axisIn(c.int("axis", -1), len(indices.shape)+1)
	if err != nil {
		return nil, err
	}
	result, err := c.allocate(values.dtype, slices.Insert(indices.shape.Clone(), axis, n))
	if err != nil {
		return nil, err
	}
	inner := sizeOf(indices.shape[axis:])
	for i := range result.size() {
		hot := int(indices.at(i/(n*inner)*inner + i%inner))
		if hot < 0 {
			hot += n
		}
		on := 0
		if i/inner%n == hot {
			on = 1
		}
		result.copyElement(i, values, on)
	}
	return []*constant{result}, nil
}

// foldTrilu keeps the upper or lower triangle of matrices.
func foldTrilu(c *call, in []*constant) ([]*constant, error) {
	x, diagonal := in[0], 0
	if len(in) > 1 && in[1] != nil {
		if in[1].size() != 1 {
			return nil, fmt.Errorf("a diagonal of shape %v", in[1].shape)
		}
		diagonal = int(in[1].at(0))
	}
	upper, rank := c.flag("upper", true), len(x.shape)
	if rank < 2 {
		return nil, fmt.Errorf("shape %v is no matrix", x.shape)
	}
	result, err := c.allocate(x.dtype, x.shape)
	if err != nil {
		return nil, err
	}
	for i, at := range positions(x.shape) {
		if over := at[rank-1] - at[rank-2] - diagonal; over == 0 || (over > 0) == upper {
			result.copyElement(i, x, i)
		}
	}
	return []*constant{result}, nil
}

// foldTile repeats a tensor along each axis.
func foldTile(c *call, in []*constant) ([]*constant, error) {
	x := in[0]
	repeats, err := c.few(1, "the list of repeats")
	if err != nil {
		return nil, err
	}
	if len(repeats) != len(x.shape) {
		return nil, fmt.Errorf("%d repeats for shape %v", len(repeats), x.shape)
	}
	shape := x.shape.Clone()
	for i, n := range repeats {
		if n < 0 || n > maxValue || shape[i]*n > maxValue {
			return nil, fmt.Errorf("repeats %v of shape %v are too many", repeats, x.shape)
		}
		shape[i] *= n
	}
	result, err := c.allocate(x.dtype, shape)
	if err != nil {
		return nil, err
	}
	strides := x.view().strides
	for i, at := range positions(shape) {
		from := 0
		for a, p := range at {
			from += p % x.shape[a] * strides[a]
		}
		result.copyElement(i, x, from)
	}
	return []*constant{result}, nil
}
