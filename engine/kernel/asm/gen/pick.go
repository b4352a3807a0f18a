package main

import (
	"unsafe"

	"regraft/engine/kernel/abi"
)

// pick emits the kernels that move lanes, kernel.pickKernel and, with more, pickMoreKernel. Vector 0 is an abi.PickLanes.
func pick(f *file, s isa, more bool) {
	var lanes abi.PickLanes
	f.P("MOVQ %d(DI), R11", planeVector)
	if s.per == 1 {
		index, mask := s.r(31), s.r(30)
		f.P("VMOVUPS %d(R11), %s", unsafe.Offsetof(lanes.Index), index)
		f.P("VMOVUPS %d(R11), %s", unsafe.Offsetof(lanes.Mask), mask)
		f.walkPixels(planeUnroll, func(pixel int) {
			r := s.r(pixel)
			f.P("VPERMPS %d(SI), %s, %s", 64*pixel, index, r)
			f.P("VPANDD %s, %s, %s", mask, r, r)
			if more {
				f.P("VPORD %d(BX), %s, %s", 64*pixel, r, r)
			}
			f.P("VMOVUPS %s, %d(DX)", r, 64*pixel)
		})
		return
	}
	constant := func(part, half int) string { return s.r(15 - 2*part - half) }
	for part, at := range []uintptr{unsafe.Offsetof(lanes.Index), unsafe.Offsetof(lanes.Low), unsafe.Offsetof(lanes.High)} {
		for half := range 2 {
			f.P("VMOVUPS %d(R11), %s", int(at)+32*half, constant(part, half))
		}
	}
	f.walkPixels(planeUnroll, func(pixel int) {
		for half := range 2 {
			lower, upper := s.r(0), s.r(1)
			f.P("VPERMPS %d(SI), %s, %s", 64*pixel, constant(0, half), lower)
			f.P("VPERMPS %d(SI), %s, %s", 64*pixel+32, constant(0, half), upper)
			f.P("VANDPS %s, %s, %s", constant(1, half), lower, lower)
			f.P("VANDPS %s, %s, %s", constant(2, half), upper, upper)
			f.P("VORPS %s, %s, %s", upper, lower, lower)
			if more {
				f.P("VORPS %d(BX), %s, %s", 64*pixel+32*half, lower, lower)
			}
			f.P("VMOVUPS %s, %d(DX)", lower, 64*pixel+32*half)
		}
	})
}
