package main

// blends emits the two passes of the resizer: the horizontal one, and the vertical one.
//
//	DI pixels out   SI row   DX first pixels of the windows   BX weights: of four taps 4 low and 4 high parts
//	R8 taps of a window / 4   CX windows
//
//	DI samples out   SI slices of the rows   DX weights   BX rows   CX samples, a multiple of 32
func blends(f *file) {
	half := f.Dwords("half", 1<<(weightBits-1))
	kernel(f, "columnsAssembly", "dst *uint8 DI, src *uint8 SI, first *int DX, weights *int16 BX, quads int R8, n int CX",
		func() { avx2Columns(f, half) }, func() { neonColumns(f, half) })
	kernel(f, "rowsAssembly", "dst *uint8 DI, rows *[]uint8 SI, weights *uint32 DX, count int BX, n int CX",
		func() { avx2Rows(f, half) }, func() { neonRows(f, half) })
}

const weightBits = 22

// avx2Columns takes four pixels of a window at a time: pairs of pixels as 16-bit lanes, times pairs of
// weights, whose low 15 bits and the rest are apart.
func avx2Columns(f *file, half string) {
	pixels := f.Shuffle("pixelPairs",
		[]int{0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1},
		[]int{6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1})
	pair := func(at int) (lane []int) {
		for range 4 {
			lane = append(lane, at, at+1, at+2, at+3)
		}
		return lane
	}
	low, high := f.Shuffle("lowPairs", pair(0), pair(4)), f.Shuffle("highPairs", pair(8), pair(12))

	f.P("VMOVDQU %s, Y15", pixels)
	f.P("VMOVDQU %s, Y14", low)
	f.P("VMOVDQU %s, Y13", high)
	f.P("VMOVDQU %s, X12", half)
	f.Label("window")
	f.P("MOVQ (DX), R9")
	f.P("LEAQ (R9)(R9*2), R9")
	f.P("ADDQ SI, R9")
	f.P("MOVQ R8, R10")
	f.P("VPXOR Y0, Y0, Y0")
	f.P("VPXOR Y1, Y1, Y1")
	f.Label("quad")
	f.P("VBROADCASTI128 (R9), Y2")
	f.P("VBROADCASTI128 (BX), Y3")
	f.P("VPSHUFB Y15, Y2, Y2")
	f.P("VPSHUFB Y14, Y3, Y4")
	f.P("VPSHUFB Y13, Y3, Y3")
	f.P("VPMADDWD Y2, Y4, Y4")
	f.P("VPMADDWD Y2, Y3, Y3")
	f.P("VPADDD Y4, Y0, Y0")
	f.P("VPADDD Y3, Y1, Y1")
	f.P("ADDQ $12, R9")
	f.P("ADDQ $16, BX")
	f.P("DECQ R10")
	f.P("JNZ quad")
	f.P("VPSLLD $15, Y1, Y1")
	f.P("VPADDD Y1, Y0, Y0")
	f.P("VEXTRACTI128 $1, Y0, X1")
	f.P("VPADDD X1, X0, X0")
	f.P("VPADDD X12, X0, X0")
	f.P("VPSRAD $22, X0, X0")
	f.P("VPACKSSDW X0, X0, X0")
	f.P("VPACKUSWB X0, X0, X0")
	f.P("VMOVD X0, AX")
	f.P("MOVW AX, (DI)")
	f.P("SHRL $16, AX")
	f.P("MOVB AX, 2(DI)")
	f.P("ADDQ $3, DI")
	f.P("ADDQ $8, DX")
	f.P("DECQ CX")
	f.P("JNZ window")
}

// avx2Rows takes 32 samples at a time.
func avx2Rows(f *file, half string) {
	f.P("XORL R8, R8") // the sample
	f.Label("samples")
	for i := range 4 {
		f.P("VMOVDQU %s, %s", half, y(i))
	}
	f.P("MOVQ SI, R9")
	f.P("MOVQ DX, R10")
	f.P("MOVQ BX, R11")
	f.Label("row")
	f.P("MOVQ (R9), R12")
	f.P("ADDQ R8, R12")
	f.P("VPBROADCASTD (R10), Y8")
	for i := range 4 {
		f.P("VPMOVZXBD %d(R12), %s", 8*i, y(4+i))
		f.P("VPMULLD Y8, %s, %s", y(4+i), y(4+i))
		f.P("VPADDD %s, %s, %s", y(4+i), y(i), y(i))
	}
	f.P("ADDQ $24, R9")
	f.P("ADDQ $4, R10")
	f.P("DECQ R11")
	f.P("JNZ row")
	for i := range 4 {
		f.P("VPSRAD $22, %s, %s", y(i), y(i))
	}
	f.P("VPACKSSDW Y1, Y0, Y0") // samples 0-3 8-11 | 4-7 12-15
	f.P("VPACKSSDW Y3, Y2, Y2")
	f.P("VPACKUSWB Y2, Y0, Y0") // 0-3 8-11 16-19 24-27 | 4-7 12-15 20-23 28-31
	f.P("VEXTRACTI128 $1, Y0, X1")
	f.P("VPUNPCKLDQ X1, X0, X2")
	f.P("VPUNPCKHDQ X1, X0, X3")
	f.P("VMOVDQU X2, (DI)(R8*1)")
	f.P("VMOVDQU X3, 16(DI)(R8*1)")
	f.P("ADDQ $32, R8")
	f.P("CMPQ R8, CX")
	f.P("JLT samples")
}
