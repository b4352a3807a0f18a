package jpeg

import (
	"bytes"
	"encoding/binary"

	"regraft/photo/pixel"
)

// bits reads the entropy-coded data of one restart interval, most significant
// bit first. The data has its stuffed zeros removed beforehand, a chunk at a
// time, so that a refill is one load. Past the end come zeros; overrun tells.
type bits struct {
	file       []byte
	at         int  // of the next byte of the file; once ended, of the marker that ends the interval
	ended      bool // nothing is left in the file
	pixel.Bits      // of the chunk
	chunk      *[chunk + padding]byte
}

const (
	chunk   = 1 << 15
	padding = 8 // bytes of zero behind the data
)

// start begins the interval at file[pos:].
func (b *bits) start(file []byte, pos int) {
	if b.chunk == nil {
		b.chunk = new([chunk + padding]byte)
	}
	b.file, b.at, b.ended = file, pos, false
	b.Data, b.Pos, b.Acc, b.N = nil, 0, 0, 0
}

// more moves what is left of the chunk to its front and fills the rest from the file.
func (b *bits) more() {
	size := copy(b.chunk[:], b.Data[b.Pos:])
	for size < chunk && !b.ended {
		rest := b.file[b.at:min(b.at+chunk-size, len(b.file))]
		plain := bytes.IndexByte(rest, 0xff)
		if plain < 0 {
			plain = len(rest)
		}
		size += copy(b.chunk[size:], rest[:plain])
		b.at += plain
		switch {
		case plain == len(rest):
			b.ended = b.at == len(b.file)
		case b.stuffed():
			b.chunk[size] = 0xff
			size++
		default:
			b.ended = true
		}
	}
	clear(b.chunk[size : size+padding])
	b.Data, b.Pos = b.chunk[:size], 0
}

// stuffed skips the bytes 0xff at the place, and the zero that says that they are data.
func (b *bits) stuffed() bool {
	next := b.at + 1
	for next < len(b.file) && b.file[next] == 0xff {
		next++
	}
	if next == len(b.file) || b.file[next] != 0 {
		return false
	}
	b.at = next + 1
	return true
}

// fill makes at least 56 bits valid.
func (b *bits) fill() {
	if b.Pos+8 > len(b.Data) && !b.ended {
		b.more()
	}
	if b.Pos <= len(b.Data) {
		b.Acc |= binary.BigEndian.Uint64(b.chunk[b.Pos:]) >> b.N
	}
	b.Pos += (63 - b.N) >> 3
	b.N |= 56
}

// take returns the next count bits, at most 16.
func (b *bits) take(count int) int32 {
	if b.N < 16 {
		b.fill()
	}
	v := int32(b.Acc >> (64 - count))
	b.Acc <<= count
	b.N -= count
	return v
}

// overrun is whether more bits were taken than there are.
func (b *bits) overrun() bool { return 8*b.Pos-b.N > 8*len(b.Data) }

// extend is T.81's EXTEND: the signed value of size bits v.
func extend(v int32, size int) int32 {
	if size > 0 && v < 1<<(size-1) {
		return v - 1<<size + 1
	}
	return v
}
