package jpeg

import "regraft/photo/pixel"

// output hands out the rows of the picture, in order, as the planes come to hold them.
type output struct {
	d       *decoder
	lines   []upsampler // of the components
	samples [][]uint8
	convert func(rgb []uint8, lines [][]uint8)
	rgb     []uint8
	next    int // row
	sink    func(y int, rgb []uint8)
}

// output prepares the way from planes to rows.
func (d *decoder) output(sink func(y int, rgb []uint8)) *output {
	o := &output{
		d: d, samples: make([][]uint8, len(d.components)), convert: d.conversion(),
		rgb: make([]uint8, 3*d.area.Dx()), next: d.area.Min.Y, sink: sink,
	}
	for i := range d.components {
		o.lines = append(o.lines, d.upsampler(&d.components[i]))
	}
	return o
}

// upTo hands out the rows before row end that the area has.
func (o *output) upTo(end int) {
	for ; o.next < min(end, o.d.area.Max.Y); o.next++ {
		for i, line := range o.lines {
			o.samples[i] = line(o.next)
		}
		o.convert(o.rgb, o.samples)
		o.sink(o.next, o.rgb)
	}
}

// unitDone hands out what can be shown once a row of units has been decoded that ends before row end of the picture: a line
// that is blended with the one below waits for it.
func (o *output) unitDone(end int) {
	for i := range o.d.components {
		if o.d.components[i].down > 1 {
			end--
			break
		}
	}
	o.upTo(end)
}

// show writes the samples of a block into the plane where the area needs them, and empties the block.
func (c *component) show(block *pixel.Block, x, y int) {
	extent := uint8(block.Extent)
	block.Next, block.Extent = 0, 0
	if !c.shows(x, y) {
		if block.Values[0] = 0; extent != 0 {
			clear(block.Values[:])
		}
		return
	}
	out := c.plane[y*c.size&c.mask*c.stride+x*c.size:]
	if c.size == 8 {
		pixel.Inverse(&block.Values, extent, out, c.stride)
	} else {
		pixel.Reduced(c.size, &block.Values, extent, out, c.stride)
	}
}

// shows is whether the area needs samples of the block at (x, y).
func (c *component) shows(x, y int) bool {
	return x >= c.blocks.Min.X && x < c.blocks.Max.X && y >= c.blocks.Min.Y && y < c.blocks.Max.Y
}
