package main

import (
	"fmt"
	"unsafe"

	"regraft/engine/kernel/abi"
)

// The weight-gradient kernel computes one tile of dW after the other. It keeps m input channels x k output blocks in registers while it
// walks the pixels of a list of row pairs, image after image:
//
//	dw[c][o] = start + sum over images, rows, pixels of x[c] * dy[o]
//
// one chain of fused multiply-adds per weight, in that order.
//
//	DI  arguments (abi.WGrad)           AX       input pixel
//	SI  X of the image                  R8..R10  dY pixel of each output block
//	DX  dY of the image                 R13      pixels left
//	BX  row list, CX rows left          R14      bytes between input pixels
//	R12 bytes between dY blocks         R15      images left
//
// R13 is also the distance between output blocks of dW, before and after the loops. Vectors: accumulators from 0 up, a channel's output
// blocks side by side; dY from the last register down, the input below them.
var wgradArgs abi.WGrad

const (
	argGX      = int(unsafe.Offsetof(wgradArgs.X))
	argGW      = int(unsafe.Offsetof(wgradArgs.W))
	argGY      = int(unsafe.Offsetof(wgradArgs.Y))
	argGRows   = int(unsafe.Offsetof(wgradArgs.Rows))
	argGCount  = int(unsafe.Offsetof(wgradArgs.Count))
	argGPixels = int(unsafe.Offsetof(wgradArgs.Pixels))
	argGXP     = int(unsafe.Offsetof(wgradArgs.XP))
	argGYK     = int(unsafe.Offsetof(wgradArgs.YK))
	argGWK     = int(unsafe.Offsetof(wgradArgs.WK))
	argGFlags  = int(unsafe.Offsetof(wgradArgs.Flags))
	argGImages = int(unsafe.Offsetof(wgradArgs.Images))
	argGXImage = int(unsafe.Offsetof(wgradArgs.XImage))
	argGYImage = int(unsafe.Offsetof(wgradArgs.YImage))
	argGTiles  = int(unsafe.Offsetof(wgradArgs.Tiles))
	argGXStep  = int(unsafe.Offsetof(wgradArgs.XStep))
	argGWStep  = int(unsafe.Offsetof(wgradArgs.WStep))
)

func weightGradients(f *file) {
	for _, s := range f.isas {
		f.table("wgrad", "wgradTile", "wgradArgs", s, func(entry func(key, function string)) {
			for _, t := range s.tiles.WGrad() {
				entry(fmt.Sprintf("{Channels: %d, Blocks: %d, Photo: %t}", t.Channels, t.Blocks, t.Photo), wgradName(s, t.Channels, t.Blocks))
			}
		})
	}
	for _, s := range f.isas {
		for _, t := range s.tiles.WGrad() {
			wgradTile{f, s, t.Channels, t.Blocks, t.Photo}.emit()
		}
	}
}

func wgradName(s isa, m, k int) string { return fmt.Sprintf("wgrad_f32_%dx%d_%s", m, k, s.name) }

// wgradTile is the generator of one kernel.
type wgradTile struct {
	*file
	isa
	m, k int
	rgb  bool
}

func (t wgradTile) vectors() int         { return t.k * t.per }
func (t wgradTile) acc(i, j int) int     { return i*t.vectors() + j }
func (t wgradTile) dy(j int) int         { return t.regs - 1 - j }
func (t wgradTile) input() int           { return t.regs - 1 - t.vectors() }
func (t wgradTile) pointer(j int) string { return []string{"R8", "R9", "R10"}[j/t.per] }
func (t wgradTile) lane(j int) int       { return j % t.per * t.bytes }

// row is the distance of channel i's weights from the first channel's: taps of RGB images lie one entry apart.
func (t wgradTile) row(i int) int {
	if t.rgb {
		return i/3*abi.EntryBytes + i%3*64
	}
	return i * 64
}

func (t wgradTile) emit() {
	const unroll = 4
	t.function(wgradName(t.isa, t.m, t.k), "wgradArgs")
	t.P("MOVQ %d(DI), R14", argGXP)
	t.P("MOVQ %d(DI), R12", argGYK)
	t.Label("tile")
	t.P("MOVQ %d(DI), SI", argGX)
	t.P("MOVQ %d(DI), DX", argGY)
	t.P("MOVQ %d(DI), R15", argGImages)
	t.P("MOVQ %d(DI), AX", argGFlags)
	t.P("TESTQ $%d, AX", abi.FromOutput)
	t.P("JZ zero")
	t.weights(func(at string, acc int) { t.load(t.isa, at, acc) })
	t.P("JMP image")
	t.Label("zero")
	for i := range t.m * t.vectors() {
		t.zero(t.isa, i)
	}
	t.Label("image")
	t.P("MOVQ %d(DI), BX", argGRows)
	t.P("MOVQ %d(DI), CX", argGCount)
	t.Label("row")
	t.P("MOVLQSX (BX), AX")
	t.P("ADDQ SI, AX")
	t.P("MOVLQSX 4(BX), R8")
	t.P("ADDQ DX, R8")
	t.P("ADDQ $8, BX")
	for j := 1; j < t.k; j++ {
		t.P("LEAQ (%s)(R12*1), %s", t.pointer((j-1)*t.per), t.pointer(j*t.per))
	}
	t.P("MOVQ %d(DI), R13", argGPixels)
	t.P("SUBQ $%d, R13", unroll)
	t.P("JLT rest")
	t.Label("pixels")
	for u := range unroll {
		t.pixel(u)
	}
	t.advance(unroll)
	t.P("SUBQ $%d, R13", unroll)
	t.P("JGE pixels")
	t.Label("rest")
	t.P("ADDQ $%d, R13", unroll)
	t.P("JZ next")
	t.Label("single")
	t.pixel(0)
	t.advance(1)
	t.P("DECQ R13")
	t.P("JNZ single")
	t.Label("next")
	t.P("DECQ CX")
	t.P("JNZ row")
	t.P("ADDQ %d(DI), SI", argGXImage)
	t.P("ADDQ %d(DI), DX", argGYImage)
	t.P("DECQ R15")
	t.P("JNZ image")
	t.weights(func(at string, acc int) { t.store(t.isa, acc, at) })
	t.P("MOVQ %d(DI), AX", argGXStep)
	t.P("ADDQ AX, %d(DI)", argGX)
	t.P("MOVQ %d(DI), AX", argGWStep)
	t.P("ADDQ AX, %d(DI)", argGW)
	t.P("DECQ %d(DI)", argGTiles)
	t.P("JNZ tile")
	t.End()
}

// weights visits every vector of the dW tile.
func (t wgradTile) weights(visit func(at string, acc int)) {
	t.P("MOVQ %d(DI), AX", argGW)
	if t.k > 1 {
		t.P("MOVQ %d(DI), R13", argGWK)
	}
	for j := range t.vectors() {
		for i := range t.m {
			visit(fmt.Sprintf("%d(AX)", t.row(i)+t.lane(j)), t.acc(i, j))
		}
		if j%t.per == t.per-1 && j < t.vectors()-1 {
			t.P("ADDQ R13, AX")
		}
	}
}

// pixel adds the products of one pixel, u pixels after the dY pointers.
func (t wgradTile) pixel(u int) {
	var dy []int
	for j := range t.vectors() {
		t.load(t.isa, fmt.Sprintf("%d(%s)", u*64+t.lane(j), t.pointer(j)), t.dy(j))
		dy = append(dy, t.dy(j))
	}
	for i := range t.m {
		var sums []int
		for j := range t.vectors() {
			sums = append(sums, t.acc(i, j))
		}
		at := func(lane int) string { return fmt.Sprintf("%d(AX)", lane*4) }
		t.factors.multiplyAdd(t.file, t.isa, inputLane{at: at, lane: i, of: t.m, register: t.input()}, dy, sums)
	}
	t.P("ADDQ R14, AX")
}

func (t wgradTile) advance(pixels int) {
	for j := range t.k {
		t.P("ADDQ $%d, %s", 64*pixels, t.pointer(j*t.per))
	}
}
