package train

import (
	"cmp"
	"context"
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
