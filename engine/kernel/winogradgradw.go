package kernel

import (
	"fmt"
	"runtime"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// WinogradGradW is the weight gradient of a convolution of stride 1 by a minimal filtering algorithm, prepared to run:
//
//	dW = G^T [sum over tiles of (A^T dY) x (B X)]
//
// position by position an outer product of channels. A work item transforms the pixels of X and dY of a group of tiles and adds their
// products to its sums, with the kernels of the direct weight gradient; Finish transforms the sums.
//
// The sums are held in a few slots, a fixed share of all tiles each, so that threads need not wait for each other: the slots are added
// in order, and only shape and number of images decide which tile goes where.
type WinogradGradW struct {
	winogradTiles
	name, reason string
	set          *Set
	in, out      tilePixels
	group        int // most tiles between two passes over the sums
	blocks       []wgradBlocks
	slots        int
	parts        int     // of the output blocks
	row          []int32 // the one row of tiles that the kernels walk
}

// wgradBlocks is a group of output blocks whose sums are in registers together.
type wgradBlocks struct {
	first, k int
	channels int // input channels of a register tile
	kernel   asm.Form[abi.WGrad]
}

// NewWinogradGradW prepares the weight gradient of s, summed over images, by Winograd's algorithm; UseWinograd(s) tells whether there is one.
//
// Operands: 0 X in layout x, 1 dY in layout dy, 2 sums, of Sums floats, overwritten whole. Run Finish afterwards. Both layouts are
// Blocked; the halo of x must be at least the padding on the left, dy needs none.
func NewWinogradGradW(set *Set, s ConvShape, x, dy Layout) (*WinogradGradW, error) {
	if err := checkConv(s, x, dy); err != nil {
		return nil, err
	}
	a, ok := winogradAlgorithm(s)
	if !ok || !x.blocked() {
		return nil, fmt.Errorf("weight gradient of %s: no Winograd algorithm for this shape", s)
	}
	g := &WinogradGradW{winogradTiles: newWinogradTiles(s, a), set: set, row: []int32{0, 0}}
	g.in = g.inputPixels(set.TransformIn[a.InputKernel()], x)
	g.out = g.outputPixels(set.TransformIn[a.OutputGradKernel()], dy)
	most, first := len(set.Tiles.Channels), 0
	for _, k := range split(dy.Blocks(), (dy.Blocks()+most-1)/most) {
		c := set.Tiles.Channels[k-1]
		g.blocks = append(g.blocks, wgradBlocks{first, k, c, set.WGrad[abi.WGradTile{Channels: c, Blocks: k}]})
		first += k
	}
	const cacheBytes, items = 1200 << 10, 8
	g.group = min(max(16, cacheBytes/(a.Products()*64*(x.Blocks()+g.blocks[0].k))), 96)
	g.parts = max(1, min(dy.Blocks()/6, len(g.blocks), items))
	g.slots = (items + g.parts - 1) / g.parts
	g.name = fmt.Sprintf("winograd_gradw_f32_%s_%dx%d_%s", a, g.blocks[0].channels, g.blocks[0].k, g.blocks[0].kernel.Set)
	g.reason = fmt.Sprintf("%s takes %d products where the direct weight gradient takes %d; %d tiles at a time, %d shares of tiles, %d of output blocks",
		a, a.Products(), g.tileH*g.tileW*s.KH*s.KW, g.group, g.slots, g.parts)
	return g, nil
}

// Name is winograd_gradw_f32_F(m,r)_MxK_isa.
func (g *WinogradGradW) Name() string { return g.name }

// Reason says in a sentence why this algorithm and blocking.
func (g *WinogradGradW) Reason() string { return g.reason }

// Sums is the floats of operand 2: [slot][out block][position][in block][16 in][16 out].
func (g *WinogradGradW) Sums() int { return g.slots * g.slotBytes() / 4 }

func (g *WinogradGradW) inBytes() int { return g.in.layout.Blocks() * abi.EntryBytes }
func (g *WinogradGradW) slotBytes() int {
	return g.out.layout.Blocks() * g.algorithm.Products() * g.inBytes()
}

// In scratch lie the transformed pixels of X as [position][tile][block][16], those of dY as [position][block][tile][16].
func (g *WinogradGradW) tileBytes() int    { return oddLines(g.in.layout.Blocks() * 64) }
func (g *WinogradGradW) inPosition() int   { return g.group * g.tileBytes() }
func (g *WinogradGradW) outPosition() int  { return oddLines(g.blocks[0].k * g.group * 64) }
func (g *WinogradGradW) inPixelBytes() int { return g.algorithm.Products() * g.inPosition() }

func (g *WinogradGradW) outPixelBytes() int { return g.algorithm.Products() * g.outPosition() }

// Scratch implements Scratcher.
func (g *WinogradGradW) Scratch() int {
	return (g.inPixelBytes() + g.outPixelBytes() + g.squareBytes() + g.in.zerosBytes()) / 4
}

// Items implements Primitive.
func (g *WinogradGradW) Items(int) int { return g.slots * g.parts }

// Item implements Primitive.
func (g *WinogradGradW) Item(w *Worker, i int, a *Args) {
	slot, part := i/g.parts, i%g.parts
	tiles := a.Images * g.perImage()
	first, end := tiles*slot/g.slots, tiles*(slot+1)/g.slots
	blocks := g.blocks[len(g.blocks)*part/g.parts : len(g.blocks)*(part+1)/g.parts]
	in := transformed{Address(w.Scratch), g.inPosition(), 64, g.tileBytes()}
	out := transformed{in.address + uintptr(g.inPixelBytes()), g.outPosition(), g.group * 64, 64}
	square := out.address + uintptr(g.outPixelBytes())
	zeros := square + uintptr(g.squareBytes())
	clear(asm.FloatsAt(zeros, g.in.zerosBytes()/4))
	sums := a.Operand[2] + uintptr(slot*g.slotBytes())
	for t := first; t == first || t < end; t += g.group {
		last := min(t+g.group, end)
		g.in.transform(w, a.Operand[0], t, last, 0, g.in.layout.Blocks(), in, square, zeros)
		for j := range blocks {
			b := &blocks[j]
			g.out.transform(w, a.Operand[1], t, last, b.first, b.first+b.k, out, square, zeros)
			g.multiply(w, b, in, out, sums, last-t, t > first)
		}
	}
	runtime.KeepAlive(g)
}

// multiply adds the products of count tiles to the sums of a group of output blocks, or begins the sums.
func (g *WinogradGradW) multiply(w *Worker, b *wgradBlocks, in, out transformed, sums uintptr, count int, add bool) {
	t := argsOf[abi.WGrad](w)
	t.Rows, t.Count, t.Images = uintptr(unsafe.Pointer(unsafe.SliceData(g.row))), 1, 1
	t.Pixels, t.XP, t.YK, t.WK = count, in.tile, out.block, g.algorithm.Products()*g.inBytes()
	t.Channels, t.Blocks, t.Group = b.channels, b.k, b.channels
	t.XStep, t.WStep = 4*b.channels, 4*Lanes*b.channels
	if add {
		t.Flags = abi.FromOutput
	}
	whole := g.in.layout.Blocks() * Lanes / b.channels
	atOnce := max(1, longCall/(max(1, count)*b.channels*b.k)) // register tiles of one call
	for q := range g.algorithm.Products() {
		t.Y = out.address + uintptr(q*out.position)
		t.X = in.address + uintptr(q*in.position)
		t.W = sums + uintptr((b.first*g.algorithm.Products()+q)*g.inBytes())
		for left := whole; left > 0; left -= atOnce {
			t.Tiles = min(left, atOnce)
			b.kernel.Run(t)
		}
	}
}

// Finish prepares the step that adds the slots and transforms the sums to dW. Operands: 0 the sums, which it changes, 1 dW in the
// master layout, overwritten.
func (g *WinogradGradW) Finish() Primitive {
	return &finishGradW{g, g.set.TransformIn[g.algorithm.WeightsGradKernel()], g.set.SlotSum}
}

type finishGradW struct {
	*WinogradGradW
	transform asm.Form[abi.TransformIn]
	sum       asm.Form[abi.SlotSum]
}

func (p *finishGradW) Name() string {
	return fmt.Sprintf("%s_%s", p.algorithm.WeightsGradKernel(), p.transform.Set)
}

func (p *finishGradW) Scratch() int { return p.squareBytes() / 4 }

// Items are pieces of one input block of one output block.
func (p *finishGradW) Items(int) int { return p.out.layout.Blocks() * p.pieces() }

// pieces is how many items share an output block: each has at most so many input blocks that its kernel calls are short.
func (p *finishGradW) pieces() int {
	const blocks = 16
	return (p.in.layout.Blocks() + blocks - 1) / blocks
}

func (p *finishGradW) Item(w *Worker, i int, a *Args) {
	block, piece := i/p.pieces(), i%p.pieces()
	in, products := p.in.layout.Blocks(), p.algorithm.Products()
	first, end := in*piece/p.pieces(), in*(piece+1)/p.pieces()
	src := a.Operand[0] + uintptr(block*products*p.inBytes()+first*abi.EntryBytes)
	for q := range products {
		s := argsOf[abi.SlotSum](w)
		*s = abi.SlotSum{First: src + uintptr(q*p.inBytes()), Step: p.slotBytes(), Lines: (end - first) * Lanes, Slots: p.slots}
		p.sum.Run(s)
	}
	t := argsOf[abi.TransformIn](w)
	row := p.algorithm.Outputs + p.algorithm.Taps - 1 // positions of a row
	if p.algorithm.Dims == 1 {
		row = 1
	}
	for r := range p.algorithm.Outputs + p.algorithm.Taps - 1 {
		t.Rows[r] = src + uintptr(r*row*p.inBytes())
	}
	t.Dst = a.Operand[1] + uintptr(block*p.shape.KH*p.shape.KW*p.inBytes()+first*abi.EntryBytes)
	t.Position, t.ColumnStep = p.inBytes(), p.inBytes()
	t.Tiles, t.Step, t.DstStep = (end-first)*Lanes, 4*Lanes, 4*Lanes
	t.Columns, t.Scratch = len(t.Rows), Address(w.Scratch)
	p.transform.Run(t)
	runtime.KeepAlive(p)
}
