package train

import (
	"context"

	"regraft/engine/session"
	"regraft/engine/solver"
)

// learner is what a mode trains. The loop drives it epoch by epoch.
type learner interface {
	// train makes the steps of an epoch from p.Step on, counts them in p and calls between after each. When ctx
	// is cancelled it ends after the current step with ctx's error.
	train(ctx context.Context, epoch int, p *progress, events Events, between func() error) error
	// judge puts what was learnt into the network, in new slices, and evaluates the validation photos.
	judge(ctx context.Context, epoch int, events Events) (judgement, error)
	// converged says that further epochs change nothing.
	converged() bool
	// save returns what a resumed run needs; its slices are the learner's own memory.
	save() []part
	// restore continues from what save returned.
	restore([]part) error
	close()
}

// judgement is how a model does on the validation photos.
type judgement struct {
	loss, accuracy float64
	answers        *Evaluation // nil where only the figures are known
}

func judgedBy(e *Evaluation) judgement { return judgement{e.loss(), e.accuracy(), e} }

// part is the state of one solver with its parameters.
type part struct {
	Steps   int
	Float32 [][]float32
	Float64 [][]float64
}

// progress is the position within an epoch, with the sums so far.
type progress struct {
	Step    int     `json:"step"`
	Photos  int     `json:"photos"`
	Correct int     `json:"correct"`
	Loss    float64 `json:"loss"` // summed over the photos, main head
	LR      float64 `json:"lr"`   // of the last step
	Seconds float64 `json:"seconds"`
}

// add counts a step on so many photos with a mean loss.
func (p *progress) add(photos, correct int, loss float64) {
	p.Step++
	p.Photos += photos
	p.Correct += correct
	p.Loss += float64(loss * float64(photos))
}

// rates is the learning rate of every step.
type rates struct {
	highest float64
	curve   solver.Schedule
	// plateau lowers the rate by what the validation losses of the past epochs say.
	plateau bool
	epochs  *[]Epoch
	// seen hears of the loss before every step and its rate, and may end the run; nil outside searches.
	seen func(rate, loss float64) error
}

// tell tells of a step.
func (r *rates) tell(rate, loss float64) error {
	if r.seen == nil {
		return nil
	}
	return r.seen(rate, loss)
}

// The settings of the schedules that Config leaves alone: PyTorch's defaults for StepLR's factor and
// ReduceLROnPlateau, OneCycleLR's rise as measured to work.
const (
	stepFactor      = 0.1
	stepsInRun      = 3
	plateauFactor   = 0.1
	plateauPatience = 3
	rising          = 0.15
	warmUpStart     = 0.01
)

// newRates makes the schedule of a run; epochs is its growing history.
func newRates(c *Config, epochs *[]Epoch) (*rates, error) {
	r := &rates{highest: c.LearningRate, curve: solver.Constant(), plateau: c.Schedule == Plateau, epochs: epochs}
	left := float64(c.Epochs) - c.WarmupEpochs
	var err error
	switch c.Schedule {
	case Step:
		r.curve, err = solver.Step(max(c.Epochs/stepsInRun, 1), stepFactor)
	case Cosine:
		r.curve, err = solver.Cosine(left)
	case OneCycle:
		share := rising
		if c.WarmupEpochs > 0 {
			share = c.WarmupEpochs / float64(c.Epochs)
		}
		r.curve, err = solver.OneCycle(float64(c.Epochs), share)
	}
	if err == nil && c.WarmupEpochs > 0 && c.Schedule != OneCycle {
		r.curve, err = solver.WarmUp(c.WarmupEpochs, warmUpStart, r.curve)
	}
	if err != nil {
		return nil, usagef("%v", err)
	}
	return r, nil
}

// at is the rate of a step (from 0) of an epoch (from 1).
func (r *rates) at(epoch, step, steps int) float64 {
	lr := r.highest * r.curve(float64(epoch-1)+float64(step)/float64(steps))
	if r.plateau {
		var losses []float64
		for _, e := range (*r.epochs)[:epoch-1] {
			losses = append(losses, e.ValLoss)
		}
		lr *= solver.Plateau(losses, plateauFactor, plateauPatience)
	}
	return lr
}

// newSolver makes the optimizer of a Config.
func newSolver(c *Config) (solver.Solver, error) {
	o, err := solver.Defaults(c.Optimizer)
	if err != nil {
		return nil, usagef("%v", err)
	}
	o.WeightDecay, o.Momentum, o.Nesterov = c.WeightDecay, c.Momentum, c.Nesterov
	native, err := session.Native(c.Direct)
	if err != nil {
		return nil, usagef("%v", err)
	}
	s, err := solver.New(c.Optimizer, o, native.ISA, session.Threads(c.Threads))
	if err != nil {
		return nil, usagef("%v", err)
	}
	return s, nil
}
