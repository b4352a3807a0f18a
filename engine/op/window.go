package op

import "fmt"

// window is how a kernel slides along one axis: tap k of output o lies at o*stride - pad + k*dilation.
type window struct{ in, out, kernel, stride, dilation, pad int }

// maxWindow bounds kernel sizes, strides, dilations and pads, so that their products cannot overflow.
const maxWindow = 1 << 15

// newWindow works out the number of outputs: floor((in + pads - reach) / stride) + 1 with
// reach = dilation*(kernel-1) + 1. With ceil the division rounds up, but no window starts beyond the
// input and its leading pad (PyTorch, ONNX MaxPool).
func newWindow(in, kernel, stride, dilation, pad, padEnd int, ceil bool) (window, error) {
	for _, v := range []int{kernel, stride, dilation} {
		if v < 1 || v > maxWindow {
			return window{}, fmt.Errorf("kernel %d, stride %d, dilation %d: each must be 1 to %d", kernel, stride, dilation, maxWindow)
		}
	}
	reach := dilation*(kernel-1) + 1
	if pad < 0 || padEnd < 0 || pad > maxWindow || padEnd > maxWindow {
		return window{}, fmt.Errorf("pads %d and %d: each must be 0 to %d", pad, padEnd, maxWindow)
	}
	span := in + pad + padEnd - reach
	if span < 0 {
		return window{}, fmt.Errorf("size %d with pads %d and %d is smaller than the kernel's %d", in, pad, padEnd, reach)
	}
	out := span/stride + 1
	if ceil && span%stride != 0 && out*stride < in+pad {
		out++
	}
	return window{in, out, kernel, stride, dilation, pad}, nil
}

// at is where tap k of output o lies; it may be outside the input.
func (w window) at(o, k int) int { return o*w.stride - w.pad + k*w.dilation }

// outputs is the range of outputs whose tap k lies inside the input.
func (w window) outputs(k int) (low, high int) {
	offset := k*w.dilation - w.pad // of output 0
	if offset < 0 {
		low = (-offset + w.stride - 1) / w.stride
	}
	if room := w.in - 1 - offset; room >= 0 {
		high = min(room/w.stride+1, w.out)
	}
	return low, max(low, high)
}

// windows2D builds the windows of rows and columns; pads are top, left, bottom, right.
func windows2D(in, kernel, strides, dilations [2]int, pads [4]int, ceil bool) (rows, cols window, err error) {
	if rows, err = newWindow(in[0], kernel[0], strides[0], dilations[0], pads[0], pads[2], ceil); err != nil {
		return rows, cols, fmt.Errorf("rows: %w", err)
	}
	if cols, err = newWindow(in[1], kernel[1], strides[1], dilations[1], pads[1], pads[3], ceil); err != nil {
		return rows, cols, fmt.Errorf("columns: %w", err)
	}
	return rows, cols, nil
}
