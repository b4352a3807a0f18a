package photo

import (
	"encoding/binary"
	"io"
	"slices"
)

// The compressions of a BMP that are read.
const (
	bmpPlain  = 0
	bmpRLE8   = 1
	bmpRLE4   = 2
	bmpFields = 3 // bit masks say where the colours of a pixel are
)

// bmp is a BMP without its headers: Windows' of 40 to 124 bytes and the two of
// OS/2 (12 and 64 bytes). What is read, and how, follows Pillow's
// BmpImagePlugin; what that refuses is refused here.
type bmp struct {
	w, h        int
	topDown     bool
	bits        int // of a pixel
	compression int
	masks       [4]uint32 // of R, G, B and alpha
	palette     palette
	file        []byte
	at          int // where the pixels begin in the file
}

func sizeOfBMP(data []byte) (w, h int, err error) {
	b, err := parseBMP(data)
	return b.w, b.h, err
}

func decodeBMP(data []byte) (*Image, error) {
	b, err := parseBMP(data)
	if err != nil {
		return nil, err
	}
	if b.compression == bmpRLE8 || b.compression == bmpRLE4 {
		indices, err := b.runs()
		if err != nil {
			return nil, err
		}
		return b.draw(func(dst []uint8, i int) { b.palette.look(dst, indices[i*b.w:]) }), nil
	}
	convert := b.rowConverter()
	used, stride := (b.w*b.bits+7)/8, (b.w*b.bits+31)/32*4
	if (b.h-1)*stride+used > len(b.file)-b.at {
		return nil, io.ErrUnexpectedEOF
	}
	return b.draw(func(dst []uint8, i int) { convert(dst, b.file[b.at+i*stride:][:used]) }), nil
}

// draw makes the image from its rows, in the order in which they are stored.
func (b *bmp) draw(row func(dst []uint8, i int)) *Image {
	out := NewImage(b.w, b.h)
	for i := range b.h {
		y := b.h - 1 - i
		if b.topDown {
			y = i
		}
		row(out.row(y), i)
	}
	return out
}

func parseBMP(data []byte) (b bmp, err error) {
	const fileHeader = 14
	if len(data) < fileHeader+12 {
		return b, io.ErrUnexpectedEOF
	}
	size := int(binary.LittleEndian.Uint32(data[fileHeader:]))
	if !slices.Contains([]int{12, 40, 52, 56, 64, 108, 124}, size) {
		return b, unsupported("a header of %d bytes", size)
	}
	if len(data) < fileHeader+size {
		return b, io.ErrUnexpectedEOF
	}
	header, rest := data[fileHeader:fileHeader+size], data[fileHeader+size:]
	short := func(at int) int { return int(binary.LittleEndian.Uint16(header[at:])) }
	long := func(at int) int { return int(binary.LittleEndian.Uint32(header[at:])) }
	colors, entry := 0, 4 // of the palette, and the bytes of each
	if size == 12 {
		b.w, b.h, b.bits, entry = short(4), short(6), short(10), 3
	} else {
		b.w, b.h, b.bits, b.compression, colors = long(4), long(8), short(14), long(16), long(32)
		if b.topDown = header[11] == 0xff; b.topDown { // a negative height
			b.h = 1<<32 - b.h
		}
	}
	if b.compression == bmpFields {
		if rest, err = b.readMasks(header, rest); err != nil {
			return b, err
		}
	}
	b.file, b.at = data, int(binary.LittleEndian.Uint32(data[10:]))
	if b.bits <= 8 {
		if colors == 0 {
			colors = 1 << b.bits
		}
		if b.at == fileHeader+size { // some writers forget the palette here
			b.at += entry * colors
		}
		if rest, err = b.readPalette(rest, colors, entry); err != nil {
			return b, err
		}
	}
	if b.at == 0 {
		b.at = len(data) - len(rest)
	}
	if b.at > len(data) {
		return b, io.ErrUnexpectedEOF
	}
	return b, b.check()
}

// readMasks reads the masks of R, G, B and alpha, which stand in the header or,
// where that is short, behind it and without alpha.
func (b *bmp) readMasks(header, after []byte) (rest []byte, err error) {
	stored, n := header[min(40, len(header)):], 3
	if len(header) >= 56 {
		n = 4
	}
	if len(header) == 40 {
		stored, after = after, after[min(12, len(after)):]
	}
	if len(stored) < 4*n {
		return nil, io.ErrUnexpectedEOF
	}
	for i := range n {
		b.masks[i] = binary.LittleEndian.Uint32(stored[4*i:])
	}
	return after, nil
}

// readPalette reads so many colours of 3 or 4 bytes: B, G, R.
func (b *bmp) readPalette(data []byte, colors, entry int) (rest []byte, err error) {
	if colors > 1<<16 {
		return nil, unsupported("a palette of %d colours", colors)
	}
	n := min(colors*entry, len(data))
	ramp := n == colors*entry // whether index i is grey level i
	for i := range n / entry {
		c := data[i*entry:]
		color := [3]uint8{c[2], c[1], c[0]}
		ramp = ramp && color == grays[uint8(i)]
		if i < len(b.palette) {
			b.palette[i] = color
		}
	}
	switch {
	case ramp && colors == 1 && b.bits == 1: // taken for black and white
		b.palette[1] = grays[255]
	case ramp && colors > 2: // taken for grey levels, those beyond it as well
		b.palette = grays
	case n/entry > len(b.palette):
		return nil, unsupported("a palette of %d colours", colors)
	}
	return data[n:], nil
}

// check refuses what is not read.
func (b *bmp) check() error {
	switch b.compression {
	case bmpPlain:
		if !slices.Contains([]int{1, 4, 8, 16, 24, 32}, b.bits) {
			return unsupported("%d bits per pixel", b.bits)
		}
	case bmpFields:
		if b.channels() == nil && b.fives() == nil {
			return unsupported("%d bits per pixel and the masks %08x", b.bits, b.masks)
		}
	case bmpRLE8, bmpRLE4:
		if b.bits != 4 && b.bits != 8 {
			return unsupported("run lengths of %d bits per pixel", b.bits)
		}
	default:
		return unsupported("compression %d", b.compression)
	}
	return nil
}

// rowConverter returns what writes a stored row as R, G, B.
func (b *bmp) rowConverter() func(dst, src []uint8) {
	switch b.bits {
	case 1, 4:
		return func(dst, src []uint8) {
			for i := range b.w {
				bit := i * b.bits
				index := src[bit/8] >> (8 - b.bits - bit%8) & (1<<b.bits - 1)
				copy(dst[3*i:], b.palette[index][:])
			}
		}
	case 8:
		return b.palette.look
	case 16:
		shifts := b.fives()
		return func(dst, src []uint8) {
			for i := range b.w {
				v := int(binary.LittleEndian.Uint16(src[2*i:]))
				for c, s := range shifts {
					dst[3*i+c] = uint8(v >> s.shift & s.max * 255 / s.max)
				}
			}
		}
	}
	at := b.channels()
	size := b.bits / 8
	return func(dst, src []uint8) {
		for i := range b.w {
			s := src[i*size:]
			dst[3*i], dst[3*i+1], dst[3*i+2] = s[at[0]], s[at[1]], s[at[2]]
		}
	}
}

// bmpBits is where a channel is in a pixel of 16 bits: how far up, and its largest value.
type bmpBits struct{ shift, max int }

// fives returns where R, G and B are in a pixel of 16 bits; nil for other
// layouts than 5, 5, 5 and 5, 6, 5 bits.
func (b *bmp) fives() []bmpBits {
	switch {
	case b.bits != 16:
	case b.compression == bmpPlain, [3]uint32(b.masks[:3]) == [3]uint32{0x7c00, 0x3e0, 0x1f}:
		return []bmpBits{{10, 31}, {5, 31}, {0, 31}}
	case [3]uint32(b.masks[:3]) == [3]uint32{0xf800, 0x7e0, 0x1f}:
		return []bmpBits{{11, 31}, {5, 63}, {0, 31}}
	}
	return nil
}

// channels returns the bytes of a pixel of 24 or 32 bits that hold R, G and B;
// nil for unknown layouts.
func (b *bmp) channels() []int {
	switch {
	case b.bits != 24 && b.bits != 32:
		return nil
	case b.compression == bmpPlain, b.bits == 24 && [3]uint32(b.masks[:3]) == [3]uint32{0xff0000, 0xff00, 0xff}:
		return []int{2, 1, 0}
	case b.bits == 24:
		return nil
	}
	switch b.masks {
	case [4]uint32{0xff0000, 0xff00, 0xff, 0}, [4]uint32{0xff0000, 0xff00, 0xff, 0xff000000}, [4]uint32{}:
		return []int{2, 1, 0}
	case [4]uint32{0xff000000, 0xff0000, 0xff00, 0}, [4]uint32{0xff000000, 0xff0000, 0xff00, 0xff}:
		return []int{3, 2, 1}
	case [4]uint32{0xff000000, 0xff00, 0xff, 0}, [4]uint32{0xff000000, 0xff00, 0xff, 0xff0000}:
		return []int{3, 1, 0}
	case [4]uint32{0xff, 0xff00, 0xff0000, 0xff000000}:
		return []int{0, 1, 2}
	}
	return nil
}

// runs decodes run lengths: rows of indices in the order in which they are
// stored. They must fill the picture, as they must for Pillow.
func (b *bmp) runs() ([]uint8, error) {
	size := b.w * b.h
	var out []uint8 // grows with the data, which may be less than the header promises
	x, at := 0, b.at
	next := func(n int) []byte {
		n = min(n, len(b.file)-at)
		at += n
		return b.file[at-n : at]
	}
	for len(out) < size {
		code := next(2)
		if len(code) < 2 {
			break
		}
		count, value := int(code[0]), code[1]
		switch {
		case count > 0:
			count = max(min(count, b.w-x), 0) // of a run that leaves the row, the rest is dropped
			out = b.appendPixels(out, slices.Repeat([]byte{value}, count), count)
			x += count
		case value == 0: // end of the row
			out = append(out, make([]uint8, (b.w-len(out)%b.w)%b.w)...)
			x = 0
		case value == 1: // end of the picture
			return nil, io.ErrUnexpectedEOF
		case value == 2: // right and up
			d := next(2)
			if len(d) < 2 {
				return nil, io.ErrUnexpectedEOF
			}
			out = append(out, make([]uint8, min(int(d[0])+int(d[1])*b.w, size-len(out)))...)
			x = len(out) % b.w
		default: // so many pixels as they are
			count = min(int(value), size-len(out))
			bytes := count
			if b.compression == bmpRLE4 {
				bytes = (count + 1) / 2
			}
			pixels := next(bytes)
			if len(pixels) < bytes {
				return nil, io.ErrUnexpectedEOF
			}
			out = b.appendPixels(out, pixels, count)
			x += int(value)
			if at%2 != 0 {
				next(1)
			}
		}
	}
	if len(out) < size {
		return nil, io.ErrUnexpectedEOF
	}
	return out, nil
}

// appendPixels appends n indices: a byte each, or two in a byte.
func (b *bmp) appendPixels(out, pixels []byte, n int) []uint8 {
	if b.compression == bmpRLE8 {
		return append(out, pixels[:n]...)
	}
	for i := range n {
		out = append(out, pixels[i/2]>>(4*(1-i%2))&15)
	}
	return out
}
