//go:build !noasm

package asm

import (
	"golang.org/x/sys/cpu"

	"regraft/engine/kernel/abi"
)

// assembled lists the sets with assembly, those to prefer first.
var assembled = []*Set{avx512Set, avx2Set}

var avx2Set = newSet("avx2", Go, func() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA }, kernels{
	tiles:        abi.AVX2,
	conv:         convAVX2,
	wgrad:        wgradAVX2,
	transformIn:  transformInAVX2,
	transformOut: transformOutAVX2,
	plane:        planeAVX2,
	pool:         poolAVX2,
	update:       updateAVX2,
	pack:         pack_f32_avx2,
	transpose:    transpose_f32_16x16_avx2,
	slotSum:      slotsum_f32_avx2,
	peak:         peak_f32_avx2,
	peakFlops:    peakFlopsAVX2,
})

// AVX2's transpose and sum of slots are the fastest form.
var avx512Set = newSet("avx512", avx2Set, func() bool { return cpu.X86.HasAVX512F && avx2Set.usable() }, kernels{
	tiles:        abi.AVX512,
	conv:         convAVX512,
	wgrad:        wgradAVX512,
	transformIn:  transformInAVX512,
	transformOut: transformOutAVX512,
	plane:        planeAVX512,
	pool:         poolAVX512,
	update:       updateAVX512,
	pack:         pack_f32_avx512,
	peak:         peak_f32_avx512,
	peakFlops:    peakFlopsAVX512,
})
