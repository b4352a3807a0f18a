package photo

// samples says which of a pixel's R, G, B every channel of the tensor is.
var samples = map[ChannelOrder][]int{"": {0, 1, 2}, RGB: {0, 1, 2}, BGR: {2, 1, 0}, Gray: {0}}

// write puts the pixels into dst (C, H, W), centred; what they leave
// free is zero, the mean colour.
func (p Preprocess) write(m *Image, dst []float32) {
	tables := p.tables()
	height, width := p.Size.H, p.Size.W
	if m.W < width || m.H < height {
		clear(dst)
	}
	left, top := (width-m.W)/2, (height-m.H)/2
	for c, sample := range samples[p.Channels] {
		table, plane := &tables[c], dst[c*height*width:]
		for y := range m.H {
			row := m.row(y)[sample:]
			out := plane[(top+y)*width+left:][:m.W]
			for x := range out {
				out[x] = table[row[3*x]]
			}
		}
	}
}

// tables holds the network's value of every pixel value per channel, in
// float32 and in PyTorch's order: rescale, subtract, divide.
func (p Preprocess) tables() (t [3][256]float32) {
	for c := range t {
		for v := range t[c] {
			x := float32(float64(v) * p.Rescale)
			t[c][v] = (x - p.Mean[c]) / p.Std[c]
		}
	}
	return t
}

// grayRow writes the row of pixels with all three samples their luma, 0.299 R + 0.587 G + 0.114 B, rounded as
// Pillow's convert("L") rounds it, and returns it; greys stay as they are.
func grayRow(out, row []uint8) []uint8 {
	out = out[:len(row)]
	for i := 0; i < len(row); i += 3 {
		l := luma(row[i:])
		out[i], out[i+1], out[i+2] = l, l, l
	}
	return out
}

// luma is that of the pixel at the beginning of rgb.
func luma(rgb []uint8) uint8 {
	const r, g, b, half = 19595, 38470, 7471, 1 << 15 // of 1 << 16
	return uint8((r*uint32(rgb[0]) + g*uint32(rgb[1]) + b*uint32(rgb[2]) + half) >> 16)
}
