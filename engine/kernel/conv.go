package kernel

import (
	"fmt"
	"runtime"
	"slices"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// Flags of convolutions and what follows them.
const (
	Acc   = 1 << iota // add to what the output holds
	ReLU              // then cut off below zero; NaN stays NaN
	ReLU6             // or below zero and above six: direct and depthwise convolutions only
)

// Conv is a direct convolution or a data gradient, prepared to run.
//
// Every output is one chain of fused multiply-adds over (tap row, tap column, input channel), from the bias, so blocking and
// instruction set do not show in its bits.
type Conv struct {
	name, reason string
	family       string // what name begins with
	set          *Set
	shape        ConvShape
	flags        int
	in, out      Layout
	dense        []phase
	phases       []convPhase
	weightLen    int // floats
	blockBytes   int // of one output block's packed weights
	pack         func(dst, oihw []float32)
	items        []convItem // of one image
	panels       []int      // first item of each panel of weights, which meets all images before the next
	oneRun       bool       // outputs are computed as one run of pixels, in scratch, and then brought into the rows of the output
	streams      bool       // items are single tiles, so that weights are read once: in order, in one pass
	after        *planes    // what is applied to finished outputs, or nil
}

// convPhase is a phase with its addresses worked out.
type convPhase struct {
	offsets []int32 // bytes from the tile's first input pixel to each entry's
	weights int     // bytes from the output block's weights to the first entry's
	ypitch  int     // bytes between output pixels
	pass    int     // entries of a pass
}

const (
	passChannels = 256       // of one tap: what a pass takes of input and weights stays in the cache,
	tapsChannels = 2560      // and of several, which find most of their input there anyway
	passOutputs  = 256 << 10 // bytes of outputs that wait for the next pass in the cache
)

// NewConv prepares the forward pass of s: Y = relu?(Y? + bias + conv(X)), by flags Acc, ReLU and ReLU6.
//
// Operands: 0 X in layout in, 1 the packed weights, 2 the bias (Cout rounded up to 16 floats, zeros when there is none), 3 Y in
// layout out. The halo of in must be at least s.Halo(); in is Blocked (or Matrix), or Pixels of 3 channels at stride 1, 2 or 4.
func NewConv(set *Set, s ConvShape, in, out Layout, flags int) (*Conv, error) {
	if err := checkConv(s, in, out); err != nil {
		return nil, err
	}
	c := &Conv{shape: s, flags: flags, in: in, out: out, weightLen: PackedLen(s)}
	c.pack = func(dst, oihw []float32) { PackWeights(s, dst, oihw) }
	c.set, c.family, c.dense = set, "conv", []phase{forwardPhase(s)}
	c.prepare(0)
	return c, nil
}

// NewConvGradX prepares the data gradient of s: dX = conv of dY with the flipped, transposed weights; pixels that no tap reaches become
// zero. With Acc it is added to dX.
//
// Operands: 0 dY in layout dy, 1 the weights as NewTransposeWeights leaves them, 2 Cin rounded up to 16 zeros, 3 dX in layout dx. The
// halo of dy must be at least s.GradHalo(); both layouts are Blocked or Matrix.
func NewConvGradX(set *Set, s ConvShape, dy, dx Layout, flags int) (*Conv, error) {
	if err := checkConvGradX(s, dy, dx); err != nil {
		return nil, err
	}
	c := &Conv{shape: s, flags: flags, in: dy, out: dx, weightLen: PackedLen(s)}
	c.pack = func(dst, oihw []float32) { packTransposed(s, dst, oihw) }
	c.set, c.family, c.dense = set, "conv_gradx", gradPhases(s)
	c.prepare(0)
	return c, nil
}

// ConvTakes tells whether NewConv and NewConvGradW take images in layout in.
func ConvTakes(s ConvShape, in Layout) bool {
	return checkConv(s, in, Blocked(s.Cout, s.OH, s.OW, 0)) == nil
}

func checkConv(s ConvShape, in, out Layout) error {
	if err := s.check(); err != nil {
		return err
	}
	if err := checkLayout("convolution input", in, s.Cin, s.H, s.W); err != nil {
		return err
	}
	if err := checkLayout("convolution output", out, s.Cout, s.OH, s.OW); err != nil {
		return err
	}
	if !out.blocked() {
		return fmt.Errorf("convolution %s: the output must be in blocks of 16 channels", s)
	}
	if in.Halo < s.Halo() {
		return fmt.Errorf("convolution %s: input halo %d, needs %d", s, in.Halo, s.Halo())
	}
	if !in.blocked() && (in.C != 3 || s.DW != 1 || s.SW != 1 && s.SW != 2 && s.SW != 4) {
		return fmt.Errorf("convolution %s: pixel input must have 3 channels, stride 1, 2 or 4 and no dilation; use a blocked layout", s)
	}
	return nil
}

func checkConvGradX(s ConvShape, dy, dx Layout) error {
	if err := s.check(); err != nil {
		return err
	}
	if err := checkLayout("data gradient's dY", dy, s.Cout, s.OH, s.OW); err != nil {
		return err
	}
	if err := checkLayout("data gradient's dX", dx, s.Cin, s.H, s.W); err != nil {
		return err
	}
	if !dy.blocked() || !dx.blocked() {
		return fmt.Errorf("data gradient of %s: both layouts must be in blocks of 16 channels", s)
	}
	if dy.Halo < s.GradHalo() {
		return fmt.Errorf("data gradient of %s: halo of dY %d, needs %d", s, dy.Halo, s.GradHalo())
	}
	return nil
}

// prepare works out offsets, tiles and items of the phases, in tiles of so many output blocks where that is not 0.
func (c *Conv) prepare(only int) {
	entries := 0
	for _, p := range c.dense {
		cp := convPhase{weights: entries * abi.EntryBytes, ypitch: 4 * Lanes * p.xstep}
		for _, a := range p.rows {
			for _, b := range p.cols {
				for q := range c.in.Blocks() {
					cp.offsets = append(cp.offsets, int32(4*(q*c.in.Plane+a*c.in.Row+b*c.in.Pixel)))
				}
			}
		}
		n, channels := len(cp.offsets), passChannels
		if len(p.rows)*len(p.cols) > 1 {
			channels = tapsChannels
		}
		passes := max(1, (n*min(c.in.Pixel, Lanes)+channels/2)/channels)
		cp.pass = max(1, (n+passes-1)/passes)
		entries += n
		c.phases = append(c.phases, cp)
	}
	c.blockBytes = entries * abi.EntryBytes
	t := c.tile(c.out, only)
	if l := Blocked(c.out.C, c.out.H, c.out.W, 0); c.isOneRun(l) {
		if u := c.tile(l, only); u.cost+moveCycles*float64(l.Blocks()*l.H*l.W) < t.cost {
			t, c.oneRun = u, true
		}
	}
	c.items, c.panels = t.finish(c.blockBytes)
	c.streams = !slices.ContainsFunc(c.items, func(it convItem) bool { return len(it.runs) > 1 || it.runs[0].tiles > 1 })
	for i := range c.phases {
		if c.streams {
			c.phases[i].pass = max(len(c.phases[i].offsets), 1) // a phase that no tap reaches is a pass too
		}
	}
	c.name = fmt.Sprintf("%s_f32_%dx%d_%s", c.family, t.mainK, t.mainN, t.main.Set)
	c.reason = t.reason()
}

// tile chooses tiles for outputs in a layout.
func (c *Conv) tile(out Layout, only int) *tiler {
	t := newTiler(c.set, c.in, out)
	t.only = only
	for i, p := range c.dense {
		t.add(i, p, len(c.phases[i].offsets))
	}
	return t
}

// isOneRun tells whether the pixels of an image are one run in an output of layout l, without a halo, and none in the one that there is.
// Nothing is added to what that holds.
func (c *Conv) isOneRun(l Layout) bool {
	single := func(out Layout) bool { return newTiler(c.set, c.in, out).grid(c.dense[0]).single }
	return c.flags&Acc == 0 && len(c.dense) == 1 && single(l) && !single(c.out)
}

// Followed is the same forward pass with an activation of what it gives, applied while that is in the cache.
func (c *Conv) Followed(f Activation) (Primitive, error) {
	y := tensor{3, c.out}
	after, err := f.planes(c.set, y, y)
	if err != nil {
		return nil, err
	}
	other := *c
	other.after = after
	return &other, nil
}

// WithBlocks is the same convolution in tiles of k output blocks, nil where no kernel has them: for measurements of other choices
// than the tiler's. The bits are the same.
func (c *Conv) WithBlocks(k int) *Conv {
	t := newTiler(c.set, c.in, c.out)
	if k < 1 || k > min(t.maxBlocks(), c.out.Blocks()) {
		return nil
	}
	other := *c
	other.phases, other.oneRun = nil, false
	other.prepare(k)
	return &other
}

// Shape is what is convolved; for a data gradient, the convolution of the forward pass.
func (c *Conv) Shape() ConvShape { return c.shape }

// Name is conv_f32_KxN_isa or conv_gradx_f32_KxN_isa: most tiles are N pixels by K output blocks.
func (c *Conv) Name() string { return c.name }

// Reason says in a sentence why this blocking.
func (c *Conv) Reason() string { return c.reason }

// WeightLen is the floats of the packed weights.
func (c *Conv) WeightLen() int { return c.weightLen }

// Pack brings weights (Cout, Cin, KH, KW) into the layout of operand 1.
func (c *Conv) Pack(dst, oihw []float32) { c.pack(dst, oihw) }

// Items implements Primitive.
func (c *Conv) Items(images int) int { return images * len(c.items) }

// Scratch is the outputs that go through the passes together, where they are not in their rows yet.
func (c *Conv) Scratch() int {
	if !c.oneRun {
		return 0
	}
	bytes := passOutputs
	for i := range c.items {
		bytes = max(bytes, c.items[i].bytes())
	}
	return bytes / 4
}

// locate finds the piece of work and the image of item i: panel by panel, image by image.
func (c *Conv) locate(i, images int) (item, end, image int) {
	p := 0
	for p+1 < len(c.panels) && i >= c.panels[p+1]*images {
		p++
	}
	first, end := c.panels[p], len(c.items)
	if p+1 < len(c.panels) {
		end = c.panels[p+1]
	}
	i -= first * images
	return first + i%(end-first), end, i / (end - first)
}

// Item implements Primitive.
func (c *Conv) Item(w *Worker, i int, a *Args) { c.Range(w, i, i+1, a) }

// Range implements Ranger.
func (c *Conv) Range(w *Worker, first, end int, a *Args) {
	for first < end {
		item, last, image := c.locate(first, a.Images)
		items := c.together(c.items[item:min(last, item+end-first)])
		first += len(items)
		next := &items[0]
		if first < c.Items(a.Images) {
			item, _, _ = c.locate(first, a.Images)
			next = &c.items[item]
		}
		c.run(w, items, next, image, a)
	}
	runtime.KeepAlive(c)
}

// together is those of the items, from the first on, that go through the passes together.
func (c *Conv) together(items []convItem) []convItem {
	bytes := 0
	for n := range items {
		it := &items[n]
		bytes += it.bytes()
		if n > 0 && (it.phase != items[0].phase || bytes > passOutputs) {
			return items[:n]
		}
	}
	return items
}

// run computes items of one phase and image; next is what the worker is likely to do afterwards.
func (c *Conv) run(w *Worker, items []convItem, next *convItem, image int, a *Args) {
	p := &c.phases[items[0].phase]
	for first := 0; first == 0 || first < len(p.offsets); first += p.pass {
		scratch := Address(w.Scratch)
		for n := range items {
			after, from := next, 0
			switch {
			case n+1 < len(items):
				after, from = &items[n+1], first
			case first+p.pass < len(p.offsets):
				after, from = &items[0], first+p.pass
			}
			to := c.rows(&items[n], image, a)
			if c.oneRun {
				to = outputs{scratch - uintptr(items[n].runs[0].y), 4 * Lanes * items[n].pixels}
				scratch += uintptr(items[n].bytes())
			}
			c.runPass(w, &items[n], first, c.weightsAt(after, from), image, a, to)
			if c.oneRun && first+p.pass >= len(p.offsets) {
				c.bringToRows(&items[n], to, c.rows(&items[n], image, a))
			}
		}
	}
}

// outputs says where an item's go: where pixel 0 of the image would be, and the bytes between blocks.
type outputs struct {
	pixel0 uintptr
	block  int
}

// rows are the outputs where they belong.
func (c *Conv) rows(it *convItem, image int, a *Args) outputs {
	return outputs{a.Operand[3] + uintptr(4*(image*c.out.Image+it.block*c.out.Plane)), 4 * c.out.Plane}
}

// bringToRows copies outputs that are one run of pixels.
func (c *Conv) bringToRows(it *convItem, from, to outputs) {
	first, width := it.runs[0].y/(4*Lanes), c.out.W
	for k := range it.k {
		for p := first; p < first+it.pixels; {
			n := min(width-p%width, first+it.pixels-p)
			src := from.pixel0 + uintptr(k*from.block+4*Lanes*p)
			dst := to.pixel0 + uintptr(k*to.block+4*(c.out.Base+p/width*c.out.Row+p%width*Lanes))
			copy(asm.FloatsAt(dst, n*Lanes), asm.FloatsAt(src, n*Lanes))
			p += n
		}
	}
}

// weightsAt is where the weights of an item begin, from an entry on, in bytes.
func (c *Conv) weightsAt(it *convItem, entry int) int {
	return it.block*c.blockBytes + c.phases[it.phase].weights + entry*abi.EntryBytes
}

// runPass computes the pass of an item that begins with entry first; weights wanted next lie at the offset next.
func (c *Conv) runPass(w *Worker, it *convItem, first, next, image int, a *Args, to outputs) {
	p := &c.phases[it.phase]
	x, y := a.Operand[0]+uintptr(4*image*c.in.Image), to.pixel0
	offsets := uintptr(unsafe.Pointer(unsafe.SliceData(p.offsets)))
	t := argsOf[abi.Conv](w)
	t.WK, t.YP, t.YK = c.blockBytes, p.ypitch, to.block
	t.Bias = a.Operand[2] + uintptr(4*Lanes*it.block)
	t.Blocks, t.XP, t.Channels, t.Six = it.k, it.xpitch, it.channels, 6
	for j := range it.runs {
		r := &it.runs[j]
		from, end := max(first, r.first), min(first+p.pass, r.first+r.entries)
		if from >= end && (r.entries > 0 || first > 0) {
			continue
		}
		weights := c.weightsAt(it, from)
		t.X, t.Y, t.XStep, t.YStep = x+uintptr(r.x), y+uintptr(r.y), r.xstep, r.ystep
		t.W, t.Off, t.Entries = a.Operand[1]+uintptr(weights), offsets+uintptr(4*from), end-from
		t.Flags = c.tileFlags(from == r.first, end == r.first+r.entries)
		t.Tiles, t.Pixels = r.tiles, r.n
		t.WNext, t.WNextTiles = next-weights, 0
		if j == 0 && !c.streams {
			t.WNextTiles = min(4, r.tiles)
		}
		r.kernel.Run(t)
		if c.after == nil || end < r.first+r.entries {
			continue
		}
		for k := range it.k {
			at := pixels{y + uintptr(r.y+k*to.block), r.ystep, r.tiles, r.n}
			c.after.here(w, a, image, it.block+k, at)
		}
	}
}

// tileFlags are the flags of a kernel call that begins or finishes its outputs, or goes on with a later part of the list.
func (c *Conv) tileFlags(begin, finish bool) int {
	f := 0
	switch {
	case !begin:
		f = abi.FromOutput
	case c.flags&Acc != 0:
		f = abi.FromOutput | abi.AddBias
	}
	if finish && c.flags&(ReLU|ReLU6) != 0 {
		f |= abi.ClampZero
	}
	if finish && c.flags&ReLU6 != 0 {
		f |= abi.ClampSix
	}
	return f
}
