package kernel

import (
	"fmt"
	"math"
	"runtime"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// Winograd is a convolution or data gradient of stride 1 by a minimal filtering algorithm, prepared to run: a work item transforms the
// pixels of a group of tiles, multiplies by the transformed weights, position by position, with the kernels of the direct convolution,
// and transforms the products back. The intermediate results stay in the worker's scratch.
type Winograd struct {
	winogradTiles // of the convolution that is computed: for a data gradient, the transposed one
	name, reason  string
	set           *Set
	gradient      bool
	flags         int
	in, out       Layout
	group         int // most tiles of an item
	blocks        []winogradBlocks
	offsets       []int32 // from the first input block's products to each block's
	pixels        tilePixels
	transformOut  asm.Form[abi.TransformOut]
}

// winogradBlocks is a group of output blocks whose products are computed together.
type winogradBlocks struct {
	first, k int
	products []asm.Form[abi.Conv] // by tiles per kernel tile
}

// NewWinograd prepares the forward pass of s by Winograd's algorithm: Y = relu?(Y? + bias + conv(X)).
//
// Operands: 0 X, 1 the transformed weights (Pack or TransformWeights), 2 the bias (Cout rounded up to 16 floats), 3 Y. Both layouts
// are Blocked; the halo of in must be at least the padding on the left. Which algorithm is used depends on the shape of one image alone.
func NewWinograd(set *Set, s ConvShape, in, out Layout, flags int) (*Winograd, error) {
	if err := checkConv(s, in, out); err != nil {
		return nil, err
	}
	return newWinograd(set, s, in, out, flags, false)
}

// NewWinogradGradX prepares the data gradient of s by Winograd's algorithm; with Acc it is added to dX.
//
// Operands: 0 dY, 1 the transformed weights (TransformWeights from the layout of NewTransposeWeights), 2 Cin rounded up to 16 zeros,
// 3 dX.
func NewWinogradGradX(set *Set, s ConvShape, dy, dx Layout, flags int) (*Winograd, error) {
	if err := checkConvGradX(s, dy, dx); err != nil {
		return nil, err
	}
	if s.SH != 1 || s.SW != 1 {
		return nil, fmt.Errorf("data gradient of %s: Winograd needs stride 1", s)
	}
	return newWinograd(set, s.transposed(), dy, dx, flags, true)
}

func newWinograd(set *Set, s ConvShape, in, out Layout, flags int, gradient bool) (*Winograd, error) {
	a, ok := winogradAlgorithm(s)
	if !ok || !in.blocked() || flags&ReLU6 != 0 {
		return nil, fmt.Errorf("convolution %s, flags %#x: no Winograd algorithm for this", s, flags)
	}
	w := &Winograd{winogradTiles: newWinogradTiles(s, a), set: set, gradient: gradient, flags: flags, in: in, out: out}
	w.pixels = w.inputPixels(set.TransformIn[a.InputKernel()], in)
	w.transformOut = set.TransformOut[a.OutputKernel()]
	t := newTiler(set, in, out)
	k := 0
	w.group, k = winogradBlocking(t, a)
	first := 0
	for _, k := range split(out.Blocks(), (out.Blocks()+k-1)/k) {
		b := winogradBlocks{first: first, k: k, products: make([]asm.Form[abi.Conv], t.maxPixels(k, 64)+1)}
		for n := 1; n < len(b.products); n++ {
			b.products[n] = set.Conv[abi.ConvTile{Blocks: k, Pixels: n, Pitch: 64}]
		}
		w.blocks = append(w.blocks, b)
		first += k
	}
	for b := range in.Blocks() {
		w.offsets = append(w.offsets, int32(b*w.group*64))
	}
	w.name = fmt.Sprintf("winograd_f32_%s_%dx%d_%s", a, w.blocks[0].k, min(len(w.blocks[0].products)-1, w.group), w.blocks[0].products[1].Set)
	w.reason = fmt.Sprintf("%s takes %d products where direct convolution takes %d; %d tiles per image, up to %d per item",
		a, a.Products(), w.tileH*w.tileW*s.KH*s.KW, w.perImage(), w.group)
	return w, nil
}

// Name is winograd_f32_F(m,r)_KxN_isa.
func (w *Winograd) Name() string { return w.name }

// Reason says in a sentence why this algorithm and blocking.
func (w *Winograd) Reason() string { return w.reason }

// Scratch is the floats that a worker needs: transformed pixels, products, the transforms' square, a row of zeros.
func (w *Winograd) Scratch() int {
	return (w.pixelsBytes() + w.productsBytes() + w.squareBytes() + w.pixels.zerosBytes()) / 4
}

// oddLines rounds up to an odd number of cache lines, so that equal places of neighbouring positions fall into different cache sets.
func oddLines(bytes int) int { return (bytes/64 | 1) * 64 }

func (w *Winograd) pixelStep() int        { return oddLines(w.in.Blocks() * w.group * 64) }
func (w *Winograd) productStep(k int) int { return oddLines(k * w.group * 64) }
func (w *Winograd) pixelsBytes() int      { return w.algorithm.Products() * w.pixelStep() }
func (w *Winograd) productsBytes() int    { return w.algorithm.Products() * w.productStep(w.blocks[0].k) }

// Items implements Primitive.
func (w *Winograd) Items(images int) int {
	groups, parts := w.division(images)
	return groups * parts
}

// division divides the tiles of all images evenly into groups: at least four where they are worth it, an even number while there are
// few, so that threads share them well. Where there is one group only, its output blocks are shared by two items, each of which
// transforms the pixels for itself.
func (w *Winograd) division(images int) (groups, parts int) {
	const worthIt, few = 16, 16
	tiles := images * w.perImage()
	groups = max((tiles+w.group-1)/w.group, min(4, tiles/worthIt))
	if groups == 1 {
		return 1, min(2, len(w.blocks))
	}
	if groups < few {
		groups += groups % 2
	}
	return min(groups, tiles), 1
}

// firstTile is the first tile of a group. Where a kernel tile of half the width would wait for its own multiply-adds, groups of few tiles
// but the last are of whole kernel tiles: 51 as 12 + 12 + 12 + 15, which are 6 + 6 and 5 + 5 + 5, not as 13 = 5 + 4 + 4.
func (w *Winograd) firstTile(group, groups, images int) int {
	tiles, b := images*w.perImage(), w.blocks[0]
	first, n := tiles*group/groups, len(b.products)-1
	waits, few := (n+1)/2*b.k < chainCycles, tiles >= 2*n*groups && tiles < 4*n*groups
	if !waits || !few || tiles/groups+n > w.group || group == groups {
		return first
	}
	return (first + n/2) / n * n
}

// winogradRun is one work item at work.
type winogradRun struct {
	*Winograd
	worker             *Worker
	args               *Args
	first, end         int     // tiles, of all images
	operands, products uintptr // in scratch: [position][block][tile][16] each
	square             uintptr
}

// Item implements Primitive.
func (w *Winograd) Item(worker *Worker, i int, a *Args) {
	groups, parts := w.division(a.Images)
	group, part := i/parts, i%parts
	r := winogradRun{Winograd: w, worker: worker, args: a, first: w.firstTile(group, groups, a.Images), end: w.firstTile(group+1, groups, a.Images)}
	r.operands = Address(worker.Scratch)
	r.products = r.operands + uintptr(w.pixelsBytes())
	r.square = r.products + uintptr(w.productsBytes())
	zeros := r.square + uintptr(w.squareBytes())
	clear(asm.FloatsAt(zeros, w.pixels.zerosBytes()/4))
	to := transformed{r.operands, w.pixelStep(), w.group * 64, 64}
	w.pixels.transform(worker, a.Operand[0], r.first, r.end, 0, w.in.Blocks(), to, r.square, zeros)
	for b := len(w.blocks) * part / parts; b < len(w.blocks)*(part+1)/parts; b++ {
		r.multiply(&w.blocks[b])
		r.transformProducts(&w.blocks[b])
	}
	runtime.KeepAlive(w)
}

var noBias [4 * Lanes]float32

// multiply computes the products of a group of output blocks: [position][block][tile][16].
func (r *winogradRun) multiply(b *winogradBlocks) {
	cb, count := r.in.Blocks(), r.end-r.first
	limit := len(b.products) - 1
	parts := (count + limit - 1) / limit
	n := (count + parts - 1) / parts
	wide := count - (n-1)*parts // so many of n, the rest of n-1
	t := argsOf[abi.Conv](r.worker)
	t.Off, t.Entries = uintptr(unsafe.Pointer(unsafe.SliceData(r.offsets))), cb
	t.WK, t.YP, t.YK, t.Bias = cb*abi.EntryBytes, 64, r.group*64, Address(noBias[:])
	t.Blocks, t.XP, t.Channels = b.k, 64, Lanes
	weights := r.args.Operand[1] + uintptr(b.first*r.algorithm.Products()*cb*abi.EntryBytes)
	for q := range r.algorithm.Products() {
		x, y := r.operands+uintptr(q*r.pixelStep()), r.products+uintptr(q*r.productStep(b.k))
		w := weights + uintptr(q*b.k*cb*abi.EntryBytes)
		call := func(n, tiles, at int) {
			if tiles == 0 || n == 0 {
				return
			}
			t.X, t.Y, t.W = x+uintptr(64*at), y+uintptr(64*at), w
			t.XStep, t.YStep = 64*n, 64*n
			t.Tiles, t.Pixels = tiles, n
			t.WNext, t.WNextTiles = b.k*cb*abi.EntryBytes, 4
			b.products[n].Run(t)
		}
		call(n, wide, 0)
		call(n-1, parts-wide, wide*n)
	}
}

// transformProducts writes the outputs of a group of output blocks.
func (r *winogradRun) transformProducts(b *winogradBlocks) {
	r.segments(r.first, r.end, func(s segment) {
		t := argsOf[abi.TransformOut](r.worker)
		t.Position, t.Tiles, t.Scratch = r.productStep(b.k), s.tiles, r.square
		t.Low, t.Flags = float32(math.Inf(-1)), r.flags&Acc*abi.FromOutput
		if r.flags&ReLU != 0 {
			t.Low = 0
		}
		t.Row, t.Step = 4*r.out.Row, 64*r.tileW
		t.Rows, t.Columns, t.ColumnsLess = r.shape.OH-s.row*r.tileH, r.shape.OW-s.column*r.tileW, r.tileW
		if r.shape.KH == 1 {
			t.Row, t.Rows, t.RowsLess = 64, t.Columns, r.tileW
		}
		for k := range b.k {
			block := b.first + k
			pixel := s.image*r.out.Image + r.out.Base + block*r.out.Plane + s.row*r.tileH*r.out.Row + s.column*r.tileW*Lanes
			t.Src = r.products + uintptr((k*r.group+s.at)*64)
			t.Dst = r.args.Operand[3] + uintptr(4*pixel)
			t.Bias = r.args.Operand[2] + uintptr(64*block)
			t.Half = 0
			r.transformOut.Run(t)
		}
	})
}
