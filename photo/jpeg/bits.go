package jpeg

import (
	"bytes"
	"encoding/binary"
)

// bits reads the entropy-coded data of one restart interval, most significant
// bit first. The data has its stuffed zeros removed beforehand, so that a
// refill is one load. Past the end come zeros; overrun tells.
type bits struct {
	data []byte // with padding bytes of zero at its end
	size int    // without them
	pos  int    // of the next byte to load
	acc  uint64 // the next bits, from the top
	n    int    // how many of them are valid
}

const padding = 8

// load collects the data of the next interval from file[pos:], and returns the
// position of the marker that ends it.
func (b *bits) load(file []byte, pos int) int {
	data := b.data[:0]
	for pos < len(file) {
		n := bytes.IndexByte(file[pos:], 0xff)
		if n < 0 {
			data = append(data, file[pos:]...)
			pos = len(file)
			break
		}
		data = append(data, file[pos:pos+n]...)
		pos += n
		next := pos + 1
		for next < len(file) && file[next] == 0xff {
			next++
		}
		if next == len(file) || file[next] != 0 {
			break
		}
		data = append(data, 0xff)
		pos = next + 1
	}
	b.size = len(data)
	b.data = append(data, make([]byte, padding)...)
	b.pos, b.acc, b.n = 0, 0, 0
	return pos
}

// fill makes at least 56 bits valid.
func (b *bits) fill() {
	if b.pos+8 <= len(b.data) {
		b.acc |= binary.BigEndian.Uint64(b.data[b.pos:]) >> b.n
	}
	b.pos += (63 - b.n) >> 3
	b.n |= 56
}

// take returns the next count bits, at most 16.
func (b *bits) take(count int) int32 {
	if b.n < 16 {
		b.fill()
	}
	v := int32(b.acc >> (64 - count))
	b.acc <<= count
	b.n -= count
	return v
}

// overrun is whether more bits were taken than there are.
func (b *bits) overrun() bool { return 8*b.pos-b.n > 8*b.size }

// extend is T.81's EXTEND: the signed value of size bits v.
func extend(v int32, size int) int32 {
	if size > 0 && v < 1<<(size-1) {
		return v - 1<<size + 1
	}
	return v
}
