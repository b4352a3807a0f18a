package main

import (
	"encoding/binary"
	"fmt"

	"regraft/asmfile"
)

// arithmetic is how an instruction set spells what is done to 32-bit lanes: of two operands, or a distance and one, and the result.
type arithmetic struct {
	add, subtract, multiply string
	multiplyAdd             string // to the result, if it has that
	shiftLeft, shiftRight   string
}

var (
	avx2 = arithmetic{
		add: "VPADDD %[2]s, %[1]s, %[3]s", subtract: "VPSUBD %[2]s, %[1]s, %[3]s", multiply: "VPMULLD %[2]s, %[1]s, %[3]s",
		shiftLeft: "VPSLLD $%[1]d, %[2]s, %[3]s", shiftRight: "VPSRAD $%[1]d, %[2]s, %[3]s",
	}
	neon = arithmetic{
		add: "add %[3]s, %[1]s, %[2]s", subtract: "sub %[3]s, %[1]s, %[2]s", multiply: "mul %[3]s, %[1]s, %[2]s",
		multiplyAdd: "mla %[3]s, %[1]s, %[2]s",
		shiftLeft:   "shl %[3]s, %[2]s, #%[1]d", shiftRight: "sshr %[3]s, %[2]s, #%[1]d",
	}
)

// dct emits one-dimensional transforms in the lanes of registers, whose numbers here are not those that the processor has.
type dct struct {
	*file
	arithmetic
	register func(i int) string
	factors  map[int32]string // the operands that hold them
	table    string           // the constant with all of them, where they are elements of registers
}

func newDCT(f *file, factors ...int32) *dct {
	d := &dct{file: f, arithmetic: avx2, register: y, factors: map[int32]string{}}
	if f.Arch != asmfile.ARM64 {
		for i, v := range factors {
			d.factors[v] = f.Dwords(fmt.Sprintf("multiplier%d", i), v)
		}
		return d
	}
	d.arithmetic = neon
	table := make([]byte, (4*len(factors)+15)&^15)
	for i, v := range factors {
		d.factors[v] = fmt.Sprintf("v%d.s[%d]", neonFactors+i/4, i%4)
		binary.LittleEndian.PutUint32(table[4*i:], uint32(v))
	}
	d.table = f.Constant("factors", table)
	return d
}

func (d *dct) addTo(a int, operand string) {
	d.P(d.arithmetic.add, d.register(a), operand, d.register(a))
}
func (d *dct) add(a, b, to int) { d.P(d.arithmetic.add, d.register(a), d.register(b), d.register(to)) }
func (d *dct) subtract(a, b, to int) {
	d.P(d.arithmetic.subtract, d.register(a), d.register(b), d.register(to))
}
func (d *dct) multiply(v int32, a, to int) {
	d.P(d.arithmetic.multiply, d.register(a), d.factors[v], d.register(to))
}
func (d *dct) shiftLeft(a, distance int) {
	d.P(d.arithmetic.shiftLeft, distance, d.register(a), d.register(a))
}
func (d *dct) shiftRight(distance, a int) {
	d.P(d.arithmetic.shiftRight, distance, d.register(a), d.register(a))
}

// accumulate adds a multiple of register a; the product may take a spare one.
func (d *dct) accumulate(v int32, a, sum, spare int) {
	if d.multiplyAdd != "" {
		d.P(d.multiplyAdd, d.register(a), d.factors[v], d.register(sum))
		return
	}
	d.multiply(v, a, spare)
	d.add(sum, spare, sum)
}

// sum is a multiple of register a and two others. It returns where it is: in a or in the spare one.
func (d *dct) sum(v int32, a, b, c, spare int) int {
	if d.multiplyAdd != "" {
		d.add(b, c, spare)
		d.accumulate(v, a, spare, 0)
		return spare
	}
	d.multiply(v, a, a)
	d.add(a, b, a)
	d.add(a, c, a)
	return a
}

// eighths transforms registers 0 to 7 into 8 to 15, rounded but not shifted, as package pixel's halves does: the transform of Loeffler,
// Ligtenberg and Moschytz. Where sums need registers of their own, these are 16 to 19.
func (d *dct) eighths(round string) {
	d.add(2, 6, 8) // even part
	d.multiply(4433, 8, 8)
	d.multiply(15137, 6, 9)
	d.subtract(8, 9, 9)
	d.multiply(6270, 2, 10)
	d.add(8, 10, 10)
	d.add(0, 4, 2)
	d.subtract(0, 4, 6)
	for _, r := range []int{2, 6} {
		d.shiftLeft(r, 13)
		d.addTo(r, round)
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
	odd := []int{d.sum(12299, 1, 10, 9, 16), d.sum(25172, 3, 11, 8, 17), d.sum(16819, 5, 11, 9, 18), d.sum(2446, 7, 10, 8, 19)}
	for i, even := range []int{0, 4, 6, 2} {
		d.add(even, odd[i], 8+i)
		d.subtract(even, odd[i], 15-i)
	}
}

// quarters transforms registers 0 to 3 and 5 to 7 into 8 to 11, rounded but not shifted, as package pixel's quarters does.
func (d *dct) quarters(round string) {
	d.shiftLeft(0, 14)
	d.addTo(0, round)
	d.multiply(15137, 2, 2)
	d.multiply(6270, 6, 6)
	d.subtract(2, 6, 2)
	d.add(0, 2, 12)      // e0
	d.subtract(0, 2, 13) // e1
	for i, by := range [][]int32{{20995, 7373, -4926, -4176}, {8697, -17799, 11893, -1730}} {
		sum := 14 + i
		d.multiply(by[0], 1, sum)
		for j, from := range []int{3, 5, 7} {
			d.accumulate(by[j+1], from, sum, 4)
		}
	}
	d.add(12, 14, 8)
	d.add(13, 15, 9)
	d.subtract(13, 15, 10)
	d.subtract(12, 14, 11)
}

// shift divides registers from 8 on by a power of two.
func (d *dct) shift(registers, distance int) {
	for i := range registers {
		d.shiftRight(distance, 8+i)
	}
}
