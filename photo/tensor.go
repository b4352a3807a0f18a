package photo

// write puts the pixels into dst (3, Size, Size), centred; what they leave
// free is zero, the mean colour.
func (p Preprocess) write(m *Image, dst []float32) {
	tables := p.tables()
	if m.W < p.Size || m.H < p.Size {
		clear(dst)
	}
	left, top := (p.Size-m.W)/2, (p.Size-m.H)/2
	for c := range 3 {
		table, plane := &tables[c], dst[c*p.Size*p.Size:]
		for y := range m.H {
			row := m.row(y)[c:]
			out := plane[(top+y)*p.Size+left:][:m.W]
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
