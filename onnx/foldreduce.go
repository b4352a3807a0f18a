package onnx

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"
)

// Operators on known values that combine elements.

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
	inner := sizeOf(data.shape[deep:])
	for i := range sizeOf(indices.shape[:last]) {
		to, err := data.offset(indices.ints[i*deep:][:deep])
		if err != nil {
			return nil, err
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
