package random

import "math/bits"

// philox is Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3",
// SC 2011): a bijection of the counter for every key, with ten rounds of multiplication and mixing.
// It passes BigCrush, and any block can be had without those before it.
func philox(key uint64, counter [2]uint64) [2]uint64 {
	c0, c1 := uint32(counter[0]), uint32(counter[0]>>32)
	c2, c3 := uint32(counter[1]), uint32(counter[1]>>32)
	k0, k1 := uint32(key), uint32(key>>32)
	for range 10 {
		hi0, lo0 := bits.Mul32(0xD2511F53, c0)
		hi1, lo1 := bits.Mul32(0xCD9E8D57, c2)
		c0, c1, c2, c3 = hi1^c1^k0, lo1, hi0^c3^k1, lo0
		k0 += 0x9E3779B9
		k1 += 0xBB67AE85
	}
	return [2]uint64{uint64(c1)<<32 | uint64(c0), uint64(c3)<<32 | uint64(c2)}
}
