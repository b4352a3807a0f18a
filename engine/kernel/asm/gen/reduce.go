package main

import (
	"fmt"

	"regraft/engine/kernel/vec"
)

// reduction is a kernel of planes that adds to float64 sums, sixteen at Sum and sixteen at Product: states 0 and 1 of the body. float32
// lanes are widened, so a pixel takes two (AVX-512), four (AVX2) or eight (NEON) parts. Products of two float32 are exact in float64. Every lane is
// one chain of additions in the order of the pixels.
//
// The sums of part i are in register i, the products in register parts+i, for the whole plane.
type reduction struct {
	name string
	body func(p *vec.Program)
}

// Vectors 0 and 1, which AVX2 has no registers for.
const (
	scale = out + 1 + iota
	shift
)

var reductions = []reduction{
	{"sum", func(p *vec.Program) { addTo(p, 0, p.Widen(p.Load(x))) }},
	{"dot", func(p *vec.Program) { addProduct(p, 0, p.Widen(p.Load(x)), p.Widen(p.Load(y))) }},
	{"batchstats", func(p *vec.Program) {
		v := p.Widen(p.Load(x))
		addTo(p, 0, v)
		addProduct(p, 1, v, v)
	}},
	// X is z, Y is dy; g = dy where scale*z + shift > 0.
	{"normsums", func(p *vec.Program) {
		z := p.Load(x)
		g := p.Widen(p.Where(p.Compare(vec.Greater, p.FMA(z, p.Load(scale), p.Load(shift)), p.Const(0)), p.Load(y)))
		addTo(p, 0, g)
		addProduct(p, 1, g, p.Widen(z))
	}},
}

func addTo(p *vec.Program, state int, v vec.Value) {
	p.SetState(state, p.Add(p.State(vec.F64, state), v))
}

func addProduct(p *vec.Program, state int, v, w vec.Value) {
	p.SetState(state, p.FMA(v, w, p.State(vec.F64, state)))
}

// emit writes the whole kernel.
func (k reduction) emit(f *file, s isa) {
	parts, program := 2*s.per, vec.Of(k.body)
	states := program.Count(vec.State)
	// The registers behind the sums, of which floats can use the first sixteen.
	free := s.registers(states * parts)[:s.wide.Registers-states*parts]
	code := compile(k.name, s.wide, program, vec.Frame{Free: free})
	sums := func(visit func(memory string, register int)) {
		for state, at := range []int{planeSum, planeProd}[:states] {
			f.P("MOVQ %d(DI), AX", at)
			for i := range parts {
				visit(s.part(i, "AX"), state*parts+i)
			}
		}
	}
	sums(func(m string, r int) { f.all(s.wide.Load(vec.F64, m, r)) })
	f.planeConstants(s, code)
	f.P("MOVQ %d(DI), R11", planeVector)
	f.P("MOVQ %d(DI), R12", planeVector+8)
	f.walkPixels(planeUnroll, func(pixel int) {
		for i := range parts {
			f.body(code, vec.Places{
				State: func(state int) int { return state*parts + i },
				Memory: func(slot int) string {
					at := i * s.bytes / 2
					if slot <= out {
						at += 64 * pixel
					}
					return fmt.Sprintf("%d(%s)", at, []string{"SI", "BX", "DX", "R11", "R12"}[slot])
				},
			})
		}
	})
	sums(func(m string, r int) { f.all(s.wide.Store(vec.F64, r, m)) })
}

// emitPlain writes the plain Go form.
func (k reduction) emitPlain(f *file) {
	p := vec.Of(k.body)
	f.plainFunction(k.name, "planeArgs", func() {
		states := []string{"sum", "product"}[:p.Count(vec.State)]
		for i, name := range states {
			fmt.Fprintf(&f.Plain, "%s := SumsAt(k.%s)\n", name, []string{"Sum", "Product"}[i])
		}
		f.plainPixels(p, vec.Names{State: func(i int) string { return states[i] + "[c]" }})
	})
}
