package kernel

import "regraft/engine/kernel/asm"

// Floats is the memory of n floats at the address of an operand.
func Floats(address uintptr, n int) []float32 { return asm.FloatsAt(address, n) }
