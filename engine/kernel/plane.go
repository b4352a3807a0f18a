package kernel

import (
	"fmt"
	"math"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// planeKernel is the name of an arithmetic on a plane.
type planeKernel string

// planePixels is about the number of pixels that one call into assembly works on, a few tens of
// microseconds: the garbage collector has to wait for a call to end.
const planePixels = 4096

// tensor is an operand of a primitive that lies in memory as a layout says.
type tensor struct {
	at     int // index in Args.Operand
	layout Layout
}

// plane is the address of pixel (0, 0) of one block of one image.
func (t tensor) plane(a *Args, image, block int) uintptr {
	return a.Operand[t.at] + uintptr(4*(image*t.layout.Image+t.layout.Base+block*t.layout.Plane))
}

// vector is an operand with one float for every channel, rounded up to whole blocks; or part of a
// longer one, as many floats further on; or one of every image, where rows is their layout. It can also be
// the same constant lanes for every block, or 1 for each of that many channels and 0 past the last.
type vector struct {
	at, skip int
	rows     *Layout
	constant *[Lanes]float32
	ones     int
}

func (v vector) block(a *Args, image, block int) uintptr {
	switch {
	case v.constant != nil:
		return uintptr(unsafe.Pointer(v.constant))
	case v.ones > 0:
		return uintptr(unsafe.Pointer(&someLanes[min(v.ones-block*Lanes, Lanes)]))
	case v.rows != nil:
		return a.Operand[v.at] + uintptr(4*(rowOffset(*v.rows, image)+block*v.rows.Plane))
	}
	return a.Operand[v.at] + uintptr(4*(v.skip+block*Lanes))
}

// planes runs a kernel over all planes of its operands: item i is block i % blocks of image i / blocks.
// All tensors have the same channels, height and width; each has its own halo, and may be a view.
type planes struct {
	name      string
	x, y, out tensor // those that the kernel does not have repeat x
	vectors   []vector
	low, high float32
	sums      int // float64 sums per channel that the kernel adds to a slot for every plane
	slots     int // the operand that holds the slots
	kernel    asm.Form[abi.Plane]
}

func newPlanes(set *Set, k planeKernel, x, y, out tensor) (*planes, error) {
	return planesOf(set.Plane[string(k)], string(k), x, y, out)
}

func planesOf(kernel asm.Form[abi.Plane], name string, x, y, out tensor) (*planes, error) {
	for _, t := range []tensor{x, y, out} {
		if !t.layout.blocked() {
			return nil, fmt.Errorf("%s: operand %d is %v, must be blocked", name, t.at, t.layout)
		}
		if l := t.layout; min(l.C, l.H, l.W) < 1 {
			return nil, fmt.Errorf("%s: operand %d is %v: empty", name, t.at, l)
		}
		if t.layout.C != x.layout.C || t.layout.H != x.layout.H || t.layout.W != x.layout.W {
			return nil, fmt.Errorf("%s: operand %d is %v, operand %d is %v: channels, height and width must agree",
				name, t.at, t.layout, x.at, x.layout)
		}
	}
	return &planes{
		name: kernel.Name(name), x: x, y: y, out: out,
		low: float32(math.Inf(-1)), high: float32(math.Inf(1)), kernel: kernel,
	}, nil
}

func (p *planes) Name() string         { return p.name }
func (p *planes) Items(images int) int { return images * p.x.layout.Blocks() }

// Slots is the number of floats of the slots operand: float64 sums for every image and channel.
func (p *planes) Slots(images int) int { return images * p.slot() }

// slot is the floats that the planes of one image use.
func (p *planes) slot() int { return p.x.layout.Blocks() * p.sums * Lanes * 2 }

func (p *planes) Item(w *Worker, i int, a *Args) {
	blocks := p.x.layout.Blocks()
	image, block := i/blocks, i%blocks
	k := argsOf[abi.Plane](w)
	k.X, k.Y, k.Out = p.x.plane(a, image, block), p.y.plane(a, image, block), p.out.plane(a, image, block)
	k.Low, k.High = p.low, p.high
	for j, v := range p.vectors {
		k.Vector[j] = v.block(a, image, block)
	}
	if p.sums > 0 {
		slot := a.Operand[p.slots] + uintptr(i*p.sums*Lanes*8)
		clear(asm.DoublesAt(slot, p.sums*Lanes))
		k.Sum, k.Product = slot, slot+Lanes*8
	}
	p.run(k)
}

// run walks the plane whose first pixels k names, in bands of rows.
func (p *planes) run(k *abi.Plane) {
	l := p.x.layout
	k.XRow, k.YRow, k.OutRow = 4*l.Row, 4*p.y.layout.Row, 4*p.out.layout.Row
	k.Pixels = l.W
	band := max(1, planePixels/l.W)
	for row := 0; row < l.H; row += band {
		k.Rows = min(band, l.H-row)
		p.kernel.Run(k)
		k.X += uintptr(k.Rows * k.XRow)
		k.Y += uintptr(k.Rows * k.YRow)
		k.Out += uintptr(k.Rows * k.OutRow)
	}
}

// Constant lanes, package variables, which do not move.
var (
	zeroLanes [Lanes]float32
	oneLanes  = someLanes[Lanes]

	// someLanes[n] is 1 in the first n lanes.
	someLanes = func() (some [Lanes + 1][Lanes]float32) {
		for n := range some {
			for c := range n {
				some[n][c] = 1
			}
		}
		return some
	}()
)
