package plan

import (
	"slices"

	"regraft/engine/op"
)

// strided is a value seen as elements of another, the source, which it was made of by moving them only: along each of its dimensions
// they lie so many elements apart in the source's row-major order.
type strided struct {
	source         *value
	offset         int
	shape, strides []int
}

// whole is v seen as itself.
func whole(v *value) strided {
	s := strided{source: v, shape: slices.Clone(v.Shape), strides: make([]int, v.Shape.Dims())}
	stride := 1
	for axis, size := range slices.Backward(s.shape) {
		s.strides[axis] = stride
		stride *= size
	}
	return s
}

// through is what i makes of a view of its operand; false where it does more than move elements in ways that strides tell.
func (i *instr) through(s strided) (strided, bool) {
	l, ok := i.lowering()
	if !ok || l.view == nil {
		return strided{}, false
	}
	return l.view(i, s)
}

func viewTransposed(i *instr, s strided) (strided, bool) {
	perm := i.op.(*op.Transpose).Perm
	if len(perm) != len(s.shape) {
		return strided{}, false
	}
	out := strided{source: s.source, offset: s.offset}
	for _, axis := range perm {
		out.shape, out.strides = append(out.shape, s.shape[axis]), append(out.strides, s.strides[axis])
	}
	return out, true
}

func viewSliced(i *instr, s strided) (strided, bool) {
	o := i.op.(*op.Slice)
	if len(o.Axes) != len(o.Starts) || slices.ContainsFunc(o.Steps, func(step int) bool { return step != 1 }) {
		return strided{}, false
	}
	out := strided{source: s.source, offset: s.offset, shape: slices.Clone(i.out.Shape), strides: s.strides}
	for k, axis := range o.Axes {
		axis = i.out.axis(axis)
		start := o.Starts[k]
		if start < 0 {
			start = max(0, start+s.shape[axis])
		}
		out.offset += start * s.strides[axis]
	}
	return out, true
}

func viewGathered(i *instr, s strided) (strided, bool) {
	o := i.op.(*op.Gather)
	if len(o.Indices) != 1 || len(o.IndexShape) > 0 {
		return strided{}, false
	}
	axis := i.in[0].axis(o.Axis)
	return strided{
		s.source, s.offset + wrapped(o.Indices[0], s.shape[axis])*s.strides[axis],
		slices.Delete(slices.Clone(s.shape), axis, axis+1), slices.Delete(slices.Clone(s.strides), axis, axis+1),
	}, true
}

// viewReshaped splits and joins dimensions: those that are joined must lie one within the other.
func viewReshaped(i *instr, s strided) (strided, bool) {
	out := strided{s.source, s.offset, slices.Clone(i.out.Shape), make([]int, i.out.Shape.Dims())}
	from, to := 0, 0
	for from < len(s.shape) || to < len(out.shape) {
		first, begin, a, b := from, to, 1, 1
		for a != b || a == 1 {
			switch {
			case a <= b && from < len(s.shape):
				a *= s.shape[from]
				from++
			case to < len(out.shape):
				b *= out.shape[to]
				to++
			default:
				return out, a == b
			}
		}
		stride, ok := joined(s.shape[first:from], s.strides[first:from])
		if !ok {
			return strided{}, false
		}
		for axis := to - 1; axis >= begin; axis-- {
			out.strides[axis] = stride
			stride *= out.shape[axis]
		}
	}
	return out, true
}

// joined is the stride of dimensions seen as one; those of size 1 do not matter.
func joined(shape, strides []int) (stride int, ok bool) {
	next := 0
	for axis, size := range slices.Backward(shape) {
		switch {
		case size == 1:
			continue
		case next == 0:
			stride = strides[axis]
		case strides[axis] != next:
			return 0, false
		}
		next = strides[axis] * size
	}
	return stride, true
}
