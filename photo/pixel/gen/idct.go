package main

import "fmt"

// y names vector register i.
func y(i int) string { return fmt.Sprintf("Y%d", i) }

// inverses emits the inverse DCT of a block, eight columns and then eight rows at a time in 32-bit lanes.
//
//	SI block of coefficients   DI first sample   DX bytes from one row of samples to the next
func inverses(f *file) {
	const constBits, passBits = 13, 2
	d := &dct{file: f, by: map[int32]string{}}
	d.constants(4433, 15137, 6270, 9633, 16069, 3196, -7373, -20995, 12299, 25172, 16819, 2446)
	columns := f.Dwords("roundColumns", 1<<(constBits-passBits-1))
	const shift = constBits + passBits + 3
	rows := f.Dwords("roundRows", 1<<(shift-1)+128<<shift)
	transposed := f.Shuffle("fourByFour", []int{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15})

	f.Function("inverseAVX2", "block *int32 SI, out *uint8 DI, stride int DX")
	d.load(0, 1, 2, 3, 4, 5, 6, 7)
	d.pass(columns, constBits-passBits)
	d.transpose()
	d.pass(rows, shift)
	// Sample x of all rows is in Y(8+x): narrow to bytes, and bring those of a row together.
	for i := range 4 {
		f.P("VPACKSSDW %s, %s, %s", y(9+2*i), y(8+2*i), y(i))
	}
	f.P("VPACKUSWB Y1, Y0, Y0") // samples 0 to 3 of rows 0 to 3 | 4 to 7
	f.P("VPACKUSWB Y3, Y2, Y2") // samples 4 to 7
	f.P("VMOVDQU %s, Y4", transposed)
	f.P("VPSHUFB Y4, Y0, Y0")
	f.P("VPSHUFB Y4, Y2, Y2")
	f.P("VPUNPCKLDQ Y2, Y0, Y1") // rows 0, 1 | 4, 5
	f.P("VPUNPCKHDQ Y2, Y0, Y3") // rows 2, 3 | 6, 7
	f.P("LEAQ (DX)(DX*2), R8")   // three rows
	for half := range 2 {
		f.P("VMOVQ X1, (DI)")
		f.P("VMOVHPS X1, (DI)(DX*1)")
		f.P("VMOVQ X3, (DI)(DX*2)")
		f.P("VMOVHPS X3, (DI)(R8*1)")
		if half == 0 {
			f.P("LEAQ (DI)(DX*4), DI")
			f.P("VEXTRACTI128 $1, Y1, X1")
			f.P("VEXTRACTI128 $1, Y3, X3")
		}
	}
	f.End()
}

// dct emits the one-dimensional transform of Loeffler, Ligtenberg and Moschytz as in package pixel's halves.
type dct struct {
	*file
	by map[int32]string // the constants
}

func (d *dct) constants(values ...int32) {
	for i, v := range values {
		d.by[v] = d.Dwords(fmt.Sprintf("multiplier%d", i), v)
	}
}

func (d *dct) multiply(v int32, a, to int)  { d.P("VPMULLD %s, %s, %s", d.by[v], y(a), y(to)) }
func (d *dct) add(a, b, to int)             { d.P("VPADDD %s, %s, %s", y(b), y(a), y(to)) }
func (d *dct) subtract(a, b, to int)        { d.P("VPSUBD %s, %s, %s", y(b), y(a), y(to)) }
func (d *dct) sum(v int32, a, b, c, to int) { d.multiply(v, a, to); d.add(to, b, to); d.add(to, c, to) }

// pass transforms Y0 to Y7 into Y8 to Y15, rounded and shifted.
func (d *dct) pass(round string, shift int) {
	d.add(2, 6, 8) // even part
	d.multiply(4433, 8, 8)
	d.multiply(15137, 6, 9)
	d.subtract(8, 9, 9)
	d.multiply(6270, 2, 10)
	d.add(8, 10, 10)
	d.add(0, 4, 2)
	d.subtract(0, 4, 6)
	for _, r := range []int{2, 6} {
		d.P("VPSLLD $13, %s, %s", y(r), y(r))
		d.P("VPADDD %s, %s, %s", round, y(r), y(r))
	}
	d.add(2, 10, 0)      // e0
	d.subtract(2, 10, 2) // e3
	d.add(6, 9, 4)       // e1
	d.subtract(6, 9, 6)  // e2
	d.add(7, 3, 8)       // odd part
	d.add(5, 1, 9)
	d.add(8, 9, 10)
	d.multiply(9633, 10, 10)
	d.multiply(16069, 8, 8)
	d.subtract(10, 8, 8)
	d.multiply(3196, 9, 9)
	d.subtract(10, 9, 9)
	d.add(7, 1, 10)
	d.multiply(-7373, 10, 10)
	d.add(5, 3, 11)
	d.multiply(-20995, 11, 11)
	d.sum(12299, 1, 10, 9, 1) // o0
	d.sum(25172, 3, 11, 8, 3) // o1
	d.sum(16819, 5, 11, 9, 5) // o2
	d.sum(2446, 7, 10, 8, 7)  // o3
	for i, e := range []int{0, 4, 6, 2} {
		d.add(e, 2*i+1, 8+i)
		d.subtract(e, 2*i+1, 15-i)
	}
	for i := range 8 {
		d.P("VPSRAD $%d, %s, %s", shift, y(8+i), y(8+i))
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
