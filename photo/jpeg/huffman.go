package jpeg

import "regraft/photo/pixel"

// fastBits is the length of codes that one look into a table decodes.
const fastBits = pixel.CodeBits

// huffman decodes one code.
type huffman struct {
	// short holds symbol<<8 | length for every fastBits bits that start with
	// a short code, else 0.
	short [1 << fastBits]uint16
	// whole is for codes whose extra bits fit as well; those of DC have no run.
	whole pixel.Codes
	// limit[n] is the first 16-bit word past the codes of length n, which
	// start at index first[n] of symbols with the code low[n].
	limit   [18]uint32
	low     [17]uint32
	first   [17]int
	symbols []uint8
}

// newHuffman builds the table from the number of codes of each length 1 to 16
// and their symbols (T.81 annex C).
func newHuffman(lengths, symbols []uint8, ac bool) (*huffman, error) {
	h := &huffman{symbols: append([]uint8(nil), symbols...)}
	code, index := uint32(0), 0
	for n := 1; n <= 16; n++ {
		count := int(lengths[n-1])
		h.low[n], h.first[n] = code, index
		if code+uint32(count) > 1<<n {
			return nil, errSegment
		}
		for i := range count {
			if n <= fastBits {
				h.enter(code+uint32(i), n, h.symbols[index+i])
			}
		}
		code += uint32(count)
		index += count
		h.limit[n] = code << (16 - n)
		code <<= 1
	}
	h.limit[17] = 1 << 16
	h.combine(ac)
	return h, nil
}

// enter fills the part of short that starts with the code.
func (h *huffman) enter(code uint32, n int, symbol uint8) {
	from := code << (fastBits - n)
	for i := range uint32(1) << (fastBits - n) {
		h.short[from+i] = uint16(symbol)<<8 | uint16(n)
	}
}

// combine fills whole.
func (h *huffman) combine(ac bool) {
	for i, e := range h.short {
		length, symbol := int(e&0xff), int(e>>8)
		run, size := symbol>>4, symbol&15
		switch {
		case e == 0 || length+size > fastBits || !ac && symbol > 15:
			continue
		case !ac:
		case symbol == 0:
			run = pixel.EndOfBlock
		case size == 0 && run < 15:
			continue // a run of blocks: progressive scans look at short
		}
		extra := int32(i) >> (fastBits - length - size) & (1<<size - 1)
		h.whole[i] = extend(extra, size)<<16 | int32(run)<<8 | int32(length+size)
	}
}

// difference decodes a DC coefficient less the one before it.
func (h *huffman) difference(b *bits) (value int32, ok bool) {
	if b.N < 32 { // a code of 16 bits and 15 bits of a value
		b.fill()
	}
	if e := h.whole[b.Acc>>(64-fastBits)]; e != 0 {
		b.Acc <<= e & 0x3f
		b.N -= int(e & 0x3f)
		return e >> 16, true
	}
	size := h.symbol(b)
	if size < 0 || size > 15 {
		return 0, false
	}
	return extend(b.take(size), size), true
}

// symbol decodes the next symbol; -1 where no code fits.
func (h *huffman) symbol(b *bits) int {
	if b.N < 16 {
		b.fill()
	}
	symbol, length := h.look(b.Acc)
	b.Acc <<= length
	b.N -= length
	return symbol
}

// look decodes the symbol that the bits begin with, of which 16 are valid, and the length of its code; -1 and 0 where
// no code fits.
func (h *huffman) look(acc uint64) (symbol, length int) {
	if e := h.short[acc>>(64-fastBits)]; e != 0 {
		return int(e >> 8), int(e & 0xff)
	}
	return h.long(uint32(acc >> 48))
}

// long is look for codes longer than fastBits, on a word of 16 bits.
func (h *huffman) long(word uint32) (symbol, length int) {
	n := fastBits + 1
	for word >= h.limit[n] {
		n++
	}
	if n > 16 {
		return -1, 0
	}
	return int(h.symbols[h.first[n]+int(word>>(16-n)-h.low[n])]), n
}
