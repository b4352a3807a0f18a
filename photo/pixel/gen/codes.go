package main

const codeBits, unknown, endOfBlock = 11, 0xff << 8, 128

// decoders emit the loops over Huffman codes of package pixel's Bits. Shifts by BMI2 need no register CX and leave the flags alone.
//
//	AX next bits   BX valid ones   R12 next byte   R13 the last from which 8 can be loaded
//	SI codes of AC   DX steps   R8 block   R10 next place   R11 extent   CX entry of a table
func decoders(f *file) {
	decoder(f, "decodeAssembly", true)
	decoder(f, "skipAssembly", false)
}

func decoder(f *file, name string, values bool) {
	f.Function(name, "b *Bits DI, c *Coding SI, block *Block R8")
	f.P("MOVQ 256(R8), R10")
	f.P("MOVQ 264(R8), R11")
	f.P("LEAQ 20(SI), DX")
	f.P("MOVQ 8(SI), SI")
	f.P("MOVQ 0(DI), R12")
	f.P("MOVQ 8(DI), R13")
	f.P("LEAQ -8(R12)(R13*1), R13")
	f.P("ADDQ 24(DI), R12")
	f.P("MOVQ 32(DI), AX")
	f.P("MOVQ 40(DI), BX")
	f.Label("refill")
	f.P("CMPQ R12, R13")
	f.P("JGT done")
	f.P("MOVQ (R12), R15")
	f.P("BSWAPQ R15")
	f.P("SHRXQ BX, R15, R15")
	f.P("ORQ R15, AX")
	f.P("MOVQ $63, R15")
	f.P("SUBQ BX, R15")
	f.P("SHRQ $3, R15")
	f.P("ADDQ R15, R12")
	f.P("ORQ $56, BX")
	f.P("TESTQ R10, R10")
	f.P("JZ first")
	for i := range 56 / codeBits {
		if i == 1 {
			f.Label("second")
		}
		look(f, "SI")
		f.P("MOVBLZX CH, DI")
		f.P("ADDQ R10, DI") // the place behind
		f.P("CMPQ DI, $64")
		f.P("JGE leaves")
		take(f, values)
	}
	f.P("JMP refill")
	f.Label("first")
	f.P("MOVQ c+8(FP), R9")
	f.P("MOVQ (R9), R15")
	look(f, "R15")
	f.P("CMPL CX, $%d", unknown)
	f.P("JEQ done")
	f.P("SHLXQ CX, AX, AX")
	f.P("SUBB CX, BX")
	f.P("SARQ $48, CX")
	f.P("ADDL 16(R9), CX")
	f.P("MOVL CX, 16(R9)")
	if values {
		f.P("IMULL (DX), CX")
		f.P("MOVL CX, (R8)")
	}
	f.P("MOVL $1, R10")
	f.P("JMP second")
	f.Label("leaves")
	f.P("JEQ last")
	f.P("LEAQ -%d(DI), R15", endOfBlock)
	f.P("CMPQ R15, $64")
	f.P("JCC done")
	f.P("CMPQ R15, R10")
	f.P("JNE last")
	take(f, false) // the end alone
	f.P("JMP done")
	f.Label("last")
	take(f, values)
	f.Label("done")
	f.P("MOVQ b+0(FP), DI")
	f.P("SUBQ 0(DI), R12")
	f.P("MOVQ R12, 24(DI)")
	f.P("MOVQ AX, 32(DI)")
	f.P("MOVQ BX, 40(DI)")
	f.P("MOVQ R10, 256(R8)")
	f.P("MOVBLZX R11, R11")
	f.P("MOVQ R11, 264(R8)")
	f.P("RET")
}

// look brings what a table says about the next bits into CX.
func look(f *file, table string) {
	f.P("MOVQ AX, CX")
	f.P("SHRQ $%d, CX", 64-codeBits)
	f.P("MOVQ (%s)(CX*8), CX", table)
}

// take takes the codes of the entry, behind which the place is DI, and puts their values where they belong: the second first,
// since an entry with one value has a zero for a second in the same place.
func take(f *file, values bool) {
	f.P("SHLXQ CX, AX, AX")
	f.P("SUBB CX, BX")
	if !values {
		f.P("MOVQ DI, R10")
		return
	}
	f.P("LEAQ (DX)(R10*8), R9")
	f.P("MOVQ DI, R10")
	f.P("MOVL CX, R14")
	f.P("SARL $16, R14")
	f.P("SHRQ $32, CX")
	f.P("MOVBLZX CX, R15")
	f.P("MOVBLZX CH, DI")
	f.P("SARL $16, CX")
	f.P("IMULL (R9)(DI*8), R14")
	f.P("IMULL (R9)(R15*8), CX")
	f.P("MOVL 4(R9)(DI*8), DI")
	f.P("MOVL 4(R9)(R15*8), R15")
	f.P("ORL DI, R11")
	f.P("ORL R15, R11")
	f.P("MOVL R14, (R8)(DI*4)")
	f.P("MOVL CX, (R8)(R15*4)")
}
