package main

import (
	"fmt"
	"math"

	"regraft/engine/kernel/toomcook"
)

// constants collects coefficients, each as 8 equal floats: AVX-512 broadcasts the first, AVX2 reads all.
type constants struct {
	*file
	values []float32
}

func (c *constants) at(v float32) string {
	for i, x := range c.values {
		if x == v {
			return fmt.Sprintf("winogradConstants<>+%d(SB)", 32*i)
		}
	}
	c.values = append(c.values, v)
	return c.at(v)
}

func (c *constants) emit() {
	fmt.Fprintln(&c.Text)
	for i, v := range c.values {
		for j := range 4 {
			bits := uint64(math.Float32bits(v))
			fmt.Fprintf(&c.Text, "DATA winogradConstants<>+%d(SB)/8, $0x%016x\n", 32*i+8*j, bits<<32|bits)
		}
	}
	fmt.Fprintf(&c.Text, "GLOBL winogradConstants<>(SB), RODATA|NOPTR, $%d\n", 32*len(c.values))
}

// run emits a program whose inputs are in the first vector registers, using no more than the given number of them. It calls store as
// soon as a result is in a register, which store may change unless the result is an input.
func (c *constants) run(s isa, p toomcook.Program, registers int, store func(result int, reg string)) {
	a := allocate(p, registers)
	suffix := ""
	if s.per == 1 {
		suffix = ".BCST"
	}
	for v := range p.Inputs {
		if r, ok := a.result[v]; ok {
			store(r, s.r(a.where[v]))
		}
	}
	for i, op := range p.Ops {
		x, y := s.r(a.where[op.A]), s.r(a.where[op.B])
		inA, inB := a.place(i)
		z := s.r(a.where[p.Inputs+i])
		switch op.Kind {
		case toomcook.Mul:
			c.P("VMULPS%s %s, %s, %s", suffix, c.at(op.C), x, z)
		case toomcook.FMA:
			switch {
			case inA: // x*c + y
				c.P("VFMADD132PS%s %s, %s, %s", suffix, c.at(op.C), y, z)
			case inB:
				c.P("VFMADD231PS%s %s, %s, %s", suffix, c.at(op.C), x, z)
			default:
				c.P("VMOVAPS %s, %s", y, z)
				c.P("VFMADD231PS%s %s, %s, %s", suffix, c.at(op.C), x, z)
			}
		case toomcook.Add:
			c.P("VADDPS %s, %s, %s", y, x, z)
		case toomcook.Sub:
			c.P("VSUBPS %s, %s, %s", y, x, z)
		}
		if r, ok := a.result[p.Inputs+i]; ok {
			store(r, z)
		}
	}
}

// allocation places the values of a program in registers.
type allocation struct {
	program toomcook.Program
	where   []int
	last    []int // the last instruction that reads a value, -1 for none
	result  map[int]int
	used    []bool
}

// allocate goes through a program once: a register is free after the last instruction that reads it, or at once after storing a
// result that nothing reads.
func allocate(p toomcook.Program, registers int) allocation {
	n := p.Inputs + len(p.Ops)
	a := allocation{p, make([]int, n), make([]int, n), map[int]int{}, make([]bool, registers)}
	for v := range a.last {
		a.last[v] = -1
	}
	for i, op := range p.Ops {
		a.last[op.A] = i
		if op.Kind != toomcook.Mul {
			a.last[op.B] = i
		}
	}
	for r, v := range p.Results {
		a.result[v] = r
	}
	for v := range p.Inputs {
		a.where[v], a.used[v] = v, true
	}
	for i, op := range p.Ops {
		v := p.Inputs + i
		inA, inB := a.place(i)
		switch {
		case inA:
			a.where[v] = a.where[op.A]
			a.free(op.B, i, op.Kind)
		case inB:
			a.where[v] = a.where[op.B]
			a.free(op.A, i, toomcook.FMA)
		default:
			a.where[v] = a.take()
			if a.last[op.A] == i {
				a.used[a.where[op.A]] = false
			}
			a.free(op.B, i, op.Kind)
		}
		if a.last[v] < 0 {
			a.used[a.where[v]] = false
		}
	}
	return a
}

// place tells whether instruction i overwrites its operand A or B, which nothing reads afterwards.
func (a *allocation) place(i int) (inA, inB bool) {
	op := a.program.Ops[i]
	inB = op.Kind != toomcook.Mul && a.last[op.B] == i
	inA = a.last[op.A] == i && !inB
	return inA, inB
}

func (a *allocation) free(v, i int, kind toomcook.Kind) {
	if kind != toomcook.Mul && a.last[v] == i {
		a.used[a.where[v]] = false
	}
}

func (a *allocation) take() int {
	for r, u := range a.used {
		if !u {
			a.used[r] = true
			return r
		}
	}
	panic("out of vector registers")
}

// multiples puts 3, 5, 7 and 9 times the step in regs[1] into registers, as far as multiples up to limit need them.
func (f *file) multiples(limit int, regs map[int]string) {
	for _, m := range []struct {
		odd, base, scale int
	}{{3, 1, 2}, {5, 1, 4}, {7, 3, 4}, {9, 1, 8}} {
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
