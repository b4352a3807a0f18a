package jpeg

import "regraft/photo/pixel"

// upsampler returns line y of the picture, the samples of one component within
// the area. The line is valid until the next call.
type upsampler func(y int) []uint8

// upsampler chooses the filter as libjpeg does (jdsample.c): triangle filters
// for ratios of 2, repetition for others, for planes too narrow and at 1/8.
func (d *decoder) upsampler(c *component) upsampler {
	triangle := d.reduce < 8
	line := func(y int) []uint8 {
		at := y & c.mask * c.stride
		return c.plane[at+c.samples.Min.X : at+c.samples.Max.X]
	}
	out := make([]uint8, c.samples.Dx()*c.across)
	cut := out[d.area.Min.X-c.samples.Min.X*c.across:][:d.area.Dx()]
	switch {
	case c.across == 1 && c.down == 1:
		return line
	case c.across == 2 && c.down == 1 && triangle && c.width > 2:
		return func(y int) []uint8 {
			// With the same line twice this is (3a + b + 1) / 4 to the left and (3a + b + 2) / 4 to the right.
			pixel.DoubleWidth(out, line(y), line(y), 4, 8)
			return cut
		}
	case c.across == 1 && c.down == 2 && triangle:
		return func(y int) []uint8 {
			near, far := c.neighbours(y)
			pixel.DoubleHeight(out, line(near), line(far), 1+y%2)
			return cut
		}
	case c.across == 2 && c.down == 2 && triangle && c.width > 2:
		return func(y int) []uint8 {
			near, far := c.neighbours(y)
			pixel.DoubleWidth(out, line(near), line(far), 8, 7)
			return cut
		}
	}
	return func(y int) []uint8 {
		for x, v := range line(y / c.down) {
			for i := range c.across {
				out[x*c.across+i] = v
			}
		}
		return cut
	}
}

// neighbours returns the line of a plane of half height that line y falls on,
// and the nearer one of those beside it.
func (c *component) neighbours(y int) (near, far int) {
	near = y / 2
	return near, min(max(near+y%2*2-1, 0), c.height-1)
}
