package main

// reduced emits the inverse DCTs of pictures at 1/2 and 1/4: 4 x 4 and 2 x 2 samples of a block, eight columns at a time and
// then the rows.
//
//	SI block of coefficients   DI first sample   DX bytes from one row of samples to the next
func reduced(f *file) {
	const constBits, passBits = 13, 2
	d := &dct{file: f, by: map[int32]string{}}
	d.constants(15137, 6270, 20995, 7373, -4926, -4176, 8697, -17799, 11893, -1730, 29692, -10426, 6967, -5906)
	transposed := f.Shuffle("fourByFour", []int{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15})

	rounds := func(name string, shift int) (columns, rows string) {
		last := shift + 2*passBits + 3
		return f.Dwords(name+"Columns", 1<<(shift-1)), f.Dwords(name+"Rows", 1<<(last-1)+128<<last)
	}
	columns, rows := rounds("roundFour", constBits-passBits+1)
	f.Function("fourAVX2", "block *int32 SI, out *uint8 DI, stride int DX")
	d.load(0, 1, 2, 3, 5, 6, 7)
	d.quarters("Y", columns, constBits-passBits+1)
	// Y8 to Y11 hold a row of eight each: bring columns 0 to 3, and behind them 4 to 7, into a register each.
	f.P("VPUNPCKLDQ Y9, Y8, Y0")
	f.P("VPUNPCKHDQ Y9, Y8, Y1")
	f.P("VPUNPCKLDQ Y11, Y10, Y2")
	f.P("VPUNPCKHDQ Y11, Y10, Y3")
	f.P("VPUNPCKLQDQ Y2, Y0, Y8")
	f.P("VPUNPCKHQDQ Y2, Y0, Y9")
	f.P("VPUNPCKLQDQ Y3, Y1, Y10")
	f.P("VPUNPCKHQDQ Y3, Y1, Y11")
	for i := range 4 {
		f.P("VMOVDQA X%d, X%d", 8+i, i)
		if i > 0 {
			f.P("VEXTRACTI128 $1, Y%d, X%d", 8+i, 4+i)
		}
	}
	d.quarters("X", rows, constBits+passBits+3+1)
	f.P("VPACKSSDW X9, X8, X8")
	f.P("VPACKSSDW X11, X10, X10")
	f.P("VPACKUSWB X10, X8, X8")
	f.P("VPSHUFB %s, X8, X8", transposed)
	for i := range 4 {
		f.P("VPEXTRD $%d, X8, (DI)", i)
		f.P("ADDQ DX, DI")
	}
	f.End()

	columns, rows = rounds("roundTwo", constBits-passBits+2)
	plus := f.Dwords("plus", 1<<15, 29692, 0, -10426, 0, 6967, 0, -5906)
	minus := f.Dwords("minus", 1<<15, -29692, 0, 10426, 0, -6967, 0, 5906)
	f.Function("twoAVX2", "block *int32 SI, out *uint8 DI, stride int DX")
	d.load(0, 1, 3, 5, 7)
	f.P("VPSLLD $15, Y0, Y0")
	f.P("VPADDD %s, Y0, Y0", columns)
	for i, by := range []int32{29692, -10426, 6967, -5906} { // the odd part
		d.multiply(by, 2*i+1, 2*i+1)
	}
	for _, i := range []int{3, 5, 7} {
		d.add(1, i, 1)
	}
	f.P("VPADDD Y1, Y0, Y2")
	f.P("VPSUBD Y1, Y0, Y3")
	for i := range 2 { // a row of eight: both its samples
		f.P("VPSRAD $%d, %s, %s", constBits-passBits+2, y(2+i), y(2+i))
		f.P("VPMULLD %s, %s, %s", plus, y(2+i), y(4+2*i))
		f.P("VPMULLD %s, %s, %s", minus, y(2+i), y(5+2*i))
		f.P("VPHADDD %s, %s, %s", y(5+2*i), y(4+2*i), y(i))
	}
	f.P("VPHADDD Y1, Y0, Y0")
	f.P("VEXTRACTI128 $1, Y0, X1")
	f.P("VPADDD X1, X0, X0")
	f.P("VPADDD %s, X0, X0", rows)
	f.P("VPSRAD $%d, X0, X0", constBits+passBits+3+2)
	f.P("VPACKSSDW X0, X0, X0")
	f.P("VPACKUSWB X0, X0, X0")
	f.P("VMOVD X0, AX")
	f.P("MOVW AX, (DI)")
	f.P("SHRL $16, AX")
	f.P("MOVW AX, (DI)(DX*1)")
	f.End()
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

// quarters transforms registers 0 to 3 and 5 to 7, of eight or four lanes, into 8 to 11, rounded and shifted.
func (d *dct) quarters(letter, round string, shift int) {
	r := func(i int) string { return letter + y(i)[1:] }
	product := func(by int32, from, to int) { d.P("VPMULLD %s, %s, %s", d.by[by], r(from), r(to)) }
	add := func(a, b, to int) { d.P("VPADDD %s, %s, %s", r(b), r(a), r(to)) }
	subtract := func(a, b, to int) { d.P("VPSUBD %s, %s, %s", r(b), r(a), r(to)) }
	d.P("VPSLLD $14, %s, %s", r(0), r(0))
	d.P("VPADDD %s, %s, %s", round, r(0), r(0))
	product(15137, 2, 2)
	product(6270, 6, 6)
	subtract(2, 6, 2)
	add(0, 2, 12)      // e0
	subtract(0, 2, 13) // e1
	for i, by := range [][]int32{{20995, 7373, -4926, -4176}, {8697, -17799, 11893, -1730}} {
		sum := 14 + i
		product(by[0], 1, sum)
		for j, from := range []int{3, 5, 7} {
			product(by[j+1], from, 4)
			add(sum, 4, sum)
		}
	}
	add(12, 14, 8)
	add(13, 15, 9)
	subtract(13, 15, 10)
	subtract(12, 14, 11)
	for i := range 4 {
		d.P("VPSRAD $%d, %s, %s", shift, r(8+i), r(8+i))
	}
}
