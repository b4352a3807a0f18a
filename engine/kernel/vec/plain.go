package vec

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Names are expressions of plain Go for what lies outside of a program: one lane of it.
type Names struct {
	Load, Lanes, Scalar, Input, State, Store func(i int) string
}

// Plain is the program as Go statements for one lane, with the bits of all targets: every product is converted to its own type, so
// that no compiler fuses it into a sum. It needs functions fma32(a, b, c) and sqrt32(a).
func (p *Program) Plain(n Names) string {
	var text strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	name := func(v Value) string {
		if in := p.Code[v]; in.Op == Const {
			return number(in.Bits)
		}
		return fmt.Sprintf("v%d", v)
	}
	for i, in := range p.Code {
		var args [3]string
		for j, v := range in.args() {
			args[j] = name(v)
		}
		a, b, c := args[0], args[1], args[2]
		v, typ := name(Value(i)), "float32"
		if in.Type == F64 {
			typ = "float64"
		}
		let := func(format string, args ...any) { line(v+" := "+format, args...) }
		choose := func(condition, yes, no string) {
			if !strings.HasPrefix(no, "v") { // a number
				no = typ + "(" + no + ")"
			}
			line("%s := %s\nif %s {\n%s = %s\n}", v, no, condition, v, yes)
		}
		switch in.Op {
		case Const:
		case Load:
			let("%s", n.Load(in.Index))
		case Lanes:
			let("%s", n.Lanes(in.Index))
		case Scalar:
			let("%s", n.Scalar(in.Index))
		case Input:
			let("%s", n.Input(in.Index))
		case State:
			let("%s", n.State(in.Index))
		case Add:
			let("%s + %s", a, b)
		case Sub:
			let("%s - %s", a, b)
		case Mul:
			let("%s(%s * %s)", typ, a, b)
		case Div:
			let("%s / %s", a, b)
		case Sqrt:
			let("sqrt32(%s)", a)
		case Max:
			choose(a+" > "+b, a, b)
		case Min:
			choose(a+" < "+b, a, b)
		case Largest:
			choose(fmt.Sprintf("%s > %s || %s != %s", a, b, a, a), a, b)
		case FMA, FMS, FNMA:
			let("%s", fused(in, a, b, c))
		case Widen:
			let("float64(%s)", a)
		case Shift:
			let("math.Float32frombits(math.Float32bits(%s) << %d)", a, in.Index)
		case AddInt:
			let("math.Float32frombits(math.Float32bits(%s) + math.Float32bits(%s))", a, b)
		case Compare:
			if a == b && Predicate(in.Index) == Unordered {
				let("%[1]s != %[1]s", a)
			} else {
				let(comparisons[Predicate(in.Index)], a, b)
			}
		case EqualInt:
			let("math.Float32bits(%s) == math.Float32bits(%s)", a, b)
		case Or:
			let("%s || %s", a, b)
		case Where:
			choose(a, b, "0")
		case Select:
			choose(a, b, c)
		case Store:
			line("%s = %s", n.Store(in.Index), a)
		case SetState:
			line("%s = %s", n.State(in.Index), a)
		}
	}
	return text.String()
}

// fused is a product in a sum. In float64 it is exact and need not be fused.
func fused(in Instruction, a, b, c string) string {
	if in.Type == F64 {
		switch in.Op {
		case FMS:
			return fmt.Sprintf("float64(%s*%s) - %s", a, b, c)
		case FNMA:
			return fmt.Sprintf("%s - float64(%s*%s)", c, a, b)
		}
		return fmt.Sprintf("%s + float64(%s*%s)", c, a, b)
	}
	switch in.Op {
	case FMS:
		return fmt.Sprintf("fma32(%s, %s, %s)", a, b, negative(c))
	case FNMA:
		return fmt.Sprintf("fma32(%s, %s, %s)", negative(a), b, c)
	}
	return fmt.Sprintf("fma32(%s, %s, %s)", a, b, c)
}

// negative is an expression's opposite.
func negative(v string) string {
	if positive, ok := strings.CutPrefix(v, "-"); ok {
		return positive
	}
	return "-" + v
}

var comparisons = map[Predicate]string{
	Greater: "%s > %s", GreaterEqual: "%s >= %s", Less: "%s < %s", LessEqual: "%s <= %s",
	NotGreater: "!(%s > %s)", NotGreaterEqual: "!(%s >= %s)", NotLess: "!(%s < %s)", NotLessEqual: "!(%s <= %s)",
	Unordered: "%[1]s != %[1]s || %[2]s != %[2]s",
}

// number is a Go constant with these bits.
func number(bits uint32) string {
	v := math.Float32frombits(bits)
	if v != v || math.IsInf(float64(v), 0) || v == 0 && bits != 0 {
		return fmt.Sprintf("math.Float32frombits(%#x)", bits)
	}
	return strconv.FormatFloat(float64(v), 'g', -1, 32)
}
