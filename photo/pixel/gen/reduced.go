package main

// reduced emits the inverse DCTs of pictures at 1/2 and 1/4: 4 x 4 and 2 x 2 samples of a block, eight columns at a time and
// then the rows.
//
//	SI block of coefficients   DI first sample   DX bytes from one row of samples to the next
func reduced(f *file) {
	d := newDCT(f, 15137, 6270, 20995, 7373, -4926, -4176, 8697, -17799, 11893, -1730, 29692, -10426, 6967, -5906)
	const parameters = "block *int32 SI, out *uint8 DI, stride int DX"
	kernel(f, "fourAssembly", parameters, d.avx2Four, d.neonFour)
	kernel(f, "twoAssembly", parameters, d.avx2Two, d.neonTwo)
}

// rounds are halves of what the sums over columns and rows are divided by; the second brings samples to 0 to 255, too.
func (d *dct) rounds(name string, shift int) (columns, rows string) {
	last := shift + 2*passBits + 3
	return d.Dwords(name+"Columns", 1<<(shift-1)), d.Dwords(name+"Rows", 1<<(last-1)+128<<last)
}

// fourByFour is the shuffle of bytes that transposes four by four of them.
func (d *dct) fourByFour() string {
	return d.Shuffle("fourByFour", []int{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15})
}

// oddRows are the factors of two samples of a row: those of the left one and those of the right one.
func (d *dct) oddRows() (left, right string) {
	return d.Dwords("plus", 1<<15, 29692, 0, -10426, 0, 6967, 0, -5906), d.Dwords("minus", 1<<15, -29692, 0, 10426, 0, -6967, 0, 5906)
}

func (d *dct) avx2Four() {
	transposed := d.fourByFour()
	columns, rows := d.rounds("roundFour", constBits-passBits+1)
	d.load(0, 1, 2, 3, 5, 6, 7)
	d.quarters(columns)
	d.shift(4, constBits-passBits+1)
	// Y8 to Y11 hold a row of eight each: bring columns 0 to 3, and behind them 4 to 7, into a register each.
	d.P("VPUNPCKLDQ Y9, Y8, Y0")
	d.P("VPUNPCKHDQ Y9, Y8, Y1")
	d.P("VPUNPCKLDQ Y11, Y10, Y2")
	d.P("VPUNPCKHDQ Y11, Y10, Y3")
	d.P("VPUNPCKLQDQ Y2, Y0, Y8")
	d.P("VPUNPCKHQDQ Y2, Y0, Y9")
	d.P("VPUNPCKLQDQ Y3, Y1, Y10")
	d.P("VPUNPCKHQDQ Y3, Y1, Y11")
	for i := range 4 {
		d.P("VMOVDQA X%d, X%d", 8+i, i)
		if i > 0 {
			d.P("VEXTRACTI128 $1, Y%d, X%d", 8+i, 4+i)
		}
	}
	d.register = func(i int) string { return "X" + y(i)[1:] }
	d.quarters(rows)
	d.shift(4, constBits+passBits+3+1)
	d.register = y
	d.P("VPACKSSDW X9, X8, X8")
	d.P("VPACKSSDW X11, X10, X10")
	d.P("VPACKUSWB X10, X8, X8")
	d.P("VPSHUFB %s, X8, X8", transposed)
	for i := range 4 {
		d.P("VPEXTRD $%d, X8, (DI)", i)
		d.P("ADDQ DX, DI")
	}
}

func (d *dct) avx2Two() {
	columns, rows := d.rounds("roundTwo", constBits-passBits+2)
	plus, minus := d.oddRows()
	d.load(0, 1, 3, 5, 7)
	d.P("VPSLLD $15, Y0, Y0")
	d.P("VPADDD %s, Y0, Y0", columns)
	for i, by := range []int32{29692, -10426, 6967, -5906} { // the odd part
		d.multiply(by, 2*i+1, 2*i+1)
	}
	for _, i := range []int{3, 5, 7} {
		d.add(1, i, 1)
	}
	d.P("VPADDD Y1, Y0, Y2")
	d.P("VPSUBD Y1, Y0, Y3")
	for i := range 2 { // a row of eight: both its samples
		d.P("VPSRAD $%d, %s, %s", constBits-passBits+2, y(2+i), y(2+i))
		d.P("VPMULLD %s, %s, %s", plus, y(2+i), y(4+2*i))
		d.P("VPMULLD %s, %s, %s", minus, y(2+i), y(5+2*i))
		d.P("VPHADDD %s, %s, %s", y(5+2*i), y(4+2*i), y(i))
	}
	d.P("VPHADDD Y1, Y0, Y0")
	d.P("VEXTRACTI128 $1, Y0, X1")
	d.P("VPADDD X1, X0, X0")
	d.P("VPADDD %s, X0, X0", rows)
	d.P("VPSRAD $%d, X0, X0", constBits+passBits+3+2)
	d.P("VPACKSSDW X0, X0, X0")
	d.P("VPACKUSWB X0, X0, X0")
	d.P("VMOVD X0, AX")
	d.P("MOVW AX, (DI)")
	d.P("SHRL $16, AX")
	d.P("MOVW AX, (DI)(DX*1)")
}

// load brings rows of the block into the registers of their numbers, and zeroes all.
func (d *dct) load(rows ...int) {
	for _, i := range rows {
		d.P("VMOVDQU %d(SI), %s", 32*i, y(i))
	}
	d.P("VPXOR Y15, Y15, Y15")
	for i := range 8 {
		d.P("VMOVDQU Y15, %d(SI)", 32*i)
	}
}
