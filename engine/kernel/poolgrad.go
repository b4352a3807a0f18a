package kernel

var (
	maxPoolGradKernel = poolKernel{"maxpoolgrad", func(k *poolArgs) {
		k.each(func(p poolPixel) {
			best, winner := lowestLanes, [Lanes]int{}
			for i, t := range p.taps {
				for c, v := range lanesAt(p.x + uintptr(t)) {
					if v > best[c] || v != v {
						best[c], winner[c] = v, i
					}
				}
			}
			dy := lanesAt(p.y)
			for i, t := range p.dxTaps {
				dx := lanesAt(p.dx + uintptr(t))
				for c, d := range dy {
					if winner[c] != i {
						d = 0
					}
					dx[c] += d
				}
			}
		})
	}}
	averagePoolGradKernel = poolKernel{"averagepoolgrad", func(k *poolArgs) {
		k.each(func(p poolPixel) {
			share := *lanesAt(p.y)
			for c := range share {
				share[c] /= p.divisor
			}
			for _, t := range p.taps {
				dx := lanesAt(p.x + uintptr(t))
				for c, d := range share {
					dx[c] += d
				}
			}
		})
	}}
)

// NewMaxPoolGrad gives every dy to the first largest tap of its window in row-major order, to the last
// NaN where there is one (PyTorch). The maximum is found again in X. Without flag Acc dX is overwritten.
// Operands: 0 X, 1 dY, 2 dX. Item: one plane.
func NewMaxPoolGrad(set *Set, s PoolShape, x, dy, dx Layout, flags int) (Primitive, error) {
	p, err := newPool(set, maxPoolGradKernel, s, tensor{0, x}, tensor{1, dy})
	if err != nil {
		return nil, err
	}
	on, err := windowsBetween(maxPoolGradKernel.name, s, dx, dy)
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
