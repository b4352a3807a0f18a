package jpeg

import "regraft/photo/pixel"

// decodeBlock decodes one block of a sequential scan into its plane.
func (d *decoder) decodeBlock(s *scan, i, x, y int) error {
	c := s.components[i]
	decode := (*pixel.Bits).Skip
	if c.shows(x, y) {
		decode = (*pixel.Bits).Decode
	}
	for d.block.Next < 64 {
		if decode(&d.bits.Bits, &c.coding, &d.block); d.block.Next < 64 && !d.decodeNext(s.dc[i], s.ac[i], &c.coding) {
			return errCode
		}
	}
	c.show(&d.block, x, y)
	return nil
}

func newSteps(quant *[64]uint16) (s pixel.Steps) {
	for k, at := range zigzag {
		s[k] = pixel.Step{Size: int32(quant[at]), Place: uint32(at)}
	}
	return s
}

// decodeNext decodes the next coefficient of the block, or its end. It is not ok where that leaves the
// block, but may past the end of the data, where libjpeg takes the last place.
func (d *decoder) decodeNext(dc, ac *huffman, c *pixel.Coding) (ok bool) {
	b, block := &d.bits, &d.block
	if block.Next == 0 {
		difference, ok := dc.difference(b)
		c.Predicted += difference
		block.Values[0] = c.Predicted * c.Steps[0].Size
		block.Next = 1
		return ok
	}
	if b.N < 32 { // a code of 16 bits and 15 bits of a value
		b.fill()
	}
	symbol := ac.symbol(b)
	run, size := symbol>>4, symbol&15
	if symbol <= 0 || size == 0 && run < 15 {
		block.Next = pixel.EndOfBlock
		return symbol == 0 || b.overrun()
	}
	k := block.Next + run
	step := c.Steps[uint8(k)]
	block.Values[step.Place%64] = extend(b.take(size), size) * step.Size
	block.Extent |= int(step.Place)
	block.Next = k + 1
	return k < 64 || b.overrun()
}
