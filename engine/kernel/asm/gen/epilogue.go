package main

import (
	"fmt"

	"regraft/engine/kernel/vec"
)

// What convolutions do to their sums, state 0, before these are written: bodies for the loops of conv.go and winograd.go.

// sum is where the state of an epilogue is; operand is another register, or memory, that it reads.
const (
	sum = iota
	operand
)

// plus adds another vector.
func plus(p *vec.Program, v vec.Value) { p.SetState(sum, p.Add(state(p, sum), v)) }

// atLeast and atMost bound the sum; NaN stays NaN.
func atLeast(p *vec.Program, bound vec.Value) { p.SetState(sum, p.Max(bound, state(p, sum))) }
func atMost(p *vec.Program, bound vec.Value)  { p.SetState(sum, p.Min(bound, state(p, sum))) }

// epilogue compiles one, which may use the given registers for what it keeps.
func epilogue(s isa, body func(p *vec.Program), registers ...int) *vec.Code {
	return compile("epilogue", s.target, vec.Of(body), vec.Frame{Free: registers})
}

// plainEpilogues writes the plain Go forms, for one pixel.
func plainEpilogues(f *file) {
	write := func(name, parameter string, body func(p *vec.Program), names vec.Names) {
		names.State = func(int) string { return "v[c]" }
		fmt.Fprintf(&f.Plain, "\nfunc %s_go(v *lanes, %s) {\nfor c := range Lanes {\n%s}\n}\n", name, parameter, vec.Of(body).Plain(names))
	}
	write("plus", "w *lanes", func(p *vec.Program) { plus(p, p.Load(operand)) }, vec.Names{Load: func(int) string { return "w[c]" }})
	bound := vec.Names{Scalar: func(int) string { return "bound" }}
	write("atLeast", "bound float32", func(p *vec.Program) { atLeast(p, p.Scalar(0)) }, bound)
	write("atMost", "bound float32", func(p *vec.Program) { atMost(p, p.Scalar(0)) }, bound)
}
