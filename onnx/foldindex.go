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
	strides, inner := data.view().strides, sizeOf(data.shape[deep:])
	for i := range sizeOf(indices.shape[:last]) {
		from := 0
		for a := range deep {
			p, err := axisIn(int(indices.ints[i*deep+a]), data.shape[a])
			if err != nil {
				return nil, fmt.Errorf("index out of range: %w", err)
			}
			from += p * strides[a]
		}
		for j := range inner {
			result.copyElement(i*inner+j, data, from+j)
		}
	}
	return []*constant{result}, nil
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

// foldCumSum adds up along an axis.
func foldCumSum(c *call, in []*constant) ([]*constant, error) {
	x := in[0]
	exclusive, reverse := c.flag("exclusive", false), c.flag("reverse", false)
	if in[1].size() != 1 {
		return nil, fmt.Errorf("an axis of shape %v", in[1].shape)
	}
	axis, err := axisIn(int(in[1].at(0)), len(x.shape))
	if err != nil {
		return nil, err
	}
	result, err := c.allocate(x.dtype, x.shape)
	if err != nil {
		return nil, err
	}
	n, inner := x.shape[axis], sizeOf(x.shape[axis+1:])
	for start := range x.size() {
		if start/inner%n != 0 {
			continue
		}
		sum := 0.0
		for k := range n {
			if reverse {
				k = n - 1 - k
			}
			at := start + k*inner
			if !exclusive {
				sum += x.at(at)
			}
			result.set(at, sum)
			if exclusive {
				sum += x.at(at)
			}
		}
	}
	return []*constant{result}, nil
}

// foldReduce makes one element of all along some axes, from left to right.
func foldReduce(f arithmetic) func(*call, []*constant) ([]*constant, error) {
	return func(c *call, in []*constant) ([]*constant, error) {
		keep, noop := c.flag("keepdims", true), c.flag("noop_with_empty_axes", false)
		x := in[0]
		axes, err := c.axes(len(x.shape))
		if err != nil {
			return nil, err
		}
		if len(axes) == 0 && noop {
			return in[:1], nil
		}
		if err := c.spend(x.size()); err != nil {
			return nil, err
		}
		full, shape := x.shape.Clone(), tensor.Shape{}
		for i := range full {
			reduced := len(axes) == 0 || axes[i]
			if reduced {
				full[i] = 1
			}
			if keep || !reduced {
				shape = append(shape, full[i])
			}
		}
		if x.size() == 0 {
			return nil, fmt.Errorf("shape %v has no elements", x.shape)
		}
		result, err := c.allocate(x.dtype, shape)
		if err != nil {
			return nil, err
		}
		to, seen := (&constant{shape: full}).view().expand(x.shape), make([]bool, result.size())
		for i := range x.size() {
			at := to.next()
			switch {
			case !seen[at]:
				result.copyElement(at, x, i)
				seen[at] = true
			case result.isOpen(at) || x.isOpen(i):
				if err := result.setSize(f, at, result, at, x, i); err != nil {
					return nil, err
				}
			default:
				if err := result.update(f, at, x, i); err != nil {
					return nil, err
				}
			}
		}
		return []*constant{result}, nil
	}
}

// foldScatterND puts slices at positions that the last axis of the indices holds.
func foldScatterND(c *call, in []*constant) ([]*constant, error) {
	data, indices, updates := in[0], in[1], in[2]
	reduction := c.text("reduction", "none")
	f, ok := map[string]arithmetic{"none": {}, "add": arithmeticAdd, "mul": arithmeticMul, "min": arithmeticMin, "max": arithmeticMax}[reduction]
	if !ok {
		return nil, fmt.Errorf("attribute reduction is %s", quoted(reduction))
	}
	last := len(indices.shape) - 1
	if indices.ints == nil || last < 0 || indices.shape[last] > len(data.shape) || updates.dtype != data.dtype {
		return nil, fmt.Errorf("indices of %v and shape %v, updates of %v for %v of shape %v", indices.dtype, indices.shape, updates.dtype, data.dtype, data.shape)
	}
	deep := indices.shape[last]
	if want := slices.Concat(indices.shape[:last], data.shape[deep:]); !slices.Equal(updates.shape, want) {
		return nil, fmt.Errorf("updates of shape %v, want %v", updates.shape, want)
	}
	copied, err := c.copyView(data, data.view())
	if err != nil {
		return nil, err
	}
	result := copied[0]
	strides, inner := data.view().strides, sizeOf(data.shape[deep:])
	for i := range sizeOf(indices.shape[:last]) {
		to := 0
		for a := range deep {
			p, err := axisIn(int(indices.ints[i*deep+a]), data.shape[a])
			if err != nil {
				return nil, fmt.Errorf("index out of range: %w", err)
			}
			to += p * strides[a]
		}
		for j := range inner {
			if err := result.update(f, to+j, updates, i*inner+j); err != nil {
				return nil, err
			}
		}
	}
	return copied, nil
}

// update combines element i with element j of from, which takes its place where there is nothing to compute.
func (k *constant) update(f arithmetic, i int, from *constant, j int) error {
	switch {
	case f.real == nil:
		k.copyElement(i, from, j)
	case k.integral():
		v, err := f.integer(k.integer(i), from.integer(j))
		if err != nil {
			return err
		}
		k.ints[i] = wrap(k.dtype, v)
	default:
		k.set(i, f.real(k.at(i), from.at(j)))
	}
	return nil
}
