package vec

import (
	"slices"
	"strings"
)

// Frame is what the surroundings of a program leave to it.
type Frame struct {
	// Free are the registers that it may use; inputs are in the first.
	Free []int
	// Parts is the number of registers that a vector of Lanes takes: the program is printed once for each part.
	Parts int
}

// Code is a program with its values in registers.
type Code struct {
	Target *Target
	// Constants say what must be in which registers before the code runs.
	Constants []Constant
	steps     []step
	rest      []int
}

// Constant is a value in registers of its own: Lanes in one for every part, Scalar or Const in one.
type Constant struct {
	Instruction
	Registers []int
}

// step is one form of the target, filled in.
type step struct {
	Op          Op
	spelling    string
	result      place
	operands    []place
	temporaries []place
}

// place is where a value is.
type place struct {
	kind  placeKind
	typ   Type
	index int // of a register, a constant's registers, a state, a slot in memory
	bits  uint32
}

type placeKind uint8

const (
	nowhere placeKind = iota
	inRegister
	inConstant // a register that holds a constant
	inState
	inMemory // at a slot
	inTable  // a number in memory
)

func (p place) remembered() bool { return p.kind == inMemory || p.kind == inTable }

// Compile puts the values of a program in registers. Numbers that would have to be loaded again and again get registers of their own
// as far as these suffice.
func Compile(t *Target, p *Program, f Frame) (*Code, error) {
	parts := max(f.Parts, 1)
	first := newAllocator(t, p, slices.Clone(f.Free))
	for v, in := range p.Code {
		if in.Op == Lanes || in.Op == Scalar {
			n := 1
			if in.Op == Lanes {
				n = parts
			}
			if err := first.keep(Value(v), n); err != nil {
				return nil, err
			}
		}
	}
	probe := first.clone()
	if err := probe.run(); err != nil {
		return nil, err
	}
	loads := func(v Value) int { return probe.loaded[v] }
	wanted := make([]Value, 0, len(probe.loaded))
	for v := range p.Code {
		if loads(Value(v)) > 0 {
			wanted = append(wanted, Value(v))
		}
	}
	slices.SortStableFunc(wanted, func(v, w Value) int { return loads(w) - loads(v) })
	for n := len(wanted); n > 0; n-- {
		a := first.clone()
		if a.keepAll(wanted[:n]) == nil && a.run() == nil {
			return a.code(), nil
		}
	}
	return probe.code(), nil
}

// Places name what lies outside of a program, for one printing of its code.
type Places struct {
	Part   int                      // of the vectors of Lanes
	Memory func(slot int) string    // what Load reads and Store writes
	Number func(bits uint32) string // a number in memory
	State  func(i int) int          // a register
	// Store writes a register to a slot, where more is to be done than that. It may change the register if the value is not read again.
	Store func(slot, register int)
}

// Print emits the code, one instruction a call.
func (c *Code) Print(at Places, emit func(line string)) {
	register := func(p place) int {
		switch p.kind {
		case inConstant:
			r := c.Constants[p.index].Registers
			return r[at.Part%len(r)]
		case inState:
			return at.State(p.index)
		}
		return p.index
	}
	name := func(p place) string {
		switch p.kind {
		case inTable:
			return at.Number(p.bits)
		case inMemory:
			return at.Memory(p.index)
		}
		return c.Target.register(p.typ, register(p))
	}
	for _, s := range c.steps {
		if s.Op == Store && at.Store != nil {
			at.Store(s.result.index, register(s.operands[0]))
			continue
		}
		operands, temporaries := make([]string, len(s.operands)), make([]string, len(s.temporaries))
		for i, o := range s.operands {
			operands[i] = name(o)
		}
		for i, t := range s.temporaries {
			temporaries[i] = name(t)
		}
		for line := range strings.SplitSeq(s.spelling, "\n") {
			for i, o := range s.operands {
				if o.kind == inTable && strings.Contains(line, operandName(i)) {
					line = c.Target.constant(line)
				}
			}
			for _, filled := range lines(spell(line, name(s.result), operands, temporaries)) {
				emit(filled)
			}
		}
	}
}

// Len is the number of instructions.
func (c *Code) Len() int { return len(c.steps) }

// Rest are the free registers that hold no constant, for code that runs before or after this.
func (c *Code) Rest() []int { return c.rest }

// PrintConstants emits what brings the constants into their registers. lanes and scalar say where they lie in memory.
func (c *Code) PrintConstants(lanes func(i, part int) string, scalar func(i int) string, number func(bits uint32) string, emit func(line string)) {
	t := c.Target
	for _, k := range c.Constants {
		for part, r := range k.Registers {
			var text []string
			switch {
			case k.Op == Lanes:
				text = t.Load(F32, lanes(k.Index, part), r)
			case k.Op == Scalar:
				text = t.Spread(scalar(k.Index), r)
			case k.Bits == 0:
				text = t.Zero(r)
			default:
				text = t.line(t.constant(t.forms(Instruction{Op: Load, Type: F32})[0].spelling), F32, r, number(k.Bits))
			}
			for _, line := range text {
				emit(line)
			}
		}
	}
}
