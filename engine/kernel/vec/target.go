package vec

import "strings"

// Target describes an instruction set with vector registers.
type Target struct {
	Name      string
	Registers int // of vectors
	Masks     int // registers of masks; 0 where masks are vectors
	// register names a register; a Mask is one of masks, or a vector where there are none.
	register func(t Type, i int) string
	// forms are the ways to spell an instruction, the best first.
	forms func(in Instruction) []form
	// constant spells an instruction whose operand in memory is a number, of which memory may hold one lane only.
	constant func(spelled string) string
	spread   string // how one float in memory comes to all lanes
	zero     string // how a register is cleared
}

// What the loops around programs do with vectors by themselves: lines as Print emits them.

func (t *Target) Load(typ Type, at string, register int) []string {
	return t.line(t.forms(Instruction{Op: Load, Type: typ})[0].spelling, typ, register, at)
}

func (t *Target) Store(typ Type, register int, at string) []string {
	return lines(spell(t.forms(Instruction{Op: Store, Type: typ})[0].spelling, at, []string{t.register(typ, register)}, nil))
}

func (t *Target) Copy(typ Type, from, to int) []string {
	return t.line(t.forms(Instruction{Op: SetState, Type: typ})[0].spelling, typ, to, t.register(typ, from))
}

// Spread brings one float in memory to all lanes.
func (t *Target) Spread(at string, register int) []string { return t.line(t.spread, F32, register, at) }

func (t *Target) Zero(register int) []string { return t.line(t.zero, F32, register) }

// MultiplyAdd adds the product of two registers to a third.
func (t *Target) MultiplyAdd(a, b, sum int) []string {
	return t.line(t.multiplyAdd(), F32, sum, t.register(F32, a), t.register(F32, b))
}

// MultiplyAddNumber is MultiplyAdd with a float in memory, spread on the way, in place of b: for targets that can.
func (t *Target) MultiplyAddNumber(a int, at string, sum int) []string {
	return t.line(t.constant(t.multiplyAdd()), F32, sum, t.register(F32, a), at)
}

func (t *Target) multiplyAdd() string { return t.forms(Instruction{Op: FMA, Type: F32})[0].spelling }

// Register is the name of a vector register.
func (t *Target) Register(i int) string { return t.register(F32, i) }

func (t *Target) line(spelling string, typ Type, result int, operands ...string) []string {
	return lines(spell(spelling, t.register(typ, result), operands, nil))
}

func lines(text string) []string { return strings.Split(text, "\n") }

// form is one way to carry out an instruction, of one line or several. In the spelling {a}, {b} and {c} are the operands, {d} the
// result, {t} and {u} registers to work in: they differ from all others.
type form struct {
	spelling string
	memory   int // the operand that may lie in memory, or none
	tied     int // the operand whose register receives the result, or none
}

// temporaries are the registers to work in that a form needs.
func (f form) temporaries() (n int) {
	for _, name := range temporaryNames {
		if strings.Contains(f.spelling, name) {
			n++
		}
	}
	return n
}

var temporaryNames = [...]string{"{t}", "{u}"}

const none = -1

// operandName is what operand i is called in spellings.
func operandName(i int) string { return "{" + string(rune('a'+i)) + "}" }

// spell fills in a spelling.
func spell(spelling, result string, operands, temporaries []string) string {
	pairs := []string{"{d}", result}
	for i, o := range operands {
		pairs = append(pairs, operandName(i), o)
	}
	for i, t := range temporaries {
		pairs = append(pairs, temporaryNames[i], t)
	}
	return strings.NewReplacer(pairs...).Replace(spelling)
}
