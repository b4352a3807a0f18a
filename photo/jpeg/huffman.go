package jpeg

import (
	"slices"
	"sync"

	"regraft/photo/pixel"
)

// fastBits is the length of codes that one look into a table decodes.
const fastBits = pixel.CodeBits

// huffman decodes one code.
type huffman struct {
	// short holds symbol<<8 | length for every fastBits bits that start with
	// a short code, else 0.
	short [1 << fastBits]uint16
	ac    bool
	// codes is for codes whose values fit as well, of sequential scans and those of DC.
	codes func() *pixel.Codes
	// limit[n] is the first 16-bit word past the codes of length n, which
	// start at index first[n] of symbols with the code low[n].
	limit   [18]uint32
	low     [17]uint32
	first   [17]int
	symbols []uint8
}

// definition is what a table is made of: the number of codes of each length 1 to 16, and their symbols.
type definition struct {
	ac      bool
	lengths [16]uint8
	symbols [256]uint8
}

// known are tables that files before had, at most mostKnown: nearly all have the standard ones, and to build these takes a tenth of the
// time of a small photo.
var known = struct {
	sync.Mutex
	tables map[definition]*huffman
}{tables: map[definition]*huffman{}}

const mostKnown = 32

// tableOf is the table of a definition.
func tableOf(lengths, symbols []uint8, ac bool) (*huffman, error) {
	key := definition{ac: ac}
	copy(key.lengths[:], lengths)
	copy(key.symbols[:], symbols)
	known.Lock()
	defer known.Unlock()
	if h := known.tables[key]; h != nil {
		return h, nil
	}
	h, err := newHuffman(lengths, symbols, ac)
	if err != nil {
		return nil, err
	}
	if len(known.tables) == mostKnown {
		clear(known.tables)
	}
	known.tables[key] = h
	return h, nil
}

// newHuffman builds the table from the number of codes of each length 1 to 16 and their symbols (T.81 annex C). No code may
// consist of ones alone, and the symbols of DC are numbers of bits.
func newHuffman(lengths, symbols []uint8, ac bool) (*huffman, error) {
	h := &huffman{ac: ac, symbols: slices.Clone(symbols)}
	h.codes = sync.OnceValue(h.combine)
	if !ac && slices.ContainsFunc(symbols, func(s uint8) bool { return s > 15 }) {
		return nil, errSegment
	}
	code, index := uint32(0), 0
	for n := 1; n <= 16; n++ {
		count := int(lengths[n-1])
		h.low[n], h.first[n] = code, index
		if count > 0 && code+uint32(count) >= 1<<n {
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
	return h, nil
}

// enter fills the part of short that starts with the code.
func (h *huffman) enter(code uint32, n int, symbol uint8) {
	from := code << (fastBits - n)
	for i := range uint32(1) << (fastBits - n) {
		h.short[from+i] = uint16(symbol)<<8 | uint16(n)
	}
}

// combine is codes.
func (h *huffman) combine() *pixel.Codes {
	single := new(pixel.Codes)
	for i := range single {
		single[i] = h.one(uint32(i))
	}
	if !h.ac {
		return single
	}
	double := new(pixel.Codes)
	for i, e := range single {
		double[i] = two(e, single[i<<(e&63)%(1<<fastBits)])
	}
	return double
}

// one is the entry of codes for the first code in a word of fastBits.
func (h *huffman) one(word uint32) uint64 {
	e := h.short[word]
	length, symbol := int(e&0xff), int(e>>8)
	run, size := symbol>>4, symbol&15
	switch {
	case e == 0 || length+size > fastBits:
		return pixel.Unknown
	case !h.ac:
	case symbol == 0:
		return uint64(length) | pixel.EndOfBlock<<8
	case size == 0 && run < 15:
		return pixel.Unknown // a run of blocks: progressive scans look at short
	}
	value := extend(int32(word)>>(fastBits-length-size)&(1<<size-1), size)
	return uint64(length+size) | uint64(run+1)<<8 | uint64(run)<<32 | uint64(run)<<40 | uint64(uint16(value))<<48
}

// two joins an entry of one code with that of the bits behind it, where these are long enough.
func two(e, next uint64) uint64 {
	places, more := e>>8&0xff, next>>8&0xff
	switch {
	case places >= pixel.EndOfBlock || next == pixel.Unknown || e&0xff+next&0xff > fastBits:
		return e
	case more >= pixel.EndOfBlock:
		return e + next&0xffff
	}
	return e + next&0xffff + next>>48<<16 + more<<40
}

// difference decodes a DC coefficient less the one before it.
func (h *huffman) difference(b *bits) (value int32, ok bool) {
	if b.N < 32 { // a code of 16 bits and 15 bits of a value
		b.fill()
	}
	if e := h.codes()[b.Acc>>(64-fastBits)]; e != pixel.Unknown {
		b.Acc <<= e & 0x3f
		b.N -= int(e & 0x3f)
		return int32(int64(e) >> 48), true
	}
	size := h.symbol(b)
	if size < 0 {
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
