// Package pixel is the inner loops of decoding and resizing photos: short Huffman codes, libjpeg-turbo's inverse DCT, upsampling and
// colour conversion, and the two passes of Pillow's resizer. Every function has a plain Go form, and forms for AVX2 and NEON with the
// same bits where that is worth it.
package pixel

import (
	"golang.org/x/sys/cpu"

	"regraft/engine/kernel"
)

//go:generate go run ./gen

// assembly chooses the forms that are no plain Go, bmi2 that of codes. What is wrong with REGRAFT_ISA the engine says.
var assembly, bmi2 = func() (bool, bool) {
	isa, err := kernel.Detect()
	if err != nil {
		return false, false
	}
	avx2 := isa.Includes("avx2")
	return avx2 || isa.Includes("neon"), avx2 && cpu.X86.HasBMI2
}()

// lanes is the number of samples that most kernels take at a time.
const lanes = 16
