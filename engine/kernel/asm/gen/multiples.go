package main

import "fmt"

// multiples puts 3, 5, 7, 9 and 11 times the step in regs[1] into registers, as far as multiples up to limit need them.
func (f *file) multiples(limit int, regs map[int]string) {
	for _, m := range []struct {
		odd, base, scale int
	}{{3, 1, 2}, {5, 1, 4}, {7, 3, 4}, {9, 1, 8}, {11, 3, 8}} {
		if m.odd <= limit {
			f.P("LEAQ (%s)(%s*%d), %s", regs[m.base], regs[1], m.scale, regs[m.odd])
		}
	}
}

// multiple is the address base + n*step, after multiples.
func multiple(base string, n int, regs map[int]string) string {
	if n == 0 {
		return fmt.Sprintf("(%s)", base)
	}
	scale := 1
	for n%2 == 0 && scale < 8 {
		n, scale = n/2, scale*2
	}
	return fmt.Sprintf("(%s)(%s*%d)", base, regs[n], scale)
}
