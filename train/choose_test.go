package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
)

// overfitting is a chooser on features that are mostly noise, of which there are more than photos.
func overfitting(t *testing.T) *chooser {
	t.Helper()
	x := cloud(90, 120, 1, false, 6)
	for i := range x.data {
		x.data[i] *= 3
	}
	for i := range x.labels {
		if i%4 == 0 {
			x.labels[i] = (x.labels[i] + 1) % 3
		}
	}
	p, err := newProducts(x, 3)
	must(t, err)
	c := &chooser{products: p, classes: 3, photos: 90, views: 1, start: make([]float64, 3*121), softmax: softmax{classes: 3, threads: 2}}
	c.part, c.folds = folds(labelled(x.labels...), alone(labelled(x.labels...)), 3, 5, 1)
	return c
}

// TestIterations: a trial from the start ends soon after what is held out gets worse, and the iteration with the least loss counts, with
// its answers; one that goes on from another counts when it has settled, and a given number of iterations is made.
func TestIterations(t *testing.T) {
	c := overfitting(t)
	cold, err := c.try(t.Context(), 0.001, 1, nil, 0)
	must(t, err)
	least := slices.Index(cold.losses, slices.Min(cold.losses))
	last := len(cold.losses) - 1
	if cold.end != least || least == last || !(cold.losses[last] > overfitted*cold.losses[least]) || cold.losses[last-1] > overfitted*cold.losses[least] {
		t.Errorf("iteration %d of %d counts, %d has the least loss: %.4f", cold.end, last, least, cold.losses)
	}
	sum := 0.0
	for i, label := range c.products.x.labels {
		sum += c.softmax.crossEntropy(slices.Clone(cold.logits[i*3:(i+1)*3]), label)
	}
	if math.Abs(sum-cold.loss()) > 1e-9*sum {
		t.Errorf("the answers have the loss %g, the trial %g", sum, cold.loss())
	}
	warm, err := c.try(t.Context(), 0.003, 1, cold, 0)
	must(t, err)
	if n := len(warm.losses); warm.end != n-1 || n < lastFew || math.Abs(warm.losses[n-1]-warm.losses[n-1-lastFew]) > settled*warm.losses[n-1] {
		t.Errorf("iteration %d of %d counts: %.4f", warm.end, n, warm.losses)
	}
	for _, n := range []int{1, 3, 30} {
		given, err := c.try(t.Context(), 0.001, 1, nil, n)
		must(t, err)
		if given.end != n-1 || len(given.losses) != n {
			t.Errorf("%d iterations, want %d", given.end+1, n)
		}
	}
}

// TestDecayOfFewIterations: the decay is the same whatever the number of iterations, and so many are made.
func TestDecayOfFewIterations(t *testing.T) {
	c := overfitting(t)
	want, err := c.choose(t.Context(), ByFolds, 1, 0)
	must(t, err)
	for _, n := range []int{1, 4} {
		got, err := c.choose(t.Context(), ByFolds, 1, n)
		must(t, err)
		if got.decay != want.decay || got.end != n-1 {
			t.Errorf("%d iterations: decay %g, want %g; %d were made", n, got.decay, want.decay, got.end+1)
		}
	}
}

// TestCurve: the points are solved on growing shares of every class, and try no setting.
func TestCurve(t *testing.T) {
	x := cloud(90, 9, 1, false, 8)
	p, err := newProducts(x, 3)
	must(t, err)
	samples := labelled(x.labels...)
	c := &chooser{products: p, classes: 3, photos: 90, views: 1, start: make([]float64, 30), softmax: softmax{classes: 3, threads: 2}}
	c.part, c.folds = folds(samples, alone(samples), 3, 5, 1)
	best, err := c.choose(t.Context(), 0.01, 1, 0)
	must(t, err)
	tried := len(c.trials)
	points, err := c.curve(t.Context(), best, samples, alone(samples), 1)
	must(t, err)
	if len(c.trials) != tried || c.keep != nil {
		t.Errorf("%d trials, were %d", len(c.trials), tried)
	}
	for i, want := range []int{24, 45, 69, 90} { // of 30 photos of each class 8, 15, 23
		if points[i].Photos != want || i > 0 && points[i].Loss >= points[i-1].Loss {
			t.Errorf("point %d: %+v, want %d photos and less loss", i, points[i], want)
		}
	}
	if points[3].Loss != best.loss()/90 {
		t.Errorf("all photos have the loss %g, want %g", points[3].Loss, best.loss()/90)
	}
}

// expectations hears how many iterations are expected, and how many are made.
type expectations struct {
	Silent
	expected, made []int
}

func (e *expectations) Phase(_ Phase, _, total int) {
	e.expected, e.made = append(e.expected, total), append(e.made, 0)
}
func (e *expectations) Advanced(n int, _ float64) { e.made[len(e.made)-1] += n }

// TestExpectedIterations: whatever folds do, it is told before how long that takes, so that the time that is left can be.
func TestExpectedIterations(t *testing.T) {
	x := cloud(90, 9, 1, false, 8)
	p, err := newProducts(x, 3)
	must(t, err)
	samples, g := labelled(x.labels...), &expectations{}
	c := &chooser{products: p, classes: 3, photos: 90, views: 1, start: make([]float64, 30), softmax: softmax{classes: 3, threads: 2}, events: g}
	c.part, c.folds = folds(samples, alone(samples), 3, 5, 1)
	best, err := c.choose(t.Context(), ByFolds, 0, 0)
	must(t, err)
	_, err = c.curve(t.Context(), best, samples, alone(samples), 1)
	must(t, err)
	_, err = c.choose(t.Context(), 0.1, 1, 7)
	must(t, err)
	last := len(g.expected) - 1
	if last < 3 || g.expected[0] != mostIterations || g.expected[last] != 7 || g.made[last] != 7 {
		t.Errorf("expected %d iterations, made %d", g.expected, g.made)
	}
	for i, n := range g.made {
		if g.expected[i] <= 0 || n == 0 {
			t.Errorf("stretch %d: expected %d iterations, made %d", i, g.expected[i], n)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if points, err := c.curve(ended, best, samples, alone(samples), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a curve that is ended: %v, %v", points, err)
	}
}
