package kernel

import (
	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// planeSum is the sum of every plane in float64, divided once: a mean where the divisor is the number of pixels.
type planeSum struct {
	*planes // sums into scratch
	result  tensor
	divisor float64
}

func newPlaneSum(set *Set, name string, k planeKernel, x, y, result tensor, divisor int) (Primitive, error) {
	p, err := newPlanes(set, k, x, y, x)
	if err != nil {
		return nil, err
	}
	if err := checkRowsOf(name+" output", result.layout, x.layout.C); err != nil {
		return nil, err
	}
	p.name = p.kernel.Name(name)
	return &planeSum{p, result, float64(divisor)}, nil
}

// NewGlobalAveragePool averages all pixels. Operands: 0 X, 1 Y, whose layout out is either
// Blocked(C, 1, 1, 0) or a Matrix with one row per image. Item: one plane.
func NewGlobalAveragePool(set *Set, in, out Layout) (Primitive, error) {
	x := tensor{0, in}
	return newPlaneSum(set, "globalaveragepool", sumKernel, x, x, tensor{1, out}, in.H*in.W)
}

func (p *planeSum) Scratch() int { return 2 * Lanes }

func (p *planeSum) Item(w *Worker, i int, a *Args) {
	blocks := p.x.layout.Blocks()
	image, block := i/blocks, i%blocks
	k := argsOf[abi.Plane](w)
	k.X, k.Y = p.x.plane(a, image, block), p.y.plane(a, image, block)
	k.Out = k.X
	k.Sum = Address(w.Scratch)
	sum := asm.SumsAt(k.Sum)
	clear(sum[:])
	p.run(k)
	l := p.result.layout
	y := asm.LanesAt(a.Operand[p.result.at] + uintptr(4*(rowOffset(l, image)+block*l.Plane)))
	for c, v := range sum {
		y[c] = float32(v / p.divisor)
	}
}

// rowOffset is where the channels of one image begin when each has a single pixel: in a Matrix the
// images are pixels, otherwise (Blocked(c, 1, 1, 0), or a Matrix of one row) they are images.
func rowOffset(l Layout, image int) int {
	if l.W == 1 {
		return l.Base + image*l.Image
	}
	return l.Base + image*l.Pixel
}

// fillKernel writes the same sixteen values to every pixel.
const fillKernel planeKernel = "fill"

// globalAverageGrad spreads dy evenly over the plane.
type globalAverageGrad struct {
	*planes
	dy Layout
}

// NewGlobalAveragePoolGrad writes dy / (H W) to every pixel. Operands: 0 dY in layout dy
// (Blocked(C, 1, 1, 0) or a Matrix with one row per image), 1 dX. Item: one plane.
func NewGlobalAveragePoolGrad(set *Set, dy, dx Layout) (Primitive, error) {
	x := tensor{1, dx}
	p, err := newPlanes(set, fillKernel, x, x, x)
	if err != nil {
		return nil, err
	}
	if err := checkRowsOf("globalaveragepool gradient", dy, dx.C); err != nil {
		return nil, err
	}
	p.name = p.kernel.Name("globalaveragepoolgrad")
	return &globalAverageGrad{p, dy}, nil
}

func (p *globalAverageGrad) Scratch() int { return Lanes }

func (p *globalAverageGrad) Item(w *Worker, i int, a *Args) {
	dx := p.out.layout
	image, block := i/dx.Blocks(), i%dx.Blocks()
	dy := asm.LanesAt(a.Operand[0] + uintptr(4*(rowOffset(p.dy, image)+block*p.dy.Plane)))
	k := argsOf[abi.Plane](w)
	k.Out = p.out.plane(a, image, block)
	k.X, k.Y = k.Out, k.Out
	k.Vector[0] = Address(w.Scratch)
	for c := range dy {
		asm.LanesAt(k.Vector[0])[c] = dy[c] / float32(dx.H*dx.W)
	}
	p.run(k)
}
