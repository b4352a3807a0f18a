package kernel

import (
	"math"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// What is computed over the channels of pixels: block by block by kernels of planes, and then over the sixteen lanes.

const (
	largestKernel   planeKernel = "largest"
	expLessKernel   planeKernel = "expless"
	subKernel       planeKernel = "sub"
	addSquareKernel planeKernel = "addsquare"
	normalizeKernel planeKernel = "normalize"
)

// pixelRun is neighbouring pixels of images in blocks: where the first lies, and the bytes between blocks.
type pixelRun struct {
	at                   uintptr
	plane, blocks, count int
}

// block is where the pixels of a block begin.
func (r pixelRun) block(b int) uintptr { return r.at + uintptr(b*r.plane) }

// margin is one block of as many pixels, for what belongs to pixels and not to channels.
func (r pixelRun) margin(memory []float32) pixelRun {
	return pixelRun{Address(memory), 0, r.blocks, r.count}
}

// each runs a kernel on all blocks: r = f(x, y), with Low as a constant and vectors with a block for each of x.
func (r pixelRun) each(w *Worker, set *Set, k planeKernel, x, y pixelRun, low float32, vectors ...uintptr) {
	kernel := set.Plane[string(k)]
	t := argsOf[abi.Plane](w)
	for b := range r.blocks {
		t.X, t.Y, t.Out = x.block(b), y.block(b), r.block(b)
		t.Rows, t.Pixels, t.Low, t.High = 1, r.count, low, float32(math.Inf(1))
		for i, v := range vectors {
			t.Vector[i] = v + uintptr(4*Lanes*b)
		}
		kernel.Run(t)
	}
}

// one is block b alone.
func (r pixelRun) one(b int) pixelRun { return pixelRun{r.block(b), 0, 1, r.count} }

// spread replaces the lanes of every pixel of a margin by what f makes of them, the same in all.
func (r pixelRun) spread(f func(p int, lanes *[Lanes]float32) float32) {
	for p := range r.count {
		lanes := r.pixel(p)
		v := f(p, lanes)
		for c := range lanes {
			lanes[c] = v
		}
	}
}

// pixel is one pixel of a margin.
func (r pixelRun) pixel(p int) *[Lanes]float32 { return asm.LanesAt(r.at + uintptr(4*p*Lanes)) }

// fill writes one number to all lanes of a margin.
func (r pixelRun) fill(v float32) {
	lanes := asm.FloatsAt(r.at, r.count*Lanes)
	for i := range lanes {
		lanes[i] = v
	}
}

// total is the sum of lanes in float64, in their order.
func total(lanes *[Lanes]float32) (sum float64) {
	for _, v := range lanes {
		sum += float64(v)
	}
	return sum
}
