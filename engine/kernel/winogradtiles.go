package kernel

import (
	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
	"regraft/engine/kernel/toomcook"
)

// winogradTiles is how an algorithm divides the outputs of a convolution into tiles.
type winogradTiles struct {
	shape         ConvShape
	algorithm     toomcook.Algorithm
	tileH, tileW  int // outputs of a tile
	rows, columns int // tiles of an image
}

func newWinogradTiles(s ConvShape, a toomcook.Algorithm) winogradTiles {
	g := winogradTiles{shape: s, algorithm: a, tileH: a.Outputs, tileW: a.Outputs}
	if s.KH == 1 {
		g.tileH = 1
	}
	if s.KW == 1 {
		g.tileW = 1
	}
	g.rows, g.columns = (s.OH+g.tileH-1)/g.tileH, (s.OW+g.tileW-1)/g.tileW
	return g
}

// Shape is the convolution that is computed: for a data gradient, that of dY with the transposed weights.
func (g *winogradTiles) Shape() ConvShape { return g.shape }

// perImage is the number of tiles of an image.
func (g *winogradTiles) perImage() int { return g.rows * g.columns }

// segment is a piece of a row of tiles.
type segment struct {
	image, row, column int
	tiles              int
	at                 int // tiles before it
}

// segments visits tiles first to end of all images as pieces of rows.
func (g *winogradTiles) segments(first, end int, visit func(segment)) {
	for t := first; t < end; {
		row, column := t%g.perImage()/g.columns, t%g.columns
		s := segment{t / g.perImage(), row, column, min(g.columns-column, end-t), t - first}
		visit(s)
		t += s.tiles
	}
}

// squareBytes is the scratch of a two-dimensional transform.
func (g *winogradTiles) squareBytes() int { return g.algorithm.Products() * 64 }

// tilePixels transforms the pixels that tiles take from a layout into products' operands.
type tilePixels struct {
	*winogradTiles
	kernel       asm.Form[abi.TransformIn]
	layout       Layout
	spanH, spanW int // pixels of a tile
	top, left    int // how far the first tile begins outside the image
}

// inputPixels are the inputs of tiles, overlapping and padded.
func (g *winogradTiles) inputPixels(kernel asm.Form[abi.TransformIn], l Layout) tilePixels {
	return tilePixels{g, kernel, l, g.tileH + g.shape.KH - 1, g.tileW + g.shape.KW - 1, g.shape.PT, g.shape.PL}
}

// outputPixels are the outputs of tiles, side by side.
func (g *winogradTiles) outputPixels(kernel asm.Form[abi.TransformIn], l Layout) tilePixels {
	return tilePixels{g, kernel, l, g.tileH, g.tileW, 0, 0}
}

// zerosBytes is the row of zeros that stands for rows outside the image.
func (p *tilePixels) zerosBytes() int { return (p.columns*p.tileW + p.spanW) * 64 }

// transformed says where transformed pixels go: bytes between positions, blocks and tiles.
type transformed struct {
	address               uintptr
	position, block, tile int
}

// transform does tiles first to end of all images, blocks b0 to b1 of the layout. Pixels outside the image are zero.
func (p *tilePixels) transform(w *Worker, operand uintptr, first, end, b0, b1 int, to transformed, square, zeros uintptr) {
	p.segments(first, end, func(s segment) {
		t := argsOf[abi.TransformIn](w)
		t.Position, t.DstStep, t.Tiles, t.Scratch = to.position, to.tile, s.tiles, square
		t.Step, t.ColumnStep = 64*p.tileW, 64
		t.Columns, t.ColumnsLess = p.layout.W-(s.column*p.tileW-p.left), p.tileW
		if p.shape.KW == 1 { // one axis, and rows outside the image are zeros
			t.Columns, t.ColumnsLess = len(t.Rows), 0
		}
		for b := b0; b < b1; b++ {
			plane := operand + uintptr(4*(s.image*p.layout.Image+p.layout.Base+b*p.layout.Plane))
			for i := range p.spanH {
				y := s.row*p.tileH - p.top + i
				t.Rows[i] = zeros
				if y >= 0 && y < p.layout.H {
					t.Rows[i] = plane + uintptr(4*(y*p.layout.Row+(s.column*p.tileW-p.left)*Lanes))
				}
			}
			if p.shape.KH == 1 { // one axis, along the row
				for i := range p.spanW {
					t.Rows[i] = t.Rows[0] + uintptr(64*i)
				}
			}
			t.Dst, t.Half = to.address+uintptr((b-b0)*to.block+s.at*to.tile), 0
			p.kernel.Run(t)
		}
	})
}
