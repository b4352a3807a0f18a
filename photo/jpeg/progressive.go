package jpeg

// unseen is the successive approximation of a coefficient before its first scan.
const unseen = -1

// progressiveBlock chooses how the blocks of a scan are decoded, and checks
// that the scan refines what came before it.
func (d *decoder) progressiveBlock(s *scan) (blockDecoder, error) {
	dc := s.start == 0
	switch {
	case dc && s.end != 0, !dc && (s.end < s.start || s.end > 63 || len(s.components) != 1):
		return nil, errSegment
	case s.low > 13 || s.high != 0 && s.high != s.low+1:
		return nil, errSegment
	}
	for _, c := range s.components {
		if !dc && c.bitsLeft[0] == unseen {
			return nil, errSegment
		}
		for k := s.start; k <= s.end; k++ {
			if known := c.bitsLeft[k]; s.high == 0 && known != unseen || s.high > 0 && known != int8(s.high) {
				return nil, errSegment
			}
			c.bitsLeft[k] = int8(s.low)
		}
	}
	switch {
	case dc && s.high == 0:
		return d.firstDC, nil
	case dc:
		return d.refineDC, nil
	case s.high == 0:
		return d.firstAC, nil
	}
	return d.refineAC, nil
}

// coefficients returns the block at (x, y).
func (c *component) coefficients(x, y int) *[64]int16 {
	at := 64 * (y*c.blockStride + x)
	return (*[64]int16)(c.coef[at : at+64])
}

func (d *decoder) firstDC(s *scan, i, x, y int) error {
	c := s.components[i]
	difference, ok := s.dc[i].difference(&d.bits)
	if !ok {
		return errCode
	}
	c.coding.Predicted += difference
	c.coefficients(x, y)[0] = int16(c.coding.Predicted << s.low)
	return nil
}

func (d *decoder) refineDC(s *scan, i, x, y int) error {
	if d.bits.take(1) == 1 {
		s.components[i].coefficients(x, y)[0] |= 1 << s.low
	}
	return nil
}

// endRun decodes how many blocks an end-of-band symbol of this run ends,
// besides the present one.
func (d *decoder) endRun(run int) int { return 1<<run + int(d.bits.take(run)) - 1 }

func (d *decoder) firstAC(s *scan, i, x, y int) error {
	if d.ended > 0 {
		d.ended--
		return nil
	}
	block := s.components[i].coefficients(x, y)
	for k := s.start; k <= s.end; k++ {
		symbol := s.ac[i].symbol(&d.bits)
		if symbol < 0 {
			return errCode
		}
		run, size := symbol>>4, symbol&15
		if size == 0 && run < 15 {
			d.ended = d.endRun(run)
			return nil
		}
		value := extend(d.bits.take(size), size)
		if k += run; k > s.end && !d.bits.overrun() {
			return errCode
		}
		block[zigzag[k]] = int16(value << s.low)
	}
	return nil
}

func (d *decoder) refineAC(s *scan, i, x, y int) error {
	block := s.components[i].coefficients(x, y)
	k := s.start
	if d.ended > 0 {
		d.ended--
		d.correct(block, k, s.end, s.end, s.low)
		return nil
	}
	for k <= s.end {
		symbol := s.ac[i].symbol(&d.bits)
		if symbol < 0 {
			return errCode
		}
		run, size := symbol>>4, symbol&15
		value := int16(0)
		switch {
		case size == 1:
			value = -1 << s.low
			if d.bits.take(1) == 1 {
				value = 1 << s.low
			}
		case size > 1:
			return errCode
		case run < 15:
			d.ended = d.endRun(run)
			d.correct(block, k, s.end, s.end, s.low)
			return nil
		}
		k = d.correct(block, k, s.end, run, s.low)
		if value != 0 {
			if k > s.end && !d.bits.overrun() {
				return errCode
			}
			block[zigzag[k]] = value
		}
		k++
	}
	return nil
}

// correct reads a correction bit for each coefficient from k on that is not
// zero, until it has passed zeros zero ones; it returns the place of the next
// zero, or end+1.
func (d *decoder) correct(block *[64]int16, k, end, zeros int, low uint) int {
	for ; k <= end; k++ {
		at := zigzag[k]
		v := block[at]
		if v == 0 {
			if zeros == 0 {
				return k
			}
			zeros--
			continue
		}
		if d.bits.take(1) == 0 || v&(1<<low) != 0 {
			continue
		}
		if v > 0 {
			block[at] += 1 << low
		} else {
			block[at] -= 1 << low
		}
	}
	return k
}

// reconstruct turns the coefficients of all blocks into samples, and shows them.
func (d *decoder) reconstruct() {
	block := (*component).coefficients
	if d.unfinished() {
		block = (*component).smoothed
	}
	for unit := range ceilDiv(d.height, 8*d.vMax) {
		for i := range d.components {
			c := &d.components[i]
			for y := unit * c.v; y < min((unit+1)*c.v, c.blocks.Max.Y); y++ {
				for x := c.blocks.Min.X; x < c.blocks.Max.X; x++ {
					d.dequantise(block(c, x, y), c.quant)
					c.show(&d.block, x, y)
				}
			}
		}
		d.out.unitDone((unit + 1) * d.vMax * 8 / d.reduce)
	}
}

// dequantise fills the block.
func (d *decoder) dequantise(coefficients *[64]int16, quant *[64]uint16) {
	extent := 0
	for k, v := range coefficients {
		if v != 0 {
			d.block.Values[k] = int32(v) * int32(quant[k])
			extent |= k
		}
	}
	d.block.Extent = extent
}
