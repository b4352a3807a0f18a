package vec

// Places name what lies outside of a program, for one printing of its code.
type Places struct {
	Part   int                      // of the vectors of Lanes
	Memory func(slot int) string    // what Load reads and Store writes
	Number func(bits uint32) string // a number in memory
	State  func(i int) int          // a register
	// Store writes a register to a slot, where more is to be done than that. It may change the register if the value is not read again.
	Store func(slot int, register string)
}

// Print emits the code, one instruction a call.
func (c *Code) Print(at Places, emit func(line string)) {
	for _, s := range c.steps {
		name := func(p place) string {
			switch p.kind {
			case inRegister:
				return c.Target.register(p.typ, p.index)
			case inConstant:
				r := c.Constants[p.index].Registers
				return c.Target.register(p.typ, r[at.Part%len(r)])
			case inState:
				return c.Target.register(p.typ, at.State(p.index))
			case inTable:
				return at.Number(p.bits)
			}
			return at.Memory(p.index)
		}
		if s.Op == Store && at.Store != nil {
			at.Store(s.result.index, name(s.operands[0]))
			continue
		}
		spelling, operands := s.spelling, make([]string, len(s.operands))
		for i, o := range s.operands {
			operands[i] = name(o)
			if o.kind == inTable {
				spelling = c.Target.constant(spelling)
			}
		}
		emit(spell(spelling, name(s.result), operands...))
	}
}

// Len is the number of instructions.
func (c *Code) Len() int { return len(c.steps) }

// PrintConstants emits what brings the constants into their registers. lanes and scalar say where they lie in memory.
func (c *Code) PrintConstants(lanes func(i, part int) string, scalar func(i int) string, number func(bits uint32) string, emit func(line string)) {
	load := c.Target.forms(Instruction{Op: Load, Type: F32})[0].spelling
	broadcast := c.Target.constant(load)
	for _, k := range c.Constants {
		for part, r := range k.Registers {
			register := c.Target.register(F32, r)
			switch {
			case k.Op == Lanes:
				emit(spell(load, register, lanes(k.Index, part)))
			case k.Op == Scalar:
				emit(spell(broadcast, register, scalar(k.Index)))
			case k.Bits == 0:
				emit(spell(c.Target.zero, register))
			default:
				emit(spell(broadcast, register, number(k.Bits)))
			}
		}
	}
}
