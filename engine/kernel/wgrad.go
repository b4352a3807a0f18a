package kernel

import (
	"fmt"
	"math"
	"runtime"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// ConvGradW is a weight gradient, prepared to run. Every weight is one chain of fused multiply-adds over (image, output row, output
// column), whatever the blocking; work is divided by weights, never by pixels, so that no sums have to be joined.
type ConvGradW struct {
	name     string
	shape    ConvShape
	x, dy    Layout
	rows     []int32 // for every output row: bytes to the input row of tap row PT, and to the row of dY
	groups   []wgradGroup
	parts    int // items per group
	rowStep  int // output rows per kernel call
	perCall  int // images per kernel call: more than one only where all rows fit one call
	blockLen int // bytes of dW for one output block
}

// wgradGroup is up to three output blocks with the columns of their weights.
type wgradGroup struct {
	block, k int
	columns  []wgradColumn
}

// wgradColumn is a tap of an input block, in register tiles of some channels; or neighbouring taps of an RGB image in one tile.
type wgradColumn struct {
	kernel     asm.Form[abi.WGrad]
	channels   int // of a tile
	tiles      int
	x          int // bytes from the image to the tap's first channel
	w          int // bytes from the output block's dW
	first, end int // output rows whose input row lies inside the image
}

const (
	wgradPixels    = 320    // pixels of a kernel call: dY stays near while the taps go by, and loading dW pays
	wgradItems     = 32     // items that every layer should have,
	wgradMinCycles = 15_000 // unless one image gives them less to do than this
)

// NewConvGradW prepares the weight gradient of s, summed over images: dW = correlation of X with dY.
//
// Operands: 0 X in layout x, 1 dY in layout dy, 2 dW in the master layout, overwritten whole. The halo of x must be at least s.Halo();
// x is Blocked, Matrix, or Pixels of 3 channels, whose dW has 13 unused rows an entry that are left as they are; dy needs no halo.
func NewConvGradW(set *Set, s ConvShape, x, dy Layout) (*ConvGradW, error) {
	if err := checkConv(s, x, dy); err != nil {
		return nil, err
	}
	g := &ConvGradW{shape: s, x: x, dy: dy, blockLen: s.KH * s.KW * x.Blocks() * abi.EntryBytes}
	for r := range s.OH {
		g.rows = append(g.rows, int32(4*r*s.SH*x.Row), int32(4*r*dy.Row))
	}
	g.rowStep = min(s.OH, max(1, (wgradPixels+s.OW/2)/s.OW))
	g.perCall = 1
	if g.rowStep == s.OH {
		g.perCall = max(1, wgradPixels/(s.OH*s.OW))
	}
	block, columns := 0, map[int][]wgradColumn{}
	most := len(set.Tiles.Channels)
	if !x.blocked() {
		most = len(set.Tiles.PhotoTaps)
	}
	for _, k := range split(dy.Blocks(), (dy.Blocks()+most-1)/most) {
		if columns[k] == nil {
			columns[k] = g.columns(set, k)
		}
		g.groups = append(g.groups, wgradGroup{block, k, columns[k]})
		block += k
	}
	cycles := s.Flops() / (2 * Lanes) // of one image
	items := max(cycles/itemCycles, min(wgradItems, cycles/wgradMinCycles))
	g.parts = min(len(g.groups[0].columns), max(1, int(math.Ceil(items/float64(len(g.groups))))))
	g.name = fmt.Sprintf("conv_gradw_f32_%dx%d_%s", g.groups[0].columns[0].channels, g.groups[0].k, g.groups[0].columns[0].kernel.Set)
	return g, nil
}

// Shape is the convolution of the forward pass.
func (g *ConvGradW) Shape() ConvShape { return g.shape }

// columns lists the columns for groups of k output blocks: input block by input block, so that its rows serve all taps.
func (g *ConvGradW) columns(set *Set, k int) (list []wgradColumn) {
	s := g.shape
	for q := range g.x.Blocks() {
		for a := range s.KH {
			first, end := 0, s.OH
			for first < end && first*s.SH+a*s.DH < s.PT {
				first++
			}
			for end > first && (end-1)*s.SH+a*s.DH-s.PT >= s.H {
				end--
			}
			for b := 0; b < s.KW; {
				channels, tiles, taps := g.tile(set, k, s.KW-b)
				list = append(list, wgradColumn{
					kernel: set.WGrad[abi.WGradTile{Channels: channels, Blocks: k, Photo: !g.x.blocked()}], channels: channels, tiles: tiles, first: first, end: end,
					x: 4 * (g.x.Base + q*g.x.Plane + (a*s.DH-s.PT)*g.x.Row + (b*s.DW-s.PL)*g.x.Pixel),
					w: ((a*s.KW+b)*g.x.Blocks() + q) * abi.EntryBytes,
				})
				b += taps
			}
		}
	}
	return list
}

// tile chooses the register tiles of a column for k output blocks: their channels, their number and the taps that they cover.
func (g *ConvGradW) tile(set *Set, k, tapsLeft int) (channels, tiles, taps int) {
	if g.x.blocked() {
		channels = set.Tiles.Channels[k-1]
		return channels, Lanes / channels, 1
	}
	taps = 1
	if most := set.Tiles.PhotoTaps[k-1]; most <= tapsLeft {
		taps = most
	}
	return 3 * taps, 1, taps
}

// Name is conv_gradw_f32_MxK_isa: register tiles of M input channels by K output blocks.
func (g *ConvGradW) Name() string { return g.name }

// Reason says in a sentence why this blocking.
func (g *ConvGradW) Reason() string {
	return fmt.Sprintf("%d output blocks in groups of at most %d; %d rows of %d pixels and %d images per call; %d items",
		g.dy.Blocks(), g.groups[0].k, g.rowStep, g.shape.OW, g.perCall, g.Items(1))
}

// Items implements Primitive; there are as many for one image as for many.
func (g *ConvGradW) Items(int) int { return len(g.groups) * g.parts }

// Item implements Primitive.
func (g *ConvGradW) Item(w *Worker, i int, a *Args) {
	group, part := &g.groups[i/g.parts], i%g.parts
	columns := group.columns[len(group.columns)*part/g.parts : len(group.columns)*(part+1)/g.parts]
	dw := a.Operand[2] + uintptr(group.block*g.blockLen)
	t := argsOf[abi.WGrad](w)
	t.Pixels, t.XP, t.YK, t.WK = g.shape.OW, 4*g.shape.SW*g.x.Pixel, 4*g.dy.Plane, g.blockLen
	t.XImage, t.YImage = 4*g.x.Image, 4*g.dy.Image
	t.Blocks, t.Group = group.k, min(g.x.Pixel, Lanes)
	rows := uintptr(unsafe.Pointer(unsafe.SliceData(g.rows)))
	for n := 0; n < a.Images; n += g.perCall {
		x := a.Operand[0] + uintptr(4*n*g.x.Image)
		t.Y = a.Operand[1] + uintptr(4*(n*g.dy.Image+g.dy.Base+group.block*g.dy.Plane))
		for r := 0; r < g.shape.OH; r += g.rowStep {
			for j := range columns {
				c := &columns[j]
				t.W, t.Channels, t.Tiles = dw+uintptr(c.w), c.channels, c.tiles
				t.XStep, t.WStep = 4*c.channels, 4*Lanes*c.channels
				first, end := max(r, c.first), min(r+g.rowStep, c.end)
				if first >= end {
					if n == 0 && r == 0 && c.first >= c.end {
						t.Count, t.Images, t.Flags = 0, 0, 0 // a tap that no row reaches: the plain form writes zeros
						asm.WGradGo(t)
					}
					continue
				}
				t.X, t.Images = x+uintptr(c.x), min(g.perCall, a.Images-n)
				t.Rows, t.Count = rows+uintptr(8*first), end-first
				t.Flags = abi.FromOutput
				if n == 0 && first == c.first {
					t.Flags = 0
				}
				c.kernel.Run(t)
			}
		}
	}
	runtime.KeepAlive(g)
}
