package vec

import (
	"fmt"
	"strings"
)

// NEON: four floats a register, in Arm's notation. Only loads and stores go to memory; masks are vectors.
var NEON = neon("4s", "ldr q{d}, {a}")

// NEONWide is NEON for programs with float64, two lanes at a time: floats take the lower halves of registers.
var NEONWide = neon("2s", "ldr d{d}, {a}")

// neon is the target whose floats have that arrangement and are loaded so.
func neon(floats, load string) *Target {
	return &Target{
		Name: "neon", Registers: 32,
		register: func(_ Type, i int) string { return fmt.Sprint(i) },
		forms: func(in Instruction) []form {
			arrangement := floats
			if in.Type == F64 {
				arrangement = "2d"
			} else if in.Op == Load {
				return []form{{load, 0, none}}
			}
			return neonForms(in, arrangement)
		},
		constant: func(string) string { return "MOVQ {a}, R16\ndup v{d}.4s, R16" },
		spread:   "ldr s{d}, {a}\ndup v{d}.4s, v{d}.s[0]",
		zero:     "movi v{d}.4s, #0x0",
	}
}

// neonForms spells all but loads of floats. In spellings that are filled in here, a name in capitals is that register, all of it or by
// the arrangement.
func neonForms(in Instruction, arrangement string) []form {
	list := func(tied int, lines ...string) form {
		text := strings.Join(lines, "\n")
		for _, name := range []string{"a", "b", "c", "d", "t", "u"} {
			text = strings.ReplaceAll(text, "{"+name+"}", "v{"+name+"}."+arrangement)
			text = strings.ReplaceAll(text, "<"+name+">", "v{"+name+"}.16b")
			text = strings.ReplaceAll(text, "["+name+"]", "v{"+name+"}.4s")
		}
		return form{text, none, tied}
	}
	one := func(lines ...string) []form { return []form{list(none, lines...)} }
	switch in.Op {
	case Load:
		return []form{{"ldr q{d}, {a}", 0, none}}
	case Store:
		return []form{{"str q{a}, {d}", none, none}}
	case SetState: // a copy
		return one("mov <d>, <a>")
	case Add:
		return one("fadd {d}, {a}, {b}")
	case Sub:
		return one("fsub {d}, {a}, {b}")
	case Mul:
		return one("fmul {d}, {a}, {b}")
	case Div:
		return one("fdiv {d}, {a}, {b}")
	case Sqrt:
		return one("fsqrt {d}, {a}")
	case FMA:
		return []form{list(2, "fmla {d}, {a}, {b}")}
	case FNMA:
		return []form{list(2, "fmls {d}, {a}, {b}")}
	case FMS:
		return one("fneg {t}, {c}", "fmla {t}, {a}, {b}", "mov <d>, <t>")
	// The instructions for maxima and minima treat NaN and zeros otherwise.
	case Max:
		return []form{list(1, "fcmgt {t}, {a}, {b}", "bit <d>, <a>, <t>"), list(0, "fcmgt {t}, {a}, {b}", "bif <d>, <b>, <t>")}
	case Min:
		return []form{list(1, "fcmgt {t}, {b}, {a}", "bit <d>, <a>, <t>"), list(0, "fcmgt {t}, {b}, {a}", "bif <d>, <b>, <t>")}
	case Largest:
		return []form{list(0, "fcmgt {t}, {a}, {b}", "fcmeq {u}, {a}, {a}", "orn <t>, <t>, <u>", "bif <d>, <b>, <t>")}
	case Widen:
		return []form{{"fcvtl v{d}.2d, v{a}.2s", none, none}}
	case Shift:
		return one(fmt.Sprintf("shl [d], [a], #%d", in.Index))
	case AddInt:
		return one("add [d], [a], [b]")
	case EqualInt:
		return one("cmeq [d], [a], [b]")
	case Compare:
		return one(neonCompare(Predicate(in.Index), in.Args[0] == in.Args[1])...)
	case Or:
		return one("orr <d>, <a>, <b>")
	case Where:
		return one("and <d>, <a>, <b>")
	case Select:
		return []form{list(0, "bsl <d>, <b>, <c>"), list(1, "bif <d>, <c>, <a>"), list(2, "bit <d>, <b>, <a>")}
	}
	panic(fmt.Sprintf("vec: no spelling of operation %d", in.Op))
}

func neonCompare(is Predicate, same bool) []string {
	not := "mvn <d>, <d>"
	switch is {
	case Greater:
		return []string{"fcmgt {d}, {a}, {b}"}
	case GreaterEqual:
		return []string{"fcmge {d}, {a}, {b}"}
	case Less:
		return []string{"fcmgt {d}, {b}, {a}"}
	case LessEqual:
		return []string{"fcmge {d}, {b}, {a}"}
	case Unordered:
		if same {
			return []string{"fcmeq {d}, {a}, {a}", not}
		}
		return []string{"fcmeq {t}, {a}, {a}", "fcmeq {u}, {b}, {b}", "and <d>, <t>, <u>", not}
	}
	return append(neonCompare(is-NotGreater+Greater, same), not)
}
