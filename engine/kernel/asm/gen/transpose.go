package main

import (
	"fmt"
	"unsafe"

	"regraft/engine/kernel/abi"
)

// transposes emits the kernel that transposes 16x16 blocks of floats, as four 8x8 blocks of AVX registers each: pairs of rows are
// interleaved, pairs of pairs shuffled, halves exchanged.
//
//	DI arguments (abi.Transpose)   SI source   DX destination   CX blocks left
func transposes(f *file) {
	var args abi.Transpose
	f.function("transpose_f32_16x16_avx2", "transposeArgs")
	f.P("MOVQ %d(DI), SI", unsafe.Offsetof(args.Src))
	f.P("MOVQ %d(DI), DX", unsafe.Offsetof(args.Dst))
	f.P("MOVQ %d(DI), R8", unsafe.Offsetof(args.SrcStep)) // bytes between source blocks
	f.P("MOVQ %d(DI), R9", unsafe.Offsetof(args.DstStep)) // bytes between destination blocks
	f.P("MOVQ %d(DI), CX", unsafe.Offsetof(args.Count))
	f.Label("block")
	for r := range 2 {
		for c := range 2 {
			eightByEight(f, r*8*64+c*32, c*8*64+r*32)
		}
	}
	f.P("ADDQ R8, SI")
	f.P("ADDQ R9, DX")
	f.P("DECQ CX")
	f.P("JNZ block")
	f.End()
}

func eightByEight(f *file, src, dst int) {
	y := func(i int) string { return fmt.Sprintf("Y%d", i) }
	for i := range 8 {
		f.P("VMOVUPS %d(SI), %s", src+i*64, y(i))
	}
	for i := 0; i < 8; i += 2 { // Y8+i: a0 b0 a1 b1 | a4 b4 a5 b5, Y9+i: a2 b2 a3 b3 | a6 b6 a7 b7
		f.P("VUNPCKLPS %s, %s, %s", y(i+1), y(i), y(8+i))
		f.P("VUNPCKHPS %s, %s, %s", y(i+1), y(i), y(9+i))
	}
	for half := range 2 { // rows 0-3 and 4-7: Y0-Y3, Y4-Y7 hold columns j | j+4
		for j := range 4 {
			pick := []int{0x44, 0xee}[j%2]
			a := 8 + half*4 + j/2
			f.P("VSHUFPS $%#x, %s, %s, %s", pick, y(a+2), y(a), y(half*4+j))
		}
	}
	for j := range 4 {
		f.P("VPERM2F128 $0x20, %s, %s, Y8", y(4+j), y(j))
		f.P("VMOVUPS Y8, %d(DX)", dst+j*64)
		f.P("VPERM2F128 $0x31, %s, %s, Y9", y(4+j), y(j))
		f.P("VMOVUPS Y9, %d(DX)", dst+(j+4)*64)
	}
}
