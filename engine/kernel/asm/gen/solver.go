package main

import (
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/vec"
)

// The optimizers' kernels update blocks of sixteen parameters; kernel.Rule has the formulas. Only what it calls fused is.
//
//	DI  arguments (abi.Update)   AX  constants, at the start     CX  blocks left
//	SI  parameters   BX  gradients      DX  first state                 R8  second state

// rule is one optimizer, given by its arithmetic on one parameter. The scalars are the fields of abi.Constants.
type rule struct {
	name string
	body func(p *vec.Program)
}

// The operands of a rule.
const (
	parameter = iota
	gradient
	firstState
	secondState
)

var rules = []rule{
	{"sgd", func(p *vec.Program) {
		descend(p, decayed(p))
	}},
	{"momentum", func(p *vec.Program) {
		a := follow(p, firstState, "Momentum", decayed(p))
		descend(p, a)
		p.Store(firstState, a)
	}},
	{"nesterov", func(p *vec.Program) {
		g := decayed(p)
		a := follow(p, firstState, "Momentum", g)
		descend(p, p.FMA(constant(p, "Momentum"), a, g))
		p.Store(firstState, a)
	}},
	{"adam", func(p *vec.Program) {
		v, g, a := p.Load(parameter), decayed(p), p.Load(firstState)
		a = p.Add(a, p.Mul(constant(p, "Gain"), p.Sub(g, a)))
		b := follow(p, secondState, "Beta", square(p, g))
		root := p.Add(p.Div(p.Sqrt(b), constant(p, "Root")), constant(p, "Epsilon"))
		step := p.Div(p.Mul(constant(p, "Rate"), a), root)
		p.Store(parameter, p.Sub(p.Mul(constant(p, "Keep"), v), step))
		p.Store(firstState, a)
		p.Store(secondState, b)
	}},
	{"rmsprop", func(p *vec.Program) {
		g := decayed(p)
		a := follow(p, firstState, "Beta", square(p, g))
		b := follow(p, secondState, "Momentum", p.Div(g, p.Add(p.Sqrt(a), constant(p, "Epsilon"))))
		descend(p, b)
		p.Store(firstState, a)
		p.Store(secondState, b)
	}},
	{"rmsproptf", func(p *vec.Program) {
		v, g, a := p.Load(parameter), decayed(p), p.Load(firstState)
		a = p.Add(a, p.Mul(constant(p, "GainSq"), p.Sub(p.Mul(g, g), a)))
		root := p.Sqrt(p.Add(a, constant(p, "Epsilon")))
		b := follow(p, secondState, "Momentum", p.Div(p.Mul(constant(p, "Rate"), g), root))
		p.Store(parameter, p.Sub(v, b))
		p.Store(firstState, a)
		p.Store(secondState, b)
	}},
}

// decayed is the gradient plus decay times the parameter, fused.
func decayed(p *vec.Program) vec.Value {
	return p.FMA(constant(p, "Decay"), p.Load(parameter), p.Load(gradient))
}

// follow is weight*state + v.
func follow(p *vec.Program, state int, weight string, v vec.Value) vec.Value {
	return p.Add(p.Mul(constant(p, weight), p.Load(state)), v)
}

// descend makes the parameter less by rate*v, fused.
func descend(p *vec.Program, v vec.Value) {
	p.Store(parameter, p.FNMA(constant(p, "Rate"), v, p.Load(parameter)))
}

// square is gainSq*g*g.
func square(p *vec.Program, g vec.Value) vec.Value { return p.Mul(p.Mul(constant(p, "GainSq"), g), g) }

var settings = reflect.TypeFor[abi.Constants]()

// constant is a field of abi.Constants.
func constant(p *vec.Program, name string) vec.Value {
	field, ok := settings.FieldByName(name)
	if !ok {
		panic("no constant " + name)
	}
	return p.Scalar(field.Index[0])
}

func solvers(f *file) {
	programs := map[string]*vec.Program{}
	var names []string
	for _, r := range rules {
		names, programs[r.name] = append(names, r.name), vec.Of(r.body)
		plainRule(f, r.name, programs[r.name])
	}
	fmt.Fprintf(&f.Plain, "\nvar plainUpdates = map[string]PlainUpdate{\n")
	for _, n := range names {
		fmt.Fprintf(&f.Plain, "%q: %s_f32_go,\n", n, n)
	}
	fmt.Fprintf(&f.Plain, "}\n")
	named(f, "update", "updateArgs", names, func(s isa, name string) { emitRule(f, s, name, programs[name]) })
}

func emitRule(f *file, s isa, name string, p *vec.Program) {
	var args abi.Update
	code := compile(name, s.target, p, vec.Frame{Free: s.registers(0)})
	f.P("MOVQ %d(DI), AX", unsafe.Offsetof(args.K))
	code.PrintConstants(nil, func(i int) string { return fmt.Sprintf("%d(AX)", settings.Field(i).Offset) }, f.number, f.line)
	pointers := []string{"SI", "BX", "DX", "R8"}[:operands(p)]
	at := []uintptr{unsafe.Offsetof(args.P), unsafe.Offsetof(args.G), unsafe.Offsetof(args.A), unsafe.Offsetof(args.B)}
	for i, r := range pointers {
		f.P("MOVQ %d(DI), %s", at[i], r)
	}
	f.P("MOVQ %d(DI), CX", unsafe.Offsetof(args.N))
	f.Label("loop")
	for part := range s.per {
		f.body(code, vec.Places{Memory: func(slot int) string { return fmt.Sprintf("%d(%s)", part*s.bytes, pointers[slot]) }})
	}
	for _, r := range pointers {
		f.P("ADDQ $64, %s", r)
	}
	f.P("DECQ CX")
	f.P("JNZ loop")
}

// operands is how many streams a rule reads.
func operands(p *vec.Program) int { return p.Count(vec.Load) }

// plainRule writes the plain Go form.
func plainRule(f *file, name string, p *vec.Program) {
	streams := []string{"p", "g", "a", "b"}[:operands(p)]
	parameters := append([]string(nil), streams...)
	for len(parameters) < 4 {
		parameters = append(parameters, "_")
	}
	fmt.Fprintf(&f.Plain, "\nfunc %s_f32_go(k *Constants, %s []float32) {\n", name, strings.Join(parameters, ", "))
	for _, s := range streams[1:] {
		fmt.Fprintf(&f.Plain, "%s = %s[:len(p)]\n", s, s)
	}
	element := func(slot int) string { return streams[slot] + "[i]" }
	fmt.Fprintf(&f.Plain, "for i := range p {\n%s}\n}\n", p.Plain(vec.Names{
		Load: element, Store: element, Scalar: func(i int) string { return "k." + settings.Field(i).Name },
	}))
}
