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

// form is one way to carry out an instruction. In the spelling {a}, {b} and {c} are the operands, {d} the result.
type form struct {
	spelling string
	memory   int // the operand that may lie in memory, or none
	tied     int // the operand whose register receives the result, or none
}

const none = -1

// spell fills in a spelling. Operands are named in the order a, b, c.
func spell(spelling, result string, operands ...string) string {
	pairs := []string{"{d}", result}
	for i, o := range operands {
		pairs = append(pairs, "{"+string(rune('a'+i))+"}", o)
	}
	return strings.NewReplacer(pairs...).Replace(spelling)
}
