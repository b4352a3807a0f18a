package photo

import (
	"bytes"
	"encoding/binary"
)

// Memory keeps what Examine has found of good photos, by the hash of their files. What it gives is what it was given under the same
// decoding and FindingGeneration, or nothing. It is safe for concurrent use.
type Memory interface {
	Get(Hash) ([]byte, bool)
	Put(Hash, []byte)
}

// FindingGeneration rises whenever decoding or looking at a photo gives other numbers than before.
const FindingGeneration = 1

// keptFinding is a good photo's Finding as a Memory has it, without the hash; little-endian.
type keptFinding struct {
	W, H                                            int64
	Whole                                           signs
	Parts                                           [9]signs
	Deviation, Bright, Sharpness, RedPart, BluePart float64
}

// encode is what a Memory keeps.
func (f *Finding) encode() []byte {
	l := f.Look
	b, err := binary.Append(nil, binary.LittleEndian, keptFinding{
		int64(f.W), int64(f.H), l.whole, l.parts, l.deviation, l.bright, l.sharpness, l.red, l.blue,
	})
	if err != nil {
		panic(err) // all of it has a fixed size
	}
	return b
}

// decode takes what encode gave; false for anything else.
func (f *Finding) decode(b []byte) bool {
	var k keptFinding
	if len(b) != binary.Size(k) {
		return false
	}
	if err := binary.Read(bytes.NewReader(b), binary.LittleEndian, &k); err != nil {
		return false
	}
	f.W, f.H = int(k.W), int(k.H)
	f.Look = &Look{k.Whole, k.Parts, k.Deviation, k.Bright, k.Sharpness, k.RedPart, k.BluePart}
	return true
}
