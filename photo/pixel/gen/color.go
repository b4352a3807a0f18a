package main

// colors emits the conversion of YCbCr to RGB.
//
//	n pixels, a multiple of 16
func colors(f *file) {
	kernel(f, "fromYCbCrAssembly", "rgb *uint8 DI, luma *uint8 SI, cb *uint8 DX, cr *uint8 BX, n int CX",
		func() { avx2Colors(f) }, func() { neonColors(f) })
}

// avx2Colors takes 16 pixels at a time. Factors beyond 16 bits are divided into whole
// numbers and a rest: 91881 = 65536 + 26345, 116130 = 2 * 65536 - 14942, -46802 = -65536 + 18734 of 65536. Twice the rest's
// product, its high half, plus 1 and halved, is the product rounded.
func avx2Colors(f *file) {
	half, one := f.Words("half", 128), f.Words("one", 1)
	red, blue := f.Words("red", 26345), f.Words("blue", -14942)
	green, round := f.Words("green", -22554, 18734), f.Dwords("round", 1<<15)
	// Of R0 to R7, G0 to G7 and B0 to B7 the bytes 0 to 15 and 16 to 23 of their pixels.
	rg, b := make([]int, 32), make([]int, 32)
	for i := range 32 {
		rg[i], b[i] = -1, -1
		switch pixel := i / 3; {
		case i >= 24:
		case i%3 == 2:
			b[i] = pixel
		default:
			rg[i] = pixel + 8*(i%3)
		}
	}
	shuffles := []string{f.Shuffle("rg0", rg[:16]), f.Shuffle("b0", b[:16]), f.Shuffle("rg1", rg[16:]), f.Shuffle("b1", b[16:])}
	for i, c := range append(shuffles, half, one, red, blue, green) {
		f.P("VMOVDQU %s, %s", c, y(15-i))
	}
	f.Label("pixels")
	f.P("VPMOVZXBW (SI), Y0")
	f.P("VPMOVZXBW (DX), Y1")
	f.P("VPMOVZXBW (BX), Y2")
	f.P("VPSUBW Y11, Y1, Y1")
	f.P("VPSUBW Y11, Y2, Y2")
	f.P("VPUNPCKLWD Y2, Y1, Y5") // green
	f.P("VPUNPCKHWD Y2, Y1, Y6")
	for _, r := range []string{"Y5", "Y6"} {
		f.P("VPMADDWD Y7, %s, %s", r, r)
		f.P("VPADDD %s, %s, %s", round, r, r)
		f.P("VPSRAD $16, %s, %s", r, r)
	}
	f.P("VPACKSSDW Y6, Y5, Y5")
	f.P("VPADDW Y0, Y5, Y5")
	f.P("VPSUBW Y2, Y5, Y5")
	f.P("VPADDW Y2, Y2, Y3") // red
	f.P("VPMULHW Y9, Y3, Y3")
	f.P("VPADDW Y10, Y3, Y3")
	f.P("VPSRAW $1, Y3, Y3")
	f.P("VPADDW Y2, Y3, Y3")
	f.P("VPADDW Y0, Y3, Y3")
	f.P("VPADDW Y1, Y1, Y1") // blue
	f.P("VPMULHW Y8, Y1, Y4")
	f.P("VPADDW Y10, Y4, Y4")
	f.P("VPSRAW $1, Y4, Y4")
	f.P("VPADDW Y1, Y4, Y4")
	f.P("VPADDW Y0, Y4, Y4")
	f.P("VPACKUSWB Y5, Y3, Y3")
	f.P("VPACKUSWB Y4, Y4, Y4")
	for i, to := range []string{"Y0", "Y1"} {
		f.P("VPSHUFB %s, Y3, %s", y(15-2*i), to)
		f.P("VPSHUFB %s, Y4, Y2", y(14-2*i))
		f.P("VPOR Y2, %s, %s", to, to)
	}
	f.P("VMOVDQU X0, (DI)")
	f.P("VMOVQ X1, 16(DI)")
	f.P("VEXTRACTI128 $1, Y0, X0")
	f.P("VEXTRACTI128 $1, Y1, X1")
	f.P("VMOVDQU X0, 24(DI)")
	f.P("VMOVQ X1, 40(DI)")
	for _, r := range []string{"SI", "DX", "BX"} {
		f.P("ADDQ $16, %s", r)
	}
	f.P("ADDQ $48, DI")
	f.P("SUBQ $16, CX")
	f.P("JNZ pixels")
}
