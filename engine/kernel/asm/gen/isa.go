package main

import (
	"fmt"
	"strings"

	"regraft/asmfile"
	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/vec"
)

// function opens a kernel that takes one pointer to the argument struct arg and finds it in DI.
func (f *file) function(name, arg string) { f.Function(name, "a *"+arg+" DI") }

// isa describes a vector instruction set for the generator. A block of 16 channels is one zmm, two ymm or four q registers.
type isa struct {
	name  string
	regs  int // vector registers
	bytes int // per register
	per   int // registers per block
	tiles abi.Tiles
	// What prints programs, and what prints those with float64.
	target, wide *vec.Target
	factors      factors
	// work is the number of registers that an epilogue needs beside the sum: for an operand in memory, for a maximum.
	work int
	// unrolled is the number of channels that convolutions treat in one turn of their loop.
	unrolled int
	// fetches says that the weights of convolutions are asked for ahead: they are read in order, which some processors see by themselves.
	fetches bool
	lanes   lanes
}

// factors is how floats of the input, which multiply-adds spread over all lanes, come to them.
type factors interface {
	// multiplyAdd adds to sums the products of one float of the input with vectors of weights, all in registers.
	multiplyAdd(f *file, s isa, x inputLane, weights, sums []int)
	// register is that of input i, of several, where the last free register is that.
	register(last, i int) int
	// blocks is how many blocks of weights are in registers at a time, of so many.
	blocks(all int) int
}

// inputLane is one of some floats of the input that lie side by side, counted from 0, and a register for it or for several.
type inputLane struct {
	at       func(lane int) string // in memory
	lane, of int
	register int
	again    bool // the floats were used before and are in the register still
}

// lanes is what only moves lanes, by instruction.
type lanes interface {
	// pick is the whole of the kernels that pick has more about.
	pick(f *file, s isa, more bool)
	// What pack needs: tables in memory, constants of one channel, and the storing of three channels as pixels.
	tables(f *file, s isa)
	prepare(f *file, s isa, channel int)
	interleave(f *file, s isa)
	// transpose treats one block of transposes.
	transpose(f *file)
	// integer brings a whole number from a general register to all lanes.
	integer(f *file, s isa, from string, to int)
}

// registers are the numbers of the vector registers from first on.
func (s isa) registers(first int) (list []int) {
	for i := first; i < s.regs; i++ {
		list = append(list, i)
	}
	return list
}

// isas are the instruction sets of every processor.
var isas = map[*asmfile.Arch][]isa{
	asmfile.AMD64: {avx512, avx2},
	asmfile.ARM64: {neon},
}

// common is the set that all machines of the processor have: of kernels that wider registers do not make faster.
func (f *file) common() isa { return f.isas[len(f.isas)-1] }

// constant is the name of the ISA in package kernel.
func (s isa) constant() string { return strings.ToUpper(s.name) }

// r names vector register i.
func (s isa) r(i int) string { return s.target.Register(i) }

// What loops do with vectors of floats beside the programs that they go around.

func (f *file) load(s isa, at string, register int)  { f.all(s.target.Load(vec.F32, at, register)) }
func (f *file) store(s isa, register int, at string) { f.all(s.target.Store(vec.F32, register, at)) }
func (f *file) copy(s isa, from, to int)             { f.all(s.target.Copy(vec.F32, from, to)) }
func (f *file) spread(s isa, at string, register int) {
	f.all(s.target.Spread(at, register))
}
func (f *file) zero(s isa, register int) { f.all(s.target.Zero(register)) }

func (f *file) all(lines []string) {
	for _, line := range lines {
		f.line(line)
	}
}

// part is where a part of a vector lies behind a register.
func (s isa) part(i int, base string) string { return fmt.Sprintf("%d(%s)", i*s.bytes, base) }
