package train

import (
	"cmp"
	"context"
	"math"
	"slices"

	"regraft/photo"
)

// ByFolds is the weight decay that folds of the training photos choose.
const ByFolds = -1

// Choice is what folds of the training photos chose: every photo is answered for by heads that were solved without it.
type Choice struct {
	Folds       int     `json:"folds"`
	WeightDecay float64 `json:"weight_decay"`
	Iterations  int     `json:"iterations"`
	Views       int     `json:"views"`
	// Photos are those that were held out, Loss and Accuracy what the main head did on them with these settings.
	Photos   int     `json:"photos"`
	Loss     float64 `json:"loss"`
	Accuracy float64 `json:"accuracy"`
	// Interval is that of the accuracy, 95 %. Groups is how many there were: photos with equal bytes, or of one group by their paths, stay
	// in one fold.
	Interval [2]float64 `json:"interval"`
	Groups   int        `json:"groups"`
	// Trials are all settings that were tried.
	Trials []DecayTrial `json:"trials"`
}

// DecayTrial is what one setting did on the photos that were held out, after its best number of iterations.
type DecayTrial struct {
	WeightDecay float64 `json:"weight_decay"`
	Views       int     `json:"views"`
	Iterations  int     `json:"iterations"`
	Loss        float64 `json:"loss"`
	Accuracy    float64 `json:"accuracy"`
}

// decays are the weight decays that are tried: from the middle on two steps at a time as long as the next is better, then one.
var decays = []float64{
	0.0001, 0.00018, 0.0003, 0.00056, 0.001, 0.0018, 0.003, 0.0056, 0.01, 0.018, 0.03, 0.056, 0.1, 0.18, 0.3, 0.56, 1, 1.8, 3,
}

const middleDecay = 10

// A trial ends after so many iterations, or when the last few have changed its loss by less than settled, or when it has risen to
// overfitted times its least.
const (
	mostIterations = 150
	lastFew        = 8
	settled        = 2e-3
	overfitted     = 1.05
	clearly        = 0.99 // of a loss is clearly less
)

// chooser solves the main head on folds of the training photos.
type chooser struct {
	products *products
	together *products // for the classifiers of all folds
	classes  int
	photos   int // of train; the rows of products are views of them
	views    int // there are
	start    []float64
	part     []int
	folds    int
	keep     []bool // photos to learn from; nil for all
	softmax  softmax
	trials   []DecayTrial
	events   Events // that hear of every iteration; nil for none
}

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

// choose tries settings where they are not given: decay ByFolds, views and iterations 0.
func (c *chooser) choose(ctx context.Context, decay float64, views, iterations int) (*trial, error) {
	most := views
	if views == 0 {
		most = c.views
	}
	best, err := c.decay(ctx, decay, most, iterations)
	if err != nil || views != 0 || c.views == 1 {
		return best, err
	}
	// The mirror images stay unless the photos alone do better.
	c.expect(usualIterations)
	alone, err := c.try(ctx, best.decay, 1, best, 0)
	if err != nil {
		return nil, err
	}
	if alone.loss() >= best.loss() {
		return best, nil
	}
	return c.decay(ctx, decay, 1, iterations)
}

// decay finds the weight decay with the least loss, beginning in the middle of the list, and its iterations where they are not given.
func (c *chooser) decay(ctx context.Context, decay float64, views, iterations int) (*trial, error) {
	if decay >= 0 {
		c.expect(cmp.Or(iterations, mostIterations))
		return c.try(ctx, decay, views, nil, iterations)
	}
	c.expect(mostIterations)
	first, err := c.try(ctx, decays[middleDecay], views, nil, 0)
	if err != nil {
		return nil, err
	}
	ways := []int{2, -2, 1, -1}
	c.expect(len(ways) * usualIterations)
	best, at, tried := first, middleDecay, map[int]bool{middleDecay: true}
	for _, way := range ways {
		for next := at + way; next >= 0 && next < len(decays) && !tried[next]; next += way {
			tried[next] = true
			t, err := c.try(ctx, decays[next], views, best, 0) // from there it is not far
			if err != nil {
				return nil, err
			}
			if t.loss() >= best.loss() {
				break
			}
			best, at = t, next
		}
	}
	if best == first && iterations == 0 {
		return first, nil
	}
	c.expect(cmp.Or(iterations, len(first.losses)))
	return c.try(ctx, best.decay, views, nil, iterations) // from the start, for its iterations
}

// choice is what a trial says.
func (c *chooser) choice(t *trial) *Choice {
	n := c.held()
	return &Choice{
		Folds: c.folds, WeightDecay: t.decay, Iterations: t.end + 1, Views: t.views, Photos: n,
		Loss: t.loss() / c.mass(), Accuracy: share(t.correct[t.end], n), Interval: Interval(t.correct[t.end], n), Trials: c.trials,
	}
}

// choose lets folds of train choose the settings of L-BFGS that are not given, and begins to solve with them.
func (r *training) choose(ctx context.Context, l *headsLearner) error {
	main, c := l.solvers[0], &r.config
	decay, views := decays[middleDecay], max(main.train.photos()/len(r.sets.train), 1)
	g := newGrouping(c, r.hashes, r.alike)
	groups := g.groups(r.sets.train)
	part, k := folds(r.sets.train, groups, len(r.sets.classes), cmp.Or(c.Folds, defaultFolds), c.Seed)
	chosen := r.sets.selection == SetFolds
	switch {
	case part == nil && chosen:
		return errNoFolds
	case part != nil && (chosen || c.WeightDecay == ByFolds || c.Views == 0 || c.Folds > 0):
		try := &chooser{
			products: main.products, classes: main.head.Classes, photos: len(r.sets.train), views: views, start: main.start(), part: part, folds: k,
			softmax: main.softmax, events: r.events,
		}
		iterations := c.Epochs
		if !chosen {
			iterations = 0
		}
		best, err := try.choose(ctx, c.WeightDecay, c.Views, iterations)
		if err != nil {
			return err
		}
		decay, views, r.choice = best.decay, best.views, try.choice(best)
		r.choice.Groups = len(groups)
		r.events.Chose(*r.choice)
		r.outOfFold = best.answers(try, r.sets.train)
		if c.Folds > 0 && r.out != nil {
			if r.curve, err = try.curve(ctx, best, r.sets.train, groups, c.Seed); err != nil {
				return err
			}
		}
		if chosen {
			l.outOfFold, l.held, l.mass = best, try.held(), try.mass()
			if r.out != nil && enough(r.outOfFold) {
				r.decisions = r.decide(r.outOfFold)
			}
			r.last = max(best.end+1, c.Epochs)
		}
	case c.WeightDecay != ByFolds:
		decay = c.WeightDecay
	}
	if r.last == 0 {
		r.last = mostIterations
	}
	for _, s := range l.solvers {
		s.solve(decay, views*len(r.sets.train))
	}
	return nil
}

// settleViews takes Augment's word for the views of heads mode.
func (c *Config) settleViews() {
	if c.Mode != Heads {
		return
	}
	_, asked := c.Given["augment"]
	switch {
	case c.Augment == Flip:
		c.Views = max(c.Views, 2)
	case c.Views == 0 && (asked || stepwise(c)):
		c.Views = 1
	}
}
