package kernel

import "regraft/engine/kernel/asm"

// Set is an instruction set: the kernels that primitives are made of. All sets give the same bits.
type Set = asm.Set

// Go is the set of plain Go, which every machine has.
var Go = asm.Go

// Sets are the instruction sets of this build, whether or not this machine has them: those to prefer first, Go last.
func Sets() []*Set { return asm.Sets() }

// Usable are the instruction sets that this machine has, in the same order; or, where the environment variable REGRAFT_ISA names one,
// that and Go. It is an error to ask for one that the machine or the build does not have.
func Usable() ([]*Set, error) { return asm.Usable() }

// Detect returns the instruction set to compute with: the first of Usable.
func Detect() (*Set, error) { return asm.Detect() }
