package vec

import (
	"fmt"
	"strings"
)

// AVX2: eight floats a register. Masks are vectors.
var AVX2 = avx2("avx2", x86Registers("Y", "Y"))

// AVX2Wide is AVX2 for programs with float64, four lanes at a time: floats take the lower halves of registers.
var AVX2Wide = avx2("avx2", x86Registers("X", "Y"))

func avx2(name string, register func(Type, int) string) *Target {
	return &Target{Name: name, Registers: 16, register: register, forms: avx2Forms, constant: avx2Constant, spread: x86Spread,
		zero: "VXORPS {d}, {d}, {d}"}
}

func avx2Forms(in Instruction) []form {
	switch in.Op {
	case Compare:
		return []form{{fmt.Sprintf("VCMPPS $%#x, {b}, {a}, {d}", predicates[Predicate(in.Index)]), 1, none}}
	case EqualInt:
		return []form{{"VPCMPEQD {b}, {a}, {d}", 1, none}}
	case Largest:
		return []form{{"VCMPPS $0x3, {a}, {a}, {t}\nVMAXPS {b}, {a}, {u}\nVBLENDVPS {t}, {a}, {u}, {d}", 1, none}}
	case Or:
		return []form{{"VORPS {b}, {a}, {d}", 1, none}}
	case Where:
		return []form{{"VANDPS {b}, {a}, {d}", 1, none}}
	case Select:
		return []form{{"VBLENDVPS {a}, {b}, {c}, {d}", 1, none}}
	}
	return x86Forms(in)
}

// avx2Constant: numbers in memory fill a register. Only a load can also spread one.
func avx2Constant(spelled string) string {
	return strings.Replace(spelled, "VMOVUPS", "VBROADCASTSS", 1)
}
