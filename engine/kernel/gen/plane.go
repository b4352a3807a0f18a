package main

import (
	"fmt"
	"slices"
	"unsafe"

	"regraft/engine/kernel/abi"
)

// The plane kernels walk the pixels of one block of sixteen channels row by row:
//
//	DI  arguments (abi.Plane)        AX  pixels left in the row
//	R8 R9 R10  rows of X, Y, Out            CX  rows left
//	SI BX DX   pixels of X, Y, Out
//	R11 to R15 and R8 .. are free for constants before the walk begins
//
// An elementwise kernel treats one register after the other with the same scratch registers 0 to 3;
// the constants sit in the last registers. A reduction keeps float64 sums in the first ones.
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

// planeUnroll is the number of pixels of one turn of the loop. Long arithmetic takes one at a time.
const planeUnroll = 4

// elementwise is a kernel given by its arithmetic on one register.
type elementwise struct {
	name    string
	vectors int  // constants per channel
	table   bool // the vector behind them is a table of constants in memory
	low     bool // broadcasts Low
	high    bool // and High
	body    func(e *element)
}

// constant is an entry of the kernel's table, in memory.
func (e *element) constant(i int) string { return fmt.Sprintf("%d(R11)", 64*i) }

// element is one register of one pixel: its operands, and what its arithmetic may use.
type element struct {
	*file
	isa
	x, y, out string   // memory
	vector    []string // registers with the constants of these channels
	low, high string
	t         [4]string // scratch
}

var elementwises = []elementwise{
	{name: "copy", body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.P("VMOVUPS %s, %s", e.t[0], e.out)
	}},
	{name: "fill", vectors: 1, body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.vector[0], e.out)
	}},
	{name: "add", low: true, body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.P("VADDPS %s, %s, %s", e.y, e.t[0], e.t[0])
		e.P("VMAXPS %s, %s, %s", e.t[0], e.low, e.t[0]) // the second source, the sum, wins when it is NaN
		e.P("VMOVUPS %s, %s", e.t[0], e.out)
	}},
	{name: "mul", body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.P("VMULPS %s, %s, %s", e.y, e.t[0], e.t[0])
		e.P("VMOVUPS %s, %s", e.t[0], e.out)
	}},
	{name: "scale", vectors: 1, body: func(e *element) {
		e.P("VMULPS %s, %s, %s", e.x, e.vector[0], e.t[0])
		e.P("VMOVUPS %s, %s", e.t[0], e.out)
	}},
	{name: "affine", vectors: 2, low: true, body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.P("VFMADD213PS %s, %s, %s", e.vector[1], e.vector[0], e.t[0])
		e.P("VMAXPS %s, %s, %s", e.t[0], e.low, e.t[0])
		e.P("VMOVUPS %s, %s", e.t[0], e.out)
	}},
	{name: "relugrad", body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.zero(e.file, e.t[1])
		e.keepWhere(e.file, cmpGreater, e.t[0], e.t[1], e.y, e.t[0], e.t[0])
		e.P("VMOVUPS %s, %s", e.t[0], e.out)
	}},
	{name: "clip", low: true, high: true, body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.P("VMAXPS %s, %s, %s", e.t[0], e.low, e.t[0])
		e.P("VMINPS %s, %s, %s", e.t[0], e.high, e.t[0])
		e.P("VMOVUPS %s, %s", e.t[0], e.out)
	}},
	{name: "clipgrad", low: true, high: true, body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.keepWhere(e.file, cmpGreater, e.t[0], e.low, e.y, e.t[1], e.t[1])
		e.keepWhere(e.file, cmpLess, e.t[0], e.high, e.t[1], e.t[2], e.t[1])
		e.P("VMOVUPS %s, %s", e.t[1], e.out)
	}},
	// Vectors: scale, shift, mean, k1, k2, k3. X is z, Y is dy.
	{name: "normgrad", vectors: 6, body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.P("VMOVAPS %s, %s", e.vector[1], e.t[1])
		e.P("VFMADD231PS %s, %s, %s", e.vector[0], e.t[0], e.t[1])
		e.zero(e.file, e.t[2])
		e.keepWhere(e.file, cmpGreater, e.t[1], e.t[2], e.y, e.t[1], e.t[1]) // g
		e.P("VFMSUB213PS %s, %s, %s", e.vector[4], e.vector[3], e.t[1])      // k1 g - k2
		e.P("VSUBPS %s, %s, %s", e.vector[2], e.t[0], e.t[0])                // z - mean
		e.P("VFNMADD231PS %s, %s, %s", e.vector[5], e.t[0], e.t[1])          // - k3 (z - mean)
		e.P("VMOVUPS %s, %s", e.t[1], e.out)
	}},
}

func planes(f *file) {
	kinds := map[string]func(isa){}
	var names []string
	for _, k := range slices.Concat(elementwises, activations) {
		names = append(names, k.name)
		kinds[k.name] = func(s isa) { k.emit(f, s) }
	}
	for _, k := range reductions {
		names = append(names, k.name)
		kinds[k.name] = func(s isa) { k.emit(f, s) }
	}
	for name, more := range map[string]bool{"pick": false, "pickmore": true} {
		kinds[name] = func(s isa) { pick(f, s, more) }
	}
	names = append(names, "pick", "pickmore")
	named(f, "plane", "planeArgs", names, func(s isa, name string) { kinds[name](s) })
}

// emit writes the whole kernel.
func (k elementwise) emit(f *file, s isa) {
	next := s.regs
	constant := func(load func(part int, r string), parts int) (regs []string) {
		for part := range parts {
			next--
			load(part, s.r(next))
			regs = append(regs, s.r(next))
		}
		return regs
	}
	vectors := make([][]string, s.per) // by part of the pixel
	for i := range k.vectors {
		f.P("MOVQ %d(DI), AX", planeVector+8*i)
		regs := constant(func(part int, r string) { f.P("VMOVUPS %d(AX), %s", part*s.bytes, r) }, s.per)
		for part := range vectors {
			vectors[part] = append(vectors[part], regs[part])
		}
	}
	var low, high string
	if k.low {
		low = constant(func(_ int, r string) { f.P("VBROADCASTSS %d(DI), %s", planeLow, r) }, 1)[0]
	}
	if k.high {
		high = constant(func(_ int, r string) { f.P("VBROADCASTSS %d(DI), %s", planeHigh, r) }, 1)[0]
	}
	unroll := planeUnroll
	if k.table {
		f.P("MOVQ %d(DI), R11", planeVector+8*k.vectors)
		unroll = 1
	}
	f.walkPixels(unroll, func(pixel int) {
		for part := range s.per {
			at := func(base string) string { return fmt.Sprintf("%d(%s)", pixel*64+part*s.bytes, base) }
			k.body(&element{f, s, at("SI"), at("BX"), at("DX"), vectors[part], low, high, [4]string{s.r(0), s.r(1), s.r(2), s.r(3)}})
		}
	})
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
