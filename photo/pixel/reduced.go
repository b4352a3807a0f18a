package pixel

// The inverse DCTs of pictures at 1/2, 1/4 and 1/8 of their size: 4 x 4, 2 x 2 and 1 x 1 samples of a block, as in
// libjpeg's jidctred.c. They leave out the highest frequencies of the 8 x 8 block that the smaller one cannot show;
// the factors are those of the 8-point transform, folded.
const (
	fix0211164243 = 1730
	fix0509795579 = 4176
	fix0601344887 = 4926
	fix0720959822 = 5906
	fix0850430095 = 6967
	fix1061594337 = 8697
	fix1272758580 = 10426
	fix1451774981 = 11893
	fix2172734803 = 17799
	fix3624509785 = 29692
)

// Reduced writes size x size samples of a block, size being 1, 2 or 4, and zeroes it; see Inverse.
func Reduced(size int, block *[64]int32, extent uint8, out []uint8, stride int) {
	if size == 1 || extent == 0 {
		v := level(block[0])
		for y := range size {
			row := out[y*stride:][:size]
			for x := range row {
				row[x] = v
			}
		}
		if block[0] = 0; extent != 0 {
			clear(block[:])
		}
		return
	}
	_ = out[(size-1)*(stride+1)]
	switch {
	case assembly && size == 2:
		twoAssembly(&block[0], &out[0], stride)
	case assembly:
		fourAssembly(&block[0], &out[0], stride)
	case size == 2:
		two(block, out, stride)
	default:
		four(block, out, stride)
	}
}

// four is jpeg_idct_4x4.
func four(b *[64]int32, out []uint8, stride int) {
	const shift = constBits - passBits + 1
	var columns [4][8]int32
	for x := range 8 {
		if x == 4 {
			continue // no row uses it
		}
		e0, e1, o0, o1 := quarters(b[x], b[x+8], b[x+16], b[x+24], b[x+40], b[x+48], b[x+56])
		const round = 1 << (shift - 1)
		columns[0][x] = (e0 + o0 + round) >> shift
		columns[1][x] = (e1 + o1 + round) >> shift
		columns[2][x] = (e1 - o1 + round) >> shift
		columns[3][x] = (e0 - o0 + round) >> shift
	}
	for y := range columns {
		w := &columns[y]
		e0, e1, o0, o1 := quarters(w[0], w[1], w[2], w[3], w[5], w[6], w[7])
		const shift = constBits + passBits + 3 + 1
		const round = 1<<(shift-1) + 128<<shift
		row := out[y*stride:][:4]
		row[0] = clamp((e0 + o0 + round) >> shift)
		row[1] = clamp((e1 + o1 + round) >> shift)
		row[2] = clamp((e1 - o1 + round) >> shift)
		row[3] = clamp((e0 - o0 + round) >> shift)
	}
	clear(b[:])
}

// quarters computes the even and odd parts of four samples from eight coefficients, of which the fourth does not count.
func quarters(x0, x1, x2, x3, x5, x6, x7 int32) (e0, e1, o0, o1 int32) {
	t0 := x0 << (constBits + 1)
	t2 := x2*fix1847759065 - x6*fix0765366865
	return t0 + t2, t0 - t2,
		x1*fix2562915447 + x3*fix0899976223 - x5*fix0601344887 - x7*fix0509795579,
		x1*fix1061594337 - x3*fix2172734803 + x5*fix1451774981 - x7*fix0211164243
}

// two is jpeg_idct_2x2.
func two(b *[64]int32, out []uint8, stride int) {
	const shift = constBits - passBits + 2
	const round = 1 << (shift - 1)
	var top, bottom [8]int32
	for _, x := range [...]int{0, 1, 3, 5, 7} {
		e, o := b[x]<<(constBits+2), odd(b[x+8], b[x+24], b[x+40], b[x+56])
		top[x], bottom[x] = (e+o+round)>>shift, (e-o+round)>>shift
	}
	for y, w := range [...]*[8]int32{&top, &bottom} {
		const shift = constBits + passBits + 3 + 2
		const round = 1<<(shift-1) + 128<<shift
		e, o := w[0]<<(constBits+2), odd(w[1], w[3], w[5], w[7])
		row := out[y*stride:][:2]
		row[0], row[1] = clamp((e+o+round)>>shift), clamp((e-o+round)>>shift)
	}
	clear(b[:])
}

// odd is the odd part of two samples.
func odd(x1, x3, x5, x7 int32) int32 {
	return x1*fix3624509785 - x3*fix1272758580 + x5*fix0850430095 - x7*fix0720959822
}
