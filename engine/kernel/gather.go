package kernel

import (
	"fmt"

	"regraft/engine/kernel/asm"
)

// gather copies rows and columns of every plane, or adds them back.
type gather struct {
	name       string
	whole      tensor
	part       tensor
	rows, cols []int // which row and column of the whole each of the part is
	add        bool
}

// NewGather is y[r][c] = x[rows[r]][cols[c]] for every plane, the way in which windows at unequal distances are
// picked from all windows (GoogLeNet's adaptive pool). Operands: 0 X, 1 Y. Item: one plane.
func NewGather(in, out Layout, rows, cols []int) (Primitive, error) {
	return newGather(gather{name: "gather", whole: tensor{0, in}, part: tensor{1, out}, rows: rows, cols: cols})
}

// NewGatherGrad is its gradient: dx is 0 and gets dy[r][c] added at [rows[r]][cols[c]], in row-major order.
// Operands: 0 dY, 1 dX. Item: one plane.
func NewGatherGrad(dy, dx Layout, rows, cols []int) (Primitive, error) {
	return newGather(gather{name: "gather_grad", whole: tensor{1, dx}, part: tensor{0, dy}, rows: rows, cols: cols, add: true})
}

func newGather(g gather) (Primitive, error) {
	whole, part := g.whole.layout, g.part.layout
	if !whole.blocked() || !part.blocked() || whole.C != part.C || part.H != len(g.rows) || part.W != len(g.cols) {
		return nil, fmt.Errorf("%s: layouts %v and %v for %d rows and %d columns", g.name, whole, part, len(g.rows), len(g.cols))
	}
	for _, axis := range []struct {
		picked []int
		size   int
	}{{g.rows, whole.H}, {g.cols, whole.W}} {
		for _, k := range axis.picked {
			if k < 0 || k >= axis.size {
				return nil, fmt.Errorf("%s: index %d is outside of %v", g.name, k, whole)
			}
		}
	}
	return &g, nil
}

func (g *gather) Name() string         { return g.name }
func (g *gather) Items(images int) int { return images * g.whole.layout.Blocks() }

func (g *gather) Item(_ *Worker, i int, a *Args) {
	blocks := g.whole.layout.Blocks()
	whole, part := g.whole.plane(a, i/blocks, i%blocks), g.part.plane(a, i/blocks, i%blocks)
	at := func(plane uintptr, l Layout, row, col int) *[Lanes]float32 {
		return asm.LanesAt(plane + uintptr(4*(row*l.Row+col*Lanes)))
	}
	if g.add {
		l := g.whole.layout
		for row := range l.H {
			clear(asm.FloatsAt(whole+uintptr(4*row*l.Row), l.W*Lanes))
		}
	}
	for r, row := range g.rows {
		for c, col := range g.cols {
			x, y := at(whole, g.whole.layout, row, col), at(part, g.part.layout, r, c)
			if !g.add {
				*y = *x
				continue
			}
			for lane, v := range y {
				x[lane] += v
			}
		}
	}
}
