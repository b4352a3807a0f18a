package vec

import (
	"fmt"
	"strings"
)

// AVX512: sixteen floats a register; masks are registers of their own. Only instructions of the foundation are used.
var AVX512 = &Target{
	Name: "avx512", Registers: 32, Masks: 6, register: avx512Register, forms: avx512Forms, constant: avx512Constant,
	spread: x86Spread, zero: "VPXORQ {d}, {d}, {d}",
}

// AVX512Wide is AVX-512 for programs with float64, eight lanes at a time: floats take halves of the first sixteen registers and are
// worked on by AVX2's instructions, since the foundation has none for halves.
var AVX512Wide = avx2("avx512", x86Registers("Y", "Z"))

func avx512Register(t Type, i int) string {
	if t == Mask {
		return fmt.Sprintf("K%d", i)
	}
	return fmt.Sprintf("Z%d", i)
}

func avx512Forms(in Instruction) []form {
	switch in.Op {
	case Compare:
		return []form{{fmt.Sprintf("VCMPPS $%#x, {b}, {a}, {d}", predicates[Predicate(in.Index)]), 1, none}}
	case EqualInt:
		return []form{{"VPCMPEQD {b}, {a}, {d}", 1, none}}
	case Largest: // K7 is kept for it
		return []form{{"VCMPPS $0x7, {a}, {a}, K7\nVMAXPS {b}, {a}, K7, {d}", 1, 0}}
	case Or:
		return []form{{"KORW {b}, {a}, {d}", none, none}}
	case Where:
		return []form{{"VMOVUPS.Z {b}, {a}, {d}", 1, none}}
	case Select:
		return []form{{"VBLENDMPS {b}, {c}, {a}, {d}", 1, none}}
	}
	return x86Forms(in)
}

// avx512Constant: one lane in memory is spread on the way.
func avx512Constant(spelled string) string {
	if s, moved := strings.CutPrefix(spelled, "VMOVUPS"); moved {
		return "VBROADCASTSS" + s
	}
	name, operands, _ := strings.Cut(spelled, " ")
	return name + ".BCST " + operands
}
