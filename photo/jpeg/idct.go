package jpeg

// Constants of the accurate integer inverse DCT: Loeffler, Ligtenberg and
// Moschytz, "Practical Fast 1-D DCT Algorithms with 11 Multiplications",
// ICASSP 1989, in 13-bit fixed point as in libjpeg's jidctint.c.
const (
	constBits = 13
	passBits  = 2

	fix0298631336 = 2446
	fix0390180644 = 3196
	fix0541196100 = 4433
	fix0765366865 = 6270
	fix0899976223 = 7373
	fix1175875602 = 9633
	fix1501321110 = 12299
	fix1847759065 = 15137
	fix1961570560 = 16069
	fix2053119869 = 16819
	fix2562915447 = 20995
	fix3072711026 = 25172
)

// inverse writes the samples of a block of dequantised coefficients, in natural
// order, to the 8 rows at out. It leaves the block in an intermediate state.
func inverse(block *[64]int32, out []uint8, stride int) {
	for x := range 8 {
		b := block[x : x+57 : x+57]
		if b[8]|b[16]|b[24]|b[32]|b[40]|b[48]|b[56] == 0 {
			dc := b[0] << passBits
			b[0], b[8], b[16], b[24], b[32], b[40], b[48], b[56] = dc, dc, dc, dc, dc, dc, dc, dc
			continue
		}
		even, odd := halves(b[0], b[8], b[16], b[24], b[32], b[40], b[48], b[56])
		const round, shift = 1 << (constBits - passBits - 1), constBits - passBits
		b[0] = (even[0] + odd[3] + round) >> shift
		b[56] = (even[0] - odd[3] + round) >> shift
		b[8] = (even[1] + odd[2] + round) >> shift
		b[48] = (even[1] - odd[2] + round) >> shift
		b[16] = (even[2] + odd[1] + round) >> shift
		b[40] = (even[2] - odd[1] + round) >> shift
		b[24] = (even[3] + odd[0] + round) >> shift
		b[32] = (even[3] - odd[0] + round) >> shift
	}
	for y := range 8 {
		b := block[8*y : 8*y+8 : 8*y+8]
		row := out[y*stride : y*stride+8 : y*stride+8]
		even, odd := halves(b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7])
		const shift = constBits + passBits + 3
		const round = 1<<(shift-1) + 128<<shift
		row[0] = clamp((even[0] + odd[3] + round) >> shift)
		row[7] = clamp((even[0] - odd[3] + round) >> shift)
		row[1] = clamp((even[1] + odd[2] + round) >> shift)
		row[6] = clamp((even[1] - odd[2] + round) >> shift)
		row[2] = clamp((even[2] + odd[1] + round) >> shift)
		row[5] = clamp((even[2] - odd[1] + round) >> shift)
		row[3] = clamp((even[3] + odd[0] + round) >> shift)
		row[4] = clamp((even[3] - odd[0] + round) >> shift)
	}
}

// halves computes the even and odd parts of an 8-point inverse DCT, scaled by
// 1 << constBits: sample i is even[i] + odd[3-i], and sample 7-i their difference.
func halves(x0, x1, x2, x3, x4, x5, x6, x7 int32) (even, odd [4]int32) {
	z1 := (x2 + x6) * fix0541196100
	t2 := z1 - x6*fix1847759065
	t3 := z1 + x2*fix0765366865
	t0 := (x0 + x4) << constBits
	t1 := (x0 - x4) << constBits
	even = [4]int32{t0 + t3, t1 + t2, t1 - t2, t0 - t3}

	z3, z4 := x7+x3, x5+x1
	z5 := (z3 + z4) * fix1175875602
	z3 = z5 - z3*fix1961570560
	z4 = z5 - z4*fix0390180644
	z1 = (x7 + x1) * -fix0899976223
	z2 := (x5 + x3) * -fix2562915447
	odd = [4]int32{
		x7*fix0298631336 + z1 + z3,
		x5*fix2053119869 + z2 + z4,
		x3*fix3072711026 + z2 + z3,
		x1*fix1501321110 + z1 + z4,
	}
	return even, odd
}

// flat writes a block whose only coefficient is the first.
func flat(dc int32, out []uint8, stride int) {
	v := clamp((dc<<passBits+1<<(passBits+2))>>(passBits+3) + 128)
	for y := range 8 {
		row := out[y*stride : y*stride+8 : y*stride+8]
		for x := range row {
			row[x] = v
		}
	}
}

func clamp(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^v >> 31)
	}
	return uint8(v)
}
