package kernel

import (
	"fmt"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// packInput brings the network's input into its layout.
type packInput struct {
	out          Layout
	scale, shift []float32
	kernel       asm.Form[abi.Pack] // of photos
}

// packRows is the number of rows of an item.
const packRows = 32

// NewPackInput writes row-major NCHW float32 in layout out, Pixels or Blocked, as x*scale + shift per
// channel in one rounding (fused); scale and shift are nil for 1 and 0. Operands: 0 X, 1 Y. Item: a
// band of rows of one image.
func NewPackInput(set *Set, out Layout, scale, shift []float32) (Primitive, error) {
	if min(out.C, out.H, out.W) < 1 {
		return nil, fmt.Errorf("pack: layout %v is empty", out)
	}
	for _, v := range [][]float32{scale, shift} {
		if v != nil && len(v) != out.C {
			return nil, fmt.Errorf("pack: %d factors for %d channels", len(v), out.C)
		}
	}
	p := &packInput{out: out, scale: make([]float32, out.C), shift: make([]float32, out.C), kernel: Go.Pack}
	for c := range p.scale {
		p.scale[c] = 1
	}
	copy(p.scale, scale)
	copy(p.shift, shift)
	if out.Pixel == 3 && out.W >= Lanes { // the assembly takes that many pixels at a time
		p.kernel = set.Pack
	}
	return p, nil
}

func (p *packInput) Name() string         { return p.kernel.Name("pack") }
func (p *packInput) Items(images int) int { return images * p.bands() }
func (p *packInput) bands() int           { return (p.out.H + packRows - 1) / packRows }

func (p *packInput) Item(w *Worker, i int, a *Args) {
	l := p.out
	image, row := i/p.bands(), i%p.bands()*packRows
	rows := min(packRows, l.H-row)
	x := a.Operand[0] + uintptr(4*(image*l.C*l.H*l.W+row*l.W))
	y := a.Operand[1] + uintptr(4*(image*l.Image+l.Base+row*l.Row))
	if l.Pixel != 3 {
		p.plain(x, y, rows)
		return
	}
	k := argsOf[abi.Pack](w)
	*k = abi.Pack{
		X: x, Y: y, Channel: 4 * l.H * l.W, XRow: 4 * l.W, YRow: 4 * l.Row, Rows: rows, Pixels: l.W,
		Scale: [3]float32(p.scale), Shift: [3]float32(p.shift),
	}
	p.kernel.Run(k)
}

// plain serves the layouts that have no kernel.
func (p *packInput) plain(x, y uintptr, rows int) {
	l := p.out
	for b := range l.Blocks() {
		lanes := min(l.Pixel, l.C-b*Lanes)
		for r := range rows {
			out := asm.FloatsAt(y+uintptr(4*(b*l.Plane+r*l.Row)), l.W*l.Pixel)
			clear(out)
			for lane := range lanes {
				c := b*Lanes + lane
				for i, v := range asm.FloatsAt(x+uintptr(4*((c*l.H+r)*l.W)), l.W) {
					out[i*l.Pixel+lane] = asm.FMA(v, p.scale[c], p.shift[c])
				}
			}
		}
	}
}

// repack moves one image an item between a layout and row-major NCHW.
type repack struct {
	name   string
	layout Layout
	move   func(l Layout, blocked, plain []float32)
	plain  int // operand in row-major NCHW
}

// NewPack writes row-major NCHW in a layout. Operands: 0 X, 1 Y. Item: one image.
func NewPack(out Layout) Primitive {
	return &repack{"pack", out, func(l Layout, blocked, plain []float32) { l.Pack(blocked, plain, 1) }, 0}
}

// NewUnpack writes a layout as row-major NCHW. Operands: 0 X, 1 Y. Item: one image.
func NewUnpack(in Layout) Primitive {
	return &repack{"unpack", in, func(l Layout, blocked, plain []float32) { l.Unpack(plain, blocked, 1) }, 1}
}

func (p *repack) Name() string         { return p.name }
func (p *repack) Items(images int) int { return images }

func (p *repack) Item(_ *Worker, image int, a *Args) {
	l := p.layout
	plain := l.C * l.H * l.W
	p.move(l,
		asm.FloatsAt(a.Operand[1-p.plain]+uintptr(4*image*l.Image), l.Base+l.Blocks()*l.Plane),
		asm.FloatsAt(a.Operand[p.plain]+uintptr(4*image*plain), plain))
}
