package jpeg

// decodeBlock decodes one block of a sequential scan into its plane.
func (d *decoder) decodeBlock(s *scan, i, x, y int) error {
	c := s.components[i]
	size := s.dc[i].symbol(&d.bits)
	if size < 0 || size > 15 {
		return errCode
	}
	c.predicted += extend(d.bits.take(size), size)
	d.block[0] = c.predicted * int32(c.quant[0])
	extent, ok := d.decodeAC(s.ac[i], c.quant)
	if !ok && !d.bits.overrun() {
		return errCode
	}
	inverse(&d.block, extent, c.plane[8*(y*c.stride+x):], c.stride)
	return nil
}

// decodeAC decodes the coefficients after the first and multiplies them by the
// quantiser. The extent is that of inverse. It is not ok where they leave the
// block, but may past the end of the data, where libjpeg takes the last place.
func (d *decoder) decodeAC(h *huffman, quant *[64]uint16) (extent uint8, ok bool) {
	b := &d.bits
	k := 1
	for k < 64 {
		if b.n < 32 {
			b.fill()
		}
		e := h.whole[b.acc>>(64-fastBits)]
		var run int
		var value int32
		if e != 0 {
			b.acc <<= e & 0x3f
			b.n -= int(e & 0x3f)
			run, value = int(e>>8&0xff), e>>16
			if run == endOfBlock {
				return extent, true
			}
		} else {
			symbol := h.symbol(b)
			if symbol <= 0 {
				return extent, symbol == 0
			}
			size := symbol & 15
			run = symbol >> 4
			if size == 0 && run < 15 {
				return extent, false
			}
			value = extend(b.take(size), size)
		}
		k += run
		at := zigzag[uint8(k)]
		d.block[at] = value * int32(quant[at])
		extent |= at
		k++
	}
	return extent, k == 64
}
