package jpeg

import "regraft/photo/pixel"

// decodeBlock decodes one block of a sequential scan into its plane.
func (d *decoder) decodeBlock(s *scan, i, x, y int) error {
	c := s.components[i]
	difference, ok := s.dc[i].difference(&d.bits)
	if !ok {
		return errCode
	}
	c.predicted += difference
	d.block[0] = c.predicted * int32(c.quant[0])
	extent, ok := d.decodeAC(s.ac[i], c.steps)
	if !ok && !d.bits.overrun() {
		return errCode
	}
	c.show(&d.block, extent, x, y)
	return nil
}

func newSteps(quant *[64]uint16) *pixel.Steps {
	s := new(pixel.Steps)
	for k, at := range zigzag {
		s[k] = uint32(quant[at])<<8 | uint32(at)
	}
	return s
}

// decodeAC decodes the coefficients after the first and multiplies them by the
// quantiser. The extent is that of pixel.Inverse. It is not ok where they leave the
// block, but may past the end of the data, where libjpeg takes the last place.
func (d *decoder) decodeAC(h *huffman, steps *pixel.Steps) (extent uint8, ok bool) {
	b, k := &d.bits, 1
	for k < 64 {
		k, extent = b.Coefficients(&h.whole, steps, &d.block, k, extent)
		if k >= 64 {
			return extent, true
		}
		if b.N < 32 { // a code of 16 bits and 15 bits of a value
			b.fill()
		}
		symbol := h.symbol(b)
		run, size := symbol>>4, symbol&15
		if symbol <= 0 || size == 0 && run < 15 {
			return extent, symbol == 0
		}
		k += run
		step := steps[uint8(k)]
		d.block[step%64] = extend(b.take(size), size) * int32(step>>8)
		extent |= uint8(step)
		k++
	}
	return extent, k == 64
}
