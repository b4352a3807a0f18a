package kernel

const (
	maxPoolGradKernel     poolKernel = "maxpoolgrad"
	averagePoolGradKernel poolKernel = "averagepoolgrad"
)

// NewMaxPoolGrad gives every dy to the first largest tap of its window in row-major order, to the last
// NaN where there is one (PyTorch). The maximum is found again in X. Without flag Acc dX is overwritten.
// Operands: 0 X, 1 dY, 2 dX. Item: one plane.
func NewMaxPoolGrad(set *Set, s PoolShape, x, dy, dx Layout, flags int) (Primitive, error) {
	p, err := newPool(set, maxPoolGradKernel, s, tensor{0, x}, tensor{1, dy})
	if err != nil {
		return nil, err
	}
	on, err := windowsBetween(string(maxPoolGradKernel), s, dx, dy)
	if err != nil {
		return nil, err
	}
	p.dx = &maxGrad{tensor{2, dx}, on}
	if flags&Acc == 0 {
		p.overwrite = &p.dx.tensor
	}
	return p, nil
}

// NewAveragePoolGrad spreads every dy evenly over the taps of its window. Without flag Acc dX is
// overwritten. Operands: 0 dY, 1 dX. Item: one plane.
func NewAveragePoolGrad(set *Set, s PoolShape, dy, dx Layout, flags int) (Primitive, error) {
	p, err := newPool(set, averagePoolGradKernel, s, tensor{1, dx}, tensor{0, dy})
	if err != nil {
		return nil, err
	}
	if flags&Acc == 0 {
		p.overwrite = &p.x
	}
	return p, nil
}
