package jpeg

import (
	"fmt"
	"image"
)

// Markers (T.81 table B.1).
const (
	markSOF0  = 0xc0 // baseline
	markSOF1  = 0xc1 // extended sequential
	markSOF2  = 0xc2 // progressive
	markDHT   = 0xc4
	markJPG   = 0xc8
	markDAC   = 0xcc
	markSOF15 = 0xcf
	markRST0  = 0xd0
	markRST7  = 0xd7
	markSOI   = 0xd8
	markEOI   = 0xd9
	markSOS   = 0xda
	markDQT   = 0xdb
	markDNL   = 0xdc
	markDRI   = 0xdd
	markAPP0  = 0xe0
	markAPP14 = 0xee
	markAPP15 = 0xef
	markCOM   = 0xfe
	markTEM   = 0x01
)

// standsAlone is whether no segment follows the marker.
func standsAlone(mark uint8) bool {
	return mark == markTEM || mark >= markRST0 && mark <= markEOI
}

// nextMarker skips to the next marker and returns it. Bytes before it that
// belong to nothing are skipped, as libjpeg does.
func (d *decoder) nextMarker() (uint8, error) {
	for d.pos+1 < len(d.data) {
		if d.data[d.pos] != 0xff || d.data[d.pos+1] == 0xff || d.data[d.pos+1] == 0 {
			d.pos++
			continue
		}
		d.pos += 2
		return d.data[d.pos-1], nil
	}
	return 0, errTruncated
}

// segment returns the body of the header segment at pos and skips it. A length
// that does not even count its own two bytes gives nil: libjpeg passes over
// such a segment where it needs nothing of it.
func (d *decoder) segment() ([]byte, error) {
	if d.pos+2 > len(d.data) {
		return nil, errTruncated
	}
	n := int(d.data[d.pos])<<8 | int(d.data[d.pos+1])
	if n < 2 {
		d.pos += 2
		return nil, nil
	}
	if d.pos+n > len(d.data) {
		return nil, errTruncated
	}
	body := d.data[d.pos+2 : d.pos+n]
	d.pos += n
	return body, nil
}

// readFrame reads up to the frame header and that.
func (d *decoder) readFrame() error {
	if len(d.data) < 2 || d.data[0] != 0xff || d.data[1] != markSOI {
		return errMarker
	}
	d.pos = 2
	for len(d.components) == 0 {
		mark, err := d.nextMarker()
		if err != nil {
			return err
		}
		if mark == markSOS || mark == markEOI {
			return errMarker
		}
		if err := d.readHeader(mark); err != nil {
			return err
		}
	}
	return nil
}

// readHeader reads one segment that is neither a scan nor the end. What may follow a marker that T.81 reserves nobody knows; libjpeg
// refuses these as well, and a second beginning.
func (d *decoder) readHeader(mark uint8) error {
	switch {
	case mark == markSOI, mark > markTEM && mark < markSOF0, mark > markDRI && mark < markAPP0, mark > markAPP15 && mark != markCOM:
		return unsupported("marker %#02x among the header segments", mark)
	case standsAlone(mark):
		return nil
	}
	body, err := d.segment()
	if err != nil {
		return err
	}
	switch {
	case mark == markDHT:
		return d.readHuffman(body)
	case mark == markDQT:
		return d.readQuant(body)
	case mark == markDRI:
		if len(body) < 2 {
			return errSegment
		}
		d.restart = int(body[0])<<8 | int(body[1])
	case mark == markAPP0:
		d.jfif = d.jfif || len(body) >= 14 && string(body[:5]) == "JFIF\x00"
	case mark == markAPP14:
		if len(body) >= 12 && string(body[:5]) == "Adobe" {
			d.adobe = int(body[11])
		}
	case mark >= markSOF0 && mark <= markSOF15 && mark != markJPG && mark != markDAC:
		return d.readSOF(mark, body)
	}
	return nil
}

func (d *decoder) readQuant(body []byte) error {
	if body == nil {
		return errSegment
	}
	for len(body) > 0 {
		wide, id := int(body[0]>>4), body[0]&15
		if wide > 1 || id > 3 || len(body) < 1+64*(1+wide) {
			return errSegment
		}
		body = body[1:]
		table := new([64]uint16)
		for k := range table {
			if wide == 1 {
				table[zigzag[k]] = uint16(body[0])<<8 | uint16(body[1])
			} else {
				table[zigzag[k]] = uint16(body[0])
			}
			body = body[1+wide:]
		}
		d.quant[id] = table
	}
	return nil
}

func (d *decoder) readHuffman(body []byte) error {
	if body == nil {
		return errSegment
	}
	for len(body) > 0 {
		class, id := body[0]>>4, body[0]&15
		if class > 1 || id > 3 || len(body) < 17 {
			return errSegment
		}
		lengths := body[1:17]
		total := 0
		for _, n := range lengths {
			total += int(n)
		}
		if total > 256 || len(body) < 17+total {
			return errSegment
		}
		table, err := tableOf(lengths, body[17:17+total], class == 1)
		if err != nil {
			return err
		}
		if class == 0 {
			d.dc[id] = table
		} else {
			d.ac[id] = table
		}
		body = body[17+total:]
	}
	return nil
}

func (d *decoder) readSOF(mark uint8, body []byte) error {
	switch mark {
	case markSOF0, markSOF1, markSOF2:
	case 0xc3:
		return unsupported("lossless JPEG")
	case 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf:
		return unsupported("arithmetic coding")
	default:
		return unsupported("hierarchical JPEG")
	}
	if len(d.components) > 0 {
		return unsupported("two frames in one file")
	}
	if len(body) < 6 || len(body) < 6+3*int(body[5]) {
		return errSegment
	}
	if body[0] != 8 {
		return unsupported("%d bits per sample", body[0])
	}
	d.progressive = mark == markSOF2
	d.height = int(body[1])<<8 | int(body[2])
	d.width = int(body[3])<<8 | int(body[4])
	if d.height == 0 {
		return unsupported("height after the picture (DNL)")
	}
	if d.width == 0 {
		return fmt.Errorf("the header declares %d x %d pixels", d.width, d.height)
	}
	n := int(body[5])
	if n != 1 && n != 3 && n != 4 {
		return unsupported("%d components", n)
	}
	for i := range n {
		b := body[6+3*i:]
		d.components = append(d.components, component{id: b[0], h: int(b[1] >> 4), v: int(b[1] & 15), table: int(b[2])})
	}
	return d.layOut()
}

// layOut computes the sizes of the components (T.81 A.1.1).
func (d *decoder) layOut() error {
	d.area = d.area.Intersect(image.Rect(0, 0, Reduced(d.width, d.reduce), Reduced(d.height, d.reduce)))
	for _, c := range d.components {
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.table > 3 {
			return errSegment
		}
		d.hMax, d.vMax = max(d.hMax, c.h), max(d.vMax, c.v)
	}
	for i := range d.components {
		c := &d.components[i]
		if d.hMax%c.h != 0 || d.vMax%c.v != 0 {
			return unsupported("chroma sampled at a fraction (%d:%d)", c.h, d.hMax)
		}
		c.blocksWide = ceilDiv(ceilDiv(d.width*c.h, d.hMax), 8)
		c.blocksHigh = ceilDiv(ceilDiv(d.height*c.v, d.vMax), 8)
		c.blockStride = c.h * ceilDiv(d.width, 8*d.hMax)
		c.blockRows = c.v * ceilDiv(d.height, 8*d.vMax)
		d.scale(c)
		for k := range c.bitsLeft {
			c.bitsLeft[k] = unseen
		}
	}
	return nil
}

// scale computes how the component appears in the reduced picture (jdmaster.c). Chroma that is sampled more coarsely than
// luma is reduced less instead of being upsampled afterwards, where that is possible in both directions.
func (d *decoder) scale(c *component) {
	least := 8 / d.reduce
	c.size = least
	for c.size < 8 && d.hMax*least%(2*c.h*c.size) == 0 && d.vMax*least%(2*c.v*c.size) == 0 {
		c.size *= 2
	}
	c.width, c.height = ceilDiv(d.width*c.h*c.size, 8*d.hMax), ceilDiv(d.height*c.v*c.size, 8*d.vMax)
	c.stride = c.size * c.blockStride
	c.across, c.down = d.hMax*least/(c.h*c.size), d.vMax*least/(c.v*c.size)
	c.samples = d.needed(c)
	c.blocks = image.Rect(c.samples.Min.X/c.size, c.samples.Min.Y/c.size, ceilDiv(c.samples.Max.X, c.size), ceilDiv(c.samples.Max.Y, c.size))
}

// needed is the part of the component that the area is made of, one more on each side where samples are blended.
func (d *decoder) needed(c *component) image.Rectangle {
	span := func(from, to, ratio, length int) (int, int) {
		if ratio == 1 {
			return from, to
		}
		return max(from/ratio-1, 0), min((to-1)/ratio+2, length)
	}
	x0, x1 := span(d.area.Min.X, d.area.Max.X, c.across, c.width)
	y0, y1 := span(d.area.Min.Y, d.area.Max.Y, c.down, c.height)
	return image.Rect(x0, y0, x1, y1)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// zigzag gives the place of the k-th coefficient of a scan. Entries past 63
// catch runs that leave the block, as in libjpeg.
var zigzag = [256]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
	63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
}
