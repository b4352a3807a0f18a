package train

import (
	"cmp"
	"context"
	"math"
	"slices"

	"regraft/photo"
)

// A trial ends after so many iterations, or when the last few have changed its loss by less than settled, or when it has risen to
// overfitted times its least.
const (
	mostIterations = 150
	lastFew        = 8
	settled        = 2e-3
	overfitted     = 1.05
	clearly        = 0.99 // of a loss is clearly less
)

// trial is a setting at work: a solver for each fold, which go on together iteration by iteration.
type trial struct {
	decay      float64
	views      int
	objectives *objectives
	solvers    []*foldSolver
	// losses and correct are sums over all held-out photos after every iteration. end is the iteration that counts: the last, or, of
	// trials from the start, the one with the least loss where that is clearly less. logits (photos, classes) are the answers then.
	losses  []float64
	correct []int
	end     int
	logits  []float64
	cold    bool // from the start
}

type foldSolver struct {
	*objective
	*lbfgs
	done bool // with this iteration
}

// newTrial begins at the start, or where another trial has ended.
func (c *chooser) newTrial(decay float64, views int, from *trial) (*trial, error) {
	if c.together == nil || c.together.columns != c.folds*c.classes {
		var err error
		if c.together, err = c.products.times(c.folds); err != nil {
			return nil, err
		}
	}
	t := &trial{decay: decay, views: views, cold: from == nil}
	t.objectives = newObjectives(c.together, c.softmax, decay, c.roles(views))
	for fold, o := range t.objectives.each {
		w := slices.Clone(c.start)
		if from != nil {
			copy(w, from.solvers[fold].x)
		}
		t.solvers = append(t.solvers, &foldSolver{objective: o, lbfgs: newLBFGS(w, nil)})
	}
	return t, nil
}

// roles are those of the rows for every fold.
func (c *chooser) roles(views int) [][]role {
	all := make([][]role, c.folds)
	for fold := range all {
		all[fold] = make([]role, c.products.x.photos())
		for row := range all[fold] {
			roles := all[fold]
			view, photo := row/c.photos, row%c.photos
			switch {
			case view >= views:
				roles[row] = unused
			case c.part[photo] != fold && c.keep != nil && !c.keep[photo]:
				roles[row] = unused
			case c.part[photo] != fold:
			case view == 0:
				roles[row] = judged
			default:
				roles[row] = unused
			}
		}
	}
	return all
}

// usualIterations are about those of a trial that begins where another ended.
const usualIterations = 2 * lastFew

// expect tells of trials that will make about so many iterations together.
func (c *chooser) expect(iterations int) {
	if c.events != nil {
		c.events.Phase(PhaseFolds, 0, iterations)
	}
}

// try is a trial that has run.
func (c *chooser) try(ctx context.Context, decay float64, views int, from *trial, iterations int) (*trial, error) {
	t, err := c.newTrial(decay, views, from)
	if err != nil {
		return nil, err
	}
	return t, c.run(ctx, t, iterations)
}

// run makes iterations until nothing changes, or so many where there is a number.
func (c *chooser) run(ctx context.Context, t *trial, iterations int) error {
	least, leastLogits := 0, []float64(nil)
	for i := 0; i < cmp.Or(iterations, mostIterations); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		moved := c.step(t)
		if err := c.products.err(); err != nil {
			return err
		}
		if !moved && i > 0 {
			break
		}
		if c.events != nil {
			c.events.Advanced(1, noLoss)
		}
		loss, right := 0.0, 0
		for _, s := range t.solvers {
			loss += s.held.loss
			right += s.held.correct
		}
		t.losses, t.correct = append(t.losses, loss), append(t.correct, right)
		if loss <= t.losses[least] {
			least, leastLogits = i, c.answers(t, leastLogits)
		}
		before := t.losses[max(i-lastFew, 0)]
		if iterations == 0 && (i >= lastFew && math.Abs(before-loss) < settled*loss || t.cold && loss > overfitted*t.losses[least]) {
			break
		}
	}
	t.end = len(t.losses) - 1
	if t.cold && iterations == 0 && t.losses[least] < clearly*t.losses[t.end] {
		t.end, t.logits = least, leastLogits
	} else {
		t.logits = c.answers(t, nil)
	}
	c.trials = append(c.trials, DecayTrial{t.decay, t.views, t.end + 1, t.loss() / c.mass(), share(t.correct[t.end], c.held())})
	return nil
}

// answers copies those of this moment.
func (c *chooser) answers(t *trial, logits []float64) []float64 {
	if logits == nil {
		logits = make([]float64, c.photos*c.classes)
	}
	for photo, fold := range c.part {
		if fold >= 0 {
			copy(logits[photo*c.classes:(photo+1)*c.classes], t.solvers[fold].answer(photo))
		}
	}
	return logits
}

// step makes an iteration of every fold that is not solved, all folds an evaluation at a time; false where no more is to be gained.
func (c *chooser) step(t *trial) bool {
	points := make([]point, len(t.solvers))
	for _, s := range t.solvers {
		s.done = s.stuck
	}
	each := func(f func(i int, s *foldSolver)) {
		c.softmax.parallel(len(t.solvers), func(i int) {
			if s := t.solvers[i]; !s.done {
				f(i, s)
			}
		})
	}
	for {
		clear(points)
		each(func(i int, s *foldSolver) {
			points[i] = s.propose()
			s.done = s.stuck
		})
		if !slices.ContainsFunc(points, func(p point) bool { return p.w != nil }) {
			break
		}
		t.objectives.at(points)
		each(func(_ int, s *foldSolver) { s.done = s.judge(s.objective.value) })
	}
	return slices.ContainsFunc(t.solvers, func(s *foldSolver) bool { return !s.stuck })
}

// answers are those to the photos that were held out.
func (t *trial) answers(c *chooser, samples []photo.Sample) *Evaluation {
	e := &Evaluation{Classes: c.classes}
	for i, fold := range c.part {
		if fold < 0 {
			continue
		}
		e.Samples = append(e.Samples, samples[i])
		for _, z := range t.logits[i*c.classes : (i+1)*c.classes] {
			e.Logits = append(e.Logits, float32(z))
		}
	}
	return e
}

func (t *trial) loss() float64 { return t.losses[t.end] }

// held is the number of photos that are in a fold.
func (c *chooser) held() int {
	n := 0
	for _, fold := range c.part {
		if fold >= 0 {
			n++
		}
	}
	return n
}

// mass is that of their weights.
func (c *chooser) mass() float64 {
	mass := 0.0
	for i, fold := range c.part {
		if fold >= 0 {
			mass += c.softmax.weight(c.products.x.labels[i])
		}
	}
	return mass
}
