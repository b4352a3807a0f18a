package pixel

import "encoding/binary"

// DoubleHeight is 3/4 of the near and 1/4 of the far line (jdsample.c); the bias rounds.
func DoubleHeight(out, near, far []uint8, bias int) {
	i := 0
	if n := len(out) &^ (lanes - 1); assembly && n > 0 {
		_, _ = near[n-1], far[n-1]
		doubleHeightAssembly(&out[0], &near[0], &far[0], bias, n)
		i = n
	}
	for ; i < len(out); i++ {
		out[i] = uint8((3*int(near[i]) + int(far[i]) + bias) >> 2)
	}
}

// DoubleWidth blends the lines, 3/4 near and 1/4 far, and puts two samples at
// the places 1/4 and 3/4 of every sample of the blend: 3/4 of it and 1/4 of the
// one to that side, or of itself at the ends. The biases round the two; out has
// twice the samples.
func DoubleWidth(out, near, far []uint8, biasLeft, biasRight uint64) {
	far, out = far[:len(near)], out[:2*len(near)]
	from := 0
	if n := (len(near) - 2) &^ (lanes - 1); assembly && n > 0 {
		doubleWidth(out, near[:2], far[:2], biasLeft, biasRight, 0)
		doubleWidthAssembly(&out[2], &near[1], &far[1], int(biasLeft), int(biasRight), n)
		from = n + 1
	}
	doubleWidth(out, near, far, biasLeft, biasRight, from)
}

// Four 16-bit lanes in a word.
const (
	ones     = 0x0001_0001_0001_0001
	lowBytes = 0x00ff * ones
)

// doubleWidth is the plain form, from sample i on.
func doubleWidth(out, near, far []uint8, biasLeft, biasRight uint64, i int) {
	last := len(near) - 1
	blend := func(i int) uint64 {
		i = min(max(i, 0), last)
		return 3*uint64(near[i]) + uint64(far[i])
	}
	left := blend(i - 1)
	for ; i+8 <= len(near); i += 8 {
		n, f := binary.LittleEndian.Uint64(near[i:]), binary.LittleEndian.Uint64(far[i:])
		// The blends of samples i, i+2, i+4, i+6, and those of i+1, i+3, i+5, i+7.
		even := 3*(n&lowBytes) + f&lowBytes
		odd := 3*(n>>8&lowBytes) + f>>8&lowBytes
		beforeEven, afterOdd := odd<<16|left, even>>16|blend(i+8)<<48
		left = odd >> 48
		a := (3*even+beforeEven+biasLeft*ones)>>4&lowBytes | (3*even+odd+biasRight*ones)>>4&lowBytes<<8
		b := (3*odd+even+biasLeft*ones)>>4&lowBytes | (3*odd+afterOdd+biasRight*ones)>>4&lowBytes<<8
		o := out[2*i : 2*i+16 : 2*i+16]
		binary.LittleEndian.PutUint64(o, spread(a)|spread(b)<<16)
		binary.LittleEndian.PutUint64(o[8:], spread(a>>32)|spread(b>>32)<<16)
	}
	for ; i < len(near); i++ {
		here, right := blend(i), blend(i+1)
		out[2*i] = uint8((3*here + left + biasLeft) >> 4)
		out[2*i+1] = uint8((3*here + right + biasRight) >> 4)
		left = here
	}
}

// spread moves the two low 16-bit lanes to the places 0 and 2.
func spread(v uint64) uint64 { return v&0xffff | v&0xffff0000<<16 }
