package main

// blends emits the two passes of the resizer.
func blends(f *file) {
	columnsOf(f)
	rowsOf(f)
}

// columnsOf emits the horizontal pass, four pixels of a window at a time: pairs of pixels as 16-bit lanes, times pairs of
// weights, whose low 15 bits and the rest are apart.
//
//	DI pixels out   SI row   DX first pixels of the windows   BX weights: of four taps 4 low and 4 high parts
//	R8 taps of a window / 4   CX windows
func columnsOf(f *file) {
	pixels := f.shuffle("pixelPairs",
		[]int{0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1},
		[]int{6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1})
	pair := func(at int) (lane []int) {
		for range 4 {
			lane = append(lane, at, at+1, at+2, at+3)
		}
		return lane
	}
	low, high := f.shuffle("lowPairs", pair(0), pair(4)), f.shuffle("highPairs", pair(8), pair(12))
	half := f.dwords("half", 1<<21)

	f.function("columnsAVX2", "dst *uint8 DI, src *uint8 SI, first *int DX, weights *int16 BX, quads int R8, n int CX")
	f.p("VMOVDQU %s, Y15", pixels)
	f.p("VMOVDQU %s, Y14", low)
	f.p("VMOVDQU %s, Y13", high)
	f.p("VMOVDQU %s, X12", half)
	f.label("window")
	f.p("MOVQ (DX), R9")
	f.p("LEAQ (R9)(R9*2), R9")
	f.p("ADDQ SI, R9")
	f.p("MOVQ R8, R10")
	f.p("VPXOR Y0, Y0, Y0")
	f.p("VPXOR Y1, Y1, Y1")
	f.label("quad")
	f.p("VBROADCASTI128 (R9), Y2")
	f.p("VBROADCASTI128 (BX), Y3")
	f.p("VPSHUFB Y15, Y2, Y2")
	f.p("VPSHUFB Y14, Y3, Y4")
	f.p("VPSHUFB Y13, Y3, Y3")
	f.p("VPMADDWD Y2, Y4, Y4")
	f.p("VPMADDWD Y2, Y3, Y3")
	f.p("VPADDD Y4, Y0, Y0")
	f.p("VPADDD Y3, Y1, Y1")
	f.p("ADDQ $12, R9")
	f.p("ADDQ $16, BX")
	f.p("DECQ R10")
	f.p("JNZ quad")
	f.p("VPSLLD $15, Y1, Y1")
	f.p("VPADDD Y1, Y0, Y0")
	f.p("VEXTRACTI128 $1, Y0, X1")
	f.p("VPADDD X1, X0, X0")
	f.p("VPADDD X12, X0, X0")
	f.p("VPSRAD $22, X0, X0")
	f.p("VPACKSSDW X0, X0, X0")
	f.p("VPACKUSWB X0, X0, X0")
	f.p("VMOVD X0, AX")
	f.p("MOVW AX, (DI)")
	f.p("SHRL $16, AX")
	f.p("MOVB AX, 2(DI)")
	f.p("ADDQ $3, DI")
	f.p("ADDQ $8, DX")
	f.p("DECQ CX")
	f.p("JNZ window")
	f.end()
}

// rowsOf emits the vertical pass, 32 samples at a time.
//
//	DI samples out   SI slices of the rows   DX weights   BX rows   CX samples, a multiple of 32
func rowsOf(f *file) {
	half := "half<>(SB)"
	f.function("rowsAVX2", "dst *uint8 DI, rows *[]uint8 SI, weights *uint32 DX, count int BX, n int CX")
	f.p("XORL R8, R8") // the sample
	f.label("samples")
	for i := range 4 {
		f.p("VMOVDQU %s, %s", half, y(i))
	}
	f.p("MOVQ SI, R9")
	f.p("MOVQ DX, R10")
	f.p("MOVQ BX, R11")
	f.label("row")
	f.p("MOVQ (R9), R12")
	f.p("ADDQ R8, R12")
	f.p("VPBROADCASTD (R10), Y8")
	for i := range 4 {
		f.p("VPMOVZXBD %d(R12), %s", 8*i, y(4+i))
		f.p("VPMULLD Y8, %s, %s", y(4+i), y(4+i))
		f.p("VPADDD %s, %s, %s", y(4+i), y(i), y(i))
	}
	f.p("ADDQ $24, R9")
	f.p("ADDQ $4, R10")
	f.p("DECQ R11")
	f.p("JNZ row")
	for i := range 4 {
		f.p("VPSRAD $22, %s, %s", y(i), y(i))
	}
	f.p("VPACKSSDW Y1, Y0, Y0") // samples 0-3 8-11 | 4-7 12-15
	f.p("VPACKSSDW Y3, Y2, Y2")
	f.p("VPACKUSWB Y2, Y0, Y0") // 0-3 8-11 16-19 24-27 | 4-7 12-15 20-23 28-31
	f.p("VEXTRACTI128 $1, Y0, X1")
	f.p("VPUNPCKLDQ X1, X0, X2")
	f.p("VPUNPCKHDQ X1, X0, X3")
	f.p("VMOVDQU X2, (DI)(R8*1)")
	f.p("VMOVDQU X3, 16(DI)(R8*1)")
	f.p("ADDQ $32, R8")
	f.p("CMPQ R8, CX")
	f.p("JLT samples")
	f.end()
}
