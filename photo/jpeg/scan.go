package jpeg

import (
	"fmt"
	"slices"
)

// readScans reads everything after the frame header: until all components
// are there (sequential files), or until the end of the image.
func (d *decoder) readScans() error {
	for {
		mark, err := d.nextMarker()
		switch {
		case err != nil:
			return err
		case mark == markEOI:
			return d.missing()
		case mark != markSOS:
			if err := d.readHeader(mark); err != nil {
				return err
			}
			continue
		}
		if err := d.readScan(); err != nil {
			return err
		}
		if !d.progressive && d.missing() == nil {
			return nil
		}
	}
}

// missing is an error where a component is in no scan. libjpeg would show it
// as grey.
func (d *decoder) missing() error {
	for i := range d.components {
		if !d.components[i].scanned {
			return fmt.Errorf("no scan holds component %d of %d", i+1, len(d.components))
		}
	}
	return nil
}

// maxScans bounds the work that a small file can ask for. Encoders use about ten.
const maxScans = 100

// scan is the header of one scan (T.81 B.2.3).
type scan struct {
	components []*component
	dc, ac     []*huffman // per component
	start, end int        // of the spectral band
	high, low  uint       // of the successive approximation
}

func (d *decoder) readScan() error {
	if d.scans++; d.scans > maxScans {
		return unsupported("more than %d scans", maxScans)
	}
	if !d.progressive && d.scans == 1 {
		d.addStandardTables()
	}
	s, err := d.readScanHeader()
	if err != nil {
		return err
	}
	decode := d.decodeBlock
	if d.progressive {
		if decode, err = d.progressiveBlock(s); err != nil {
			return err
		}
	}
	together := !d.progressive && len(s.components) == len(d.components)
	for i, c := range s.components {
		if err := d.open(c, together); err != nil {
			return err
		}
		if needsDC := !d.progressive || s.start == 0 && s.high == 0; needsDC && s.dc[i] == nil {
			return errSegment
		}
		if needsAC := !d.progressive || s.start > 0; needsAC && s.ac[i] == nil {
			return errSegment
		}
		if !d.progressive {
			c.coding.DC, c.coding.AC = s.dc[i].codes(), s.ac[i].codes()
		}
	}
	if together {
		d.out = d.output(d.sink)
	}
	return d.runIntervals(s, decode)
}

func (d *decoder) readScanHeader() (*scan, error) {
	body, err := d.segment()
	if err != nil {
		return nil, err
	}
	if len(body) < 1 || len(body) < 4+2*int(body[0]) || body[0] < 1 || body[0] > 4 {
		return nil, errSegment
	}
	s := &scan{}
	n := int(body[0])
	if n < len(d.components) && d.namesShared() {
		return nil, unsupported("several components of one name in several scans")
	}
	for i := range n {
		id, tables := body[1+2*i], body[2+2*i]
		c := d.component(id, s.components)
		if c == nil || tables>>4 > 3 || tables&15 > 3 {
			return nil, errSegment
		}
		s.components = append(s.components, c)
		s.dc, s.ac = append(s.dc, d.dc[tables>>4]), append(s.ac, d.ac[tables&15])
	}
	last := body[1+2*n:]
	s.start, s.end, s.high, s.low = int(last[0]), int(last[1]), uint(last[2]>>4), uint(last[2]&15)
	blocks := 0
	for _, c := range s.components {
		blocks += c.h * c.v
	}
	if n > 1 && blocks > 10 {
		return nil, errSegment // T.81 B.2.3
	}
	return s, nil
}

func (d *decoder) namesShared() bool {
	seen := [256]bool{}
	for _, c := range d.components {
		if seen[c.id] {
			return true
		}
		seen[c.id] = true
	}
	return false
}

// component finds the component that a scan names. Where several share a name,
// as some cameras write, they come in the order of the frame: the first counts
// that is not taken.
func (d *decoder) component(id uint8, taken []*component) *component {
	for i := range d.components {
		if c := &d.components[i]; c.id == id && !slices.Contains(taken, c) {
			return c
		}
	}
	return nil
}

// open makes the component ready for a scan. The quantisation table counts
// that is there at its first scan. The plane holds two rows of units where it is shown as it fills.
func (d *decoder) open(c *component, shown bool) error {
	if c.scanned {
		if !d.progressive {
			return errSegment
		}
		return nil
	}
	c.scanned = true
	if c.quant = d.quant[c.table]; c.quant == nil {
		return errSegment
	}
	c.coding.Steps = newSteps(c.quant)
	lines := c.size * c.blockRows
	c.mask = -1
	if d.progressive {
		c.coef = make([]int16, 64*c.blockStride*c.blockRows)
	}
	if d.progressive || shown {
		for lines = c.size; lines < 2*c.size*c.v; {
			lines *= 2
		}
		c.mask = lines - 1
	}
	c.plane = make([]uint8, c.stride*lines)
	return nil
}

// blockDecoder decodes the block at (x, y), in blocks, of the i-th component of a scan.
type blockDecoder func(s *scan, i, x, y int) error

// runIntervals decodes all MCUs of a scan, from one restart marker to the next.
func (d *decoder) runIntervals(s *scan, decode blockDecoder) error {
	first := s.components[0]
	wide, high := first.blocksWide, first.blocksHigh
	if len(s.components) > 1 {
		wide, high = first.blockStride/first.h, first.blockRows/first.v
	}
	interval := d.restart
	if interval == 0 {
		interval = wide * high
	}
	marker := uint8(markRST0)
	for at := 0; at < wide*high; at += interval {
		if at > 0 {
			if err := d.readRestart(marker); err != nil {
				return err
			}
			marker = markRST0 + (marker+1)&7
		}
		d.bits.start(d.data, d.pos)
		for _, c := range s.components {
			c.coding.Predicted = 0
		}
		d.ended = 0
		if err := d.runInterval(s, decode, at, min(at+interval, wide*high), wide, high); err != nil {
			return err
		}
		d.pos = d.bits.at
	}
	return nil
}

// readRestart skips the restart marker that must stand at pos.
func (d *decoder) readRestart(want uint8) error {
	got, err := d.nextMarker()
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("restart marker %d is missing", want-markRST0)
	}
	return nil
}

// runInterval decodes the MCUs from..to-1 of a scan of wide x high MCUs.
func (d *decoder) runInterval(s *scan, decode blockDecoder, from, to, wide, high int) error {
	short := false
	for at := from; at < to; at++ {
		if err := runMCU(s, decode, at%wide, at/wide); err != nil {
			return err
		}
		if !short && d.bits.overrun() {
			if err := d.judgeShort(s, at, wide, high); err != nil {
				return err
			}
			short, decode = true, d.skipBlock
		}
		if d.out != nil && (at+1)%wide == 0 {
			d.out.unitDone((at + 1) / wide * d.linesOf(s))
		}
	}
	return nil
}

// linesOf is the height of the MCUs of a scan that holds all components, in lines of the picture.
func (d *decoder) linesOf(s *scan) int {
	if len(s.components) == 1 {
		return s.components[0].size
	}
	return d.vMax * 8 / d.reduce
}

func runMCU(s *scan, decode blockDecoder, x, y int) error {
	if len(s.components) == 1 {
		return decode(s, 0, x, y)
	}
	for i, c := range s.components {
		for j := range c.v {
			for k := range c.h {
				if err := decode(s, i, x*c.h+k, y*c.v+j); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// judgeShort judges a scan of wide x high MCUs whose data ends within the MCU
// at. libjpeg goes on with zeros to the end of that MCU and leaves out those
// behind it. We do so where a few bytes are missing at the end of the image, and
// call more an error: it may cost the last MCU or a sixteenth of the last row,
// and all of that row where the scan refines a picture that is there already.
func (d *decoder) judgeShort(s *scan, at, wide, high int) error {
	allowed := 1 + wide/16
	if s.start > 0 || s.high > 0 {
		allowed = wide
	}
	d.pos = d.bits.at
	switch {
	case d.pos >= len(d.data):
		return errTruncated
	case at == 0 || wide*high-at > allowed || !d.endFollows():
		return errShort
	}
	return nil
}

// endFollows is whether the marker at pos ends the image.
func (d *decoder) endFollows() bool {
	rest := d.data[d.pos:]
	for len(rest) > 0 && rest[0] == 0xff {
		rest = rest[1:]
	}
	return len(rest) > 0 && rest[0] == markEOI
}

// skipBlock stands for a block without data: grey in sequential files, what
// the scans before told in progressive ones.
func (d *decoder) skipBlock(s *scan, i, x, y int) error {
	if !d.progressive {
		s.components[i].show(&d.block, x, y)
	}
	return nil
}
