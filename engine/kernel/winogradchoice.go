package kernel

import (
	"fmt"
	"os"

	"regraft/engine/kernel/toomcook"
)

// UseWinograd tells whether Winograd's algorithm serves the forward pass of s and is faster than direct convolution. It depends on the
// shape of one image alone, so that a photo has the same bits alone and in a batch.
func UseWinograd(s ConvShape) bool {
	_, ok := winogradAlgorithm(s)
	return ok
}

// winogradAlgorithm chooses the algorithm for a shape, false where direct convolution is faster or the only way.
func winogradAlgorithm(s ConvShape) (toomcook.Algorithm, bool) {
	none := toomcook.Algorithm{}
	if s.check() != nil || s.SH != 1 || s.SW != 1 || s.DH != 1 || s.DW != 1 || s.Cin < Lanes || s.Cout < Lanes {
		return none, false
	}
	if s.KH == 1 && (s.OH != s.H || s.PT != 0) || s.KW == 1 && (s.OW != s.W || s.PL != 0) {
		return none, false
	}
	taps := [2]int{s.KH, s.KW}
	switch {
	case taps == [2]int{3, 3}:
		return toomcook.Algorithm{Outputs: 4, Taps: 3, Dims: 2}, true
	case taps == [2]int{5, 5}:
		return toomcook.Algorithm{Outputs: 4, Taps: 5, Dims: 2}, true
	case taps == [2]int{1, 3} || taps == [2]int{3, 1}:
		return toomcook.Algorithm{Outputs: 4, Taps: 3, Dims: 1}, true
	case taps == [2]int{1, 7} || taps == [2]int{7, 1}:
		return toomcook.Algorithm{Outputs: 4, Taps: 7, Dims: 1}, true
	}
	return none, false
}

// UseWinogradGradX is UseWinograd for the data gradient of s.
func UseWinogradGradX(s ConvShape) bool {
	return s.SH == 1 && s.SW == 1 && UseWinograd(s.transposed())
}

// winogradBlocking chooses the tiles of an item and the output blocks whose products are computed together.
func winogradBlocking(t *tiler, a toomcook.Algorithm, tiles int) (group, k int) {
	k = min(t.maxBlocks(), 2, t.out.Blocks())
	group = 28
	if v := os.Getenv("WG"); v != "" {
		fmt.Sscan(v, &group)
	}
	if v := os.Getenv("WK"); v != "" {
		fmt.Sscan(v, &k)
		k = min(t.maxBlocks(), k, t.out.Blocks())
	}
	return group, k
}
