package asm

import (
	"unsafe"

	"regraft/engine/kernel/abi"
)

// Lanes is the number of channels of a block, for every instruction set: one AVX-512 register, two AVX2 registers, four of NEON.
const Lanes = abi.Lanes

type lanes = [Lanes]float32

// Pointer turns an address of memory that does not move (arenas, kept-alive heap) into a pointer.
func Pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// FloatsAt is n floats at an address.
func FloatsAt(p uintptr, n int) []float32 { return unsafe.Slice((*float32)(Pointer(p)), n) }

// DoublesAt is n float64 at an address.
func DoublesAt(p uintptr, n int) []float64 { return unsafe.Slice((*float64)(Pointer(p)), n) }

// LanesAt is the pixel, or the constants of a block, at an address.
func LanesAt(p uintptr) *[Lanes]float32 { return (*[Lanes]float32)(Pointer(p)) }

// SumsAt is one block of float64 sums at an address.
func SumsAt(p uintptr) *[Lanes]float64 { return (*[Lanes]float64)(Pointer(p)) }
