package pixel

import "encoding/binary"

// CodeBits is the length of codes, with the bits of their values, that one look into a [Codes] decodes.
const CodeBits = 10

// EndOfBlock is a run that leaves every block, farther than any other.
const EndOfBlock = 128

// Codes holds for every CodeBits bits that start with a short Huffman code of AC coefficients and its value:
// value<<16 | run<<8 | length of both; else 0. The end of the block has the run EndOfBlock.
type Codes [1 << CodeBits]int32

// Steps hold the places of coefficients in scan order, and from bit 8 on their quantisation steps. Entries past 63
// catch runs that leave the block, as in libjpeg.
type Steps [256]uint32

// Bits are data from which bits are taken, the most significant first.
type Bits struct {
	Data []byte
	Pos  int    // of the next byte to load
	Acc  uint64 // the next bits, from the top
	N    int    // how many of them are valid
}

// Coefficients decodes coefficients from place k on into the block, multiplied by their steps, and returns the place of the next:
// past the block after its end, else where a code comes that is not in codes or leaves the block, or less than
// 8 bytes are left. The extent grows by their places; see Inverse.
func (b *Bits) Coefficients(codes *Codes, steps *Steps, block *[64]int32, k int, extent uint8) (int, uint8) {
	if bmi2 {
		at := [2]int{k, int(extent)}
		coefficientsAssembly(b, codes, steps, block, &at)
		return at[0], uint8(at[1])
	}
	return b.coefficients(codes, steps, block, k, extent)
}

// coefficients is the plain form. Groups of codes need no look at how many bits are left, which would be hard to predict.
func (b *Bits) coefficients(codes *Codes, steps *Steps, block *[64]int32, k int, extent uint8) (int, uint8) {
	acc, n, pos, data := b.Acc, b.N, b.Pos, b.Data
	for pos+8 <= len(data) {
		acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
		pos += (63 - n) >> 3
		n |= 56
		for range 56 / CodeBits {
			e := codes[acc>>(64-CodeBits)]
			at := k + int(e>>8&0xff)
			if at >= 64 || e == 0 {
				if at >= EndOfBlock && k < 64 {
					acc <<= e & 0x3f
					n -= int(e & 0x3f)
					k = at
				}
				b.Acc, b.N, b.Pos = acc, n, pos
				return k, extent
			}
			acc <<= e & 0x3f
			n -= int(e & 0x3f)
			step := steps[at]
			block[step%64] = e >> 16 * int32(step>>8)
			extent |= uint8(step)
			k = at + 1
		}
	}
	b.Acc, b.N, b.Pos = acc, n, pos
	return k, extent
}
