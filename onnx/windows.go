package onnx

import (
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Operators that slide a window over rows and columns.

// window holds the attributes that Conv, MaxPool and AveragePool share.
type window struct {
	kernel, strides, dilations [2]int
	pads                       []int
	auto                       string
}

func (c *call) window() window {
	w := window{
		kernel:    c.pair("kernel_shape", [2]int{}),
		strides:   c.pair("strides", [2]int{1, 1}),
		dilations: c.pair("dilations", [2]int{1, 1}),
		pads:      c.ints("pads"),
		auto:      c.text("auto_pad", "NOTSET"),
	}
	switch w.auto {
	case "NOTSET", "", "VALID", "SAME_UPPER", "SAME_LOWER":
	default:
		c.refused("attribute auto_pad is %s", quoted(w.auto))
	}
	if n := len(w.pads); n != 0 && n != 4 {
		c.refused("attribute pads has %d values: only two-dimensional windows are supported", n)
	}
	return w
}

// padding is top, left, bottom, right for an input of the given shape (N, C, H, W).
func (w window) padding(shape tensor.Shape) (pads [4]int) {
	if w.auto != "SAME_UPPER" && w.auto != "SAME_LOWER" {
		if w.auto != "VALID" {
			copy(pads[:], w.pads)
		}
		return pads
	}
	for i := range 2 {
		size, stride := shape[2+i], max(w.strides[i], 1)
		out := (size + stride - 1) / stride
		total := max((out-1)*stride+(w.kernel[i]-1)*w.dilations[i]+1-size, 0)
		pads[i], pads[2+i] = total/2, total-total/2
		if w.auto == "SAME_LOWER" {
			pads[i], pads[2+i] = pads[2+i], pads[i]
		}
	}
	return pads
}

// clipped is the kernel of a pool with ceil_mode, of which a window may reach past the end of its map: one that is larger than a map without
// padding is as large as the map, and the only one.
func (w window) clipped(shape tensor.Shape, pads [4]int) [2]int {
	kernel := w.kernel
	for i := range kernel {
		size := shape[2+i]
		if w.dilations[i] == 1 && pads[i] == 0 && pads[2+i] == 0 && kernel[i] > size && kernel[i]-size < w.strides[i] {
			kernel[i] = size
		}
	}
	return kernel
}

// images returns an operand that must be (N, C, H, W).
func (c *call) images(i int) (*value, error) {
	x, err := c.tensor(i)
	if err == nil && (len(x.shape) != 4 || openAxis(x.shape) > 0) {
		return nil, c.refused("operand %d has shape %v: only (N, C, H, W) is supported", i, x.shape)
	}
	return x, err
}

func lowerConv(c *call) error {
	conv, err := c.conv()
	if err != nil {
		return err
	}
	in, err := c.tensors()
	if err != nil {
		return err
	}
	return c.emit(conv, in...)
}

// conv reads the attributes of a convolution.
func (c *call) conv() (*op.Conv, error) {
	w, group := c.window(), c.int("group", 1)
	x, err := c.images(0)
	if err != nil {
		return nil, err
	}
	weight, err := c.images(1)
	if err != nil {
		return nil, err
	}
	kernel := [2]int{weight.shape[2], weight.shape[3]}
	if w.kernel != [2]int{} && w.kernel != kernel {
		return nil, c.refused("attribute kernel_shape is %v, the weight has %v", w.kernel, kernel)
	}
	w.kernel = kernel
	return &op.Conv{Strides: w.strides, Dilations: w.dilations, Pads: w.padding(x.shape), Group: group}, nil
}

func lowerMaxPool(c *call) error {
	w, ceil := c.window(), c.flag("ceil_mode", false)
	c.ignore("storage_order") // it concerns the second result only
	x, err := c.images(0)
	if err != nil {
		return err
	}
	pads := w.padding(x.shape)
	if ceil {
		w.kernel = w.clipped(x.shape, pads)
	}
	return c.emit(&op.MaxPool{Kernel: w.kernel, Strides: w.strides, Dilations: w.dilations, Pads: pads, CeilMode: ceil}, x)
}

func lowerAveragePool(c *call) error {
	w, ceil, include := c.window(), c.flag("ceil_mode", false), c.flag("count_include_pad", false)
	if w.dilations != [2]int{1, 1} {
		return c.refused("attribute dilations is %v, only [1 1] is supported", w.dilations)
	}
	x, err := c.images(0)
	if err != nil {
		return err
	}
	pads := w.padding(x.shape)
	if ceil {
		w.kernel = w.clipped(x.shape, pads)
	}
	return c.emit(&op.AveragePool{Kernel: w.kernel, Strides: w.strides, Pads: pads, CeilMode: ceil, CountIncludePad: include}, x)
}

func lowerGlobalAveragePool(c *call) error {
	if x := c.operand(0); len(x.shape) == 3 { // (N, C, L)
		return lowerReduction(func(c *call, x *value, _ []int, _ bool) error {
			return c.emit(&op.ReduceMean{Axes: []int{2}, KeepDims: true}, x)
		})(c)
	}
	x, err := c.images(0)
	if err != nil {
		return err
	}
	return c.emit(&op.GlobalAveragePool{}, x)
}

func writeConv(e *exporter, o *op.Conv, in []string) {
	kernel := op.Inputs(e.current)[1].Shape()[2:]
	e.node("Conv", in, intsAttribute("dilations", o.Dilations[:]...), intAttribute("group", o.Group),
		intsAttribute("kernel_shape", kernel...), intsAttribute("pads", o.Pads[:]...), intsAttribute("strides", o.Strides[:]...))
}

func writeMaxPool(e *exporter, o *op.MaxPool, in []string) {
	e.node("MaxPool", in, flagAttribute("ceil_mode", o.CeilMode), intsAttribute("dilations", o.Dilations[:]...),
		intsAttribute("kernel_shape", o.Kernel[:]...), intsAttribute("pads", o.Pads[:]...), intsAttribute("strides", o.Strides[:]...))
}

func writeAveragePool(e *exporter, o *op.AveragePool, in []string) {
	e.node("AveragePool", in, flagAttribute("ceil_mode", o.CeilMode), flagAttribute("count_include_pad", o.CountIncludePad),
		intsAttribute("kernel_shape", o.Kernel[:]...), intsAttribute("pads", o.Pads[:]...), intsAttribute("strides", o.Strides[:]...))
}
