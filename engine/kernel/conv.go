package kernel

import (
	"fmt"
	"runtime"
	"unsafe"

	"regraft/engine/kernel/abi"
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
	groups       []int      // first item of each weight group, when images are the inner loop; else nil
	after        *planes    // what is applied to finished outputs, or nil
}

// convPhase is a phase with its addresses worked out.
type convPhase struct {
	offsets []int32 // bytes from the tile's first input pixel to each entry's
	weights int     // bytes from the output block's weights to the first entry's
	ypitch  int     // bytes between output pixels
}

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
	c.prepare(newTiler(set, in, out))
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
	c.prepare(newTiler(set, dy, dx))
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

// prepare works out offsets, tiles and items of the phases.
func (c *Conv) prepare(t *tiler) {
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
		entries += len(cp.offsets)
		c.phases = append(c.phases, cp)
	}
	c.blockBytes = entries * abi.EntryBytes
	for i, p := range c.dense {
		t.add(i, p, len(c.phases[i].offsets))
	}
	c.items, c.groups = t.finish(c.blockBytes)
	c.name = fmt.Sprintf("%s_f32_%dx%d_%s", c.family, t.mainK, t.mainN, t.main.Set)
	c.reason = t.reason()
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
	t.only = k
	if k < 1 || k > min(t.maxBlocks(), c.out.Blocks()) {
		return nil
	}
	other := *c
	other.phases = nil
	other.prepare(t)
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

// locate finds the piece of work and the image of item i. Layers with more weights than input run all images for one group of output
// blocks before the next, so that its weights stay in the cache.
func (c *Conv) locate(i, images int) (it *convItem, image int) {
	if c.groups == nil {
		return &c.items[i%len(c.items)], i / len(c.items)
	}
	g := 0
	for g+1 < len(c.groups) && i >= c.groups[g+1]*images {
		g++
	}
	end := len(c.items)
	if g+1 < len(c.groups) {
		end = c.groups[g+1]
	}
	first := c.groups[g]
	i -= first * images
	return &c.items[first+i%(end-first)], i / (end - first)
}

// Item implements Primitive.
func (c *Conv) Item(w *Worker, i int, a *Args) {
	it, image := c.locate(i, a.Images)
	p := &c.phases[it.phase]
	x := a.Operand[0] + uintptr(4*image*c.in.Image)
	y := a.Operand[3] + uintptr(4*(image*c.out.Image+it.block*c.out.Plane))
	weights := a.Operand[1] + uintptr(it.block*c.blockBytes+p.weights)
	offsets := uintptr(unsafe.Pointer(unsafe.SliceData(p.offsets)))
	t := argsOf[abi.Conv](w)
	t.WK, t.YP, t.YK = c.blockBytes, p.ypitch, 4*c.out.Plane
	t.Bias = a.Operand[2] + uintptr(4*Lanes*it.block)
	t.Blocks, t.XP, t.Channels, t.Six = it.k, it.xpitch, it.channels, 6
	for first := 0; first == 0 || first < len(p.offsets); first += it.pass {
		for j := range it.runs {
			r := &it.runs[j]
			from, to := max(first, r.first), min(first+it.pass, r.first+r.entries)
			if from >= to && (r.entries > 0 || first > 0) {
				continue
			}
			t.X, t.Y, t.XStep, t.YStep = x+uintptr(r.x), y+uintptr(r.y), r.xstep, r.ystep
			t.W, t.Off, t.Entries = weights+uintptr(from*abi.EntryBytes), offsets+uintptr(4*from), to-from
			t.Flags = c.tileFlags(from == r.first, to == r.first+r.entries)
			t.Tiles, t.Pixels = r.tiles, r.n
			t.WNext, t.WNextTiles = t.W+uintptr(it.k*c.blockBytes), 0
			if it.last && first == 0 && j == 0 {
				t.WNextTiles = min(4, r.tiles)
			}
			r.kernel.Run(t)
			if c.after == nil || to < r.first+r.entries {
				continue
			}
			for k := range it.k {
				at := pixels{y + uintptr(r.y+4*k*c.out.Plane), r.ystep, r.tiles, r.n}
				c.after.here(w, a, image, it.block+k, at)
			}
		}
	}
	runtime.KeepAlive(c)
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
