package asm

import (
	"math"
	"unsafe"

	"regraft/engine/kernel/abi"
)

// EachPixel visits the pixels of a plane.
func EachPixel(k *abi.Plane, visit func(x, y, out *[Lanes]float32)) {
	for r := range uintptr(k.Rows) {
		x, y, out := k.X+r*uintptr(k.XRow), k.Y+r*uintptr(k.YRow), k.Out+r*uintptr(k.OutRow)
		for range k.Pixels {
			visit(LanesAt(x), LanesAt(y), LanesAt(out))
			x, y, out = x+4*Lanes, y+4*Lanes, out+4*Lanes
		}
	}
}

// pick_f32_go writes the lanes of one block, pickmore_f32_go those into Y that hold 0 there. Vector 0 is an abi.PickLanes.
func pick_f32_go(k *planeArgs) {
	EachPixel(k, func(x, _, out *[Lanes]float32) { pickLane(k, x, out, func(int) uint32 { return 0 }) })
}

func pickmore_f32_go(k *planeArgs) {
	EachPixel(k, func(x, y, out *[Lanes]float32) {
		pickLane(k, x, out, func(c int) uint32 { return math.Float32bits(y[c]) })
	})
}

func pickLane(k *planeArgs, x, out *[Lanes]float32, before func(c int) uint32) {
	l := (*abi.PickLanes)(Pointer(k.Vector[0]))
	for c := range out {
		out[c] = math.Float32frombits(before(c) | math.Float32bits(x[l.Index[c]])&l.Mask[c])
	}
}

// poolPixel is one output pixel of a pool.
type poolPixel struct {
	x, y    uintptr // where the window starts, the output pixel
	taps    []int32
	divisor float32
	dx      uintptr // where the window starts in the gradient
	dxTaps  []int32
	wTaps   []int32
}

// eachWindow visits the output pixels of a pool in row-major order.
func eachWindow(k *poolArgs, visit func(poolPixel)) {
	runs := unsafe.Slice((*abi.PoolRun)(Pointer(k.Runs)), k.N)
	for i, run := range runs {
		list := func(p uintptr) []int32 { return unsafe.Slice((*int32)(Pointer(p+uintptr(run.Tap))), run.Taps) }
		p := poolPixel{x: k.X + uintptr(run.In), y: k.Y + uintptr(run.Out), taps: list(k.Taps), divisor: run.Divisor}
		if k.DX != 0 {
			p.dx, p.dxTaps = k.DX+uintptr(unsafe.Slice((*abi.PoolRun)(Pointer(k.DXRuns)), k.N)[i].In), list(k.DXTaps)
		}
		if k.W != 0 {
			p.wTaps = list(k.WTaps)
		}
		for range run.Pixels {
			visit(p)
			p.x, p.y, p.dx = p.x+uintptr(k.Step), p.y+4*Lanes, p.dx+uintptr(k.Step)
		}
	}
}
