package kernel

import "regraft/engine/kernel/toomcook"

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
	best, least := none, directProducts(s)
	for _, a := range winogradByTaps(s) {
		tiles := newWinogradTiles(s, a)
		products := tiles.perImage() * a.Products()
		if best == none && products < least || best != none && products*6 <= least*5 {
			best, least = a, products
		}
	}
	return best, best != none
}

// winogradByTaps are the algorithms for the kernel size of s, larger tiles later: their transforms are longer and their weights more, so
// that they must save a sixth of the products of those before. Which that is depends on how well the tiles cover the image: F(6x6,3x3) for
// 35 x 35 and 71 x 71 pixels, F(4x4,3x3) for 28 x 28 and 56 x 56.
func winogradByTaps(s ConvShape) []toomcook.Algorithm {
	switch [2]int{s.KH, s.KW} {
	case [2]int{3, 3}:
		if (s.OH+3)/4*((s.OW+3)/4) < fewTiles {
			return []toomcook.Algorithm{{Outputs: 2, Taps: 3, Dims: 2}}
		}
		return []toomcook.Algorithm{{Outputs: 4, Taps: 3, Dims: 2}, {Outputs: 6, Taps: 3, Dims: 2}}
	case [2]int{5, 5}:
		return []toomcook.Algorithm{{Outputs: 4, Taps: 5, Dims: 2}}
	case [2]int{1, 3}, [2]int{3, 1}:
		return []toomcook.Algorithm{{Outputs: 4, Taps: 3, Dims: 1}}
	case [2]int{1, 7}, [2]int{7, 1}:
		return []toomcook.Algorithm{{Outputs: 4, Taps: 7, Dims: 1}, {Outputs: 6, Taps: 7, Dims: 1}}
	}
	return nil
}

// directProducts is what the direct convolution takes, which leaves rows of taps outside the image out. On images of a few pixels a
// whole tile can take more.
func directProducts(s ConvShape) int {
	rows, p := 0, forwardPhase(s)
	for r := range s.OH {
		from, to := p.inside(r, s.H)
		rows += to - from
	}
	return rows * s.OW * s.KW
}

// fewTiles is where reading the transformed weights, 36 for 9 of F(4x4,3x3), costs more than the products they save: F(2x2,3x3) has 16.
const fewTiles = 16

// UseWinogradGradX is UseWinograd for the data gradient of s.
func UseWinogradGradX(s ConvShape) bool {
	return s.SH == 1 && s.SW == 1 && UseWinograd(s.transposed())
}

// winogradBlocking chooses the output blocks whose products are computed together, and the tiles of an item: as many as keep its
// transformed pixels and products in the second-level cache, in whole kernel tiles.
func winogradBlocking(t *tiler, a toomcook.Algorithm) (group, k int) {
	const cacheBytes = 960 << 10
	groups := (t.out.Blocks() + 2) / 3
	k = min(t.maxBlocks(), (t.out.Blocks()+groups-1)/groups)
	n := t.maxPixels(k, 4*Lanes)
	fit := cacheBytes / (a.Products() * 64 * (t.in.Blocks() + k))
	return max(n, min(fit, 45)/n*n), k
}
