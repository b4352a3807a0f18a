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
	extent, ok := d.decodeAC(s.ac[i], c.quant)
	if !ok && !d.bits.overrun() {
		return errCode
	}
	c.show(&d.block, extent, x, y)
	return nil
}

// decodeAC decodes the coefficients after the first and multiplies them by the
// quantiser. The extent is that of pixel.Inverse. It is not ok where they leave the
// block, but may past the end of the data, where libjpeg takes the last place.
func (d *decoder) decodeAC(h *huffman, quant *[64]uint16) (extent uint8, ok bool) {
	b, block := &d.bits, &d.block
	acc, n, pos, data := b.acc, b.n, b.pos, b.data // in registers: most of the time is spent here
	k := 1
	for k < 64 {
		if n < 32 { // a code of 16 bits and 15 bits of a value
			if pos+8 <= len(data) {
				acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
				pos += (63 - n) >> 3
				n |= 56
			} else {
				b.acc, b.n, b.pos = acc, n, pos
				b.fill()
				acc, n, pos, data = b.acc, b.n, b.pos, b.data
			}
		}
		var value int32
		if e := h.whole[acc>>(64-fastBits)]; e != 0 {
			acc <<= e & 0x3f
			n -= int(e & 0x3f)
			if k += int(e >> 8 & 0xff); k >= endOfBlock {
				ok = true
				break
			}
			value = e >> 16
		} else {
			symbol, length := h.look(acc)
			acc <<= length & 63
			n -= length
			run, size := symbol>>4, symbol&15
			if symbol <= 0 || size == 0 && run < 15 {
				ok = symbol == 0
				break
			}
			value = extend(int32(acc>>1>>(63-size)), size)
			acc <<= size
			n -= size
			k += run
		}
		at := zigzag[uint8(k)]
		block[at] = value * int32(quant[at])
		extent |= at
		k++
	}
	b.acc, b.n, b.pos = acc, n, pos
	return extent, ok || k == 64
}
