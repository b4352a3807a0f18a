package asmfile

import (
	"encoding/binary"
	"fmt"
)

// Constant adds read-only data and returns its operand.
func (f *File) Constant(name string, bytes []byte) string {
	for i := 0; i < len(bytes); i += 8 {
		fmt.Fprintf(&f.Data, "DATA %s<>+%d(SB)/8, $%#016x\n", name, i, binary.LittleEndian.Uint64(bytes[i:]))
	}
	fmt.Fprintf(&f.Data, "GLOBL %s<>(SB), RODATA|NOPTR, $%d\n", name, len(bytes))
	return name + "<>(SB)"
}

// Dwords is a constant of the pattern, repeated to eight 32-bit lanes.
func (f *File) Dwords(name string, pattern ...int32) string {
	var out []byte
	for i := range 8 {
		out = binary.LittleEndian.AppendUint32(out, uint32(pattern[i%len(pattern)]))
	}
	return f.Constant(name, out)
}

// Words is a constant of the pattern, repeated to sixteen 16-bit lanes.
func (f *File) Words(name string, pattern ...int16) string {
	var out []byte
	for i := range 16 {
		out = binary.LittleEndian.AppendUint16(out, uint16(pattern[i%len(pattern)]))
	}
	return f.Constant(name, out)
}

// Shuffle is a constant for VPSHUFB: of each 16-byte lane the places to take, -1 for zero. One lane is for both.
func (f *File) Shuffle(name string, lanes ...[]int) string {
	var out []byte
	for i := range 2 {
		for _, at := range lanes[i%len(lanes)] {
			out = append(out, byte(at))
		}
	}
	return f.Constant(name, out)
}
