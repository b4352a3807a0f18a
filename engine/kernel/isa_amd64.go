//go:build !noasm

package kernel

import "golang.org/x/sys/cpu"

// widest asks the processor, and whether the operating system saves the registers.
func widest() ISA {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasFMA && cpu.X86.HasAVX2:
		return AVX512
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return AVX2
	}
	return Go
}
