package main

import (
	"fmt"
	"reflect"
	"unsafe"

	"regraft/engine/kernel/abi"
)

// The optimizers' kernels update blocks of sixteen parameters; kernel.Rule has the formulas.
//
//	DI  arguments (abi.Update)   AX  constants, at the start     CX  blocks left
//	SI  parameters   BX  gradients      DX  first state                 R8  second state
//
// Registers 0 to 4 hold one register of parameters, gradients with the decay added, states and scratch;
// the constants sit in the last registers. Only what kernel.Rule calls fused is.

// update is the arithmetic on one register. Operations are op(dst, x, y): dst = x op y.
type update struct {
	*file
	k          map[string]string // registers of the constants
	p, g, a, b string            // parameter, gradient plus decay times parameter, states
	t          string            // scratch
}

func (u *update) mul(dst, x, y string) { u.p3("VMULPS", dst, x, y) }
func (u *update) add(dst, x, y string) { u.p3("VADDPS", dst, x, y) }
func (u *update) sub(dst, x, y string) { u.p3("VSUBPS", dst, x, y) }
func (u *update) div(dst, x, y string) { u.p3("VDIVPS", dst, x, y) }
func (u *update) root(dst, x string)   { u.file.P("VSQRTPS %s, %s", x, dst) }

func (u *update) p3(op, dst, x, y string) { u.file.P("%s %s, %s, %s", op, y, x, dst) }

// follow is state = weight*state + v.
func (u *update) follow(state, weight, v string) {
	u.mul(state, weight, state)
	u.add(state, state, v)
}

// descend is p -= rate*v, fused.
func (u *update) descend(v string) {
	u.file.P("VFNMADD231PS %s, %s, %s", u.k["Rate"], v, u.p)
}

// square is t = gainSq*g*g.
func (u *update) square() {
	u.mul(u.t, u.k["GainSq"], u.g)
	u.mul(u.t, u.t, u.g)
}

// rule is one optimizer: the states that it changes and the constants that it reads besides decay.
type rule struct {
	name   string
	states int
	uses   []string
	body   func(u *update)
}

var rules = []rule{
	{"sgd", 0, []string{"Rate"}, func(u *update) {
		u.descend(u.g)
	}},
	{"momentum", 1, []string{"Rate", "Momentum"}, func(u *update) {
		u.follow(u.a, u.k["Momentum"], u.g)
		u.descend(u.a)
	}},
	{"nesterov", 1, []string{"Rate", "Momentum"}, func(u *update) {
		u.follow(u.a, u.k["Momentum"], u.g)
		u.file.P("VFMADD231PS %s, %s, %s", u.k["Momentum"], u.a, u.g)
		u.descend(u.g)
	}},
	{"adam", 2, []string{"Rate", "Keep", "Gain", "Beta", "GainSq", "Root", "Epsilon"}, func(u *update) {
		u.sub(u.t, u.g, u.a)
		u.mul(u.t, u.k["Gain"], u.t)
		u.add(u.a, u.a, u.t)
		u.square()
		u.follow(u.b, u.k["Beta"], u.t)
		u.root(u.t, u.b)
		u.div(u.t, u.t, u.k["Root"])
		u.add(u.t, u.t, u.k["Epsilon"])
		u.mul(u.g, u.k["Rate"], u.a)
		u.div(u.g, u.g, u.t)
		u.mul(u.p, u.k["Keep"], u.p)
		u.sub(u.p, u.p, u.g)
	}},
	{"rmsprop", 2, []string{"Rate", "Momentum", "Beta", "GainSq", "Epsilon"}, func(u *update) {
		u.square()
		u.follow(u.a, u.k["Beta"], u.t)
		u.root(u.t, u.a)
		u.add(u.t, u.t, u.k["Epsilon"])
		u.div(u.t, u.g, u.t)
		u.follow(u.b, u.k["Momentum"], u.t)
		u.descend(u.b)
	}},
	{"rmsproptf", 2, []string{"Rate", "Momentum", "GainSq", "Epsilon"}, func(u *update) {
		u.mul(u.t, u.g, u.g)
		u.sub(u.t, u.t, u.a)
		u.mul(u.t, u.k["GainSq"], u.t)
		u.add(u.a, u.a, u.t)
		u.add(u.t, u.a, u.k["Epsilon"])
		u.root(u.t, u.t)
		u.mul(u.g, u.k["Rate"], u.g)
		u.div(u.t, u.g, u.t)
		u.follow(u.b, u.k["Momentum"], u.t)
		u.sub(u.p, u.p, u.b)
	}},
}

func solvers(f *file) {
	kinds := map[string]rule{}
	var names []string
	for _, r := range rules {
		names, kinds[r.name] = append(names, r.name), r
	}
	named(f, "update", "updateArgs", names, func(s isa, name string) { kinds[name].emit(f, s) })
}

func (r rule) emit(f *file, s isa) {
	u := &update{file: f, k: map[string]string{}, p: s.r(0), g: s.r(1), a: s.r(2), b: s.r(3), t: s.r(4)}
	var args abi.Update
	f.P("MOVQ %d(DI), AX", unsafe.Offsetof(args.K))
	for i, field := range append([]string{"Decay"}, r.uses...) {
		u.k[field] = s.r(s.regs - 1 - i)
		f.P("VBROADCASTSS %d(AX), %s", constantOffset(field), u.k[field])
	}
	pointers := []string{"SI", "BX", "DX", "R8"}[:2+r.states]
	at := []uintptr{unsafe.Offsetof(args.P), unsafe.Offsetof(args.G), unsafe.Offsetof(args.A), unsafe.Offsetof(args.B)}
	for i, p := range pointers {
		f.P("MOVQ %d(DI), %s", at[i], p)
	}
	f.P("MOVQ %d(DI), CX", unsafe.Offsetof(args.N))
	f.Label("loop")
	for part := range s.per {
		at := func(base string) string { return fmt.Sprintf("%d(%s)", part*s.bytes, base) }
		f.P("VMOVUPS %s, %s", at("SI"), u.p)
		f.P("VMOVUPS %s, %s", at("BX"), u.g)
		f.P("VFMADD231PS %s, %s, %s", u.k["Decay"], u.p, u.g)
		state := func(visit func(memory, register string)) {
			for i, p := range pointers[2:] {
				visit(at(p), []string{u.a, u.b}[i])
			}
		}
		state(func(m, r string) { f.P("VMOVUPS %s, %s", m, r) })
		r.body(u)
		state(func(m, r string) { f.P("VMOVUPS %s, %s", r, m) })
		f.P("VMOVUPS %s, %s", u.p, at("SI"))
	}
	for _, p := range pointers {
		f.P("ADDQ $64, %s", p)
	}
	f.P("DECQ CX")
	f.P("JNZ loop")
}

// constantOffset is where a constant lies among its kind.
func constantOffset(field string) uintptr {
	f, ok := reflect.TypeFor[abi.Constants]().FieldByName(field)
	if !ok {
		panic("no constant " + field)
	}
	return f.Offset
}
