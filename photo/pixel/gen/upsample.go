package main

// upsamplers emits the triangle filters, 16 samples at a time in 16-bit lanes.
func upsamplers(f *file) {
	three := f.words("three", 3)

	// n is the number of samples, a multiple of 16; those before the first and behind the last are read as well.
	f.function("doubleWidthAVX2", "out *uint8 DI, near *uint8 SI, far *uint8 DX, biasLeft int AX, biasRight int BX, n int CX")
	f.p("VMOVDQU %s, Y15", three)
	for _, bias := range []struct{ from, to string }{{"AX", "14"}, {"BX", "13"}} {
		f.p("MOVQ %s, X%s", bias.from, bias.to)
		f.p("VPBROADCASTW X%s, Y%s", bias.to, bias.to)
	}
	f.label("width")
	for i := range 3 { // the blends of sample i-1, i and i+1
		f.p("VPMOVZXBW %d(SI), %s", i-1, y(i))
		f.p("VPMOVZXBW %d(DX), %s", i-1, y(3+i))
		f.p("VPMULLW Y15, %s, %s", y(i), y(i))
		f.p("VPADDW %s, %s, %s", y(3+i), y(i), y(i))
	}
	f.p("VPMULLW Y15, Y1, Y1")
	f.p("VPADDW Y14, Y0, Y0")
	f.p("VPADDW Y13, Y2, Y2")
	f.p("VPADDW Y1, Y0, Y0")
	f.p("VPADDW Y1, Y2, Y2")
	f.p("VPSRLW $4, Y0, Y0")
	f.p("VPSRLW $4, Y2, Y2")
	f.p("VPSLLW $8, Y2, Y2")
	f.p("VPOR Y0, Y2, Y0")
	f.p("VMOVDQU Y0, (DI)")
	f.p("ADDQ $16, SI")
	f.p("ADDQ $16, DX")
	f.p("ADDQ $32, DI")
	f.p("SUBQ $16, CX")
	f.p("JNZ width")
	f.end()

	f.function("doubleHeightAVX2", "out *uint8 DI, near *uint8 SI, far *uint8 DX, bias int AX, n int CX")
	f.p("VMOVDQU %s, Y15", three)
	f.p("MOVQ AX, X14")
	f.p("VPBROADCASTW X14, Y14")
	f.label("height")
	f.p("VPMOVZXBW (SI), Y0")
	f.p("VPMOVZXBW (DX), Y1")
	f.p("VPMULLW Y15, Y0, Y0")
	f.p("VPADDW Y14, Y1, Y1")
	f.p("VPADDW Y1, Y0, Y0")
	f.p("VPSRLW $2, Y0, Y0")
	f.p("VEXTRACTI128 $1, Y0, X1")
	f.p("VPACKUSWB X1, X0, X0")
	f.p("VMOVDQU X0, (DI)")
	f.p("ADDQ $16, SI")
	f.p("ADDQ $16, DX")
	f.p("ADDQ $16, DI")
	f.p("SUBQ $16, CX")
	f.p("JNZ height")
	f.end()
}
