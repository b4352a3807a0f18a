package main

import (
	"fmt"
	"strings"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/vec"
)

// function opens a kernel that takes one pointer to the argument struct arg and finds it in DI.
func (f *file) function(name, arg string) { f.Function(name, "a *"+arg+" DI") }

// isa describes a vector instruction set for the generator. A block of 16 channels is one zmm or two ymm.
type isa struct {
	name  string
	reg   string // register letter
	regs  int    // vector registers
	bytes int    // per register
	per   int    // registers per block
	tiles abi.Tiles
	// What prints programs, and what prints those with float64.
	target, wide *vec.Target
}

// registers are the numbers of the vector registers from first on.
func (s isa) registers(first int) (list []int) {
	for i := first; i < s.regs; i++ {
		list = append(list, i)
	}
	return list
}

var (
	avx512 = isa{"avx512", "Z", 32, 64, 1, abi.AVX512, vec.AVX512, vec.AVX512Wide}
	avx2   = isa{"avx2", "Y", 16, 32, 2, abi.AVX2, vec.AVX2, vec.AVX2Wide}

	isas = []isa{avx512, avx2}
)

// constant is the name of the ISA in package kernel.
func (s isa) constant() string { return strings.ToUpper(s.name) }

// r names vector register i.
func (s isa) r(i int) string { return fmt.Sprintf("%s%d", s.reg, i) }

// zero clears vector register r.
func (s isa) zero(f *file, r string) {
	if s.per == 1 {
		f.P("VPXORQ %s, %s, %s", r, r, r)
	} else {
		f.P("VXORPS %s, %s, %s", r, r, r)
	}
}
