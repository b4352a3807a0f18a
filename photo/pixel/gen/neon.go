package main

import "fmt"

// The other inner loops for NEON, with its products that widen, shifts that narrow, and stores that interleave. Halves of registers of
// 16 bytes are taken in turn: an instruction whose name ends in 2 is for the upper one.

// halves are what differs: the ending of names, and how eight bytes are called.
var halves = []struct{ two, bytes string }{{"", "8b"}, {"2", "16b"}}

// neonColors is the arithmetic of avx2Colors: a product's high half, of twice the product, and its half, rounded, are one instruction
// each; those of green are summed in 32 bits.
func neonColors(f *file) {
	vector(f, f.Words("factors", 26345, -14942, -22554, 18734), 4)
	f.P("movi v5.16b, #0x80")
	f.Label("pixels")
	f.P("ld1 {v0.16b}, (SI),#16")
	f.P("ld1 {v1.16b}, (DX),#16")
	f.P("ld1 {v2.16b}, (BX),#16")
	for _, half := range halves {
		f.P("usubl%s v16.8h, v1.%s, v5.%s", half.two, half.bytes, half.bytes)
		f.P("usubl%s v17.8h, v2.%s, v5.%s", half.two, half.bytes, half.bytes)
		f.P("smull v22.4s, v16.4h, v4.h[2]") // green
		f.P("smull2 v23.4s, v16.8h, v4.h[2]")
		f.P("smlal v22.4s, v17.4h, v4.h[3]")
		f.P("smlal2 v23.4s, v17.8h, v4.h[3]")
		f.P("sqdmulh v18.8h, v17.8h, v4.h[0]") // red
		f.P("sqdmulh v19.8h, v16.8h, v4.h[1]") // blue
		f.P("add v21.8h, v16.8h, v16.8h")
		f.P("uaddw%s v20.8h, v17.8h, v0.%s", half.two, half.bytes)
		f.P("uaddw%s v21.8h, v21.8h, v0.%s", half.two, half.bytes)
		f.P("rshrn v22.4h, v22.4s, #16")
		f.P("rshrn2 v22.8h, v23.4s, #16")
		f.P("srsra v20.8h, v18.8h, #1")
		f.P("srsra v21.8h, v19.8h, #1")
		f.P("sub v22.8h, v22.8h, v17.8h")
		f.P("uaddw%s v22.8h, v22.8h, v0.%s", half.two, half.bytes)
		for i, sum := range []int{20, 22, 21} {
			f.P("sqxtun%s v%d.%s, v%d.8h", half.two, 24+i, half.bytes, sum)
		}
	}
	f.P("st3 {v24.16b-v26.16b}, (DI),#48")
	f.P("SUBQ $16, CX")
	f.P("JNZ pixels")
}

func neonWidth(f *file) {
	f.P("dup v16.8h, AX")
	f.P("dup v17.8h, BX")
	f.P("movi v18.16b, #0x3")
	f.P("movi v19.8h, #0x3")
	f.P("SUBQ $1, SI")
	f.P("SUBQ $1, DX")
	f.P("MOVQ $1, R8")
	f.P("MOVQ $2, R9")
	f.Label("width")
	for i, line := range []string{"SI", "DX"} { // samples i-1, i and i+1: 0, 1 and 2 near, 3, 4 and 5 far
		f.P("ldr q%d, (%s)", 3*i, line)
		f.P("ldr q%d, (%s)(R8*1)", 3*i+1, line)
		f.P("ldr q%d, (%s)(R9*1)", 3*i+2, line)
	}
	for _, half := range halves {
		f.P("uaddw%s v6.8h, v16.8h, v3.%s", half.two, half.bytes)
		f.P("uxtl%s v7.8h, v4.%s", half.two, half.bytes)
		f.P("uaddw%s v20.8h, v17.8h, v5.%s", half.two, half.bytes)
		for i, blend := range []int{6, 7, 20} {
			f.P("umlal%s v%d.8h, v%d.%s, v18.%s", half.two, blend, i, half.bytes, half.bytes)
		}
		f.P("mla v6.8h, v7.8h, v19.8h")
		f.P("mla v20.8h, v7.8h, v19.8h")
		f.P("shrn%s v22.%s, v6.8h, #4", half.two, half.bytes)
		f.P("shrn%s v23.%s, v20.8h, #4", half.two, half.bytes)
	}
	f.P("st2 {v22.16b, v23.16b}, (DI),#32")
	f.P("ADDQ $16, SI")
	f.P("ADDQ $16, DX")
	f.P("SUBQ $16, CX")
	f.P("JNZ width")
}

func neonHeight(f *file) {
	f.P("dup v16.8h, AX")
	f.P("movi v18.16b, #0x3")
	f.Label("height")
	f.P("ld1 {v0.16b}, (SI),#16")
	f.P("ld1 {v1.16b}, (DX),#16")
	for _, half := range halves {
		f.P("uaddw%s v2.8h, v16.8h, v1.%s", half.two, half.bytes)
		f.P("umlal%s v2.8h, v0.%s, v18.%s", half.two, half.bytes, half.bytes)
		f.P("shrn%s v3.%s, v2.8h, #2", half.two, half.bytes)
	}
	f.P("st1 {v3.16b}, (DI),#16")
	f.P("SUBQ $16, CX")
	f.P("JNZ height")
}

// neonColumns takes four pixels of a window at a time, as 16-bit lanes, times the parts of their weights.
func neonColumns(f *file, half string) {
	pixels := func(first int) (lanes []int) {
		for i := range 8 {
			sample := 3*(first+i/4) + i%4
			if i%4 == 3 {
				sample = -1
			}
			lanes = append(lanes, sample, -1)
		}
		return lanes
	}
	vector(f, f.Shuffle("firstPixels", pixels(0)), 16)
	vector(f, f.Shuffle("lastPixels", pixels(2)), 17)
	vector(f, half, 18)
	f.Label("window")
	f.P("MOVQ (DX), R9")
	f.P("LEAQ (R9)(R9*2), R9")
	f.P("ADDQ SI, R9")
	f.P("MOVQ R8, R10")
	f.P("mov v0.16b, v18.16b") // by low parts
	f.P("movi v1.4s, #0x0")    // by high parts
	f.Label("quad")
	f.P("ldr q2, (R9)")
	f.P("ld1 {v5.16b}, (BX),#16")
	f.P("tbl v3.16b, {v2.16b}, v16.16b")
	f.P("tbl v4.16b, {v2.16b}, v17.16b")
	for pixel := range 4 {
		for part := range 2 {
			if pixel%2 == 0 {
				f.P("smlal v%d.4s, v%d.4h, v5.h[%d]", part, 3+pixel/2, 4*part+pixel)
			} else {
				f.P("smlal2 v%d.4s, v%d.8h, v5.h[%d]", part, 3+pixel/2, 4*part+pixel)
			}
		}
	}
	f.P("ADDQ $12, R9")
	f.P("DECQ R10")
	f.P("JNZ quad")
	f.P("shl v1.4s, v1.4s, #15")
	f.P("add v0.4s, v0.4s, v1.4s")
	upperHalves(f, 0, 0)
	bytes(f, 0, 0, weightBits-16, 0)
	f.P("st1 {v0.h}[0], (DI),#2")
	f.P("st1 {v0.b}[2], (DI),#1")
	f.P("ADDQ $8, DX")
	f.P("DECQ CX")
	f.P("JNZ window")
}

// neonRows takes 32 samples at a time, four of them as the lanes of a register.
func neonRows(f *file, half string) {
	for i := range 4 {
		var lanes []int
		for sample := range 4 {
			lanes = append(lanes, 4*i+sample, -1, -1, -1)
		}
		vector(f, f.Shuffle(fmt.Sprintf("samples%d", i), lanes), 16+i)
	}
	vector(f, half, 20)
	f.P("XORL R8, R8") // the sample
	f.Label("samples")
	for i := range 8 {
		f.P("mov v%d.16b, v20.16b", i)
	}
	f.P("MOVQ SI, R9")
	f.P("MOVQ DX, R10")
	f.P("MOVQ BX, R11")
	f.Label("row")
	f.P("MOVQ (R9), R12")
	f.P("ADDQ R8, R12")
	f.P("ldr s21, (R10)")
	f.P("ldr q22, (R12)")
	f.P("ldr q23, 16(R12)")
	for i := range 8 {
		f.P("tbl v%d.16b, {v%d.16b}, v%d.16b", 24+i, 22+i/4, 16+i%4)
	}
	for i := range 8 {
		f.P("mla v%d.4s, v%d.4s, v21.s[0]", i, 24+i)
	}
	f.P("ADDQ $24, R9")
	f.P("ADDQ $4, R10")
	f.P("DECQ R11")
	f.P("JNZ row")
	for i := 0; i < 8; i += 2 {
		upperHalves(f, i, i+1)
	}
	bytes(f, 0, 2, weightBits-16, 0)
	bytes(f, 4, 6, weightBits-16, 1)
	f.P("str q0, (DI)(R8*1)")
	f.P("str q1, 16(DI)(R8*1)")
	f.P("ADDQ $32, R8")
	f.P("CMPQ R8, CX")
	f.P("JLT samples")
}
