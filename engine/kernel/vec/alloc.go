package vec

import (
	"errors"
	"slices"
)

var errRegisters = errors.New("vec: out of registers")

// allocator goes through a program once. A register is free after the last instruction that reads its value.
type allocator struct {
	target    *Target
	program   *Program
	where     []place
	last      []int // the last instruction that reads a value, -1 for none
	state     []int // the state that a value becomes, or none
	free      [2][]int
	order     [2][]int // all registers, in the order in which they are taken
	constants []Constant
	loaded    map[Value]int // how often a number was loaded for want of a register
	steps     []step
}

func newAllocator(t *Target, p *Program, registers []int) *allocator {
	a := &allocator{target: t, program: p, where: make([]place, len(p.Code)), last: make([]int, len(p.Code)), state: make([]int, len(p.Code))}
	a.order[0] = registers
	for k := range t.Masks {
		a.order[1] = append(a.order[1], k+1) // the first means no mask
	}
	a.free = a.order
	uses := make([]int, len(p.Code))
	for v := range p.Code {
		a.last[v], a.state[v] = -1, none
	}
	for i, in := range p.Code {
		for _, v := range in.args() {
			uses[v]++
			a.last[v] = i
		}
		if in.Op == SetState && a.state[in.Args[0]] == none {
			a.state[in.Args[0]] = in.Index
		}
	}
	for v, in := range p.Code {
		switch in.Op {
		case Const:
			a.where[v] = place{inTable, in.Type, 0, in.Bits}
		case Load:
			if uses[v] == 1 && !a.storesBetween(v, a.last[v]) {
				a.where[v] = place{inMemory, in.Type, in.Index, 0}
			}
		case State:
			a.where[v] = place{inState, in.Type, in.Index, 0}
		case Input:
			a.where[v] = place{inRegister, in.Type, registers[in.Index], 0}
			a.reserve(a.where[v])
		}
	}
	return a
}

func (a *allocator) clone() *allocator {
	b := *a
	b.where, b.constants = slices.Clone(a.where), slices.Clone(a.constants)
	b.free = [2][]int{slices.Clone(a.free[0]), slices.Clone(a.free[1])}
	b.loaded = map[Value]int{}
	return &b
}

func (a *allocator) storesBetween(from, to int) bool {
	return slices.ContainsFunc(a.program.Code[from:max(from, to)], func(in Instruction) bool { return in.Op == Store })
}

// keep gives a value registers of its own, the last that are free.
func (a *allocator) keep(v Value, registers int) error {
	free := a.free[0]
	if len(free) < registers {
		return errRegisters
	}
	own := slices.Clone(free[len(free)-registers:])
	slices.Reverse(own)
	a.free[0] = free[:len(free)-registers]
	a.where[v] = place{inConstant, F32, len(a.constants), 0}
	a.constants = append(a.constants, Constant{a.program.Code[v], own})
	return nil
}

func (a *allocator) keepAll(values []Value) error {
	for _, v := range values {
		if err := a.keep(v, 1); err != nil {
			return err
		}
	}
	return nil
}

// code is what has been emitted. The constants' registers are the last ones.
func (a *allocator) code() *Code {
	rest := a.order[0]
	for _, c := range a.constants {
		rest = rest[:len(rest)-len(c.Registers)]
	}
	return &Code{a.target, a.constants, a.steps, rest}
}

// run emits the steps.
func (a *allocator) run() (err error) {
	defer func() {
		switch r := recover(); r {
		case nil:
		case errRegisters:
			err = errRegisters
		default:
			panic(r)
		}
	}()
	for i, in := range a.program.Code {
		switch in.Op {
		case Const, Lanes, Scalar, State:
		case Input:
			if a.last[i] < i {
				a.release(a.where[i])
			}
		case Load:
			if a.where[i].kind == nowhere {
				a.where[i] = a.take(in.Type)
				a.emit(Load, a.forms(Load, in.Type)[0].spelling, a.where[i], place{inMemory, in.Type, in.Index, 0})
			}
		case Store:
			a.finish(i, place{inMemory, in.Type, in.Index, 0})
		case SetState:
			if a.stateIsRead(in.Index, i) {
				panic("vec: a state is read after it was set")
			}
			a.finish(i, place{inState, in.Type, in.Index, 0})
		default:
			a.compute(i, in)
		}
	}
	return nil
}

func (a *allocator) forms(op Op, t Type) []form { return a.target.forms(Instruction{Op: op, Type: t}) }

// finish brings the operand of a Store or SetState to its place.
func (a *allocator) finish(i int, to place) {
	in := a.program.Code[i]
	v := in.Args[0]
	if at := a.where[v]; to.kind == inState && at.remembered() {
		a.load(at, to)
		if at.kind == inTable {
			a.loaded[v]++
		}
		return
	}
	from, temporary := a.inRegister(v, nil)
	if from != to {
		a.emit(in.Op, a.forms(in.Op, in.Type)[0].spelling, to, from)
	}
	for _, t := range temporary {
		a.release(t)
	}
	a.releaseAfter(i)
}

// inRegister is where v is, loaded first into a temporary register where it is in memory.
func (a *allocator) inRegister(v Value, temporary []place) (place, []place) {
	at := a.where[v]
	if !at.remembered() {
		return at, temporary
	}
	r := a.take(at.typ)
	a.load(at, r)
	if at.kind == inTable {
		a.loaded[v]++
	}
	return r, append(temporary, r)
}

// load brings what is in memory into a register.
func (a *allocator) load(from, to place) {
	if from.kind == inTable && from.bits == 0 {
		a.emit(Const, a.target.zero, to)
		return
	}
	a.emit(Load, a.forms(Load, from.typ)[0].spelling, to, from)
}

// compute emits an operation in its cheapest form.
func (a *allocator) compute(i int, in Instruction) {
	forms := a.target.forms(in)
	best := forms[0]
	for _, f := range forms[1:] {
		if a.cost(i, f) < a.cost(i, best) {
			best = f
		}
	}
	args, operands := in.args(), make([]place, in.Op.arity())
	var temporary []place
	for j, v := range args {
		switch operands[j] = a.where[v]; {
		case j != best.tied && j != best.memory:
			operands[j], temporary = a.inRegister(v, temporary)
		case operands[j].kind == inTable && operands[j].bits == 0:
			a.loaded[v]++ // nothing is cheaper to keep
		}
	}
	work := make([]place, best.temporaries())
	for j := range work {
		work[j] = a.take(a.program.Code[in.Args[0]].Type)
	}
	var result place
	if best.tied == none {
		for _, t := range temporary {
			a.release(t)
		}
		a.releaseAfter(i)
		if result = a.destination(i, in); result.kind == nowhere {
			result = a.take(in.Type)
		}
	} else {
		result = a.tie(i, in, best.tied)
		operands[best.tied] = result
		for _, t := range temporary {
			a.release(t)
		}
		a.releaseAfter(i)
		if result.kind == inRegister {
			a.reserve(result)
		}
	}
	a.where[i] = result
	a.steps = append(a.steps, step{in.Op, best.spelling, result, operands, work})
	for _, t := range work {
		a.release(t)
	}
	if a.last[i] < 0 {
		a.release(result)
	}
}

// tie is the register of the result where it must be that of an operand: the operand's own where nothing reads it afterwards, else one
// that receives a copy.
func (a *allocator) tie(i int, in Instruction, operand int) place {
	v := in.Args[operand]
	from, to := a.where[v], a.destination(i, in)
	if from.kind == inState && from == to {
		return from
	}
	if to.kind == inState && slices.ContainsFunc(in.args(), func(w Value) bool { return a.where[w] == to }) {
		to = place{} // the copy would be too early
	}
	if from.kind == inRegister && a.last[v] == i && to.kind == nowhere {
		return from
	}
	if to.kind == nowhere {
		to = a.take(in.Type)
	}
	if from.remembered() {
		a.load(from, to)
	} else {
		a.emit(SetState, a.forms(SetState, in.Type)[0].spelling, to, from)
	}
	return to
}

// destination is the state that the result of instruction i becomes, where nothing reads the state any longer.
func (a *allocator) destination(i int, in Instruction) place {
	s := a.state[i]
	if s == none || a.stateIsRead(s, i) {
		return place{}
	}
	return place{inState, in.Type, s, 0}
}

// stateIsRead tells whether something behind instruction i reads what a state held on entry.
func (a *allocator) stateIsRead(state, i int) bool {
	for v, in := range a.program.Code {
		if in.Op == State && in.Index == state && a.last[v] > i {
			return true
		}
	}
	return false
}

// cost is the number of instructions that a form takes beside its own.
func (a *allocator) cost(i int, f form) (n int) {
	in := a.program.Code[i]
	for j, v := range in.args() {
		at := a.where[v]
		switch {
		case j == f.tied:
			to := a.destination(i, in)
			if to.kind == inState && at != to || to.kind == nowhere && (at.kind != inRegister || a.last[v] != i) {
				n++
			}
		case at.remembered() && j != f.memory:
			n++
		}
	}
	return n
}

func (a *allocator) emit(op Op, spelling string, result place, operands ...place) {
	a.steps = append(a.steps, step{op, spelling, result, operands, nil})
}

func (a *allocator) class(t Type) int {
	if t == Mask && a.target.Masks > 0 {
		return 1
	}
	return 0
}

func (a *allocator) take(t Type) place {
	free := &a.free[a.class(t)]
	if len(*free) == 0 {
		panic(errRegisters)
	}
	r := (*free)[0]
	*free = (*free)[1:]
	return place{inRegister, t, r, 0}
}

// reserve takes one register out of the free ones, if it is among them.
func (a *allocator) reserve(p place) {
	free := &a.free[a.class(p.typ)]
	*free = slices.DeleteFunc(slices.Clone(*free), func(r int) bool { return r == p.index })
}

// release makes a register free again.
func (a *allocator) release(p place) {
	if p.kind != inRegister {
		return
	}
	k := a.class(p.typ)
	free := append(slices.Clone(a.free[k]), p.index)
	slices.SortFunc(free, func(r, s int) int { return slices.Index(a.order[k], r) - slices.Index(a.order[k], s) })
	a.free[k] = slices.Compact(free)
}

// releaseAfter frees the registers of the operands that nothing reads after instruction i.
func (a *allocator) releaseAfter(i int) {
	for _, v := range a.program.Code[i].args() {
		if a.last[v] == i {
			a.release(a.where[v])
		}
	}
}
