package main

// reduced emits the inverse DCTs of pictures at 1/2 and 1/4: 4 x 4 and 2 x 2 samples of a block, eight columns at a time and
// then the rows.
//
//	SI block of coefficients   DI first sample   DX bytes from one row of samples to the next
func reduced(f *file) {
	const constBits, passBits = 13, 2
	d := &dct{file: f, by: map[int32]string{}}
	d.constants(15137, 6270, 20995, 7373, -4926, -4176, 8697, -17799, 11893, -1730, 29692, -10426, 6967, -5906)
	transposed := f.shuffle("fourByFour", []int{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15})

	rounds := func(name string, shift int) (columns, rows string) {
		last := shift + 2*passBits + 3
		return f.dwords(name+"Columns", 1<<(shift-1)), f.dwords(name+"Rows", 1<<(last-1)+128<<last)
	}
	columns, rows := rounds("roundFour", constBits-passBits+1)
	f.function("fourAVX2", "block *int32 SI, out *uint8 DI, stride int DX")
	d.load(0, 1, 2, 3, 5, 6, 7)
	d.quarters("Y", columns, constBits-passBits+1)
	// Y8 to Y11 hold a row of eight each: bring columns 0 to 3, and behind them 4 to 7, into a register each.
	f.p("VPUNPCKLDQ Y9, Y8, Y0")
	f.p("VPUNPCKHDQ Y9, Y8, Y1")
	f.p("VPUNPCKLDQ Y11, Y10, Y2")
	f.p("VPUNPCKHDQ Y11, Y10, Y3")
	f.p("VPUNPCKLQDQ Y2, Y0, Y8")
	f.p("VPUNPCKHQDQ Y2, Y0, Y9")
	f.p("VPUNPCKLQDQ Y3, Y1, Y10")
	f.p("VPUNPCKHQDQ Y3, Y1, Y11")
	for i := range 4 {
		f.p("VMOVDQA X%d, X%d", 8+i, i)
		if i > 0 {
			f.p("VEXTRACTI128 $1, Y%d, X%d", 8+i, 4+i)
		}
	}
	d.quarters("X", rows, constBits+passBits+3+1)
	f.p("VPACKSSDW X9, X8, X8")
	f.p("VPACKSSDW X11, X10, X10")
	f.p("VPACKUSWB X10, X8, X8")
	f.p("VPSHUFB %s, X8, X8", transposed)
	for i := range 4 {
		f.p("VPEXTRD $%d, X8, (DI)", i)
		f.p("ADDQ DX, DI")
	}
	f.end()

	columns, rows = rounds("roundTwo", constBits-passBits+2)
	plus := f.dwords("plus", 1<<15, 29692, 0, -10426, 0, 6967, 0, -5906)
	minus := f.dwords("minus", 1<<15, -29692, 0, 10426, 0, -6967, 0, 5906)
	f.function("twoAVX2", "block *int32 SI, out *uint8 DI, stride int DX")
	d.load(0, 1, 3, 5, 7)
	f.p("VPSLLD $15, Y0, Y0")
	f.p("VPADDD %s, Y0, Y0", columns)
	for i, by := range []int32{29692, -10426, 6967, -5906} { // the odd part
		d.multiply(by, 2*i+1, 2*i+1)
	}
	for _, i := range []int{3, 5, 7} {
		d.add(1, i, 1)
	}
	f.p("VPADDD Y1, Y0, Y2")
	f.p("VPSUBD Y1, Y0, Y3")
	for i := range 2 { // a row of eight: both its samples
		f.p("VPSRAD $%d, %s, %s", constBits-passBits+2, y(2+i), y(2+i))
		f.p("VPMULLD %s, %s, %s", plus, y(2+i), y(4+2*i))
		f.p("VPMULLD %s, %s, %s", minus, y(2+i), y(5+2*i))
		f.p("VPHADDD %s, %s, %s", y(5+2*i), y(4+2*i), y(i))
	}
	f.p("VPHADDD Y1, Y0, Y0")
	f.p("VEXTRACTI128 $1, Y0, X1")
	f.p("VPADDD X1, X0, X0")
	f.p("VPADDD %s, X0, X0", rows)
	f.p("VPSRAD $%d, X0, X0", constBits+passBits+3+2)
	f.p("VPACKSSDW X0, X0, X0")
	f.p("VPACKUSWB X0, X0, X0")
	f.p("VMOVD X0, AX")
	f.p("MOVW AX, (DI)")
	f.p("SHRL $16, AX")
	f.p("MOVW AX, (DI)(DX*1)")
	f.end()
}

// load brings rows of the block into the registers of their numbers, and zeroes all.
func (d *dct) load(rows ...int) {
	for _, i := range rows {
		d.p("VMOVDQU %d(SI), %s", 32*i, y(i))
	}
	d.p("VPXOR Y15, Y15, Y15")
	for i := range 8 {
		d.p("VMOVDQU Y15, %d(SI)", 32*i)
	}
}

// quarters transforms registers 0 to 3 and 5 to 7, of eight or four lanes, into 8 to 11, rounded and shifted.
func (d *dct) quarters(letter, round string, shift int) {
	r := func(i int) string { return letter + y(i)[1:] }
	product := func(by int32, from, to int) { d.p("VPMULLD %s, %s, %s", d.by[by], r(from), r(to)) }
	add := func(a, b, to int) { d.p("VPADDD %s, %s, %s", r(b), r(a), r(to)) }
	subtract := func(a, b, to int) { d.p("VPSUBD %s, %s, %s", r(b), r(a), r(to)) }
	d.p("VPSLLD $14, %s, %s", r(0), r(0))
	d.p("VPADDD %s, %s, %s", round, r(0), r(0))
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
		d.p("VPSRAD $%d, %s, %s", shift, r(8+i), r(8+i))
	}
}
