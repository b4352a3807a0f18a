package kernel

import (
	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// mapped applies a Go function to every element, or to those of two operands. Lanes past the last channel become zero whatever the
// function makes of zero.
type mapped struct {
	planes
	f func(x, y float32) float32
}

// NewMap is y = f(x) for every element, in plain Go. Operands: 0 X, 1 Y. Item: one plane.
func NewMap(name string, in, out Layout, f func(float32) float32) (Primitive, error) {
	x := tensor{0, in}
	return newMapped(name, x, x, tensor{1, out}, func(x, _ float32) float32 { return f(x) })
}

// NewZip is z = f(x, y) for every element, in plain Go. Operands: 0 X, 1 Y, 2 Z, which may be the memory of either. Item: one plane.
func NewZip(name string, x, y, out Layout, f func(x, y float32) float32) (Primitive, error) {
	return newMapped(name, tensor{0, x}, tensor{1, y}, tensor{2, out}, f)
}

func newMapped(name string, x, y, out tensor, f func(x, y float32) float32) (Primitive, error) {
	p, err := planesOf(asm.Form[abi.Plane]{Set: Go.Name}, name, x, y, out)
	if err != nil {
		return nil, err
	}
	return &mapped{*p, f}, nil
}

func (m *mapped) Item(_ *Worker, i int, a *Args) {
	l := m.x.layout
	image, block := i/l.Blocks(), i%l.Blocks()
	lanes := min(Lanes, l.C-block*Lanes)
	k := abi.Plane{
		X: m.x.plane(a, image, block), XRow: 4 * l.Row, Y: m.y.plane(a, image, block), YRow: 4 * m.y.layout.Row,
		Out: m.out.plane(a, image, block), OutRow: 4 * m.out.layout.Row,
		Rows: l.H, Pixels: l.W,
	}
	asm.EachPixel(&k, func(x, y, out *[Lanes]float32) {
		for c := range lanes {
			out[c] = m.f(x[c], y[c])
		}
		clear(out[lanes:])
	})
}
