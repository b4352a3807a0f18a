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
//	DI  arguments (abi.WGrad)    AX       input pixel
//	SI  X of the image                  R8..R10  dY pixel of each output block
//	DX  dY of the image                 R13      pixels left
//	BX  row list, CX rows left          R14      bytes between input pixels
//	R12 bytes between dY blocks         R15      images left
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
	for _, s := range isas {
		f.table("wgrad", "wgradTile", "wgradArgs", s, func(entry func(key, function string)) {
			for _, t := range s.tiles.WGrad() {
				entry(fmt.Sprintf("{Channels: %d, Blocks: %d, Photo: %t}", t.Channels, t.Blocks, t.Photo), wgradName(s, t.Channels, t.Blocks))
			}
		})
	}
	for _, s := range isas {
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
func (t wgradTile) acc(i, j int) string  { return t.r(i*t.vectors() + j) }
func (t wgradTile) dy(j int) string      { return t.r(t.regs - 1 - j) }
func (t wgradTile) broadcast() string    { return t.r(t.regs - 1 - t.vectors()) }
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
	t.p("MOVQ %d(DI), R14", argGXP)
	t.p("MOVQ %d(DI), R12", argGYK)
	t.label("tile")
	t.p("MOVQ %d(DI), SI", argGX)
	t.p("MOVQ %d(DI), DX", argGY)
	t.p("MOVQ %d(DI), R15", argGImages)
	t.p("MOVQ %d(DI), AX", argGFlags)
	t.p("TESTQ $%d, AX", abi.FromOutput)
	t.p("JZ zero")
	t.weights(func(at, acc string) { t.p("VMOVUPS %s, %s", at, acc) })
	t.p("JMP image")
	t.label("zero")
	for i := range t.m * t.vectors() {
		t.zero(t.file, t.r(i))
	}
	t.label("image")
	t.p("MOVQ %d(DI), BX", argGRows)
	t.p("MOVQ %d(DI), CX", argGCount)
	t.label("row")
	t.p("MOVLQSX (BX), AX")
	t.p("ADDQ SI, AX")
	t.p("MOVLQSX 4(BX), R8")
	t.p("ADDQ DX, R8")
	t.p("ADDQ $8, BX")
	for j := 1; j < t.k; j++ {
		t.p("LEAQ (%s)(R12*1), %s", t.pointer((j-1)*t.per), t.pointer(j*t.per))
	}
	t.p("MOVQ %d(DI), R13", argGPixels)
	t.p("SUBQ $%d, R13", unroll)
	t.p("JLT rest")
	t.label("pixels")
	for u := range unroll {
		t.pixel(u)
	}
	t.advance(unroll)
	t.p("SUBQ $%d, R13", unroll)
	t.p("JGE pixels")
	t.label("rest")
	t.p("ADDQ $%d, R13", unroll)
	t.p("JZ next")
	t.label("single")
	t.pixel(0)
	t.advance(1)
	t.p("DECQ R13")
	t.p("JNZ single")
	t.label("next")
	t.p("DECQ CX")
	t.p("JNZ row")
	t.p("ADDQ %d(DI), SI", argGXImage)
	t.p("ADDQ %d(DI), DX", argGYImage)
	t.p("DECQ R15")
	t.p("JNZ image")
	t.weights(func(at, acc string) { t.p("VMOVUPS %s, %s", acc, at) })
	t.p("MOVQ %d(DI), AX", argGXStep)
	t.p("ADDQ AX, %d(DI)", argGX)
	t.p("MOVQ %d(DI), AX", argGWStep)
	t.p("ADDQ AX, %d(DI)", argGW)
	t.p("DECQ %d(DI)", argGTiles)
	t.p("JNZ tile")
	t.end()
}

// weights visits every vector of the dW tile.
func (t wgradTile) weights(visit func(at, acc string)) {
	t.p("MOVQ %d(DI), AX", argGW)
	if t.k > 1 {
		t.p("MOVQ %d(DI), R13", argGWK)
	}
	for j := range t.vectors() {
		for i := range t.m {
			visit(fmt.Sprintf("%d(AX)", t.row(i)+t.lane(j)), t.acc(i, j))
		}
		if j%t.per == t.per-1 && j < t.vectors()-1 {
			t.p("ADDQ R13, AX")
		}
	}
}

// pixel adds the products of one pixel, u pixels after the dY pointers.
func (t wgradTile) pixel(u int) {
	for j := range t.vectors() {
		t.p("VMOVUPS %d(%s), %s", u*64+t.lane(j), t.pointer(j), t.dy(j))
	}
	for i := range t.m {
		if t.vectors() == 1 {
			t.p("VFMADD231PS.BCST %d(AX), %s, %s", i*4, t.dy(0), t.acc(i, 0))
			continue
		}
		t.p("VBROADCASTSS %d(AX), %s", i*4, t.broadcast())
		for j := range t.vectors() {
			t.p("VFMADD231PS %s, %s, %s", t.broadcast(), t.dy(j), t.acc(i, j))
		}
	}
	t.p("ADDQ R14, AX")
}

func (t wgradTile) advance(pixels int) {
	for j := range t.k {
		t.p("ADDQ $%d, %s", 64*pixels, t.pointer(j*t.per))
	}
}
