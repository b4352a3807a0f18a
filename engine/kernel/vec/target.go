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
	zero     string // how a register is cleared
}

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
