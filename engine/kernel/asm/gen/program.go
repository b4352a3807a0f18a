package main

import (
	"fmt"

	"regraft/asmfile"
	"regraft/engine/kernel/vec"
)

// What all families use to print their programs.

// compile puts the values of a program into registers.
func compile(name string, t *vec.Target, p *vec.Program, f vec.Frame) *vec.Code {
	code, err := vec.Compile(t, p, f)
	if err != nil {
		panic(fmt.Errorf("%s for %s: %w", name, t.Name, err))
	}
	return code
}

// body prints a program at some place, with numbers from the file's table.
func (f *file) body(code *vec.Code, at vec.Places) {
	at.Number = f.number
	code.Print(at, f.line)
}

func (f *file) line(text string) { f.P("%s", text) }

// number is where a number lies in memory, for eight lanes, so that AVX2 can use it as it is; AVX-512 spreads the first. Instructions of
// arm64 contain it.
func (f *file) number(bits uint32) string {
	if f.Arch != asmfile.AMD64 {
		return fmt.Sprintf("$%#x", bits)
	}
	at, ok := f.numbers[bits]
	if !ok {
		at = f.Dwords(fmt.Sprintf("number%08x", bits), int32(bits))
		f.numbers[bits] = at
	}
	return at
}

// plainFunction opens and closes the plain Go form of a kernel.
func (f *file) plainFunction(name, arg string, body func()) {
	fmt.Fprintf(&f.Plain, "\nfunc %s_f32_go(k *%s) {\n", name, arg)
	body()
	fmt.Fprintf(&f.Plain, "}\n")
}
