// Package vec is arithmetic on the lanes of vector registers, written once for every instruction set: a Program is straight-line code
// without loops, and there is a printer for every target. Targets differ by a description: registers, and how an operation is spelled.
//
// Every operation is rounded once, to the type of its lanes, on every target. Maximum and minimum are not symmetric: Max(a, b) is a
// where a > b, else b, so that b wins when one of them is NaN, or both are zeros; Min likewise with <.
package vec

import (
	"fmt"
	"math"
	"slices"
)

// Value is the result of an instruction, counted from the start of the program.
type Value int

// Type says what the lanes of a value are.
type Type uint8

const (
	F32  Type = iota
	F64       // in registers twice as wide
	Mask      // true or false
)

// Op is what an instruction does.
type Op uint8

const (
	// What a program begins with. Index counts the operands of each kind.
	Load   Op = iota // from memory
	Lanes            // a constant for every lane, in a register all the time
	Scalar           // the same for all lanes, in a register all the time
	Const            // a number, known now: Bits
	Input            // in a register, which the program may use afterwards
	State            // in a register, which receives what SetState says

	Add
	Sub
	Mul
	Div
	Sqrt
	Max
	Min
	Largest // a where a > b or a is NaN, else b: NaN wins, and stays
	FMA     // a*b + c, rounded once
	FMS     // a*b - c
	FNMA    // c - a*b
	Widen   // float32 to float64
	Shift   // the bits of a, Index to the left
	AddInt  // the bits of a and b, as whole numbers

	Compare  // Index is a Predicate
	EqualInt // of the bits of a and b
	Or       // of masks
	Where    // b where mask a holds, else 0
	Select   // b where mask a holds, else c

	Store    // a to memory
	SetState // a
)

// arity is the number of values that an instruction reads.
func (o Op) arity() int {
	switch o {
	case Load, Lanes, Scalar, Const, Input, State:
		return 0
	case Sqrt, Widen, Shift, Store, SetState:
		return 1
	case FMA, FMS, FNMA, Select:
		return 3
	}
	return 2
}

// Predicate is a comparison of two values. It is false where one of them is NaN; a negated one is true there.
type Predicate int

const (
	Greater Predicate = iota
	GreaterEqual
	Less
	LessEqual
	NotGreater
	NotGreaterEqual
	NotLess
	NotLessEqual
	Unordered // one is NaN
)

// Instruction is one vector operation.
type Instruction struct {
	Op    Op
	Type  Type // of the result
	Index int
	Bits  uint32
	Args  [3]Value
}

// args are the values that the instruction reads.
func (in Instruction) args() []Value { return in.Args[:in.Op.arity()] }

// Program is instructions in order. Its methods append one each; what is the same is computed once.
type Program struct {
	Code []Instruction
	seen map[Instruction]Value
}

// Of is the program that a body writes.
func Of(body func(p *Program)) *Program {
	p := &Program{}
	body(p)
	return p
}

func (p *Program) append(in Instruction) Value {
	p.Code = append(p.Code, in)
	return Value(len(p.Code) - 1)
}

func (p *Program) value(op Op, t Type, index int, args ...Value) Value {
	in := Instruction{Op: op, Type: t, Index: index}
	copy(in.Args[:], args)
	return p.once(in)
}

func (p *Program) once(in Instruction) Value {
	if v, ok := p.seen[in]; ok {
		return v
	}
	if p.seen == nil {
		p.seen = map[Instruction]Value{}
	}
	v := p.append(in)
	p.seen[in] = v
	return v
}

// same is the type of values that must agree in it.
func (p *Program) same(args ...Value) Type {
	t := p.Code[args[0]].Type
	for _, v := range args[1:] {
		if p.Code[v].Type != t {
			panic(fmt.Sprintf("vec: operands of types %d and %d", t, p.Code[v].Type))
		}
	}
	return t
}

func (p *Program) Load(slot int) Value { return p.value(Load, F32, slot) }
func (p *Program) Lanes(i int) Value   { return p.value(Lanes, F32, i) }
func (p *Program) Scalar(i int) Value  { return p.value(Scalar, F32, i) }
func (p *Program) Input(i int) Value   { return p.value(Input, F32, i) }
func (p *Program) Const(v float32) Value {
	return p.once(Instruction{Op: Const, Type: F32, Bits: math.Float32bits(v)})
}
func (p *Program) State(t Type, i int) Value { return p.value(State, t, i) }

func (p *Program) Add(a, b Value) Value     { return p.arithmetic(Add, a, b) }
func (p *Program) Sub(a, b Value) Value     { return p.arithmetic(Sub, a, b) }
func (p *Program) Mul(a, b Value) Value     { return p.arithmetic(Mul, a, b) }
func (p *Program) Div(a, b Value) Value     { return p.arithmetic(Div, a, b) }
func (p *Program) Max(a, b Value) Value     { return p.value(Max, p.same(a, b), 0, a, b) }
func (p *Program) Min(a, b Value) Value     { return p.value(Min, p.same(a, b), 0, a, b) }
func (p *Program) Largest(a, b Value) Value { return p.value(Largest, p.same(a, b), 0, a, b) }
func (p *Program) FMA(a, b, c Value) Value  { return p.fused(FMA, a, b, c) }
func (p *Program) FMS(a, b, c Value) Value  { return p.fused(FMS, a, b, c) }
func (p *Program) FNMA(a, b, c Value) Value { return p.fused(FNMA, a, b, c) }
func (p *Program) Sqrt(a Value) Value       { return p.value(Sqrt, F32, 0, a) }
func (p *Program) Widen(a Value) Value      { return p.value(Widen, F64, 0, a) }
func (p *Program) AddInt(a, b Value) Value  { return p.value(AddInt, F32, 0, a, b) }
func (p *Program) Shift(a Value, bits int) Value {
	return p.value(Shift, F32, bits, a)
}

// arithmetic is an operation on two values of one type, not both numbers.
func (p *Program) arithmetic(op Op, a, b Value) Value {
	if p.Code[a].Op == Const && p.Code[b].Op == Const {
		panic("vec: arithmetic on numbers alone")
	}
	return p.value(op, p.same(a, b), 0, a, b)
}

// fused multiplies and adds. In float64 the product must be exact, as that of two float32 is, so that plain Go need not fuse.
func (p *Program) fused(op Op, a, b, c Value) Value {
	t := p.same(a, b, c)
	if t == F64 && (p.Code[a].Op != Widen || p.Code[b].Op != Widen) {
		panic("vec: a product of float64 that is not exact")
	}
	return p.value(op, t, 0, a, b, c)
}

func (p *Program) Compare(is Predicate, a, b Value) Value {
	p.same(a, b)
	return p.value(Compare, Mask, int(is), a, b)
}
func (p *Program) EqualInt(a, b Value) Value { return p.value(EqualInt, Mask, 0, a, b) }
func (p *Program) Or(a, b Value) Value       { return p.value(Or, p.same(a, b), 0, a, b) }
func (p *Program) Where(mask, v Value) Value { return p.value(Where, F32, 0, mask, v) }
func (p *Program) Select(mask, v, otherwise Value) Value {
	return p.value(Select, p.same(v, otherwise), 0, mask, v, otherwise)
}

func (p *Program) Store(slot int, v Value) {
	p.append(Instruction{Op: Store, Type: p.Code[v].Type, Index: slot, Args: [3]Value{v}})
}
func (p *Program) SetState(i int, v Value) {
	p.append(Instruction{Op: SetState, Type: p.Code[v].Type, Index: i, Args: [3]Value{v}})
}

// Uses tells whether there is an instruction of that kind and index.
func (p *Program) Uses(op Op, index int) bool {
	return slices.ContainsFunc(p.Code, func(in Instruction) bool { return in.Op == op && in.Index == index })
}

// Count is how many operands of a kind the program has.
func (p *Program) Count(op Op) (n int) {
	for _, in := range p.Code {
		if in.Op == op {
			n = max(n, in.Index+1)
		}
	}
	return n
}
