package kernel

import (
	"fmt"
	"math"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// poolKernel is the name of a kind of pooling.
type poolKernel string

const (
	maxPoolKernel     poolKernel = "maxpool"
	averagePoolKernel poolKernel = "averagepool"
)

// pool runs a kernel over all planes: item i is block i % blocks of image i / blocks.
type pool struct {
	family    string   // what its name begins with
	x, y      tensor   // what the windows slide over, what has their output pixels
	on        *windows // over x, to y
	bias      int      // the operand with the bias of an average, or 0
	low, high float32
	dx        *maxGrad
	overwrite *tensor // this plane becomes zero first
	weights   int     // the operand with the weights of a depthwise convolution, or 0
	window    int     // floats of a block's weights
	kernel    asm.Form[abi.Pool]
	after     *planes // what is applied to the finished plane, or nil
}

// maxGrad is the operand that receives the gradient of a maximum.
type maxGrad struct {
	tensor
	on *windows // over it
}

func newPool(set *Set, k poolKernel, s PoolShape, x, y tensor) (*pool, error) {
	on, err := windowsBetween(string(k), s, x.layout, y.layout)
	if err != nil {
		return nil, err
	}
	return &pool{
		family: string(k), x: x, y: y, on: on, low: float32(math.Inf(-1)), high: float32(math.Inf(1)), kernel: set.Pool[string(k)],
	}, nil
}

// windowsBetween checks the layouts of the two sides of a pool and lists its windows.
func windowsBetween(what string, s PoolShape, x, y Layout) (*windows, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if err := checkLayout(fmt.Sprintf("%s %v: input side", what, s), x, y.C, s.H, s.W); err != nil {
		return nil, err
	}
	if err := checkLayout(fmt.Sprintf("%s %v: output side", what, s), y, x.C, s.OH, s.OW); err != nil {
		return nil, err
	}
	if !x.blocked() || !y.blocked() {
		return nil, fmt.Errorf("%s %v: layouts %v and %v, must both be blocked", what, s, x, y)
	}
	return windowsOf(s, x, y)
}

// NewMaxPool is the largest tap of every window; NaN is larger than everything (PyTorch). Operands:
// 0 X, 1 Y. Item: one plane.
func NewMaxPool(set *Set, s PoolShape, in, out Layout) (Primitive, error) {
	return newPool(set, maxPoolKernel, s, tensor{0, in}, tensor{1, out})
}

// NewAveragePool is the average of every window plus a bias per channel, with flag ReLU at least 0 (the
// bias and ReLU of a 1x1 convolution that the pool has moved behind). Operands: 0 X, 1 Y, 2 bias (C floats
// rounded up to whole blocks), or 0 for none. Item: one plane.
func NewAveragePool(set *Set, s PoolShape, in, out Layout, flags int) (Primitive, error) {
	p, err := newPool(set, averagePoolKernel, s, tensor{0, in}, tensor{1, out})
	if err != nil {
		return nil, err
	}
	p.bias = 2
	p.low, err = lowest(flags)
	return p, err
}

func (p *pool) Name() string         { return p.kernel.Name(p.family) }
func (p *pool) Items(images int) int { return images * p.x.layout.Blocks() }

func (p *pool) Item(w *Worker, i int, a *Args) {
	blocks := p.x.layout.Blocks()
	image, block := i/blocks, i%blocks
	k := argsOf[abi.Pool](w)
	k.X, k.Y = p.x.plane(a, image, block), p.y.plane(a, image, block)
	k.Taps, k.Step = addressOf(p.on.taps), p.on.step
	k.Bias, k.Low, k.High = uintptr(unsafe.Pointer(&zeroLanes)), p.low, p.high
	if p.bias > 0 && a.Operand[p.bias] != 0 {
		k.Bias = a.Operand[p.bias] + uintptr(4*block*Lanes)
	}
	if p.dx != nil {
		k.DX, k.DXTaps = p.dx.plane(a, image, block), addressOf(p.dx.on.taps)
	}
	if p.weights > 0 {
		k.W, k.WTaps = a.Operand[p.weights]+uintptr(4*block*p.window), addressOf(p.on.weights)
	}
	if p.overwrite != nil {
		zeroPixels(p.overwrite.plane(a, image, block), p.overwrite.layout)
	}
	p.run(k)
	if p.after != nil {
		l := p.y.layout
		p.after.here(w, a, image, block, pixels{p.y.plane(a, image, block), 4 * l.Row, l.H, l.W})
	}
}

// run makes the calls for one plane.
func (p *pool) run(k *abi.Pool) {
	for j, from := range p.on.cuts[:len(p.on.cuts)-1] {
		k.N = p.on.cuts[j+1] - from
		k.Runs = addressOf(p.on.runs[from:])
		if p.dx != nil {
			k.DXRuns = addressOf(p.dx.on.runs[from:])
		}
		p.kernel.Run(k)
	}
}

// zeroPixels clears the pixels of a plane.
func zeroPixels(plane uintptr, l Layout) {
	for r := range l.H {
		clear(asm.FloatsAt(plane+uintptr(4*r*l.Row), l.W*Lanes))
	}
}

// addressOf is where a non-empty part of the primitive's own tables begins. They do not move.
func addressOf[T any](v []T) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(v))) }
