package asmfile

import (
	"fmt"
	"regexp"
	"strconv"
)

// Go's assembler for arm64 lacks most vector instructions. Here they are words, with the instruction as a comment, which a test has
// decoded by others.

// word is the directive for an instruction in Arm's notation.
func word(text string) string {
	w, err := Encode(text)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("WORD $%#08x // %s", w, text)
}

// encoding is an instruction's fixed bits and, in the order of the text, where its numbers go.
type encoding struct {
	word   uint32
	fields []field
}

// field is a number in an instruction: a multiple of unit, fewer than limit of them, each of which adds one to some bits.
type field struct {
	one         uint32
	limit, unit int
}

// Registers by their roles, and numbers.
var (
	rd, rn, rm, rt2 = register(1), register(1 << 5), register(1 << 16), register(1 << 10)
	source          = register(1<<5 | 1<<16) // of a copy, which is a or a
	shiftLeft       = register(1 << 16)
	pair            = field{1 << 15, 64, 16}         // of a distance that is not negative
	element         = field{0, 4, 1}                 // its lower bit lies above its upper
	first           = field{0, 1, 1}                 // lane 0
	third, fourth   = field{0, 0, 2}, field{0, 0, 3} // the last register of a list, which says nothing: so many behind the first
)

func register(one uint32) field { return field{one, 32, 1} }
func distance(unit int) field   { return field{1 << 10, 1 << 12, unit} }

// encodings are the instructions by their text without numbers.
var encodings = map[string]encoding{
	"fadd v.4s, v.4s, v.4s":           {0x4e20d400, []field{rd, rn, rm}},
	"fadd v.2d, v.2d, v.2d":           {0x4e60d400, []field{rd, rn, rm}},
	"fsub v.4s, v.4s, v.4s":           {0x4ea0d400, []field{rd, rn, rm}},
	"fmul v.4s, v.4s, v.4s":           {0x6e20dc00, []field{rd, rn, rm}},
	"fdiv v.4s, v.4s, v.4s":           {0x6e20fc00, []field{rd, rn, rm}},
	"fsqrt v.4s, v.4s":                {0x6ea1f800, []field{rd, rn}},
	"fneg v.4s, v.4s":                 {0x6ea0f800, []field{rd, rn}},
	"fmla v.4s, v.4s, v.4s":           {0x4e20cc00, []field{rd, rn, rm}},
	"fmla v.2s, v.2s, v.2s":           {0x0e20cc00, []field{rd, rn, rm}},
	"fmla v.2d, v.2d, v.2d":           {0x4e60cc00, []field{rd, rn, rm}},
	"fmls v.4s, v.4s, v.4s":           {0x4ea0cc00, []field{rd, rn, rm}},
	"fmla v.4s, v.4s, v.s[]":          {0x4f801000, []field{rd, rn, rm, element}},
	"fcmeq v.4s, v.4s, v.4s":          {0x4e20e400, []field{rd, rn, rm}},
	"fcmge v.4s, v.4s, v.4s":          {0x6e20e400, []field{rd, rn, rm}},
	"fcmgt v.4s, v.4s, v.4s":          {0x6ea0e400, []field{rd, rn, rm}},
	"fcmgt v.2s, v.2s, v.2s":          {0x2ea0e400, []field{rd, rn, rm}},
	"fcvtl v.2d, v.2s":                {0x0e617800, []field{rd, rn}},
	"cmeq v.4s, v.4s, v.4s":           {0x6ea08c00, []field{rd, rn, rm}},
	"add v.4s, v.4s, v.4s":            {0x4ea08400, []field{rd, rn, rm}},
	"mul v.4s, v.4s, v.4s":            {0x4ea09c00, []field{rd, rn, rm}},
	"shl v.4s, v.4s, #":               {0x4f205400, []field{rd, rn, shiftLeft}},
	"and v.16b, v.16b, v.16b":         {0x4e201c00, []field{rd, rn, rm}},
	"orr v.16b, v.16b, v.16b":         {0x4ea01c00, []field{rd, rn, rm}},
	"orn v.16b, v.16b, v.16b":         {0x4ee01c00, []field{rd, rn, rm}},
	"bsl v.16b, v.16b, v.16b":         {0x6e601c00, []field{rd, rn, rm}},
	"bit v.16b, v.16b, v.16b":         {0x6ea01c00, []field{rd, rn, rm}},
	"bif v.16b, v.16b, v.16b":         {0x6ee01c00, []field{rd, rn, rm}},
	"mov v.16b, v.16b":                {0x4ea01c00, []field{rd, source}},
	"mvn v.16b, v.16b":                {0x6e205800, []field{rd, rn}},
	"movi v.4s, #0x0":                 {0x4f000400, []field{rd}},
	"dup v.4s, w":                     {0x4e040c00, []field{rd, rn}},
	"dup v.4s, v.s[]":                 {0x4e040400, []field{rd, rn, first}},
	"trn1 v.4s, v.4s, v.4s":           {0x4e802800, []field{rd, rn, rm}},
	"trn2 v.4s, v.4s, v.4s":           {0x4e806800, []field{rd, rn, rm}},
	"zip1 v.2d, v.2d, v.2d":           {0x4ec03800, []field{rd, rn, rm}},
	"zip2 v.2d, v.2d, v.2d":           {0x4ec07800, []field{rd, rn, rm}},
	"tbl v.16b, {v.16b-v.16b}, v.16b": {0x4e006000, []field{rd, rn, fourth, rm}},
	"st3 {v.4s-v.4s}, [x]":            {0x4c004800, []field{rd, third, rn}},
	"ldr q, [x]":                      {0x3dc00000, []field{rd, rn}},
	"ldr q, [x,#]":                    {0x3dc00000, []field{rd, rn, distance(16)}},
	"ldr q, [x,x]":                    {0x3ce06800, []field{rd, rn, rm}},
	"ldr d, [x]":                      {0xfd400000, []field{rd, rn}},
	"ldr d, [x,#]":                    {0xfd400000, []field{rd, rn, distance(8)}},
	"ldr s, [x]":                      {0xbd400000, []field{rd, rn}},
	"ldr s, [x,#]":                    {0xbd400000, []field{rd, rn, distance(4)}},
	"ldur d, [x,#]":                   {0xfc400000, []field{rd, rn, {1 << 12, 256, 1}}},
	"str q, [x]":                      {0x3d800000, []field{rd, rn}},
	"str q, [x,#]":                    {0x3d800000, []field{rd, rn, distance(16)}},
	"str q, [x,x]":                    {0x3ca06800, []field{rd, rn, rm}},
	"ldp q, q, [x]":                   {0xad400000, []field{rd, rt2, rn}},
	"ldp q, q, [x,#]":                 {0xad400000, []field{rd, rt2, rn, pair}},
	"stp q, q, [x]":                   {0xad000000, []field{rd, rt2, rn}},
	"stp q, q, [x,#]":                 {0xad000000, []field{rd, rt2, rn, pair}},
}

// numbers are registers without their letters, distances, and lanes that are not part of an instruction's name.
var numbers = regexp.MustCompile(`\b([vqdswx])(\d+)|(#)(\d+)\b|(\[)([0-3])\]`)

// shape is the text of an instruction without its numbers, and these.
func shape(text string) (string, []int) {
	var values []int
	return numbers.ReplaceAllStringFunc(text, func(found string) string {
		m := numbers.FindStringSubmatch(found)
		n, _ := strconv.Atoi(m[2] + m[4] + m[6])
		values = append(values, n)
		if m[5] != "" {
			return "[]"
		}
		return m[1] + m[3]
	}), values
}

// Encode is the word of an instruction in Arm's notation.
func Encode(text string) (uint32, error) {
	shape, values := shape(text)
	e, ok := encodings[shape]
	if !ok || len(e.fields) != len(values) {
		return 0, fmt.Errorf("arm64: no encoding of %q", text)
	}
	w := e.word
	for i, f := range e.fields {
		n := values[i]
		switch {
		case f == third || f == fourth:
			if n != (values[i-1]+f.unit)%32 {
				return 0, fmt.Errorf("arm64: registers of %q", text)
			}
		case n%f.unit != 0 || n/f.unit >= f.limit:
			return 0, fmt.Errorf("arm64: %d is out of range in %q", n, text)
		case f == element:
			w |= uint32(n&1)<<21 | uint32(n>>1)<<11
		default:
			w |= uint32(n/f.unit) * f.one
		}
	}
	return w, nil
}
