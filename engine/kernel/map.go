package kernel

import (
	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// mapped applies a Go function to every element. Lanes past the last channel become zero whatever the
// function makes of zero.
type mapped struct {
	planes
	f func(float32) float32
}

// NewMap is y = f(x) for every element, in plain Go. Operands: 0 X, 1 Y. Item: one plane.
func NewMap(name string, in, out Layout, f func(float32) float32) (Primitive, error) {
	x := tensor{0, in}
	p, err := planesOf(asm.Form[abi.Plane]{Set: Go.Name}, name, x, x, tensor{1, out})
	if err != nil {
		return nil, err
	}
	return &mapped{*p, f}, nil
}

func (m *mapped) Item(_ *Worker, i int, a *Args) {
	l := m.x.layout
	image, block := i/l.Blocks(), i%l.Blocks()
	lanes := min(Lanes, l.C-block*Lanes)
	x := m.x.plane(a, image, block)
	k := abi.Plane{
		X: x, XRow: 4 * l.Row, Y: x, YRow: 4 * l.Row,
		Out: m.out.plane(a, image, block), OutRow: 4 * m.out.layout.Row,
		Rows: l.H, Pixels: l.W,
	}
	asm.EachPixel(&k, func(x, _, out *[Lanes]float32) {
		for c := range lanes {
			out[c] = m.f(x[c])
		}
		clear(out[lanes:])
	})
}
