package asmfile

import (
	"fmt"
	"math/bits"
	"regexp"
	"strings"
)

// ARM64 spells amd64's general instructions by the table below. Vector instructions are lines in Arm's own notation, in small letters,
// and become words (words.go); their operands in memory are written as everywhere:
//
//	fmla v3.4s, v28.4s, v24.s[1]
//	ldr q3, 16(AX)(R11*2)
//	st1 {v3.d}[1], (DI), DX
var ARM64 = &Arch{Name: "arm64", move: "MOVD", register: arm64Register, last: []string{"RET"},
	speller: func() speller { return &arm64Speller{} }}

// Registers R8 to R15 are called the same. Two more are for instructions that take several here, one for values, one for addresses; R18
// and those from R26 on have other uses in Go.
var arm64Registers = map[string]string{"DI": "R0", "SI": "R1", "DX": "R2", "CX": "R3", "AX": "R4", "BX": "R5"}

const (
	arm64Value   = "R16"
	arm64Address = "R17"
)

func arm64Register(name string) string {
	if r, ok := arm64Registers[name]; ok {
		return r
	}
	return name
}

// arm64General spells the general instructions: a mnemonic with the kinds of its operands, r for a register, m for memory, i for a
// number, l for a label. {a} and {b} are the operands, {t} a register to work in.
var arm64General = map[string]string{
	"MOVQ r r":    "MOVD {a}, {b}",
	"MOVQ m r":    "MOVD {a}, {b}",
	"MOVQ i r":    "MOVD {a}, {b}",
	"MOVQ i m":    "MOVD {a}, {t}\nMOVD {t}, {b}",
	"MOVLQSX m r": "MOVW {a}, {b}",
	"XORL r r":    "MOVD ZR, {b}",
	"XORQ r r":    "MOVD ZR, {b}",
	"ADDQ i r":    "ADDS {a}, {b}",
	"ADDQ r r":    "ADDS {a}, {b}",
	"ADDQ m r":    "MOVD {a}, {t}\nADDS {t}, {b}",
	"ADDQ r m":    "MOVD {b}, {t}\nADDS {a}, {t}\nMOVD {t}, {b}",
	"SUBQ i r":    "SUBS {a}, {b}",
	"SUBQ r r":    "SUBS {a}, {b}",
	"SUBQ m r":    "MOVD {a}, {t}\nSUBS {t}, {b}",
	"INCQ r":      "ADDS $1, {a}",
	"DECQ r":      "SUBS $1, {a}",
	"DECQ m":      "MOVD {a}, {t}\nSUBS $1, {t}\nMOVD {t}, {a}",
	"CMPQ r r":    "CMP {b}, {a}",
	"CMPQ r i":    "CMP {b}, {a}",
	"CMPQ m i":    "MOVD {a}, {t}\nCMP {b}, {t}",
	"TESTQ i r":   "TST {a}, {b}",
	"TESTQ r r":   "TST {a}, {b}",
	"TESTQ i m":   "MOVD {b}, {t}\nTST {a}, {t}",
	"CMOVQLE r r": "CSEL LE, {a}, {b}, {b}",
	"CMOVQLT r r": "CSEL LT, {a}, {b}, {b}",
	"JMP l":       "B {a}",
	"JEQ l":       "BEQ {a}",
	"JZ l":        "BEQ {a}",
	"JNE l":       "BNE {a}",
	"JNZ l":       "BNE {a}",
	"JLT l":       "BLT {a}",
	"JLE l":       "BLE {a}",
	"JGE l":       "BGE {a}",
	// Into the first cache, and the second.
	"PREFETCHT0 m": "PRFM {a}, PLDL1KEEP",
	"PREFETCHT1 m": "PRFM {a}, PLDL2KEEP",
}

// arm64Speller spells lines. A load or store of 16 bytes waits for one of the next 16, which together are one instruction.
type arm64Speller struct {
	address memory // what the register for addresses holds, if anything
	waiting *transfer
}

func (s *arm64Speller) rest() []string {
	s.address = memory{}
	return s.finish(nil)
}

// finish emits what waits, and lines after it.
func (s *arm64Speller) finish(lines []string) []string {
	if w := s.waiting; w != nil {
		s.waiting = nil
		return append([]string{word(w.text(w.mnemonic, fmt.Sprintf("q%d", w.register)))}, lines...)
	}
	return lines
}

func (s *arm64Speller) spell(line string) []string {
	if strings.ToLower(line[:1]) == line[:1] {
		return s.vector(line)
	}
	lines := s.general(line)
	s.address = memory{}
	return s.finish(lines)
}

// general spells a general instruction.
func (s *arm64Speller) general(line string) (lines []string) {
	mnemonic, rest, _ := strings.Cut(line, " ")
	operands := strings.Split(rest, ", ")
	if mnemonic == "LEAQ" {
		m, ok := parseMemory(operands[0])
		if !ok || m.index == "" || m.offset != 0 {
			panic("arm64: no spelling of " + line)
		}
		return []string{m.add(arm64Register(operands[1]))}
	}
	s.address = memory{}
	key := mnemonic
	pairs := []string{"{t}", arm64Value}
	for i, o := range operands {
		m, inMemory := parseMemory(o)
		kind := "r"
		switch {
		case inMemory:
			kind = "m"
			o, lines = s.reach(m, lines)
		case strings.HasPrefix(o, "$"):
			kind = "i"
		case strings.HasPrefix(mnemonic, "J"):
			kind = "l"
		default:
			o = arm64Register(o)
		}
		key += " " + kind
		pairs = append(pairs, "{"+string(rune('a'+i))+"}", o)
	}
	spelling, ok := arm64General[key]
	if !ok {
		panic("arm64: no spelling of " + line)
	}
	return append(lines, strings.Split(strings.NewReplacer(pairs...).Replace(spelling), "\n")...)
}

// reach is an operand in memory for a general instruction, with what makes its address.
func (s *arm64Speller) reach(m memory, lines []string) (string, []string) {
	m, lines = s.plain(m, lines)
	return fmt.Sprintf("%d(%s)", m.offset, m.base), lines
}

// plain puts the sum of base and index into the register for addresses, where it is not already.
func (s *arm64Speller) plain(m memory, lines []string) (memory, []string) {
	if m.index == "" {
		return m, lines
	}
	sum := m
	sum.offset = 0
	if s.address != sum {
		s.address = sum
		lines = append(lines, m.add(arm64Address))
	}
	return memory{offset: m.offset, base: arm64Address}, lines
}

// memory is an operand in memory: offset + base + index*scale.
type memory struct {
	offset      int
	base, index string
	scale       int
}

var memoryPattern = regexp.MustCompile(`(\d*)\((\w+)\)(?:\((\w+)\*(\d)\))?`)

func parseMemory(operand string) (m memory, ok bool) {
	match := memoryPattern.FindStringSubmatch(operand)
	if match == nil || match[0] != operand {
		return memory{}, false
	}
	m = memory{base: arm64Register(match[2]), index: arm64Register(match[3])}
	fmt.Sscan(match[1], &m.offset)
	fmt.Sscan(match[4], &m.scale)
	return m, true
}

// add is the instruction that puts base + index*scale into a register.
func (m memory) add(to string) string {
	index := m.index
	if m.scale > 1 {
		index += fmt.Sprintf("<<%d", bits.TrailingZeros(uint(m.scale)))
	}
	return fmt.Sprintf("ADD %s, %s, %s", index, m.base, to)
}

// vector spells a vector instruction.
func (s *arm64Speller) vector(line string) []string {
	operand := memoryPattern.FindString(line)
	if operand == "" {
		return s.finish([]string{word(generalNames.ReplaceAllStringFunc(line, narrow))})
	}
	m, _ := parseMemory(operand)
	if m.index != "" && m.scale == 1 && m.offset == 0 {
		return s.finish([]string{word(strings.Replace(line, operand, fmt.Sprintf("[%s,%s]", wide(m.base), wide(m.index)), 1))})
	}
	m, lines := s.plain(m, nil)
	t, whole := parseTransfer(line, operand, m)
	if w := s.waiting; whole && lines == nil && w != nil && w.before(t) {
		s.waiting = nil
		return []string{word(w.text(t.mnemonic[:2]+"p", fmt.Sprintf("q%d, q%d", w.register, t.register)))}
	}
	lines = s.finish(lines)
	if whole {
		s.waiting = &t
		return lines
	}
	before, after, _ := strings.Cut(line, operand)
	if after != "" { // how far the address goes on
		s.address = memory{}
	}
	return append(lines, word(unscaled(before+m.text()+generalNames.ReplaceAllStringFunc(after, step), m)))
}

// unscaled is the load of a part of a register for a distance that is no multiple of its size.
func unscaled(line string, m memory) string {
	for letter, size := range map[string]int{"d": 8, "s": 4} {
		if rest, ok := strings.CutPrefix(line, "ldr "+letter); ok && m.offset%size != 0 {
			return "ldur " + letter + rest
		}
	}
	return line
}

// transfer is a load or store of a whole register.
type transfer struct {
	mnemonic string // ldr or str
	register int
	memory
}

func parseTransfer(line, operand string, m memory) (t transfer, whole bool) {
	t.memory = m
	n, err := fmt.Sscanf(strings.Replace(line, operand, "", 1), "%s q%d,", &t.mnemonic, &t.register)
	return t, n == 2 && err == nil && (t.mnemonic == "ldr" || t.mnemonic == "str")
}

// before tells whether one instruction can do t and the next.
func (t transfer) before(next transfer) bool {
	const farthest = 1008
	return t.mnemonic == next.mnemonic && t.register != next.register && t.base == next.base && t.offset+16 == next.offset && t.offset <= farthest
}

func (t transfer) text(mnemonic, registers string) string {
	return fmt.Sprintf("%s %s, %s", mnemonic, registers, t.memory.text())
}

// text is the operand in Arm's notation.
func (m memory) text() string {
	if m.offset == 0 {
		return "[" + wide(m.base) + "]"
	}
	return fmt.Sprintf("[%s,#%d]", wide(m.base), m.offset)
}

// In Arm's notation a general register is x or, its lower half, w.
func wide(register string) string   { return "x" + register[1:] }
func narrow(register string) string { return "w" + arm64Register(register)[1:] }
func step(register string) string   { return wide(arm64Register(register)) }

var generalNames = regexp.MustCompile(`\b(?:R\d+|[A-D]X|[DS]I)\b`)
