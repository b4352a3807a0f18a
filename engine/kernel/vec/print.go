package vec

import "strings"

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
			emit(spell(line, name(s.result), operands, temporaries))
		}
	}
}

// Len is the number of instructions.
func (c *Code) Len() int { return len(c.steps) }

// Rest are the free registers that hold no constant, for code that runs before or after this.
func (c *Code) Rest() []int { return c.rest }

// PrintConstants emits what brings the constants into their registers. lanes and scalar say where they lie in memory.
func (c *Code) PrintConstants(lanes func(i, part int) string, scalar func(i int) string, number func(bits uint32) string, emit func(line string)) {
	load := c.Target.forms(Instruction{Op: Load, Type: F32})[0].spelling
	broadcast := c.Target.constant(load)
	for _, k := range c.Constants {
		for part, r := range k.Registers {
			register := c.Target.register(F32, r)
			switch {
			case k.Op == Lanes:
				emit(spell(load, register, []string{lanes(k.Index, part)}, nil))
			case k.Op == Scalar:
				emit(spell(broadcast, register, []string{scalar(k.Index)}, nil))
			case k.Bits == 0:
				emit(spell(c.Target.zero, register, nil, nil))
			default:
				emit(spell(broadcast, register, []string{number(k.Bits)}, nil))
			}
		}
	}
}
