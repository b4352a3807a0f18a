package onnx

import (
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Normalisation, Dropout and Softmax.

// lowerBatchNorm takes every form to the one of inference; whether the file computes batch
// statistics (training_mode, further results) is its exporter's mode, not a property of the network.
func lowerBatchNorm(c *call) error {
	o := &op.BatchNorm{Epsilon: c.float("epsilon", 1e-5), Momentum: c.float("momentum", 0.9)}
	// Without spatial there are parameters for every value of (C, H, W); such with one for every channel mean what they mean
	// with it (files of MXNet; ONNX Runtime reads them so).
	c.flag("spatial", true)
	own := c.flag("training_mode", false) || c.opset() < 14 && len(c.node.out) > 1
	in, err := c.tensors()
	if err != nil {
		return err
	}
	if own && in[0].constant != nil && len(in[0].shape) > 1 { // timm standardises weights so, in inference too
		in[3], in[4] = channelStatistics(in[0])
	}
	return c.emit(o, in...)
}

// channelStatistics are mean and variance of known values (N, C, ...), per channel.
func channelStatistics(x *value) (mean, variance *value) {
	channels, inner := x.shape[1], sizeOf(x.shape[2:])
	sums, squares := make([]float64, channels), make([]float64, channels)
	count := float64(x.shape[0] * inner)
	channel := func(i int) int { return i / inner % channels }
	for i, v := range x.constant.floats {
		sums[channel(i)] += float64(v) / count
	}
	for i, v := range x.constant.floats {
		d := float64(v) - sums[channel(i)]
		squares[channel(i)] += d * d / count
	}
	row := func(values []float64) *value {
		floats := make([]float32, channels)
		for i, v := range values {
			floats[i] = float32(v)
		}
		return derived(x, tensor.Shape{channels}, floats)
	}
	return row(sums), row(squares)
}

func lowerLRN(c *call) error {
	o := &op.LRN{Size: c.int("size", 0), Alpha: c.float("alpha", 1e-4), Beta: c.float("beta", 0.75), Bias: c.float("bias", 1)}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	return c.emit(o, x)
}

func lowerLayerNorm(c *call) error {
	axis, epsilon := c.int("axis", -1), c.float("epsilon", 1e-5)
	c.ignore("stash_type") // the precision of the statistics: ours is at least float32
	in, err := c.tensors()
	if err != nil {
		return err
	}
	if axis, err = axisIn(axis, len(in[0].shape)); err != nil {
		return err
	}
	return c.emit(&op.LayerNorm{Axis: axis, Epsilon: epsilon}, in...)
}

// lowerRMSNorm is x / Sqrt(ReduceMean(x*x) + epsilon) * scale over the last axes.
func lowerRMSNorm(c *call) error {
	axis, epsilon := c.int("axis", -1), c.float("epsilon", 1e-5)
	c.ignore("stash_type") // the precision of the mean: ours is at least float32
	in, err := c.tensors()
	if err != nil {
		return err
	}
	x := in[0]
	if axis, err = axisIn(axis, len(x.shape)); err != nil {
		return err
	}
	var axes []int
	for i := axis; i < len(x.shape); i++ {
		axes = append(axes, i)
	}
	if err := c.fits(in[1], x); err != nil {
		return err
	}
	squares, err := c.step("squares", &op.Mul{}, x, x)
	if err != nil {
		return err
	}
	mean, err := c.step("mean", &op.ReduceMean{Axes: axes, KeepDims: true}, squares)
	if err != nil {
		return err
	}
	if mean, err = c.step("above zero", &op.Add{}, mean, c.scalar(epsilon)); err != nil {
		return err
	}
	root, err := c.step("root", &op.Sqrt{}, mean)
	if err != nil {
		return err
	}
	normal, err := c.step("normal", &op.Div{}, x, root)
	if err != nil {
		return err
	}
	return c.emit(&op.Mul{}, normal, in[1])
}

// lowerDropout keeps the ratio, which is found nowhere else in a file. Whether Dropout is active
// is decided by training, so the operand training_mode only has to be known.
func lowerDropout(c *call) error {
	ratio := c.float("ratio", 0.5)
	c.ignore("seed")
	k, err := c.constant(1, "the ratio")
	if err != nil {
		return err
	}
	if k != nil {
		if k.size() != 1 {
			return c.refused("the ratio has shape %v", k.shape)
		}
		ratio = float32(k.at(0))
	}
	if _, err := c.constant(2, "the training mode"); err != nil {
		return err
	}
	if !(ratio >= 0 && ratio < 1) {
		return c.refused("the ratio is %v, want 0 to 1", ratio)
	}
	x, err := c.tensor(0)
	if err != nil {
		return err
	}
	if ratio == 0 {
		return c.same(x)
	}
	return c.emit(&op.Dropout{Ratio: ratio, ID: c.node.label()}, x)
}

// lowerSoftmax builds Softmax and LogSoftmax. Before opset 13 the axis was 1 by default and stood for itself and all after it, which
// is the same as one axis where only that has more than one element: the classes, also from axis 0 on for a batch of one.
func lowerSoftmax(make func(axis int) op.Op) func(*call) error {
	return func(c *call) error {
		missing := -1
		if c.opset() < 13 {
			missing = 1
		}
		axis := c.int("axis", missing)
		x, err := c.tensor(0)
		if err != nil {
			return err
		}
		if axis, err = axisIn(axis, len(x.shape)); err != nil {
			return err
		}
		if c.opset() >= 13 {
			return c.emit(make(axis), x)
		}
		one, ok := onlyAxis(x.shape, axis)
		if !ok {
			return c.refused("axis %d of shape %v flattens axes (opset %d), which is not supported", axis, x.shape, c.opset())
		}
		return c.emit(make(one), x)
	}
}

// onlyAxis is the one axis from first on that has more than one element, or first where none has; ok tells that there are no more.
func onlyAxis(shape []int, first int) (axis int, ok bool) {
	var longer []int
	for i := first; i < len(shape); i++ {
		if shape[i] != 1 {
			longer = append(longer, i)
		}
	}
	if len(longer) == 0 {
		return first, true
	}
	return longer[0], len(longer) == 1
}

// writeBatchNorm writes the form of inference: with training_mode other runtimes would use the statistics of
// the batch.
func writeBatchNorm(e *exporter, o *op.BatchNorm, in []string) {
	e.node("BatchNormalization", in, floatAttribute("epsilon", o.Epsilon), floatAttribute("momentum", o.Momentum))
}

// writeLayerNorm spells the operator out before opset 17.
func writeLayerNorm(e *exporter, o *op.LayerNorm, in []string) {
	if e.form.opset >= 17 {
		e.node("LayerNormalization", in, intAttribute("axis", o.Axis), floatAttribute("epsilon", o.Epsilon))
		return
	}
	axes := intsAttribute("axes", e.axesFrom(o.Axis)...)
	centred := e.inner("Sub", []string{in[0], e.inner("ReduceMean", in[:1], axes)})
	variance := e.inner("ReduceMean", []string{e.inner("Mul", []string{centred, centred})}, axes)
	root := e.inner("Sqrt", []string{e.inner("Add", []string{variance, e.scalar("epsilon", o.Epsilon)})})
	scaled := []string{e.inner("Div", []string{centred, root}), in[1]}
	if len(in) == 2 {
		e.node("Mul", scaled)
		return
	}
	e.node("Add", []string{e.inner("Mul", scaled), in[2]})
}

// axesFrom lists the axes of the operator's result from the given one on.
func (e *exporter) axesFrom(axis int) (axes []int) {
	rank := e.current.Shape().Dims()
	if axis < 0 {
		axis += rank
	}
	for ; axis < rank; axis++ {
		axes = append(axes, axis)
	}
	return axes
}

func writeLRN(e *exporter, o *op.LRN, in []string) {
	e.node("LRN", in, intAttribute("size", o.Size), floatAttribute("alpha", o.Alpha), floatAttribute("beta", o.Beta), floatAttribute("bias", o.Bias))
}

// writeDropout leaves training_mode out, which makes the node an identity everywhere.
func writeDropout(e *exporter, o *op.Dropout, in []string) {
	e.node("Dropout", append(in, e.scalar("ratio", o.Ratio)))
}

func writeSoftmax(e *exporter, o *op.Softmax, in []string) {
	e.node("Softmax", in, intAttribute("axis", o.Axis))
}

func writeLogSoftmax(e *exporter, o *op.LogSoftmax, in []string) {
	e.node("LogSoftmax", in, intAttribute("axis", o.Axis))
}
