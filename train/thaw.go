package train

import (
	"cmp"
	"math"

	"regraft/engine/solver"
)

// thaw goes on with a session that trains what a stage of freezing lets train. Parameters that trained before keep their values, the
// solver's state and their average; others begin afresh.
func (l *fullLearner) thaw(stage int) error {
	if err := l.session.Store(l.net); err != nil {
		return err
	}
	before, state, ema := l.compiled, l.solver.State(), l.ema
	steps := l.solver.Steps()
	l.close()
	l.session = nil
	if err := l.open(stage); err != nil {
		return err
	}
	l.solver.Begin(len(l.session.Params()))
	own := l.solver.State()
	for i, values := range state {
		l.compiled.Repack(own[i], before, values)
	}
	if ema != nil {
		l.compiled.Repack(l.ema.params, before, ema.params)
		l.compiled.RepackRunning(l.ema.running, before, ema.running)
	}
	return l.solver.Restore(own, steps)
}

// prepare compiles what trains in a stage, unless that is what is compiled.
func (l *fullLearner) prepare(stage int) (err error) {
	if l.compiled == nil || l.stage != stage {
		l.stage = stage
		l.freezing.apply(l.net, stage)
		l.compiled, err = l.compile(l.micro)
	}
	return err
}

// open makes the session and the solver of a stage.
func (l *fullLearner) open(stage int) error {
	if err := l.prepare(stage); err != nil {
		return err
	}
	var err error
	if l.session, err = l.compiled.New(l.config.Threads); err != nil {
		return err
	}
	l.compiled.DropTrained(l.net)
	if l.solver, err = newSolver(l.config); err != nil {
		return err
	}
	l.solver.Divide(l.parts())
	return l.beginMixing()
}

// parts are the rates of the parameters of the session, nil where all are the same: LayerDecay for every block between theirs and the
// classifier (Clark et al., ELECTRA, 2020).
func (l *fullLearner) parts() []solver.Part {
	if l.layerDecay() == 1 && l.freezing.after == 0 {
		return nil
	}
	of := map[string]int{}
	for i, b := range l.freezing.blocks {
		for _, p := range b.Params {
			of[p.Name] = i
		}
	}
	var parts []solver.Part
	for _, s := range l.compiled.Params {
		i := of[s.Param.Name]
		p := solver.Part{From: s.Off / 4, To: s.Off/4 + s.Len, Factor: l.factor(i), Since: l.freezing.since(i) * l.steps()}
		if n := len(parts) - 1; n >= 0 && parts[n].Factor == p.Factor && parts[n].Since == p.Since {
			parts[n].To = p.To // with what lies between them, which is zero
			continue
		}
		parts = append(parts, p)
	}
	return parts
}

func (l *fullLearner) layerDecay() float64 { return cmp.Or(l.config.LayerDecay, 1) }

// factor is that of the learning rate of a block.
func (l *fullLearner) factor(block int) float64 {
	factor := 1.0
	for range len(l.freezing.blocks) - 1 - block {
		factor = float64(factor * l.layerDecay())
	}
	return math.Max(factor, math.SmallestNonzeroFloat32)
}
