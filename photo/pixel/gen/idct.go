package main

import "fmt"

// y names vector register i.
func y(i int) string { return fmt.Sprintf("Y%d", i) }

const (
	constBits = 13
	passBits  = 2
)

// inverses emits the inverse DCT of a block, eight columns and then eight rows at a time in 32-bit lanes.
//
//	SI block of coefficients   DI first sample   DX bytes from one row of samples to the next
func inverses(f *file) {
	d := newDCT(f, 4433, 15137, 6270, 9633, 16069, 3196, -7373, -20995, 12299, 25172, 16819, 2446)
	columns := f.Dwords("roundColumns", 1<<(constBits-passBits-1))
	const shift = constBits + passBits + 3
	rows := f.Dwords("roundRows", 1<<(shift-1)+128<<shift)
	kernel(f, "inverseAssembly", "block *int32 SI, out *uint8 DI, stride int DX",
		func() { d.avx2Inverse(columns, rows, shift) }, func() { d.neonInverse(columns, rows, shift) })
}

func (d *dct) avx2Inverse(columns, rows string, shift int) {
	transposed := d.fourByFour()
	d.load(0, 1, 2, 3, 4, 5, 6, 7)
	d.eighths(columns)
	d.shift(8, constBits-passBits)
	d.transpose()
	d.eighths(rows)
	d.shift(8, shift)
	// Sample x of all rows is in Y(8+x): narrow to bytes, and bring those of a row together.
	for i := range 4 {
		d.P("VPACKSSDW %s, %s, %s", y(9+2*i), y(8+2*i), y(i))
	}
	d.P("VPACKUSWB Y1, Y0, Y0") // samples 0 to 3 of rows 0 to 3 | 4 to 7
	d.P("VPACKUSWB Y3, Y2, Y2") // samples 4 to 7
	d.P("VMOVDQU %s, Y4", transposed)
	d.P("VPSHUFB Y4, Y0, Y0")
	d.P("VPSHUFB Y4, Y2, Y2")
	d.P("VPUNPCKLDQ Y2, Y0, Y1") // rows 0, 1 | 4, 5
	d.P("VPUNPCKHDQ Y2, Y0, Y3") // rows 2, 3 | 6, 7
	d.P("LEAQ (DX)(DX*2), R8")   // three rows
	for half := range 2 {
		d.P("VMOVQ X1, (DI)")
		d.P("VMOVHPS X1, (DI)(DX*1)")
		d.P("VMOVQ X3, (DI)(DX*2)")
		d.P("VMOVHPS X3, (DI)(R8*1)")
		if half == 0 {
			d.P("LEAQ (DI)(DX*4), DI")
			d.P("VEXTRACTI128 $1, Y1, X1")
			d.P("VEXTRACTI128 $1, Y3, X3")
		}
	}
}

// transpose brings column i of the 8 x 8 lanes of Y8 to Y15 into register i.
func (d *dct) transpose() {
	for i := 0; i < 8; i += 2 {
		d.P("VPUNPCKLDQ %s, %s, %s", y(9+i), y(8+i), y(i))
		d.P("VPUNPCKHDQ %s, %s, %s", y(9+i), y(8+i), y(i+1))
	}
	for half := 0; half < 8; half += 4 { // columns j | j+4 of rows 0 to 3, then 4 to 7
		for j := range 4 {
			unpack := []string{"VPUNPCKLQDQ", "VPUNPCKHQDQ"}[j%2]
			d.P("%s %s, %s, %s", unpack, y(half+2+j/2), y(half+j/2), y(8+half+j))
		}
	}
	for j := range 4 {
		d.P("VPERM2I128 $0x20, %s, %s, %s", y(12+j), y(8+j), y(j))
		d.P("VPERM2I128 $0x31, %s, %s, %s", y(12+j), y(8+j), y(4+j))
	}
}
