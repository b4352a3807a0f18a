package asm

import (
	"unsafe"

	"regraft/engine/kernel/abi"
)

// WGradGo is the plain form of the kernels, with the same bits.
func WGradGo(a *wgradArgs) {
	for range a.Tiles {
		for k := range a.Blocks {
			for c := range a.Channels {
				wgradGoRow(a, k, c)
			}
		}
		a.X += uintptr(a.XStep)
		a.W += uintptr(a.WStep)
	}
}

// wgradGoRow computes the 16 weights of one input channel and output block.
func wgradGoRow(a *wgradArgs, k, c int) {
	rows := unsafe.Slice((*int32)(Pointer(a.Rows)), 2*a.Count)
	w := (*[Lanes]float32)(Pointer(a.W + uintptr(k*a.WK+c/a.Group*abi.EntryBytes+c%a.Group*4*Lanes)))
	var sum [Lanes]float32
	if a.Flags&abi.FromOutput != 0 {
		sum = *w
	}
	for n := range a.Images {
		for r := range a.Count {
			x := a.X + uintptr(n*a.XImage+int(rows[2*r])+4*c)
			y := FloatsAt(a.Y+uintptr(n*a.YImage+int(rows[2*r+1])+k*a.YK), a.Pixels*Lanes)
			for i := range a.Pixels {
				v := *(*float32)(Pointer(x + uintptr(i*a.XP)))
				dy := (*[Lanes]float32)(y[i*Lanes:])
				for l := range sum {
					sum[l] = fma32(v, dy[l], sum[l])
				}
			}
		}
	}
	*w = sum
}
