package kernel

import (
	"math"
	"unsafe"

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
	scaleAddKernel  planeKernel = "scaleadd"
	productKernel   planeKernel = "product"
)

var none = float32(math.Inf(-1)) // no lower bound, no weight in a softmax

// pixelRun is neighbouring pixels of images in blocks: where the first lies, and the bytes between blocks.
type pixelRun struct {
	at                   uintptr
	plane, blocks, count int
}

// block is where the pixels of a block begin.
func (r pixelRun) block(b int) uintptr { return r.at + uintptr(b*r.plane) }

// margin is one block of as many pixels, for what belongs to pixels and not to channels, in marginLen floats.
func (r pixelRun) margin(memory []float32) pixelRun {
	return pixelRun{Address(memory), 0, r.blocks, r.count}
}

// marginLen is the floats of a margin of so many pixels: it is spread sixteen of them at a time.
func marginLen(pixels int) int { return roundUp(pixels, Lanes) * Lanes }

// like is as many pixels with the same distances elsewhere.
func (r pixelRun) like(memory []float32) pixelRun {
	return pixelRun{Address(memory), r.plane, r.blocks, r.count}
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

// spread replaces the lanes of every pixel of a margin by what f makes of their sum, in float64 and in their order; the same in all.
func (r pixelRun) spread(w *Worker, set *Set, f func(p int, sum float64) float32) {
	for first := 0; first < r.count; first += Lanes {
		r.turn(w, set, first)
		w.sums = [Lanes]float64{}
		t := argsOf[abi.Plane](w)
		t.X, t.Rows, t.Pixels, t.Sum = w.turned(0), 1, Lanes, uintptr(unsafe.Pointer(&w.sums))
		set.Plane[string(sumKernel)].Run(t)
		for p := first; p < min(first+Lanes, r.count); p++ {
			r.set(p, f(p, w.sums[p-first]))
		}
	}
}

// spreadLargest replaces the lanes of every pixel of a margin by the largest, the same in all.
func (r pixelRun) spreadLargest(w *Worker, set *Set) {
	largest := set.Plane[string(largestKernel)]
	for first := 0; first < r.count; first += Lanes {
		r.turn(w, set, first)
		t := argsOf[abi.Plane](w)
		for n := Lanes / 2; n > 0; n /= 2 {
			t.X, t.Y, t.Out = w.turned(0), w.turned(n), w.turned(0)
			t.Rows, t.Pixels, t.Low = 1, n, 1
			largest.Run(t)
		}
		for p := first; p < min(first+Lanes, r.count); p++ {
			r.set(p, w.square[0][p-first])
		}
	}
}

// turn writes sixteen pixels of a margin, from one on, to the worker's square, lane by lane.
func (r pixelRun) turn(w *Worker, set *Set, first int) {
	t := argsOf[abi.Transpose](w)
	t.Src, t.Dst, t.Count = r.at+uintptr(4*first*Lanes), w.turned(0), 1
	set.Transpose.Run(t)
}

// turned is where lane c of the pixels lies that turn wrote.
func (w *Worker) turned(c int) uintptr { return uintptr(unsafe.Pointer(&w.square[c])) }

// set writes one number to all lanes of a pixel.
func (r pixelRun) set(p int, v float32) {
	*r.pixel(p) = [Lanes]float32{v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v}
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
