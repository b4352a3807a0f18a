package asm

import "regraft/engine/kernel/abi"

// Go is the set of plain Go: the definition of every kernel, for every machine. It takes the tiles of the widest registers.
var Go = newSet("go", nil, func() bool { return true }, kernels{
	tiles:        abi.AVX512,
	conv:         plainTiles(abi.AVX512.Conv(), convGo),
	wgrad:        plainTiles(abi.AVX512.WGrad(), WGradGo),
	transformIn:  transformInGos,
	transformOut: transformOutGos,
	plane:        planeGo,
	pool:         poolGo,
	update:       updateGo,
	pack:         pack_f32_go,
	transpose:    transpose_f32_16x16_go,
	slotSum:      slotsum_f32_go,
})

// plainTiles are tiles of a kernel that has any.
func plainTiles[K comparable, T any](tiles []K, run func(*T)) map[K]func(*T) {
	own := map[K]func(*T){}
	for _, t := range tiles {
		own[t] = run
	}
	return own
}
