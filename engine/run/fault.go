package run

import (
	"sync/atomic"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/plan"
)

// Damaged tells whether a trainable parameter or a running statistic is infinite or NaN, and names the first one.
func (m *Machine) Damaged() (param string, is bool) {
	for _, s := range []struct {
		space plan.Space
		slots []plan.Slot
	}{{plan.Param, m.program.Params}, {plan.Stats, m.program.Running}} {
		if m.finite(s.space) {
			continue
		}
		for _, slot := range s.slots {
			if !engine.Finite(m.arenas[s.space].Floats(slot.Off/4, slot.Len)) {
				return slot.Param.Name, true
			}
		}
	}
	return "", false
}

// FiniteGrads tells whether no gradient of the last step is infinite or NaN.
func (m *Machine) FiniteGrads() bool { return m.finite(plan.Grad) }

// finite looks through a space. All threads share the work.
func (m *Machine) finite(space plan.Space) bool {
	const piece = 1 << 16
	all := m.arenas[space].Floats(0, m.program.Size[space]/4)
	var bad atomic.Bool
	m.pool.run((len(all)+piece-1)/piece, func(_ *kernel.Worker, i int) {
		if !engine.Finite(all[i*piece : min((i+1)*piece, len(all))]) {
			bad.Store(true)
		}
	})
	return !bad.Load()
}

// Trace runs Infer or Step again, which have led to numbers that are infinite or NaN, and names what holds the first: the node whose
// result it is, or, where all of these are sound, the parameter whose gradient it is. It is "" where none does. The run ends there.
func (m *Machine) Trace(run func() error) (node string, err error) {
	m.look = func(s *plan.Step) bool {
		for _, r := range s.Results {
			if s.Backward && r.Space != plan.Grad || r.Finite(m.base[r.Space]+uintptr(r.Off)) {
				continue
			}
			if node = s.Node; s.Backward {
				node = "the gradient of " + m.parameterAt(r.Off)
			}
			return false
		}
		return true
	}
	defer func() { m.look = nil }()
	err = run()
	return node, err
}

// parameterAt names the parameter whose gradient begins so many bytes into theirs.
func (m *Machine) parameterAt(off int) string {
	for _, s := range m.program.Params {
		if s.Off == off {
			return s.Param.Name
		}
	}
	return ""
}
