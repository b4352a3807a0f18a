package kernel

// Products of images with images, or with one factor for every channel: of squeeze-and-excitation (Hu et al., 2018), and
// of layer scale. A gradient with respect to such a factor is a sum of products over pixels.

const (
	mulKernel   planeKernel = "mul"
	scaleKernel planeKernel = "scale"
	dotKernel   planeKernel = "dot"
)

// NewMul is out = a * b. Operands: 0 A, 1 B, 2 out. Item: one plane.
func NewMul(set *Set, a, b, out Layout) (Primitive, error) {
	return newPlanes(set, mulKernel, tensor{0, a}, tensor{1, b}, tensor{2, out})
}

// NewScale is y = x * factor, with one factor for every image and channel in layout factors (Blocked(C, 1, 1, 0) or a
// Matrix with one row per image). Operands: 0 X, 1 factors, 2 Y. Item: one plane.
func NewScale(set *Set, in, factors, out Layout) (Primitive, error) {
	if err := checkRowsOf("factors", factors, in.C); err != nil {
		return nil, err
	}
	return newScale(set, in, out, vector{at: 1, rows: &factors})
}

// NewChannelScale is y = x * factor per channel. Operands: 0 X, 1 factors (C floats, zero up to a whole block), 2 Y.
// Item: one plane.
func NewChannelScale(set *Set, in, out Layout) (Primitive, error) {
	return newScale(set, in, out, vector{at: 1})
}

func newScale(set *Set, in, out Layout, factor vector) (Primitive, error) {
	x := tensor{0, in}
	p, err := newPlanes(set, scaleKernel, x, x, tensor{2, out})
	if err != nil {
		return nil, err
	}
	p.vectors = []vector{factor}
	return p, nil
}

// NewPixelSum sums every plane. Operands: 0 X, 1 Y, whose layout out is Blocked(C, 1, 1, 0) or a Matrix with one row per
// image. Item: one plane.
func NewPixelSum(set *Set, in, out Layout) (Primitive, error) {
	x := tensor{0, in}
	return newPlaneSum(set, "pixelsum", sumKernel, x, x, tensor{1, out}, 1)
}

// NewPixelDot sums the products a*b of every plane, the gradient of NewScale's factors. Operands: 0 A, 1 B, 2 Y as for
// NewPixelSum. Item: one plane.
func NewPixelDot(set *Set, a, b, out Layout) (Primitive, error) {
	return newPlaneSum(set, "pixeldot", dotKernel, tensor{0, a}, tensor{1, b}, tensor{2, out}, 1)
}

// NewChannelDot sums the products a*b of every plane for NewChannelSumFinish: the gradient of NewChannelScale's factors.
// Operands: 0 A, 1 B, 2 slots. Item: one plane.
func NewChannelDot(set *Set, a, b Layout) (Slotted, error) {
	x := tensor{0, a}
	p, err := newPlanes(set, dotKernel, x, tensor{1, b}, x)
	if err != nil {
		return nil, err
	}
	p.sums, p.slots = 1, 2
	return p, nil
}
