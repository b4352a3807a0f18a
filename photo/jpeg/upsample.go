package jpeg

import "encoding/binary"

// upsampler returns line y of the picture, d.width samples of one component.
// The line is valid until the next call.
type upsampler func(y int) []uint8

// upsampler chooses the filter as libjpeg does (jdsample.c): triangle filters
// for ratios of 2, repetition for others and for planes too narrow.
func (d *decoder) upsampler(c *component) upsampler {
	across, down := d.hMax/c.h, d.vMax/c.v
	line := func(y int) []uint8 { return c.plane[y*c.stride:][:c.width] }
	switch {
	case across == 1 && down == 1:
		return line
	case across == 2 && down == 1 && c.width > 2:
		out := make([]uint8, 2*c.width)
		return func(y int) []uint8 {
			// With the same line twice this is (3a + b + 1) / 4 to the left and (3a + b + 2) / 4 to the right.
			doubleWidth(out, line(y), line(y), 4, 8)
			return out[:d.width]
		}
	case across == 1 && down == 2:
		out := make([]uint8, c.width)
		return func(y int) []uint8 {
			near, far := c.neighbours(y)
			doubleHeight(out, line(near), line(far), 1+y%2)
			return out
		}
	case across == 2 && down == 2 && c.width > 2:
		out := make([]uint8, 2*c.width)
		return func(y int) []uint8 {
			near, far := c.neighbours(y)
			doubleWidth(out, line(near), line(far), 8, 7)
			return out[:d.width]
		}
	}
	out := make([]uint8, c.width*across)
	return func(y int) []uint8 {
		for x, v := range line(y / down) {
			for i := range across {
				out[x*across+i] = v
			}
		}
		return out[:d.width]
	}
}

// neighbours returns the line of a plane of half height that line y falls on,
// and the nearer one of those beside it.
func (c *component) neighbours(y int) (near, far int) {
	near = y / 2
	return near, min(max(near+y%2*2-1, 0), c.height-1)
}

// doubleHeight is 3/4 of the near and 1/4 of the far line.
func doubleHeight(out, near, far []uint8, bias int) {
	for i := range out {
		out[i] = uint8((3*int(near[i]) + int(far[i]) + bias) >> 2)
	}
}

// Four 16-bit lanes in a word.
const (
	ones     = 0x0001_0001_0001_0001
	lowBytes = 0x00ff * ones
)

// doubleWidth blends the lines, 3/4 near and 1/4 far, and puts two samples at
// the places 1/4 and 3/4 of every sample of the blend: 3/4 of it and 1/4 of the
// one to that side, or of itself at the ends. The biases round the two.
func doubleWidth(out, near, far []uint8, biasLeft, biasRight uint64) {
	last := len(near) - 1
	blend := func(i int) uint64 {
		i = min(i, last)
		return 3*uint64(near[i]) + uint64(far[i])
	}
	left := blend(0)
	i := 0
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
