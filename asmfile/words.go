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
	from        int       // where not 0, the number stands for what it is less than that
	bits        [4]uint32 // where its bits lie, if not side by side
}

// Registers by their roles, and numbers.
var (
	rd, rn, rm, rt2 = register(1), register(1 << 5), register(1 << 16), register(1 << 10)
	lower           = field{one: 1 << 16, limit: 16, unit: 1} // a register whose elements of 16 bits are meant
	source          = register(1<<5 | 1<<16)                  // of a copy, which is a or a
	shiftLeft       = register(1 << 16)
	pair            = field{one: 1 << 15, limit: 64, unit: 16} // of a distance that is not negative
	element         = lane(1<<21, 1<<11)                       // of 32 bits
	halfElement     = lane(1<<20, 1<<21, 1<<11)
	first           = field{limit: 1, unit: 1} // lane 0
	// The last register of a list says nothing: so many behind the first.
	second, third, fourth = field{unit: 1}, field{unit: 2}, field{unit: 3}
)

func register(one uint32) field { return field{one: one, limit: 32, unit: 1} }
func distance(unit int) field   { return field{one: 1 << 10, limit: 1 << 12, unit: unit} }

// shiftRight is by 1 to so many bits.
func shiftRight(bits int) field { return field{one: 1 << 16, limit: bits, unit: 1, from: bits} }

// only is a number that says nothing: how far the address goes on.
func only(n int) field { return field{limit: 1, unit: 1, from: n} }

// lane is the number of a lane, with the bits that its own bits set, from the lowest on.
func lane(bits ...uint32) field {
	f := field{limit: 1 << len(bits), unit: 1}
	copy(f.bits[:], bits)
	return f
}

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
	"ldur d, [x,#]":                   {0xfc400000, []field{rd, rn, {one: 1 << 12, limit: 256, unit: 1}}},
	"str q, [x]":                      {0x3d800000, []field{rd, rn}},
	"str q, [x,#]":                    {0x3d800000, []field{rd, rn, distance(16)}},
	"str q, [x,x]":                    {0x3ca06800, []field{rd, rn, rm}},
	"ldp q, q, [x]":                   {0xad400000, []field{rd, rt2, rn}},
	"ldp q, q, [x,#]":                 {0xad400000, []field{rd, rt2, rn, pair}},
	"stp q, q, [x]":                   {0xad000000, []field{rd, rt2, rn}},
	"stp q, q, [x,#]":                 {0xad000000, []field{rd, rt2, rn, pair}},

	// Whole numbers of 8, 16 and 32 bits.
	"add v.8h, v.8h, v.8h":      {0x4e608400, []field{rd, rn, rm}},
	"sub v.8h, v.8h, v.8h":      {0x6e608400, []field{rd, rn, rm}},
	"sub v.4s, v.4s, v.4s":      {0x6ea08400, []field{rd, rn, rm}},
	"addp v.4s, v.4s, v.4s":     {0x4ea0bc00, []field{rd, rn, rm}},
	"mla v.8h, v.8h, v.8h":      {0x4e609400, []field{rd, rn, rm}},
	"mla v.4s, v.4s, v.4s":      {0x4ea09400, []field{rd, rn, rm}},
	"mul v.4s, v.4s, v.s[]":     {0x4f808000, []field{rd, rn, rm, element}},
	"mla v.4s, v.4s, v.s[]":     {0x6f800000, []field{rd, rn, rm, element}},
	"sqdmulh v.8h, v.8h, v.h[]": {0x4f40c000, []field{rd, rn, lower, halfElement}},
	"smull v.4s, v.4h, v.h[]":   {0x0f40a000, []field{rd, rn, lower, halfElement}},
	"smull2 v.4s, v.8h, v.h[]":  {0x4f40a000, []field{rd, rn, lower, halfElement}},
	"smlal v.4s, v.4h, v.h[]":   {0x0f402000, []field{rd, rn, lower, halfElement}},
	"smlal2 v.4s, v.8h, v.h[]":  {0x4f402000, []field{rd, rn, lower, halfElement}},
	"umlal v.8h, v.8b, v.8b":    {0x2e208000, []field{rd, rn, rm}},
	"umlal2 v.8h, v.16b, v.16b": {0x6e208000, []field{rd, rn, rm}},
	"uaddw v.8h, v.8h, v.8b":    {0x2e201000, []field{rd, rn, rm}},
	"uaddw2 v.8h, v.8h, v.16b":  {0x6e201000, []field{rd, rn, rm}},
	"usubl v.8h, v.8b, v.8b":    {0x2e202000, []field{rd, rn, rm}},
	"usubl2 v.8h, v.16b, v.16b": {0x6e202000, []field{rd, rn, rm}},
	"uxtl v.8h, v.8b":           {0x2f08a400, []field{rd, rn}},
	"uxtl2 v.8h, v.16b":         {0x6f08a400, []field{rd, rn}},
	"sshr v.4s, v.4s, #":        {0x4f200400, []field{rd, rn, shiftRight(32)}},
	"srsra v.8h, v.8h, #":       {0x4f103400, []field{rd, rn, shiftRight(16)}},
	"shrn v.8b, v.8h, #":        {0x0f088400, []field{rd, rn, shiftRight(8)}},
	"shrn2 v.16b, v.8h, #":      {0x4f088400, []field{rd, rn, shiftRight(8)}},
	"sqshrun v.8b, v.8h, #":     {0x2f088400, []field{rd, rn, shiftRight(8)}},
	"sqshrun2 v.16b, v.8h, #":   {0x6f088400, []field{rd, rn, shiftRight(8)}},
	"rshrn v.4h, v.4s, #":       {0x0f108c00, []field{rd, rn, shiftRight(16)}},
	"rshrn2 v.8h, v.4s, #":      {0x4f108c00, []field{rd, rn, shiftRight(16)}},
	"sqxtun v.8b, v.8h":         {0x2e212800, []field{rd, rn}},
	"sqxtun2 v.16b, v.8h":       {0x6e212800, []field{rd, rn}},
	"movi v.16b, #0x3":          {0x4f00e460, []field{rd}},
	"movi v.16b, #0x80":         {0x4f04e400, []field{rd}},
	"movi v.8h, #0x3":           {0x4f008460, []field{rd}},
	"dup v.8h, w":               {0x4e020c00, []field{rd, rn}},
	"zip1 v.16b, v.16b, v.16b":  {0x4e003800, []field{rd, rn, rm}},
	"zip2 v.16b, v.16b, v.16b":  {0x4e007800, []field{rd, rn, rm}},
	"zip1 v.8h, v.8h, v.8h":     {0x4e403800, []field{rd, rn, rm}},
	"zip2 v.8h, v.8h, v.8h":     {0x4e407800, []field{rd, rn, rm}},
	"zip1 v.4s, v.4s, v.4s":     {0x4e803800, []field{rd, rn, rm}},
	"zip2 v.4s, v.4s, v.4s":     {0x4e807800, []field{rd, rn, rm}},
	"uzp2 v.8h, v.8h, v.8h":     {0x4e405800, []field{rd, rn, rm}},
	"tbl v.16b, {v.16b}, v.16b": {0x4e000000, []field{rd, rn, rm}},
	"ld1 {v.16b}, [x],#":        {0x4cdf7000, []field{rd, rn, only(16)}},
	"st1 {v.16b}, [x],#":        {0x4c9f7000, []field{rd, rn, only(16)}},
	"st2 {v.16b, v.16b}, [x],#": {0x4c9f8000, []field{rd, second, rn, only(32)}},
	"st3 {v.16b-v.16b}, [x],#":  {0x4c9f4000, []field{rd, third, rn, only(48)}},
	"st1 {v.d}[], [x], x":       {0x0d808400, []field{rd, lane(1 << 30), rn, rm}},
	"st1 {v.s}[], [x], x":       {0x0d808000, []field{rd, lane(1<<12, 1<<30), rn, rm}},
	"st1 {v.h}[], [x], x":       {0x0d804000, []field{rd, lane(1<<11, 1<<12, 1<<30), rn, rm}},
	"st1 {v.h}[], [x],#":        {0x0d9f4000, []field{rd, lane(1<<11, 1<<12, 1<<30), rn, only(2)}},
	"st1 {v.b}[], [x],#":        {0x0d9f0000, []field{rd, lane(1<<10, 1<<11, 1<<12), rn, only(1)}},
}

// numbers are registers without their letters, distances, and lanes that are not part of an instruction's name.
var numbers = regexp.MustCompile(`\b([vqdswx])(\d+)|(#)(\d+)\b|(\[)([0-7])\]`)

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
		if f.from != 0 {
			n = f.from - n
		}
		switch {
		case f == second || f == third || f == fourth:
			if n != (values[i-1]+f.unit)%32 {
				return 0, fmt.Errorf("arm64: registers of %q", text)
			}
		case n < 0 || n%f.unit != 0 || n/f.unit >= f.limit:
			return 0, fmt.Errorf("arm64: %d is out of range in %q", values[i], text)
		}
		w |= uint32(n/f.unit) * f.one
		for k, bit := range f.bits {
			w |= uint32(n>>k&1) * bit
		}
	}
	return w, nil
}
