// Package pixel is the inner loops of decoding and resizing photos: short Huffman codes, libjpeg-turbo's inverse DCT, upsampling and
// colour conversion, and the two passes of Pillow's resizer. Every function has a plain Go form, and an AVX2 form with the same bits
// where that is worth it.
package pixel

import (
	"golang.org/x/sys/cpu"

	"regraft/engine/kernel"
)

//go:generate go run ./gen

// avx2 chooses the assembly, which has BMI2 too. What is wrong with REGRAFT_ISA the engine says.
var avx2 = func() bool {
	isa, err := kernel.Detect()
	return err == nil && isa.Includes("avx2") && cpu.X86.HasBMI2
}()

// lanes is the number of samples that most kernels take at a time.
const lanes = 16
