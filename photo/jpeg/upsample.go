package jpeg

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
			doubleWidth(out, line(y))
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
		out, sums := make([]uint8, 2*c.width), make([]int32, c.width)
		return func(y int) []uint8 {
			near, far := c.neighbours(y)
			doubleBoth(out, sums, line(near), line(far))
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

// doubleWidth puts two samples at the places 1/4 and 3/4 of every input sample.
func doubleWidth(out, in []uint8) {
	last := len(in) - 1
	out[0] = in[0]
	out[1] = uint8((3*int32(in[0]) + int32(in[1]) + 2) >> 2)
	for i := 1; i < last; i++ {
		v := 3 * int32(in[i])
		out[2*i] = uint8((v + int32(in[i-1]) + 1) >> 2)
		out[2*i+1] = uint8((v + int32(in[i+1]) + 2) >> 2)
	}
	out[2*last] = uint8((3*int32(in[last]) + int32(in[last-1]) + 1) >> 2)
	out[2*last+1] = in[last]
}

// doubleHeight is 3/4 of the near and 1/4 of the far line.
func doubleHeight(out, near, far []uint8, bias int) {
	for i := range out {
		out[i] = uint8((3*int(near[i]) + int(far[i]) + bias) >> 2)
	}
}

// doubleBoth is doubleWidth of 3/4 of the near and 1/4 of the far line.
func doubleBoth(out []uint8, sums []int32, near, far []uint8) {
	far, sums = far[:len(near)], sums[:len(near)]
	for i, v := range near {
		sums[i] = 3*int32(v) + int32(far[i])
	}
	last := len(near) - 1
	out = out[:2*last+2]
	left, here := sums[0], sums[0]
	for i, right := range sums[1:] {
		pair := out[2*i : 2*i+2 : 2*i+2]
		pair[0] = uint8((3*here + left + 8) >> 4)
		pair[1] = uint8((3*here + right + 7) >> 4)
		left, here = here, right
	}
	out[2*last] = uint8((3*here + left + 8) >> 4)
	out[2*last+1] = uint8((4*here + 7) >> 4)
}
