package vec

import (
	"fmt"
	"strings"
)

// What AVX2 and AVX-512 have in common: three operands, of which the last source may lie in memory. Go's assembler wants the sources
// from last to first, then the result.

const x86Spread = "VBROADCASTSS {a}, {d}"

// predicates are the immediate operands of comparisons, quiet ones.
var predicates = map[Predicate]int{
	Greater: 0x1e, GreaterEqual: 0x1d, Less: 0x11, LessEqual: 0x12,
	NotGreater: 0x1a, NotGreaterEqual: 0x19, NotLess: 0x15, NotLessEqual: 0x16,
	Unordered: 0x03,
}

// x86Registers names registers by their letters for floats and for doubles.
func x86Registers(single, double string) func(Type, int) string {
	return func(t Type, i int) string {
		if t == F64 {
			return fmt.Sprintf("%s%d", double, i)
		}
		return fmt.Sprintf("%s%d", single, i)
	}
}

// x86Forms are the spellings that both have. {p} is the suffix of the type.
func x86Forms(in Instruction) []form {
	suffix := "PS"
	if in.Type == F64 {
		suffix = "PD"
	}
	list := func(memory int, spelling string) []form {
		return []form{{strings.ReplaceAll(spelling, "{p}", suffix), memory, none}}
	}
	switch in.Op {
	case Load, Store:
		return list(0, "VMOVU{p} {a}, {d}")
	case SetState: // a copy
		return list(none, "VMOVA{p} {a}, {d}")
	case Add:
		return list(1, "VADD{p} {b}, {a}, {d}")
	case Sub:
		return list(1, "VSUB{p} {b}, {a}, {d}")
	case Mul:
		return list(1, "VMUL{p} {b}, {a}, {d}")
	case Div:
		return list(1, "VDIV{p} {b}, {a}, {d}")
	case Max:
		return list(1, "VMAX{p} {b}, {a}, {d}")
	case Min:
		return list(1, "VMIN{p} {b}, {a}, {d}")
	case Sqrt:
		return list(0, "VSQRT{p} {a}, {d}")
	case Widen:
		return list(0, "VCVTPS2PD {a}, {d}")
	case Shift:
		return list(none, fmt.Sprintf("VPSLLD $%d, {a}, {d}", in.Index))
	case AddInt:
		return list(1, "VPADDD {b}, {a}, {d}")
	case FMA:
		return fusedForms("VFMADD", suffix)
	case FMS:
		return fusedForms("VFMSUB", suffix)
	case FNMA:
		return fusedForms("VFNMADD", suffix)
	}
	panic(fmt.Sprintf("vec: no spelling of operation %d", in.Op))
}

// fusedForms: the result takes the place of one of the three operands, one other may lie in memory.
func fusedForms(name, suffix string) []form {
	return []form{
		{name + "231" + suffix + " {b}, {a}, {d}", 1, 2},
		{name + "231" + suffix + " {a}, {b}, {d}", 0, 2},
		{name + "213" + suffix + " {c}, {b}, {d}", 2, 0},
		{name + "132" + suffix + " {b}, {c}, {d}", 1, 0},
		{name + "213" + suffix + " {c}, {a}, {d}", 2, 1},
		{name + "132" + suffix + " {a}, {c}, {d}", 0, 1},
	}
}
