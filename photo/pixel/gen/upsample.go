package main

// upsamplers emits the triangle filters, 16 samples at a time in 16-bit lanes.
//
//	n samples, a multiple of 16; for the width those before the first and behind the last are read as well
func upsamplers(f *file) {
	kernel(f, "doubleWidthAssembly", "out *uint8 DI, near *uint8 SI, far *uint8 DX, biasLeft int AX, biasRight int BX, n int CX",
		func() { avx2Width(f, f.Words("three", 3)) }, func() { neonWidth(f) })
	kernel(f, "doubleHeightAssembly", "out *uint8 DI, near *uint8 SI, far *uint8 DX, bias int AX, n int CX",
		func() { avx2Height(f, "three<>(SB)") }, func() { neonHeight(f) })
}

func avx2Width(f *file, three string) {
	f.P("VMOVDQU %s, Y15", three)
	for _, bias := range []struct{ from, to string }{{"AX", "14"}, {"BX", "13"}} {
		f.P("MOVQ %s, X%s", bias.from, bias.to)
		f.P("VPBROADCASTW X%s, Y%s", bias.to, bias.to)
	}
	f.Label("width")
	for i := range 3 { // the blends of sample i-1, i and i+1
		f.P("VPMOVZXBW %d(SI), %s", i-1, y(i))
		f.P("VPMOVZXBW %d(DX), %s", i-1, y(3+i))
		f.P("VPMULLW Y15, %s, %s", y(i), y(i))
		f.P("VPADDW %s, %s, %s", y(3+i), y(i), y(i))
	}
	f.P("VPMULLW Y15, Y1, Y1")
	f.P("VPADDW Y14, Y0, Y0")
	f.P("VPADDW Y13, Y2, Y2")
	f.P("VPADDW Y1, Y0, Y0")
	f.P("VPADDW Y1, Y2, Y2")
	f.P("VPSRLW $4, Y0, Y0")
	f.P("VPSRLW $4, Y2, Y2")
	f.P("VPSLLW $8, Y2, Y2")
	f.P("VPOR Y0, Y2, Y0")
	f.P("VMOVDQU Y0, (DI)")
	f.P("ADDQ $16, SI")
	f.P("ADDQ $16, DX")
	f.P("ADDQ $32, DI")
	f.P("SUBQ $16, CX")
	f.P("JNZ width")
}

func avx2Height(f *file, three string) {
	f.P("VMOVDQU %s, Y15", three)
	f.P("MOVQ AX, X14")
	f.P("VPBROADCASTW X14, Y14")
	f.Label("height")
	f.P("VPMOVZXBW (SI), Y0")
	f.P("VPMOVZXBW (DX), Y1")
	f.P("VPMULLW Y15, Y0, Y0")
	f.P("VPADDW Y14, Y1, Y1")
	f.P("VPADDW Y1, Y0, Y0")
	f.P("VPSRLW $2, Y0, Y0")
	f.P("VEXTRACTI128 $1, Y0, X1")
	f.P("VPACKUSWB X1, X0, X0")
	f.P("VMOVDQU X0, (DI)")
	f.P("ADDQ $16, SI")
	f.P("ADDQ $16, DX")
	f.P("ADDQ $16, DI")
	f.P("SUBQ $16, CX")
	f.P("JNZ height")
}
