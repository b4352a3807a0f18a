package onnx

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Operators that take parts of a value, or surround it.

// slice reads starts, ends, axes and steps, which were attributes before opset 10, with starts and
// ends clamped to the shape and negative ones resolved. Axes of which all is taken are left out.
func (c *call) slice(shape tensor.Shape) (*op.Slice, error) {
	parts := [4][]int{c.ints("starts"), c.ints("ends"), c.ints("axes"), nil}
	names := [4]string{"starts", "ends", "axes", "steps"}
	for i := 1; i < len(c.node.in); i++ {
		var err error
		if parts[i-1], err = c.positions(i, "the list of "+names[i-1]); err != nil {
			return nil, err
		}
	}
	s := &op.Slice{Axes: parts[2], Steps: parts[3]}
	if s.Axes == nil {
		for i := range parts[0] {
			s.Axes = append(s.Axes, i)
		}
	}
	if s.Steps == nil {
		for range parts[0] {
			s.Steps = append(s.Steps, 1)
		}
	}
	if n := len(parts[0]); len(parts[1]) != n || len(s.Axes) != n || len(s.Steps) != n {
		return nil, fmt.Errorf("starts, ends, axes and steps differ in length")
	}
	if _, err := axisSet(s.Axes, len(shape)); err != nil {
		return nil, err
	}
	cut := &op.Slice{}
	for i, axis := range s.Axes {
		axis, _ = axisIn(axis, len(shape))
		step := s.Steps[i]
		if step == 0 || step == math.MinInt {
			return nil, fmt.Errorf("step %d", step)
		}
		start, end := parts[0][i], parts[1][i]
		if size := shape[axis]; isOpen(size) {
			if start != 0 || step != 1 || end != size && end < math.MaxInt32 {
				return nil, fmt.Errorf("it takes some of the images along axis %d of shape %s", axis, shapeText(shape))
			}
			continue
		}
		if start, end = clampSlice(start, end, step, shape[axis]); start == 0 && end == shape[axis] && step == 1 {
			continue
		}
		cut.Axes, cut.Starts, cut.Ends, cut.Steps = append(cut.Axes, axis), append(cut.Starts, start), append(cut.Ends, end), append(cut.Steps, step)
	}
	return cut, nil
}

// positions is integers for places along axes, which may be at the end of an open one: kN.
func (c *call) positions(i int, what string) ([]int, error) {
	if v := c.operand(i); v == nil || v.constant == nil || !v.constant.anyOpen() {
		return c.integers(i, what)
	}
	return c.dims(i, what)
}

// clampSlice resolves negative places and brings places into the range that ONNX names: backwards from an element, and as far as before
// the first (Python has nothing where the start is before the first, ONNX that element).
func clampSlice(start, end, step, size int) (int, int) {
	low, high := 0, size
	if step < 0 {
		low, high = -1, size-1
	}
	clamp := func(v, low int) int {
		if v < 0 {
			v += size
		}
		return max(low, min(v, high))
	}
	return clamp(start, min(0, high)), clamp(end, low)
}

func sliceLength(start, end, step int) int {
	if step < 0 {
		return max(0, (start-end-step-1)/-step)
	}
	return max(0, (end-start+step-1)/step)
}

func lowerSlice(c *call) error {
	c.ints("starts")
	c.ints("ends")
	c.ints("axes")
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	s, err := c.slice(x.shape)
	if err != nil {
		return err
	}
	if len(s.Axes) == 0 {
		return c.same(x)
	}
	for i, end := range s.Ends {
		if end < 0 { // before the first element: op.Slice counts negative ends from the back
			s.Ends[i] = -x.shape[s.Axes[i]] - 1
		}
	}
	return c.emit(s, x)
}

// split works out the sizes of the parts.
func (c *call) split(shape tensor.Shape) (axis int, sizes []int, err error) {
	sizes, parts := c.ints("split"), c.int("num_outputs", len(c.node.out))
	if axis, err = axisIn(c.int("axis", 0), len(shape)); err != nil {
		return 0, nil, err
	}
	if isOpen(shape[axis]) {
		return 0, nil, fmt.Errorf("it divides the images of a batch (axis %d of shape %s)", axis, shapeText(shape))
	}
	if len(c.node.in) > 1 && c.node.in[1] != nil {
		if sizes, err = c.integers(1, "the list of sizes"); err != nil {
			return 0, nil, err
		}
	}
	if sizes == nil {
		if parts < 1 || parts > shape[axis] {
			return 0, nil, fmt.Errorf("%d cannot be split into %d parts", shape[axis], parts)
		}
		size := (shape[axis] + parts - 1) / parts
		for left := shape[axis]; left > 0; left -= size {
			sizes = append(sizes, min(size, left))
		}
	}
	total := 0
	for _, size := range sizes {
		if size < 0 || size > shape[axis] {
			return 0, nil, fmt.Errorf("part of size %d", size)
		}
		total += size
	}
	if total != shape[axis] || len(sizes) != len(c.node.out) {
		return 0, nil, fmt.Errorf("%d parts of %d together do not make up axis %d of shape %v with %d results", len(sizes), total, axis, shape, len(c.node.out))
	}
	return axis, sizes, nil
}

func lowerSplit(c *call) error {
	c.ints("split")
	c.int("num_outputs", 0)
	c.int("axis", 0)
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	axis, sizes, err := c.split(x.shape)
	if err != nil {
		return err
	}
	start := 0
	for i, size := range sizes {
		cut := &op.Slice{Starts: []int{start}, Ends: []int{start + size}, Axes: []int{axis}, Steps: []int{1}}
		if err := c.emitAt(i, cut, x); err != nil {
			return err
		}
		start += size
	}
	return nil
}

func lowerGather(c *call) error {
	axis := c.int("axis", 0)
	indices, err := c.integers(1, "the list of indices")
	if err != nil {
		return err
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	if axis, err = axisIn(axis, len(x.shape)); err != nil {
		return err
	}
	if isOpen(x.shape[axis]) {
		return c.refused("it picks from the images of a batch (axis %d of shape %v)", axis, x.shape)
	}
	const integer = 8
	if c.budget -= integer * len(indices); c.budget < 0 {
		return c.refused("it picks too many elements")
	}
	at := make([]int, len(indices))
	for i, v := range indices {
		if at[i], err = axisIn(v, x.shape[axis]); err != nil {
			return fmt.Errorf("index out of range: %w", err)
		}
	}
	shape := c.operand(1).shape
	if whole := unflattened(x, at, shape); whole != nil {
		return c.same(whole)
	}
	return c.emit(&op.Gather{Axis: axis, Indices: at, IndexShape: shape}, x)
}

// lowerGatherND picks by known positions along the first axes, which become one: PyTorch's adaptive pools, and fancy indexing.
func lowerGatherND(c *call) error {
	c.want("batch_dims", 0)
	indices, err := c.integers(1, "the list of indices")
	if err != nil {
		return err
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	shape := c.operand(1).shape
	last := len(shape) - 1
	if last < 0 || shape[last] < 1 || shape[last] > len(x.shape) || openAxis(x.shape[:shape[last]]) >= 0 {
		return c.refused("indices of shape %v for shape %v: images cannot be picked from", shape, x.shape)
	}
	deep := shape[last]
	at := make([]int, len(indices)/deep)
	for i, index := range indices {
		size := x.shape[i%deep]
		p, err := axisIn(index, size)
		if err != nil {
			return fmt.Errorf("index out of range: %w", err)
		}
		at[i/deep] = at[i/deep]*size + p
	}
	if deep > 1 {
		flat := append(tensor.Shape{sizeOf(x.shape[:deep])}, x.shape[deep:]...)
		if x, err = c.step("flat", reshape(x.shape, flat), x); err != nil {
			return err
		}
	}
	return c.emit(&op.Gather{Axis: 0, Indices: at, IndexShape: shape[:last]}, x)
}

// unflattened is what a Gather of all elements of a flat x, in order, was before it was flattened (as_strided in PyTorch's current
// exporter); nil for all others.
func unflattened(x *value, indices []int, shape tensor.Shape) *value {
	before := flatOf(x)
	if before == nil || len(indices) != x.shape[0] || !slices.Equal(before.shape, shape) {
		return nil
	}
	for i, index := range indices {
		if index != i {
			return nil
		}
	}
	return before
}

// lowerPad drops pads of zeros; two lists make one with the axes that it names since opset 18.
func lowerPad(c *call) error {
	pads, value := c.ints(c.since(2, "pads", "paddings")), c.float("value", 0)
	if mode := c.text("mode", "constant"); mode != "constant" {
		return c.refused("attribute mode is %s, only constant is supported", quoted(mode))
	}
	var err error
	if len(c.node.in) > 1 {
		if pads, err = c.integers(1, "the list of pads"); err != nil {
			return err
		}
	}
	fill, err := c.constant(2, "the value")
	if err != nil {
		return err
	}
	if fill != nil {
		if fill.size() != 1 {
			return c.refused("the value has shape %v", fill.shape)
		}
		value = float32(fill.at(0))
	}
	axes, err := c.integers(3, "the list of axes")
	if err != nil {
		return err
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	rank := len(x.shape)
	if axes == nil {
		for i := range rank {
			axes = append(axes, i)
		}
	}
	if _, err := axisSet(axes, rank); err != nil {
		return err
	}
	if len(pads) != 2*len(axes) {
		return c.refused("%d pads for %d axes", len(pads), len(axes))
	}
	full, none := make([]int, 2*rank), true
	for i, axis := range axes {
		a, _ := axisIn(axis, rank)
		full[a], full[rank+a] = pads[i], pads[len(axes)+i]
		none = none && pads[i] == 0 && pads[len(axes)+i] == 0
	}
	if none {
		return c.same(x)
	}
	return c.emit(&op.Pad{Pads: full, Value: value}, x)
}

func writeSlice(e *exporter, o *op.Slice, in []string) {
	e.node("Slice", append(in, e.ints("starts", o.Starts...), e.ints("ends", o.Ends...), e.ints("axes", o.Axes...), e.ints("steps", o.Steps...)))
}

func writeGather(e *exporter, o *op.Gather, in []string) {
	e.node("Gather", append(in, e.intTensor("indices", o.IndexShape, o.Indices)), intAttribute("axis", o.Axis))
}

func writePad(e *exporter, o *op.Pad, in []string) {
	e.node("Pad", append(in, e.ints("pads", o.Pads...), e.scalar("value", o.Value)))
}
