package main

import "fmt"

// number is where a number lies in memory, for eight lanes, so that AVX2 can use it as it is; AVX-512 spreads the first.
func (f *file) number(bits uint32) string {
	at, ok := f.numbers[bits]
	if !ok {
		at = f.Dwords(fmt.Sprintf("number%08x", bits), int32(bits))
		f.numbers[bits] = at
	}
	return at
}
