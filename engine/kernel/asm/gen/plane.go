package main

import (
	"slices"
	"unsafe"

	"regraft/engine/kernel/abi"
)

// The plane kernels walk the pixels of one block of sixteen channels row by row:
//
//	DI  arguments (abi.Plane)               AX  pixels left in the row
//	R8 R9 R10  rows of X, Y, Out            CX  rows left
//	SI BX DX   pixels of X, Y, Out
//	R11 to R15 and R8 .. are free for constants before the walk begins
//
// An elementwise kernel treats one register after the other; constants sit in the last registers. A reduction keeps float64 sums in
// the first ones.
var planeArgs abi.Plane

const (
	planeX      = int(unsafe.Offsetof(planeArgs.X))
	planeY      = int(unsafe.Offsetof(planeArgs.Y))
	planeOut    = int(unsafe.Offsetof(planeArgs.Out))
	planeXRow   = int(unsafe.Offsetof(planeArgs.XRow))
	planeYRow   = int(unsafe.Offsetof(planeArgs.YRow))
	planeOutRow = int(unsafe.Offsetof(planeArgs.OutRow))
	planeRows   = int(unsafe.Offsetof(planeArgs.Rows))
	planePixels = int(unsafe.Offsetof(planeArgs.Pixels))
	planeVector = int(unsafe.Offsetof(planeArgs.Vector))
	planeLow    = int(unsafe.Offsetof(planeArgs.Low))
	planeHigh   = int(unsafe.Offsetof(planeArgs.High))
	planeSum    = int(unsafe.Offsetof(planeArgs.Sum))
	planeProd   = int(unsafe.Offsetof(planeArgs.Product))
)

// planeUnroll is the number of pixels of one turn of the loop.
const planeUnroll = 4

func planes(f *file) {
	kinds := map[string]func(isa){}
	var names []string
	for _, k := range slices.Concat(elementwises, activations, overChannels) {
		names = append(names, k.name)
		kinds[k.name] = func(s isa) { k.emit(f, s) }
		k.emitPlain(f)
	}
	for _, k := range reductions {
		names = append(names, k.name)
		kinds[k.name] = func(s isa) { k.emit(f, s) }
		k.emitPlain(f)
	}
	for name, more := range map[string]bool{"pick": false, "pickmore": true} {
		kinds[name] = func(s isa) { pick(f, s, more) }
	}
	names = append(names, "pick", "pickmore")
	named(f, "plane", "planeArgs", names, func(s isa, name string) { kinds[name](s) })
	f.plainTable("plane", "planeArgs", names)
}

// walkPixels emits the loops over rows and pixels; body treats the pixel that many past SI, BX, DX.
func (f *file) walkPixels(unroll int, body func(pixel int)) {
	step := func(n int) {
		for _, r := range []string{"SI", "BX", "DX"} {
			f.P("ADDQ $%d, %s", 64*n, r)
		}
	}
	f.P("MOVQ %d(DI), R8", planeX)
	f.P("MOVQ %d(DI), R9", planeY)
	f.P("MOVQ %d(DI), R10", planeOut)
	f.P("MOVQ %d(DI), CX", planeRows)
	f.Label("row")
	f.P("MOVQ R8, SI")
	f.P("MOVQ R9, BX")
	f.P("MOVQ R10, DX")
	f.P("MOVQ %d(DI), AX", planePixels)
	if unroll > 1 {
		f.P("SUBQ $%d, AX", unroll)
		f.P("JLT tail")
		f.Label("some")
		for pixel := range unroll {
			body(pixel)
		}
		step(unroll)
		f.P("SUBQ $%d, AX", unroll)
		f.P("JGE some")
		f.Label("tail")
		f.P("ADDQ $%d, AX", unroll)
		f.P("JZ next")
	}
	f.Label("one")
	body(0)
	step(1)
	f.P("DECQ AX")
	f.P("JNZ one")
	f.Label("next")
	f.P("ADDQ %d(DI), R8", planeXRow)
	f.P("ADDQ %d(DI), R9", planeYRow)
	f.P("ADDQ %d(DI), R10", planeOutRow)
	f.P("DECQ CX")
	f.P("JNZ row")
}
