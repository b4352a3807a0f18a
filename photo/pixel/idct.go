package pixel

import "encoding/binary"

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

// lowerHalf is the part of the extent that lies outside the 4 x 4 coefficients
// of lowest frequency.
const lowerHalf = 4 | 4*8

// Inverse writes the samples of a block of dequantised coefficients, in natural
// order, to the 8 rows at out, and zeroes the block. The extent is the bitwise
// or of the places of the coefficients that are not zero.
func Inverse(block *[64]int32, extent uint8, out []uint8, stride int) {
	switch {
	case extent == 0:
		v := level(block[0])
		for y := range 8 {
			binary.LittleEndian.PutUint64(out[y*stride:], uint64(v)*0x0101_0101_0101_0101)
		}
		block[0] = 0
	case assembly:
		_ = out[7*stride+7]
		inverseAssembly(&block[0], &out[0], stride)
	default:
		inverse(block, extent, out, stride)
	}
}

// level is every sample of a block whose only coefficient is the first.
func level(dc int32) uint8 { return clamp((dc<<passBits+1<<(passBits+2))>>(passBits+3) + 128) }

// inverse is the plain form: in photos most blocks need a quarter of the work.
func inverse(block *[64]int32, extent uint8, out []uint8, stride int) {
	columns, corner := 8, extent&lowerHalf == 0
	if corner {
		columns = 4
	}
	var e0, e1, e2, e3, o0, o1, o2, o3 int32
	for x := range columns {
		x0, x1, x2, x3 := block[x], block[x+8], block[x+16], block[x+24]
		if corner {
			e0, e1, e2, e3, o0, o1, o2, o3 = cornerHalves(x0, x1, x2, x3)
		} else {
			e0, e1, e2, e3, o0, o1, o2, o3 = halves(x0, x1, x2, x3, block[x+32], block[x+40], block[x+48], block[x+56])
		}
		const shift = constBits - passBits
		const round = 1 << (shift - 1)
		block[x] = (e0 + o0 + round) >> shift
		block[x+8] = (e1 + o1 + round) >> shift
		block[x+16] = (e2 + o2 + round) >> shift
		block[x+24] = (e3 + o3 + round) >> shift
		block[x+32] = (e3 - o3 + round) >> shift
		block[x+40] = (e2 - o2 + round) >> shift
		block[x+48] = (e1 - o1 + round) >> shift
		block[x+56] = (e0 - o0 + round) >> shift
	}
	for y := range 8 {
		b := (*[8]int32)(block[8*y:])
		if corner {
			e0, e1, e2, e3, o0, o1, o2, o3 = cornerHalves(b[0], b[1], b[2], b[3])
		} else {
			e0, e1, e2, e3, o0, o1, o2, o3 = halves(b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7])
		}
		const shift = constBits + passBits + 3
		const round = 1<<(shift-1) + 128<<shift
		row := uint64(clamp((e0+o0+round)>>shift)) |
			uint64(clamp((e1+o1+round)>>shift))<<8 |
			uint64(clamp((e2+o2+round)>>shift))<<16 |
			uint64(clamp((e3+o3+round)>>shift))<<24 |
			uint64(clamp((e3-o3+round)>>shift))<<32 |
			uint64(clamp((e2-o2+round)>>shift))<<40 |
			uint64(clamp((e1-o1+round)>>shift))<<48 |
			uint64(clamp((e0-o0+round)>>shift))<<56
		binary.LittleEndian.PutUint64(out[y*stride:], row)
	}
	clear(block[:])
}

// halves computes the even and odd parts of an 8-point inverse DCT, scaled by
// 1 << constBits: sample i is e + o, and sample 7-i is e - o.
func halves(x0, x1, x2, x3, x4, x5, x6, x7 int32) (e0, e1, e2, e3, o0, o1, o2, o3 int32) {
	z1 := (x2 + x6) * fix0541196100
	t2 := z1 - x6*fix1847759065
	t3 := z1 + x2*fix0765366865
	t0 := (x0 + x4) << constBits
	t1 := (x0 - x4) << constBits

	z3, z4 := x7+x3, x5+x1
	z5 := (z3 + z4) * fix1175875602
	z3 = z5 - z3*fix1961570560
	z4 = z5 - z4*fix0390180644
	z1 = (x7 + x1) * -fix0899976223
	z2 := (x5 + x3) * -fix2562915447

	return t0 + t3, t1 + t2, t1 - t2, t0 - t3,
		x1*fix1501321110 + z1 + z4,
		x3*fix3072711026 + z2 + z3,
		x5*fix2053119869 + z2 + z4,
		x7*fix0298631336 + z1 + z3
}

// cornerHalves is halves where x4 to x7 are zero.
func cornerHalves(x0, x1, x2, x3 int32) (e0, e1, e2, e3, o0, o1, o2, o3 int32) {
	t0, t2, t3 := x0<<constBits, x2*fix0541196100, x2*(fix0541196100+fix0765366865)
	z5 := (x3 + x1) * fix1175875602
	z3, z4 := z5-x3*fix1961570560, z5-x1*fix0390180644
	z1, z2 := -x1*fix0899976223, -x3*fix2562915447
	return t0 + t3, t0 + t2, t0 - t2, t0 - t3,
		x1*fix1501321110 + z1 + z4,
		x3*fix3072711026 + z2 + z3,
		z2 + z4,
		z1 + z3
}

func clamp(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^v >> 31)
	}
	return uint8(v)
}
