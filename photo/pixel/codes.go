package pixel

import "encoding/binary"

// CodeBits is the length of codes, with the bits of their values, that one look into [Codes] decodes.
const CodeBits = 11

// Codes holds for every CodeBits bits what the Huffman codes and values that they begin with say: one coefficient, two where both
// fit, the end of the block, or one and the end. From bit 0 on:
//
//	 0  the length of all in bits
//	 8  how many places of the block they cover; EndOfBlock more at its end
//	16  the second value, if there is one, else 0
//	32  the place of the first value, counted from the next place of the block
//	40  the place of the second; that of the first if there is none
//	48  the first value
//
// For bits that begin with anything else it holds Unknown. Codes of DC have only a length and a first value.
type Codes [1 << CodeBits]uint64

const (
	// EndOfBlock is farther than any run.
	EndOfBlock = 128
	Unknown    = 0xff << 8
)

// Step is the place of a coefficient in the block and its quantisation step.
type Step struct {
	Size  int32
	Place uint32
}

// Steps are those in scan order. Entries past 63 catch runs that leave the block, as in libjpeg.
type Steps [256]Step

// Coding is how the blocks of a component are coded, and the first coefficient of the one before, not yet multiplied by its step.
type Coding struct {
	DC, AC    *Codes
	Predicted int32
	Steps     Steps
}

// Block is a block that is being decoded: 8 x 8 coefficients in natural order, multiplied by their steps.
type Block struct {
	Values [64]int32
	// Next is the place in scan order of the next coefficient; past 63 the block is complete.
	Next int
	// Extent is the bitwise or of the places of coefficients; see Inverse.
	Extent int
}

// Bits are data from which bits are taken, the most significant first.
type Bits struct {
	Data []byte
	Pos  int    // of the next byte to load
	Acc  uint64 // the next bits, from the top
	N    int    // how many of them are valid
}

// Decode decodes coefficients into the block, which lacks some, until it is complete, or a code comes that is Unknown or leaves the
// block, or less than 8 bytes are left.
func (b *Bits) Decode(c *Coding, block *Block) {
	if bmi2 {
		decodeAssembly(b, c, block)
	} else {
		b.decode(c, block, true)
	}
}

// Skip is Decode without values, for a block that is not shown: only its end and the prediction of the next one count.
func (b *Bits) Skip(c *Coding, block *Block) {
	if bmi2 {
		skipAssembly(b, c, block)
	} else {
		b.decode(c, block, false)
	}
}

// decode is the plain form of both. Groups of codes need no look at how many bits are left, which would be hard to predict.
func (b *Bits) decode(c *Coding, block *Block, values bool) {
	acc, n, pos, next, data := b.Acc, b.N, b.Pos, block.Next, b.Data
decoding:
	for next < 64 && pos+8 <= len(data) {
		acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
		pos += (63 - n) >> 3
		n |= 56
		looks := 56 / CodeBits
		if next == 0 {
			e := c.DC[acc>>(64-CodeBits)]
			if e == Unknown {
				break
			}
			acc <<= e & 63
			n -= int(e & 63)
			c.Predicted += int32(int64(e) >> 48)
			if values {
				block.Values[0] = c.Predicted * c.Steps[0].Size
			}
			next = 1
			looks--
		}
		for range looks {
			e := c.AC[acc>>(64-CodeBits)]
			end := next + int(e>>8&0xff)
			if end > 64 && uint(end-EndOfBlock) >= 64 {
				break decoding
			}
			acc <<= e & 63
			n -= int(e & 63)
			if values && end != next+EndOfBlock {
				block.put(&c.Steps, next, e)
			}
			if next = end; next >= 64 {
				break decoding
			}
		}
	}
	b.Acc, b.N, b.Pos, block.Next = acc, n, pos, next
}

// put writes the coefficients of an entry of Codes.
func (b *Block) put(s *Steps, next int, e uint64) {
	first, second := s[uint8(next+int(e>>32&0xff))], s[uint8(next+int(e>>40&0xff))]
	b.Values[second.Place%64] = int32(int16(e>>16)) * second.Size
	b.Values[first.Place%64] = int32(int64(e)>>48) * first.Size
	b.Extent |= int(first.Place | second.Place)
}
