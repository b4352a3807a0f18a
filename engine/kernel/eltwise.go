package kernel

import (
	"fmt"
	"math"
)

// The elementwise primitives. Operands are blocked layouts of the same channels, height and width; an
// output may be the same memory as an input of the same layout. Item: one plane. NaN stays NaN.

const (
	copyKernel     planeKernel = "copy"
	addKernel      planeKernel = "add"
	affineKernel   planeKernel = "affine"
	reluGradKernel planeKernel = "relugrad"
	clipKernel     planeKernel = "clip"
	clipGradKernel planeKernel = "clipgrad"
)

// atLeast is max(low, v) that keeps NaN.
func atLeast(low, v float32) float32 {
	if low > v {
		return low
	}
	return v
}

// clip is min(max(v, low), high) that keeps NaN.
func clip(v, low, high float32) float32 {
	if v = atLeast(low, v); high < v {
		return high
	}
	return v
}

// NewCopy copies between layouts. Operands: 0 X, 1 Y.
func NewCopy(set *Set, in, out Layout) (Primitive, error) {
	x := tensor{0, in}
	return newPlanes(set, copyKernel, x, x, tensor{1, out})
}

// NewAdd is out = a + b, with flag ReLU max(0, a + b). Operands: 0 A, 1 B, 2 out.
func NewAdd(set *Set, a, b, out Layout, flags int) (Primitive, error) {
	p, err := newPlanes(set, addKernel, tensor{0, a}, tensor{1, b}, tensor{2, out})
	if err != nil {
		return nil, err
	}
	p.low, err = lowest(flags)
	return p, err
}

// NewAccumulate is y += x. Operands: 0 X, 1 Y.
func NewAccumulate(set *Set, x, y Layout) (Primitive, error) {
	return newPlanes(set, addKernel, tensor{0, x}, tensor{1, y}, tensor{1, y})
}

// NewAffine is y = x*scale + shift per channel in one rounding (fused), with flag ReLU at least 0.
// Operands: 0 X, 1 scale, 2 shift (C floats each, zero up to a whole block), 3 Y.
func NewAffine(set *Set, in, out Layout, flags int) (Primitive, error) {
	x := tensor{0, in}
	p, err := newPlanes(set, affineKernel, x, x, tensor{3, out})
	if err != nil {
		return nil, err
	}
	p.vectors = []vector{{at: 1}, {at: 2}}
	p.low, err = lowest(flags)
	return p, err
}

// NewReLU is y = max(0, x). Operands: 0 X, 1 Y.
func NewReLU(set *Set, in, out Layout) (Primitive, error) {
	return NewClip(set, in, out, 0, float32(math.Inf(1)))
}

// NewReluGrad is dx = dy where y > 0, else 0. Operands: 0 Y (what ReLU gave, or what it was given),
// 1 dY, 2 dX.
func NewReluGrad(set *Set, y, dy, dx Layout) (Primitive, error) {
	return newPlanes(set, reluGradKernel, tensor{0, y}, tensor{1, dy}, tensor{2, dx})
}

// NewClip is y = min(max(x, low), high). Operands: 0 X, 1 Y.
func NewClip(set *Set, in, out Layout, low, high float32) (Primitive, error) {
	if !(low <= 0 && high >= 0) { // 0 would not stay 0 in the padding lanes
		return NewMap("clip", in, out, func(v float32) float32 { return clip(v, low, high) })
	}
	x := tensor{0, in}
	p, err := newPlanes(set, clipKernel, x, x, tensor{1, out})
	if err != nil {
		return nil, err
	}
	p.low, p.high = low, high
	return p, nil
}

// NewClipGrad is dx = dy where low < x < high, else 0 (PyTorch's hardtanh). Operands: 0 X, 1 dY, 2 dX.
func NewClipGrad(set *Set, x, dy, dx Layout, low, high float32) (Primitive, error) {
	p, err := newPlanes(set, clipGradKernel, tensor{0, x}, tensor{1, dy}, tensor{2, dx})
	if err != nil {
		return nil, err
	}
	p.low, p.high = low, high
	return p, nil
}

// lowest is the lower bound of an output: 0 with flag ReLU. Primitives that ask for it know no other flag.
func lowest(flags int) (float32, error) {
	switch flags {
	case 0:
		return float32(math.Inf(-1)), nil
	case ReLU:
		return 0, nil
	}
	return 0, fmt.Errorf("flags %#x: only ReLU is possible here", flags)
}
