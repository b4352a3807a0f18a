package main

import "fmt"

// A reduction adds to float64 sums, sixteen at Sum and sixteen at Product. float32 lanes are widened as
// they are loaded, half a register's worth at a time, so a pixel takes two (AVX-512) or four (AVX2)
// parts. Products of two float32 are exact in float64. Every lane is one chain of additions in the order
// of the pixels.
//
// The sums of part i are in register i, the products in register parts+i; the last three are scratch.
type reduction struct {
	name    string
	product bool
	body    func(w *widened)
}

// widened is one part of a pixel.
type widened struct {
	*file
	x, y         string    // memory
	scale, shift string    // memory: Vector[0] and Vector[1]
	sum, product string    // float64 accumulators
	t            [3]string // scratch, whole register
	half         [3]string // the same registers as float32 lanes
}

var reductions = []reduction{
	{name: "sum", body: func(w *widened) {
		w.P("VCVTPS2PD %s, %s", w.x, w.t[0])
		w.P("VADDPD %s, %s, %s", w.t[0], w.sum, w.sum)
	}},
	{name: "dot", body: func(w *widened) {
		w.P("VCVTPS2PD %s, %s", w.x, w.t[0])
		w.P("VCVTPS2PD %s, %s", w.y, w.t[1])
		w.P("VFMADD231PD %s, %s, %s", w.t[1], w.t[0], w.sum)
	}},
	{name: "batchstats", product: true, body: func(w *widened) {
		w.P("VCVTPS2PD %s, %s", w.x, w.t[0])
		w.P("VADDPD %s, %s, %s", w.t[0], w.sum, w.sum)
		w.P("VFMADD231PD %s, %s, %s", w.t[0], w.t[0], w.product)
	}},
	// X is z, Y is dy; g = dy where scale*z + shift > 0.
	{name: "normsums", product: true, body: func(w *widened) {
		z, g, zero := w.half[0], w.half[1], w.half[2]
		w.P("VMOVUPS %s, %s", w.x, z)
		w.P("VMOVUPS %s, %s", w.shift, g)
		w.P("VFMADD231PS %s, %s, %s", w.scale, z, g)
		w.P("VXORPS %s, %s, %s", zero, zero, zero)
		w.P("VCMPPS $%#x, %s, %s, %s", cmpGreater, zero, g, g)
		w.P("VANDPS %s, %s, %s", w.y, g, g)
		w.P("VCVTPS2PD %s, %s", g, w.t[1])
		w.P("VCVTPS2PD %s, %s", z, w.t[0])
		w.P("VADDPD %s, %s, %s", w.t[1], w.sum, w.sum)
		w.P("VFMADD231PD %s, %s, %s", w.t[0], w.t[1], w.product)
	}},
}

func (k reduction) emit(f *file, s isa) {
	parts := 2 * s.per
	half := map[int]string{64: "Y", 32: "X"}[s.bytes]
	accumulators := func(visit func(memory, register string)) {
		f.P("MOVQ %d(DI), AX", planeSum)
		for i := range parts {
			visit(fmt.Sprintf("%d(AX)", i*s.bytes), s.r(i))
		}
		if !k.product {
			return
		}
		f.P("MOVQ %d(DI), AX", planeProd)
		for i := range parts {
			visit(fmt.Sprintf("%d(AX)", i*s.bytes), s.r(parts+i))
		}
	}
	accumulators(func(m, r string) { f.P("VMOVUPD %s, %s", m, r) })
	f.P("MOVQ %d(DI), R11", planeVector)
	f.P("MOVQ %d(DI), R12", planeVector+8)
	f.walkPixels(planeUnroll, func(pixel int) {
		for i := range parts {
			w := &widened{file: f, sum: s.r(i), product: s.r(parts + i)}
			w.x, w.y = fmt.Sprintf("%d(SI)", pixel*64+i*s.bytes/2), fmt.Sprintf("%d(BX)", pixel*64+i*s.bytes/2)
			w.scale, w.shift = fmt.Sprintf("%d(R11)", i*s.bytes/2), fmt.Sprintf("%d(R12)", i*s.bytes/2)
			for j := range w.t {
				w.t[j], w.half[j] = s.r(13+j), fmt.Sprintf("%s%d", half, 13+j)
			}
			k.body(w)
		}
	})
	accumulators(func(m, r string) { f.P("VMOVUPD %s, %s", r, m) })
}
