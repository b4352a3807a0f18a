package train

import (
	"context"
	"fmt"
	"math"
	"slices"

	"regraft/engine/random"
	"regraft/engine/session"
	"regraft/engine/solver"
	"regraft/head"
)

// headsLearner trains the heads alone, each on its own features of the frozen trunk, as logistic
// regression.
//
// The default solver is L-BFGS on all photos at once: the problem is convex and has some ten thousand
// unknowns, so it needs no learning rate, no schedule and no seed, and an epoch is one iteration. On the
// features of places9 its test accuracy is 81 to 82 % for any weight decay from 0.003 to 0.1 (84 % with flips), where
// SGD on the raw features moved between 65 and 78 %. The other solvers reach 80.6 to 81.7 % with the settings of
// recipes.
type headsLearner struct {
	config  *Config
	sets    *sets
	rates   *rates
	solvers []*headSolver // main first
}

// headSolver trains one head.
type headSolver struct {
	head       *head.Head
	softmax    softmax
	train, val *features
	standard   standard
	// w are the parameters for the standardised features: W (classes, F), then b.
	w        []float64
	gradient []float64
	// lbfgs or stochastic is set.
	lbfgs      *lbfgs
	solved     bool // lbfgs finds no better point
	stochastic solver.Solver
	params     []float32 // w, as the stochastic solver wants it
	// last are the sums of the objective's last evaluation.
	last outcome
}

// newHeads takes the features of train and val for each of the heads.
func newHeads(heads []head.Head, train, val []*features, c *Config, s *sets, r *rates) (*headsLearner, error) {
	l := &headsLearner{config: c, sets: s, rates: r}
	for k := range heads {
		solver, err := newHeadSolver(&heads[k], train[k], val[k], c)
		if err != nil {
			return nil, err
		}
		l.solvers = append(l.solvers, solver)
	}
	return l, nil
}

func newHeadSolver(h *head.Head, train, val *features, c *Config) (*headSolver, error) {
	for i, v := range train.data {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, &ModelError{fmt.Errorf("head %s: feature %d of photo %d is %g: the trunk's weights are broken",
				h.Name(), i%train.f, i/(train.f*train.positions), v)}
		}
	}
	s := &headSolver{head: h, train: train, val: val, standard: standardise(train)}
	s.softmax = softmax{classes: h.Classes, smoothing: c.Smoothing, threads: session.Threads(c.Threads)}
	s.standard.apply(train)
	s.standard.apply(val)
	s.w = s.standard.into(h)
	if c.Optimizer == LBFGS {
		s.lbfgs = newLBFGS(s.w, s.objective(c.WeightDecay))
		return s, nil
	}
	s.gradient, s.params = make([]float64, len(s.w)), make([]float32, len(s.w))
	copyTo(s.params, s.w)
	var err error
	s.stochastic, err = newSolver(c)
	return s, err
}

// objective is the mean loss of all training photos plus decay/2 times the square of the weight, biases
// excepted.
func (s *headSolver) objective(decay float64) func(w, gradient []float64) float64 {
	all := make([]int, s.train.photos())
	for i := range all {
		all[i] = i
	}
	return func(w, gradient []float64) float64 {
		s.last = s.softmax.pass(s.train, all, w, gradient)
		weight := w[:s.head.Classes*s.head.Features]
		axpy64(gradient, decay, weight)
		return s.last.loss/float64(len(all)) + float64(decay/2*dot64(weight, weight))
	}
}

// train makes one iteration of L-BFGS, or one pass in steps of a batch. An epoch takes milliseconds, so it counts as
// one step.
func (l *headsLearner) train(ctx context.Context, epoch int, p *progress, events Events, _ func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	events.Phase(PhaseTrain, epoch, l.solvers[0].train.photos())
	for k, s := range l.solvers {
		var total outcome
		if s.lbfgs != nil {
			s.solved = !s.lbfgs.step()
			total = s.last
		} else {
			total = s.pass(l.config, l.rates, epoch, p)
		}
		if math.IsNaN(total.loss) || math.IsInf(total.loss, 0) {
			return &DivergedError{epoch, 1, total.loss}
		}
		if photos := s.train.photos(); k == 0 {
			p.add(photos, total.correct, total.loss/float64(photos))
			events.Advanced(photos, total.loss/float64(photos))
		}
	}
	return nil
}

// pass goes once through the photos in random order, a batch at a time.
func (s *headSolver) pass(c *Config, r *rates, epoch int, p *progress) outcome {
	order := random.At(c.Seed, "shuffle", uint64(epoch)).Perm(s.train.photos())
	steps := (len(order) + c.Batch - 1) / c.Batch
	gradient := make([]float32, len(s.w))
	var total outcome
	for step := range steps {
		batch := order[step*c.Batch : min((step+1)*c.Batch, len(order))]
		o := s.softmax.pass(s.train, batch, s.w, s.gradient)
		total.loss += o.loss
		total.correct += o.correct
		copyTo(gradient, s.gradient)
		clip(gradient, c.ClipNorm)
		p.LR = r.at(epoch, step, steps)
		s.stochastic.Step(s.params, gradient, float32(p.LR))
		copyTo(s.w, s.params)
	}
	return total
}

func (l *headsLearner) judge(_ context.Context, epoch int, events Events) (*Evaluation, error) {
	for _, s := range l.solvers {
		s.standard.outOf(s.w, s.head)
	}
	main := l.solvers[0]
	events.Phase(PhaseVal, epoch, len(l.sets.val))
	e := &Evaluation{Samples: l.sets.val, Classes: main.head.Classes, Logits: main.softmax.predict(main.val, main.w)}
	events.Advanced(len(l.sets.val), noLoss)
	return e, nil
}

func (l *headsLearner) converged() bool {
	return !slices.ContainsFunc(l.solvers, func(s *headSolver) bool { return !s.solved })
}

func (l *headsLearner) save() []part {
	var parts []part
	for _, s := range l.solvers {
		if s.lbfgs != nil {
			parts = append(parts, part{Float64: s.lbfgs.state()})
		} else {
			parts = append(parts, part{Steps: s.stochastic.Steps(), Float32: append([][]float32{s.params}, s.stochastic.State()...)})
		}
	}
	return parts
}

func (l *headsLearner) restore(parts []part) error {
	if len(parts) != len(l.solvers) {
		return fmt.Errorf("%d heads in the checkpoint, %d in the model", len(parts), len(l.solvers))
	}
	for k, s := range l.solvers {
		p := parts[k]
		if s.lbfgs != nil {
			if err := sameLength(p.Float64, len(s.w), 1); err != nil {
				return err
			}
			s.lbfgs.restore(p.Float64)
			continue
		}
		if err := sameLength(p.Float32, len(s.w), 1); err != nil {
			return err
		}
		copy(s.params, p.Float32[0])
		copyTo(s.w, s.params)
		if err := s.stochastic.Restore(p.Float32[1:], p.Steps); err != nil {
			return err
		}
	}
	return nil
}

func (l *headsLearner) close() {}

// sameLength checks that there are at least so many vectors and that all have n elements.
func sameLength[T any](vectors [][]T, n, least int) error {
	if len(vectors) < least {
		return fmt.Errorf("%d vectors in the checkpoint, want %d", len(vectors), least)
	}
	for _, v := range vectors {
		if len(v) != n {
			return fmt.Errorf("a vector of %d numbers in the checkpoint, want %d", len(v), n)
		}
	}
	return nil
}

// copyTo converts between precisions.
func copyTo[T, F float32 | float64](to []T, from []F) {
	for i, v := range from {
		to[i] = T(v)
	}
}

// clip scales the gradient down to the given length; 0 leaves it.
func clip(gradient []float32, norm float64) {
	if norm == 0 {
		return
	}
	sum := 0.0
	for _, g := range gradient {
		sum += float64(float64(g) * float64(g))
	}
	if length := math.Sqrt(sum); length > norm {
		factor := norm / length
		for i, g := range gradient {
			gradient[i] = float32(float64(g) * factor)
		}
	}
}
