package onnx

import "regraft/engine/op"

// Operators that take one number of all elements along some axes.

// lowerReduction reads the axes, all of them where none are given, and lets build make the operator.
func lowerReduction(build func(c *call, x *value, axes []int, keep bool) error) func(*call) error {
	return func(c *call) error {
		keep, noop := c.flag("keepdims", true), c.flag("noop_with_empty_axes", false)
		list, err := c.axisList()
		if err != nil {
			return err
		}
		x, err := c.tensor(0)
		if err != nil {
			return err
		}
		rank := len(x.shape)
		axes, err := axisSet(list, rank)
		if err != nil {
			return err
		}
		if len(axes) == 0 {
			if noop {
				return c.same(x)
			}
			for i := range rank {
				axes[i] = true
			}
		}
		return build(c, x, sorted(axes, rank), keep)
	}
}

// foldIntegers reduces known integers; floats are reduced as they are at run time.
func foldIntegers(f arithmetic, build func(c *call, x *value, axes []int, keep bool) error) func(*call, []*constant) ([]*constant, error) {
	return func(c *call, in []*constant) ([]*constant, error) {
		if in[0].integral() {
			return foldReduce(f)(c, in)
		}
		return nil, lowerReduction(build)(c)
	}
}

// overPixels tells whether the axes are rows and columns of images.
func overPixels(x *value, axes []int) bool {
	return len(x.shape) == 4 && openAxis(x.shape) <= 0 && len(axes) == 2 && axes[0] == 2 && axes[1] == 3
}

// pooled emits a pool to (N, C, 1, 1), which loses its last axes unless they are to be kept.
func (c *call) pooled(o op.Op, x *value, keep bool) error {
	if keep {
		return c.emit(o, x)
	}
	y, err := c.step("pool", o, x)
	if err != nil {
		return err
	}
	return c.emit(&op.Flatten{Axis: 1}, y)
}

// reduceMean recognises the mean over rows and columns as GlobalAveragePool.
func reduceMean(c *call, x *value, axes []int, keep bool) error {
	if overPixels(x, axes) {
		return c.pooled(&op.GlobalAveragePool{}, x, keep)
	}
	return c.emit(&op.ReduceMean{Axes: axes, KeepDims: keep}, x)
}

// reduceMax recognises the largest of rows and columns as a MaxPool of one window.
func reduceMax(c *call, x *value, axes []int, keep bool) error {
	if overPixels(x, axes) {
		return c.maxOfPixels(x, keep)
	}
	return reduce(op.MaxOf)(c, x, axes, keep)
}

func reduce(kind string) func(c *call, x *value, axes []int, keep bool) error {
	return func(c *call, x *value, axes []int, keep bool) error {
		return c.emit(&op.Reduce{Kind: kind, ReduceMean: op.ReduceMean{Axes: axes, KeepDims: keep}}, x)
	}
}

// maxOfPixels is one window as large as x (N, C, H, W); where that is large, of the largest of every row.
func (c *call) maxOfPixels(x *value, keep bool) error {
	const large = 1 << 10
	whole := func(h, w int) op.Op {
		return &op.MaxPool{Kernel: [2]int{h, w}, Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}}
	}
	h, w := x.shape[2], x.shape[3]
	if h*w > large {
		rows, err := c.step("rows", whole(1, w), x)
		if err != nil {
			return err
		}
		x, w = rows, 1
	}
	return c.pooled(whole(h, w), x, keep)
}

func lowerGlobalMaxPool(c *call) error {
	x, err := c.images(0)
	if err != nil {
		return err
	}
	return c.maxOfPixels(x, true)
}

func writeReduceMean(e *exporter, o *op.ReduceMean, in []string) { e.reduction(o.Name(), o, in, 18) }

func writeReduce(e *exporter, o *op.Reduce, in []string) {
	since := 18
	if o.Kind == op.SumOf {
		since = 13
	}
	e.reduction(o.Name(), &o.ReduceMean, in, since)
}

// reduction writes axes as an operand from opset since on, as an attribute before.
func (e *exporter) reduction(name string, o *op.ReduceMean, in []string, since int) {
	keep := flagAttribute("keepdims", o.KeepDims)
	if e.form.opset >= since {
		e.node(name, append(in, e.ints("axes", o.Axes...)), keep)
		return
	}
	e.node(name, in, intsAttribute("axes", o.Axes...), keep)
}
