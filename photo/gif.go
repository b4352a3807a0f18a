package photo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// gif is the first frame of a GIF (GIF89a specification) and its place on the
// screen. Files in the wild break most rules of the format; what is read here,
// and how, follows Pillow's GifImagePlugin.
type gif struct {
	w, h       int // the screen, enlarged where the frame goes beyond it
	x, y       int // the frame's upper left corner
	fw, fh     int // the frame's size
	around     uint8
	palette    palette
	interlaced bool
	codeBits   int    // bits of the LZW codes that stand for one pixel
	blocks     []byte // the codes, in blocks that begin with their length
}

func sizeOfGIF(data []byte) (w, h int, err error) {
	g, err := parseGIF(data)
	return g.w, g.h, err
}

// decodeGIF draws the first frame on its screen. What the frame leaves free
// has the colour of the transparent index, or else of index 0; transparent
// pixels have the colour that their palette stores.
func decodeGIF(data []byte) (*Image, error) {
	g, err := parseGIF(data)
	if err != nil {
		return nil, err
	}
	if g.fw == 0 || g.fh == 0 {
		return nil, errors.New("the first frame is empty")
	}
	// A 12-bit code stands for up to 4096 pixels: a frame that declares more is
	// refused before memory is asked for.
	if g.fw*g.fh/2731 > len(g.blocks) {
		return nil, io.ErrUnexpectedEOF
	}
	indices := make([]uint8, g.fw*g.fh)
	if err := decodeLZW(indices, g.codeBits, g.blocks); err != nil {
		return nil, err
	}
	out := NewImage(g.w, g.h)
	if g.fw < g.w || g.fh < g.h {
		for i := 0; i < len(out.Pix); i += 3 {
			copy(out.Pix[i:], g.palette[g.around][:])
		}
	}
	for i, y := range g.rows() {
		g.palette.look(out.row(g.y + y)[3*g.x:][:3*g.fw], indices[i*g.fw:])
	}
	return out, nil
}

// rows lists the rows of the frame in the order in which they are stored.
func (g *gif) rows() []int {
	passes := [][2]int{{0, 1}} // first row, step
	if g.interlaced {
		passes = [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
	}
	rows := make([]int, 0, g.fh)
	for _, pass := range passes {
		for y := pass[0]; y < g.fh; y += pass[1] {
			rows = append(rows, y)
		}
	}
	return rows
}

// parseGIF reads up to the codes of the first frame. Bytes between blocks that
// begin no block are skipped.
func parseGIF(data []byte) (g gif, err error) {
	if len(data) < 13 {
		return g, io.ErrUnexpectedEOF
	}
	g.w, g.h = int(binary.LittleEndian.Uint16(data[6:])), int(binary.LittleEndian.Uint16(data[8:]))
	flags, rest := data[10], data[13:]
	g.palette = grays
	if flags&0x80 != 0 {
		g.palette, rest = gifPalette(flags, rest)
	}
	for len(rest) > 0 {
		introducer := rest[0]
		rest = rest[1:]
		switch introducer {
		case '!':
			rest = g.extension(rest)
		case ',':
			return g, g.frame(rest)
		case ';':
			return g, errors.New("it holds no picture")
		}
	}
	return g, io.ErrUnexpectedEOF
}

// extension skips an extension and takes the transparent index from a graphic
// control extension.
func (g *gif) extension(data []byte) (rest []byte) {
	const graphicControl = 0xf9
	if len(data) == 0 {
		return nil
	}
	label := data[0]
	block, rest := gifBlock(data[1:])
	if label == graphicControl && len(block) >= 4 && block[0]&1 != 0 {
		g.around = block[3]
	}
	for len(block) > 0 {
		block, rest = gifBlock(rest)
	}
	return rest
}

// frame reads the header of a frame. The screen grows to hold it.
func (g *gif) frame(data []byte) error {
	if len(data) < 10 {
		return io.ErrUnexpectedEOF
	}
	number := func(at int) int { return int(binary.LittleEndian.Uint16(data[at:])) }
	g.x, g.y, g.fw, g.fh = number(0), number(2), number(4), number(6)
	g.w, g.h = max(g.w, g.x+g.fw), max(g.h, g.y+g.fh)
	flags, rest := data[8], data[9:]
	g.interlaced = flags&0x40 != 0
	if flags&0x80 != 0 {
		g.palette, rest = gifPalette(flags, rest)
	}
	if len(rest) == 0 {
		return io.ErrUnexpectedEOF
	}
	g.codeBits, g.blocks = int(rest[0]), rest[1:]
	return nil
}

// gifPalette reads the palette that follows a descriptor with these flags.
func gifPalette(flags uint8, data []byte) (p palette, rest []byte) {
	n := min(3<<(flags&7+1), len(data))
	for i := range n / 3 {
		p[i] = [3]uint8(data[3*i:])
	}
	// A ramp of greys is taken for a file without colours: indices beyond it
	// are greys as well.
	for i := range n / 3 {
		if p[i] != grays[i] {
			return p, data[n:]
		}
	}
	return grays, data[n:]
}

// gifBlock cuts a block off: a length byte and so many bytes. At the end of
// the data it is empty, as a terminator is.
func gifBlock(data []byte) (block, rest []byte) {
	if len(data) == 0 {
		return nil, nil
	}
	n := min(1+int(data[0]), len(data))
	return data[1:n], data[n:]
}

// decodeLZW fills dst with pixels from LZW codes in blocks (GIF89a, appendix
// F). compress/lzw does not know pixels of one bit nor empty blocks amid the
// codes. Data after the last pixel does not count; too few are an error.
func decodeLZW(dst []uint8, bits int, blocks []byte) error {
	const maxCodes = 1 << 12
	if bits > 11 {
		return fmt.Errorf("codes of %d bits", bits)
	}
	var (
		clear, end = 1 << bits, 1<<bits + 1
		prefix     [maxCodes]uint16 // what a code stands for: another code
		suffix     [maxCodes]uint8  // and one more pixel
		stack      [maxCodes + 1]uint8
		next       = clear + 2 // the first free code
		last       = -1        // the code before this one; none after a clear code
		first      uint8       // the first pixel of last
		codes      = codeReader{width: bits + 1, blocks: blocks}
	)
	for n := 0; n < len(dst); {
		code, ok := codes.read()
		switch {
		case !ok || code == end:
			return io.ErrUnexpectedEOF
		case code == clear:
			next, last, codes.width = clear+2, -1, bits+1
			continue
		case code > next || last < 0 && code > clear:
			return errors.New("a code stands for nothing")
		}
		at, c := len(stack), code
		if code == next { // the code that is about to be defined
			at--
			stack[at], c = first, last
		}
		for c > clear {
			at--
			stack[at], c = suffix[c], int(prefix[c])
		}
		at--
		stack[at], first = uint8(c), uint8(c)
		if last >= 0 && next < maxCodes {
			prefix[next], suffix[next] = uint16(last), first
			if next == 1<<codes.width-1 && codes.width < 12 {
				codes.width++
			}
			next++
		}
		last = code
		n += copy(dst[n:], stack[at:])
	}
	return nil
}

// codeReader reads codes of width bits, low bits first.
type codeReader struct {
	width         int
	buffer        uint32
	bits          int
	block, blocks []byte
}

func (r *codeReader) read() (code int, ok bool) {
	for r.bits < r.width {
		for len(r.block) == 0 {
			if len(r.blocks) == 0 {
				return 0, false
			}
			r.block, r.blocks = gifBlock(r.blocks)
		}
		r.buffer |= uint32(r.block[0]) << r.bits
		r.block = r.block[1:]
		r.bits += 8
	}
	code = int(r.buffer & (1<<r.width - 1))
	r.buffer >>= r.width
	r.bits -= r.width
	return code, true
}
