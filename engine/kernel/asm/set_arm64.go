//go:build !noasm

package asm

import "regraft/engine/kernel/abi"

// assembled lists the sets with assembly. Every arm64 has NEON.
var assembled = []*Set{neonSet}

var neonSet = newSet("neon", Go, func() bool { return true }, kernels{
	tiles:        abi.NEON,
	conv:         convNEON,
	wgrad:        wgradNEON,
	transformIn:  transformInNEON,
	transformOut: transformOutNEON,
	plane:        planeNEON,
	pool:         poolNEON,
	update:       updateNEON,
	pack:         pack_f32_neon,
	transpose:    transpose_f32_16x16_neon,
	slotSum:      slotsum_f32_neon,
	peak:         peak_f32_neon,
	peakFlops:    peakFlopsNEON,
})
