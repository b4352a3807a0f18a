package main

import (
	"fmt"
	"slices"
)

// The inverse DCTs for NEON: columns 0 to 3 and 4 to 7 are in registers of their own, and so are rows. Sums are divided by 65536 by taking
// the upper halves of lanes, and by what is left of the divisor while they become bytes.

const (
	neonFactors = 28 // registers from here on hold factors
	neonRound   = 27
)

// neonSpare are registers that no transform keeps anything in.
var neonSpare = from(24, 4)

// from counts n numbers.
func from(first, n int) (list []int) {
	for i := range n {
		list = append(list, first+i)
	}
	return list
}

// in says what registers the processor has for those of a transform.
func (d *dct) in(registers ...[]int) {
	all := slices.Concat(registers...)
	d.register = func(i int) string { return fmt.Sprintf("v%d.4s", all[i]) }
}

// vector brings the first 16 bytes of a constant into a register.
func vector(f *file, constant string, register int) {
	f.P("MOVQ $%s, R15", constant)
	f.P("ldr q%d, (R15)", register)
}

// neonLoad brings rows of the block into registers, columns 0 to 3 into those from 0 on and columns 4 to 7 into those from 16 on,
// zeroes the block, and loads the factors.
func (d *dct) neonLoad(rows ...int) {
	d.P("MOVQ $%s, R15", d.table)
	for i := range (len(d.factors) + 3) / 4 {
		d.P("ldr q%d, %d(R15)", neonFactors+i, 16*i)
	}
	for _, i := range rows {
		d.P("ldr q%d, %d(SI)", i, 32*i)
		d.P("ldr q%d, %d(SI)", 16+i, 32*i+16)
	}
	d.P("movi v24.4s, #0x0")
	d.P("mov v25.16b, v24.16b")
	for i := range 8 {
		d.P("str q24, %d(SI)", 32*i)
		d.P("str q25, %d(SI)", 32*i+16)
	}
}

// neonTranspose brings four by four lanes into other registers.
func (d *dct) neonTranspose(rows, columns int) {
	for i, which := range []string{"trn1", "trn2"} {
		d.P("%s v%d.4s, v%d.4s, v%d.4s", which, 24+i, rows, rows+1)
		d.P("%s v%d.4s, v%d.4s, v%d.4s", which, 26+i, rows+2, rows+3)
	}
	for i := range 4 {
		d.P("zip%d v%d.2d, v%d.2d, v%d.2d", 1+i/2, columns+i, 24+i%2, 26+i%2)
	}
}

// neonInterleave emits a zip of all lanes of that arrangement: the lower halves of a and b, and their upper ones.
func (d *dct) neonInterleave(arrangement string, a, b, lower, upper int) {
	d.P("zip1 v%d.%s, v%d.%s, v%d.%s", lower, arrangement, a, arrangement, b, arrangement)
	d.P("zip2 v%d.%s, v%d.%s, v%d.%s", upper, arrangement, a, arrangement, b, arrangement)
}

// upperHalves leaves of the lanes of a and b the upper 16 bits, in a.
func upperHalves(f *file, a, b int) { f.P("uzp2 v%d.8h, v%d.8h, v%d.8h", a, a, b) }

// bytes divides the lanes of lower and upper, and keeps them within 0 to 255.
func bytes(f *file, lower, upper, distance, to int) {
	f.P("sqshrun v%d.8b, v%d.8h, #%d", to, lower, distance)
	f.P("sqshrun2 v%d.16b, v%d.8h, #%d", to, upper, distance)
}

func (d *dct) neonInverse(columns, rows string, shift int) {
	d.neonLoad(from(0, 8)...)
	vector(d.file, columns, neonFactors+3)
	round := fmt.Sprintf("v%d.4s", neonFactors+3)
	d.in(from(0, 16), neonSpare)
	d.eighths(round)
	d.shift(8, constBits-passBits)
	d.in(from(16, 8), from(0, 8), neonSpare)
	d.eighths(round)
	d.shift(8, constBits-passBits)
	// Row i of columns 0 to 3 is in v(8+i), that of columns 4 to 7 in v(i).
	vector(d.file, rows, neonFactors+3)
	for half := 0; half < 8; half += 4 { // rows 0 to 3, then 4 to 7
		d.neonTranspose(8+half, 16)
		d.neonTranspose(half, 20)
		d.in(from(16, 8), from(8+half, 4), from(half, 4), neonSpare)
		d.eighths(round)
	}
	// Sample x of rows 0 to 3 is in v(8+x), that of rows 4 to 7 in v(12+x); samples 4 to 7 are in v(x-4) and v(x).
	for x := range 4 {
		upperHalves(d.file, 8+x, 12+x)
		upperHalves(d.file, x, 4+x)
		bytes(d.file, 8+x, x, shift-16, 16+x) // sample x of all rows, and sample x+4
	}
	d.neonInterleave("16b", 16, 17, 20, 22)
	d.neonInterleave("16b", 18, 19, 21, 23)
	d.neonInterleave("8h", 20, 21, 24, 25) // samples 0 to 3
	d.neonInterleave("8h", 22, 23, 26, 27) // samples 4 to 7
	d.neonInterleave("4s", 24, 26, 0, 1)   // rows 0 to 3
	d.neonInterleave("4s", 25, 27, 2, 3)   // rows 4 to 7
	for row := range 8 {
		d.P("st1 {v%d.d}[%d], (DI), DX", row/2, row%2)
	}
}

func (d *dct) neonFour() {
	columns, rows := d.rounds("roundFour", constBits-passBits+1)
	round := fmt.Sprintf("v%d.4s", neonRound)
	d.neonLoad(0, 1, 2, 3, 5, 6, 7)
	vector(d.file, columns, neonRound)
	d.in(from(0, 16))
	d.quarters(round)
	d.shift(4, constBits-passBits+1)
	d.in(from(16, 8), from(0, 8))
	d.quarters(round)
	d.shift(4, constBits-passBits+1)
	d.neonTranspose(8, 16)
	d.neonTranspose(0, 20)
	vector(d.file, rows, neonRound)
	d.in(from(16, 8), from(8, 8))
	d.quarters(round)
	upperHalves(d.file, 8, 9)
	upperHalves(d.file, 10, 11)
	bytes(d.file, 8, 10, constBits+passBits+3+1-16, 0) // sample 0 of all rows, and so on
	vector(d.file, d.fourByFour(), 1)
	d.P("tbl v0.16b, {v0.16b}, v1.16b")
	for row := range 4 {
		d.P("st1 {v0.s}[%d], (DI), DX", row)
	}
}

func (d *dct) neonTwo() {
	columns, rows := d.rounds("roundTwo", constBits-passBits+2)
	left, right := d.oddRows()
	d.neonLoad(0, 1, 3, 5, 7)
	vector(d.file, columns, neonRound)
	for _, first := range []int{0, 16} { // columns 0 to 3, then 4 to 7: the upper row into first+2, the lower into first+4
		d.in(from(first, 8))
		d.shiftLeft(0, constBits+2)
		d.addTo(0, fmt.Sprintf("v%d.4s", neonRound))
		d.multiply(29692, 1, 6)
		d.accumulate(-10426, 3, 6, 0)
		d.accumulate(6967, 5, 6, 0)
		d.accumulate(-5906, 7, 6, 0)
		d.add(0, 6, 2)
		d.subtract(0, 6, 4)
		d.shiftRight(constBits-passBits+2, 2)
		d.shiftRight(constBits-passBits+2, 4)
	}
	for i, factors := range []string{left, right} {
		vector(d.file, factors, 24)
		d.P("ldr q25, 16(R15)")
		for row := range 2 {
			d.P("mul v%d.4s, v%d.4s, v24.4s", 8+2*row+i, 2+2*row)
			d.P("mla v%d.4s, v%d.4s, v25.4s", 8+2*row+i, 18+2*row)
		}
	}
	d.P("addp v8.4s, v8.4s, v9.4s")
	d.P("addp v10.4s, v10.4s, v11.4s")
	d.P("addp v8.4s, v8.4s, v10.4s")
	vector(d.file, rows, 24)
	d.P("add v8.4s, v8.4s, v24.4s")
	upperHalves(d.file, 8, 8)
	bytes(d.file, 8, 8, constBits+passBits+3+2-16, 0)
	for row := range 2 {
		d.P("st1 {v0.h}[%d], (DI), DX", row)
	}
}
