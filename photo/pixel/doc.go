// Package pixel is the arithmetic on the samples of photos: libjpeg-turbo's inverse DCT, upsampling and colour conversion, and the two
// passes of Pillow's resizer. Every function has a plain Go form, and an AVX2 form with the same bits where that is worth it.
package pixel

import "regraft/engine/kernel"

//go:generate go run ./gen

// avx2 chooses the assembly. What is wrong with REGRAFT_ISA the engine says.
var avx2 = func() bool {
	isa, err := kernel.Detect()
	return err == nil && isa != kernel.Go
}()

// lanes is the number of samples that most kernels take at a time.
const lanes = 16
