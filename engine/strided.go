package engine

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// strided is a value seen as elements of another, the source, of which it was made by moving them only.
type strided struct {
	source *gorgonia.Node
	offset int
	// dims are the value's dimensions, each of which is one run of elements or several, the first the slowest.
	dims [][]run
}

// run is so many elements that lie so far apart in the source's row-major order.
type run struct{ size, stride int }

// whole is v seen as itself.
func whole(v *gorgonia.Node) strided {
	s := strided{source: v, dims: make([][]run, v.Dims())}
	stride := 1
	for axis, size := range slices.Backward(v.Shape()) {
		s.dims[axis] = []run{{size, stride}}
		stride *= size
	}
	return s
}

// run is a dimension as one run; false where there is no such.
func (s strided) run(axis int) (run, bool) {
	whole := run{1, 1}
	for _, part := range slices.Backward(s.dims[axis]) {
		switch {
		case part.size == 1:
		case whole.size == 1:
			whole = part
		case part.stride != whole.size*whole.stride:
			return run{}, false
		default:
			whole.size *= part.size
		}
	}
	return whole, true
}

// is tells whether a dimension is a run; of one element it always is.
func (s strided) is(axis int, want run) bool {
	r, ok := s.run(axis)
	return ok && (r == want || r.size == 1 && want.size == 1)
}

// joins tells whether a dimension is a run of runs.
func (s strided) joins(axis int, slow, fast run) bool {
	parts := slices.DeleteFunc(slices.Clone(s.dims[axis]), func(r run) bool { return r.size == 1 })
	want := slices.DeleteFunc([]run{slow, fast}, func(r run) bool { return r.size == 1 })
	if len(want) == 2 && slow.stride == fast.size*fast.stride { // a single token: they are one run
		return s.is(axis, run{slow.size * fast.size, fast.stride})
	}
	return slices.Equal(parts, want)
}

// through is what a node makes of a view of its operand; false where it does more than move elements in ways that runs tell.
func (s strided) through(node *gorgonia.Node) (strided, bool) {
	switch o := node.Op().(type) {
	case *op.Transpose:
		return s.transposed(o)
	case *op.Slice:
		return s.sliced(o, node.Shape())
	case *op.Gather:
		return s.gathered(o)
	case *op.Identity, *op.Reshape, *op.Flatten, *op.Squeeze, *op.Unsqueeze:
		return s.reshaped(node.Shape())
	}
	return strided{}, false
}

func (s strided) transposed(o *op.Transpose) (strided, bool) {
	if len(o.Perm) != len(s.dims) {
		return strided{}, false
	}
	out := strided{source: s.source, offset: s.offset}
	for _, axis := range o.Perm {
		out.dims = append(out.dims, s.dims[axis])
	}
	return out, true
}

func (s strided) sliced(o *op.Slice, to tensor.Shape) (strided, bool) {
	if len(o.Axes) != len(o.Starts) || slices.ContainsFunc(o.Steps, func(step int) bool { return step != 1 }) {
		return strided{}, false
	}
	out := strided{s.source, s.offset, slices.Clone(s.dims)}
	for k, axis := range o.Axes {
		axis = wrapped(axis, len(to))
		r, ok := s.run(axis)
		if !ok {
			return strided{}, false
		}
		start := max(0, wrapped(min(o.Starts[k], r.size), r.size))
		out.offset += start * r.stride
		out.dims[axis] = []run{{to[axis], r.stride}}
	}
	return out, true
}

func (s strided) gathered(o *op.Gather) (strided, bool) {
	axis := wrapped(o.Axis, len(s.dims))
	r, ok := s.run(axis)
	if !ok || len(o.Indices) != 1 || len(o.IndexShape) > 0 {
		return strided{}, false
	}
	return strided{s.source, s.offset + wrapped(o.Indices[0], r.size)*r.stride, slices.Delete(slices.Clone(s.dims), axis, axis+1)}, true
}

// wrapped is an index of so many; negative ones count from the end.
func wrapped(index, size int) int {
	if index < 0 {
		return index + size
	}
	return index
}

// reshaped deals the runs out to other dimensions, and cuts those in two that belong to several.
func (s strided) reshaped(to tensor.Shape) (strided, bool) {
	left := slices.Concat(s.dims...)
	out := strided{s.source, s.offset, make([][]run, len(to))}
	for axis, size := range to {
		for size > 1 {
			if len(left) == 0 {
				return strided{}, false
			}
			r := left[0]
			switch {
			case size%r.size == 0:
				left = left[1:]
			case r.size%size == 0:
				left = append([]run{{r.size / size, r.stride}}, left[1:]...)
				r = run{size, r.stride * (r.size / size)}
			default:
				return strided{}, false
			}
			out.dims[axis] = append(out.dims[axis], r)
			size /= r.size
		}
	}
	return out, true
}
