package kernel

import (
	"unsafe"

	"regraft/engine/kernel/abi"
)

// wgradArgs are the arguments of the weight-gradient kernels: Tiles tiles of Channels input channels x Blocks output blocks of dW, each
// summed over Images images, Count row pairs and Pixels pixels. The assembly knows the offsets up to WStep, and consumes X, W and Tiles.
type wgradArgs struct {
	X      uintptr // input of the first tap, first channel, at the first output pixel
	W      uintptr // dW
	Y      uintptr // dY of the first output block
	Rows   uintptr // of int32 pairs: bytes from X and from Y to the row
	Count  int     // rows
	Pixels int     // per row
	XP     int     // bytes between input pixels
	YK     int     // bytes between dY blocks
	WK     int     // bytes between output blocks of dW
	Flags  int     // fromOutput: add to what dW holds
	Images int
	XImage int // bytes between images
	YImage int
	Tiles  int
	XStep  int // bytes to the next tile's first channel in X
	WStep  int // and in dW

	// The assembly kernels have these built in.
	Channels, Blocks int
	Group            int // channels of a tap: its weights begin entryBytes after the last tap's
}

type wgradTile = abi.WGradTile

// wgradGo is the plain form of the kernels, with the same bits.
func wgradGo(a *wgradArgs) {
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
	rows := unsafe.Slice((*int32)(pointer(a.Rows)), 2*a.Count)
	w := (*[Lanes]float32)(pointer(a.W + uintptr(k*a.WK+c/a.Group*entryBytes+c%a.Group*4*Lanes)))
	var sum [Lanes]float32
	if a.Flags&fromOutput != 0 {
		sum = *w
	}
	for n := range a.Images {
		for r := range a.Count {
			x := a.X + uintptr(n*a.XImage+int(rows[2*r])+4*c)
			y := floatsAt(a.Y+uintptr(n*a.YImage+int(rows[2*r+1])+k*a.YK), a.Pixels*Lanes)
			for i := range a.Pixels {
				v := *(*float32)(pointer(x + uintptr(i*a.XP)))
				dy := (*[Lanes]float32)(y[i*Lanes:])
				for l := range sum {
					sum[l] = fma32(v, dy[l], sum[l])
				}
			}
		}
	}
	*w = sum
}
