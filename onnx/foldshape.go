package onnx

import (
	"fmt"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// view walks the elements of a constant in another order: element (i, j, ...) of the view is
// element offset + i*strides[0] + j*strides[1] + ... of the constant.
type view struct {
	shape   tensor.Shape
	strides []int
	offset  int
	index   []int
}

// view is the constant's own order.
func (k *constant) view() *view {
	strides := make([]int, len(k.shape))
	step := 1
	for i := len(strides) - 1; i >= 0; i-- {
		strides[i] = step
		step *= k.shape[i]
	}
	return &view{shape: k.shape, strides: strides}
}

// expand broadcasts to a shape that op.BroadcastShape made.
func (v *view) expand(shape tensor.Shape) *view {
	strides := make([]int, len(shape))
	lead := len(shape) - len(v.shape)
	for i, d := range v.shape {
		if d != 1 {
			strides[lead+i] = v.strides[i]
		}
	}
	return &view{shape: shape, strides: strides, offset: v.offset}
}

// next returns the position of the next element.
func (v *view) next() int {
	if v.index == nil {
		v.index = make([]int, len(v.shape))
	}
	at := v.offset
	for i, x := range v.index {
		at += x * v.strides[i]
	}
	for i := len(v.index) - 1; i >= 0; i-- {
		if v.index[i]++; v.index[i] < v.shape[i] {
			break
		}
		v.index[i] = 0
	}
	return at
}

func (k *constant) copyElement(i int, from *constant, j int) {
	if from.isOpen(j) {
		k.markOpen(i)
	}
	switch {
	case k.ints != nil:
		k.ints[i] = from.integer(j)
	case k.doubles != nil:
		k.doubles[i] = from.doubles[j]
	default:
		k.floats[i] = from.floats[j]
	}
}

// markOpen notes that element i is a multiple of the number of images.
func (k *constant) markOpen(i int) {
	if k.open == nil {
		k.open = make([]bool, k.size())
	}
	k.open[i] = true
}

// copyView materialises a view of k.
func (c *call) copyView(k *constant, v *view) ([]*constant, error) {
	result, err := c.allocate(k.dtype, v.shape)
	if err != nil {
		return nil, err
	}
	for i := range result.size() {
		result.copyElement(i, k, v.next())
	}
	return []*constant{result}, nil
}

// reshaped shares k's values under another shape of the same size.
func reshaped(k *constant, shape tensor.Shape) ([]*constant, error) {
	if len(shape) > maxRank || sizeOf(shape) != k.size() {
		return nil, fmt.Errorf("%d values cannot take shape %v", k.size(), shape)
	}
	moved := *k
	moved.shape = shape
	return []*constant{&moved}, nil
}

func foldConstant(c *call, _ []*constant) ([]*constant, error) {
	c.ignore("value", "value_float", "value_floats", "value_int", "value_ints")
	if len(c.attributes.byName) != 1 {
		return nil, fmt.Errorf("want exactly one value attribute, there are %d", len(c.attributes.byName))
	}
	for name, a := range c.attributes.byName {
		switch {
		case name == "value" && a.kind == attributeTensor && a.t != nil:
			k, err := a.t.constant()
			return []*constant{k}, err
		case name == "value_float" && a.kind == attributeFloat:
			return []*constant{{dtype: typeFloat, shape: tensor.Shape{}, floats: []float32{a.f}}}, nil
		case name == "value_floats" && a.kind == attributeFloats:
			values := floatSlice(a.floats)
			return []*constant{{dtype: typeFloat, shape: tensor.Shape{len(values)}, floats: values}}, nil
		case name == "value_int" && a.kind == attributeInt:
			return []*constant{{dtype: typeInt64, shape: tensor.Shape{}, ints: []int64{a.i}}}, nil
		case name == "value_ints" && a.kind == attributeInts:
			values := append([]int64{}, a.ints...)
			return []*constant{{dtype: typeInt64, shape: tensor.Shape{len(values)}, ints: values}}, nil
		}
	}
	return nil, fmt.Errorf("a value of this kind is not supported")
}

func foldIdentity(_ *call, in []*constant) ([]*constant, error) { return in, nil }

// filling is the one value that ConstantOfShape repeats.
func (c *call) filling() (*constant, error) {
	a := c.get("value", attributeTensor)
	if a == nil || a.t == nil {
		return &constant{dtype: typeFloat, floats: []float32{0}}, nil
	}
	k, err := a.t.constant()
	if err == nil && k.size() != 1 {
		err = fmt.Errorf("%d values, want one", k.size())
	}
	return k, err
}

func foldConstantOfShape(c *call, in []*constant) ([]*constant, error) {
	value, err := c.filling()
	if err != nil {
		return nil, err
	}
	if in[0].ints == nil {
		return nil, fmt.Errorf("want a shape of integers")
	}
	if _, err := elements(in[0].ints); err != nil {
		return nil, err
	}
	result, err := c.allocate(value.dtype, toShape(in[0].ints))
	if err != nil {
		return nil, err
	}
	for i := range result.size() {
		result.copyElement(i, value, 0)
	}
	return []*constant{result}, nil
}

func foldExpand(c *call, in []*constant) ([]*constant, error) {
	if in[1].ints == nil {
		return nil, fmt.Errorf("the shape is %v, want integers", in[1].dtype)
	}
	if _, err := elements(in[1].ints); err != nil {
		return nil, err
	}
	shape, err := op.BroadcastShape(in[0].shape, toShape(in[1].ints))
	if err != nil {
		return nil, err
	}
	return c.copyView(in[0], in[0].view().expand(shape))
}

func foldReshape(c *call, in []*constant) ([]*constant, error) {
	allowZero := c.flag("allowzero", false)
	target, err := c.target()
	if err != nil {
		return nil, err
	}
	shape, err := reshapeTo(in[0].shape, target, allowZero)
	if err != nil {
		return nil, err
	}
	return reshaped(in[0], shape)
}

func foldFlatten(c *call, in []*constant) ([]*constant, error) {
	axis, err := flattenAxis(c.int("axis", 1), len(in[0].shape))
	if err != nil {
		return nil, err
	}
	return reshaped(in[0], tensor.Shape{sizeOf(in[0].shape[:axis]), sizeOf(in[0].shape[axis:])})
}

func foldSqueeze(c *call, in []*constant) ([]*constant, error) {
	axes, err := c.axes(len(in[0].shape))
	if err != nil {
		return nil, err
	}
	shape := tensor.Shape{}
	for i, d := range in[0].shape {
		if axes[i] && d != 1 {
			return nil, fmt.Errorf("axis %d of shape %v cannot be squeezed", i, in[0].shape)
		}
		if !axes[i] && (len(axes) > 0 || d != 1) {
			shape = append(shape, d)
		}
	}
	return reshaped(in[0], shape)
}

func foldUnsqueeze(c *call, in []*constant) ([]*constant, error) {
	axes, rank, err := c.newAxes(len(in[0].shape))
	if err != nil {
		return nil, err
	}
	shape, rest := make(tensor.Shape, rank), in[0].shape
	for i := range shape {
		if shape[i] = 1; !axes[i] {
			shape[i], rest = rest[0], rest[1:]
		}
	}
	return reshaped(in[0], shape)
}

func foldTranspose(c *call, in []*constant) ([]*constant, error) {
	perm, err := permutation(c.ints("perm"), len(in[0].shape))
	if err != nil {
		return nil, err
	}
	v := in[0].view()
	if k := in[0]; len(perm) == 2 && perm[0] == 1 && k.floats != nil && k.open == nil { // weights: millions of them
		result, err := c.allocate(k.dtype, tensor.Shape{v.shape[1], v.shape[0]})
		if err != nil {
			return nil, err
		}
		transpose(result.floats, k.floats, v.shape[0], v.shape[1])
		return []*constant{result}, nil
	}
	t := &view{shape: make(tensor.Shape, len(perm)), strides: make([]int, len(perm))}
	for i, p := range perm {
		t.shape[i], t.strides[i] = v.shape[p], v.strides[p]
	}
	return c.copyView(in[0], t)
}

func foldSlice(c *call, in []*constant) ([]*constant, error) {
	s, err := c.slice(in[0].shape)
	if err != nil {
		return nil, err
	}
	v := in[0].view()
	v.shape = v.shape.Clone()
	for i, axis := range s.Axes {
		v.offset += s.Starts[i] * v.strides[axis]
		v.strides[axis] *= s.Steps[i]
		v.shape[axis] = sliceLength(s.Starts[i], s.Ends[i], s.Steps[i])
	}
	return c.copyView(in[0], v)
}

func foldSplit(c *call, in []*constant) ([]*constant, error) {
	axis, sizes, err := c.split(in[0].shape)
	if err != nil {
		return nil, err
	}
	var results []*constant
	start := 0
	for _, size := range sizes {
		part, err := c.cut(in[0], axis, start, size)
		if err != nil {
			return nil, err
		}
		results = append(results, part)
		start += size
	}
	return results, nil
}

// cut is the part of a constant from start on along an axis.
func (c *call) cut(k *constant, axis, start, size int) (*constant, error) {
	v := k.view()
	v.shape = v.shape.Clone()
	v.shape[axis] = size
	v.offset = start * v.strides[axis]
	part, err := c.copyView(k, v)
	if err != nil {
		return nil, err
	}
	return part[0], nil
}

func foldConcat(c *call, in []*constant) ([]*constant, error) {
	axis, err := c.concatAxis()
	if err != nil {
		return nil, err
	}
	return c.concat(axis, in)
}

func (c *call) concat(axis int, in []*constant) ([]*constant, error) {
	axis, err := axisIn(axis, len(in[0].shape))
	if err != nil {
		return nil, err
	}
	shape := in[0].shape.Clone()
	shape[axis] = 0
	for _, k := range in {
		if k.dtype != in[0].dtype || len(k.shape) != len(shape) {
			return nil, fmt.Errorf("operands differ in type or rank")
		}
		for i, d := range k.shape {
			if i == axis {
				shape[axis] += d
			} else if d != shape[i] {
				return nil, fmt.Errorf("shapes %v and %v differ outside of axis %d", in[0].shape, k.shape, axis)
			}
		}
	}
	result, err := c.allocate(in[0].dtype, shape)
	if err != nil {
		return nil, err
	}
	outer, inner := sizeOf(shape[:axis]), sizeOf(shape[axis+1:])
	at := 0
	for o := range outer {
		for _, k := range in {
			block := k.shape[axis] * inner
			for i := range block {
				result.copyElement(at, k, o*block+i)
				at++
			}
		}
	}
	return []*constant{result}, nil
}

func foldGather(c *call, in []*constant) ([]*constant, error) {
	data := in[0]
	axis, err := axisIn(c.int("axis", 0), len(data.shape))
	if err != nil {
		return nil, err
	}
	indices, err := c.integers(1, "the indices")
	if err != nil {
		return nil, err
	}
	return c.take(data, axis, in[1].shape, indices)
}
