package kernel

import (
	"unsafe"

	"regraft/engine/kernel/abi"
)

// entryBytes are the weights of one entry for one output block: 16 input channels of 16 outputs.
const entryBytes = 4 * Lanes * Lanes

// convArgs are the arguments of the convolution kernels: Tiles tiles of Pixels pixels x Blocks output blocks, each a sum over Entries
// entries. The assembly knows the offsets of the fields up to Six, and consumes W, Y, Tiles and WNextTiles.
type convArgs struct {
	X          uintptr // input of the first tile
	W          uintptr // weights of the first entry, first output block
	Y          uintptr // output of the first tile
	Off        uintptr // of int32: bytes from the tile's input to each entry's
	Entries    int     // may be 0
	WK         int     // bytes between output blocks in W
	YP, YK     int     // bytes between pixels and between blocks in Y
	Bias       uintptr
	Flags      int
	Tiles      int
	XStep      int     // bytes to the next tile's input
	YStep      int     // ... output
	WStep      int     // ... weights: 0 for convolutions, the next position's for Winograd products
	WNext      uintptr // weights wanted later, prefetched during the first WNextTiles tiles
	WNextTiles int
	Six        float32

	// The assembly kernels have these built in.
	Pixels, Blocks int
	XP             int // bytes between input pixels
	Channels       int // per entry
}

// Bits of convArgs.Flags.
const (
	fromOutput = 1 // start from what Y holds instead of the bias
	clampZero  = 2 // no result below zero
	addBias    = 4 // with fromOutput: add the bias to the start
	clampSix   = 8 // with clampZero: no result above six
)

type convTile = abi.ConvTile

// convGo is the plain form of the kernels, with the same bits.
func convGo(a *convArgs) {
	off := unsafe.Slice((*int32)(pointer(a.Off)), a.Entries)
	for range a.Tiles {
		for k := range a.Blocks {
			w := floatsAt(a.W+uintptr(k*a.WK), a.Entries*Lanes*Lanes)
			bias := (*[Lanes]float32)(pointer(a.Bias + uintptr(4*Lanes*k)))
			for i := range a.Pixels {
				y := (*[Lanes]float32)(pointer(a.Y + uintptr(k*a.YK+i*a.YP)))
				sum := startOf(bias, y, a.Flags)
				for e, o := range off {
					x := floatsAt(a.X+uintptr(int(o)+i*a.XP), a.Channels)
					for c, v := range x {
						row := (*[Lanes]float32)(w[(e*Lanes+c)*Lanes:])
						for l := range sum {
							sum[l] = fma32(v, row[l], sum[l])
						}
					}
				}
				if a.Flags&clampZero != 0 {
					clampBelowZero(&sum)
				}
				if a.Flags&clampSix != 0 {
					for l, v := range sum {
						sum[l] = atMost(a.Six, v)
					}
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
	if flags&fromOutput == 0 {
		return *bias
	}
	start := *y
	if flags&addBias != 0 {
		for l := range start {
			start[l] += bias[l]
		}
	}
	return start
}

func clampBelowZero(v *[Lanes]float32) {
	for l := range v {
		if v[l] < 0 {
			v[l] = 0
		}
	}
}
