package asm

import (
	"unsafe"

	"regraft/engine/kernel/abi"
)

// convGo is the plain form of the kernels, with the same bits.
func convGo(a *convArgs) {
	off := unsafe.Slice((*int32)(Pointer(a.Off)), a.Entries)
	for range a.Tiles {
		for k := range a.Blocks {
			w := FloatsAt(a.W+uintptr(k*a.WK), a.Entries*Lanes*Lanes)
			bias := (*[Lanes]float32)(Pointer(a.Bias + uintptr(4*Lanes*k)))
			for i := range a.Pixels {
				y := (*[Lanes]float32)(Pointer(a.Y + uintptr(k*a.YK+i*a.YP)))
				sum := startOf(bias, y, a.Flags)
				for e, o := range off {
					x := FloatsAt(a.X+uintptr(int(o)+i*a.XP), a.Channels)
					for c, v := range x {
						row := (*[Lanes]float32)(w[(e*Lanes+c)*Lanes:])
						for l := range sum {
							sum[l] = fma32(v, row[l], sum[l])
						}
					}
				}
				if a.Flags&abi.ClampZero != 0 {
					atLeast_go(&sum, 0)
				}
				if a.Flags&abi.ClampSix != 0 {
					atMost_go(&sum, a.Six)
				}
				*y = sum
			}
		}
		a.X += uintptr(a.XStep)
		a.Y += uintptr(a.YStep)
		a.W += uintptr(a.WStep)
	}
}

// startOf is where the sums of a pixel begin.
func startOf(bias, y *[Lanes]float32, flags int) [Lanes]float32 {
	if flags&abi.FromOutput == 0 {
		return *bias
	}
	start := *y
	if flags&abi.AddBias != 0 {
		plus_go(&start, bias)
	}
	return start
}
