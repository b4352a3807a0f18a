package jpeg

import "encoding/binary"

// decodeBlock decodes one block of a sequential scan into its plane.
func (d *decoder) decodeBlock(s *scan, i, x, y int) error {
	c := s.components[i]
	size := s.dc[i].symbol(&d.bits)
	if size < 0 || size > 15 {
		return errCode
	}
	c.predicted += extend(d.bits.take(size), size)
	d.block[0] = c.predicted * int32(c.quant[0])
	extent, ok := d.decodeAC(s.ac[i], c.steps)
	if !ok && !d.bits.overrun() {
		return errCode
	}
	c.show(&d.block, extent, x, y)
	return nil
}

// steps hold the places of the coefficients, in scan order, and from bit 8 on their quantisation steps. Entries past
// 63 catch runs that leave the block, as in libjpeg.
type steps [256]uint32

func newSteps(quant *[64]uint16) *steps {
	s := new(steps)
	for k, at := range zigzag {
		s[k] = uint32(quant[at])<<8 | uint32(at)
	}
	return s
}

// decodeAC decodes the coefficients after the first and multiplies them by the
// quantiser. The extent is that of pixel.Inverse. It is not ok where they leave the
// block, but may past the end of the data, where libjpeg takes the last place.
func (d *decoder) decodeAC(h *huffman, steps *steps) (extent uint8, ok bool) {
	b, k := &d.bits, 1
	for k < 64 {
		k, extent = b.shortCodes(h, steps, &d.block, k, extent)
		if k >= 64 {
			return extent, true
		}
		if b.n < 32 { // a code of 16 bits and 15 bits of a value
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

// shortCodes decodes coefficients from place k on and returns the place of the next: past the block after its end, else where
// a code comes that is not in h.whole or leaves the block, or the chunk ends. Most of the time is spent here: five codes
// need no look at how many bits are left, which would be hard to predict.
func (b *bits) shortCodes(h *huffman, steps *steps, block *[64]int32, k int, extent uint8) (int, uint8) {
	acc, n, pos, data := b.acc, b.n, b.pos, b.data
	for pos+8 <= len(data) {
		acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
		pos += (63 - n) >> 3
		n |= 56
		for range 56 / fastBits {
			e := h.whole[acc>>(64-fastBits)]
			at := k + int(e>>8&0xff)
			if at >= 64 || e == 0 {
				if at >= endOfBlock && k < 64 {
					acc <<= e & 0x3f
					n -= int(e & 0x3f)
					k = at
				}
				b.acc, b.n, b.pos = acc, n, pos
				return k, extent
			}
			acc <<= e & 0x3f
			n -= int(e & 0x3f)
			step := steps[at]
			block[step%64] = e >> 16 * int32(step>>8)
			extent |= uint8(step)
			k = at + 1
		}
	}
	b.acc, b.n, b.pos = acc, n, pos
	return k, extent
}
