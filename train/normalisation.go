package train

import (
	"context"
	"fmt"
	"math"

	"regraft/engine"
	"regraft/engine/random"
	"regraft/head"
	"regraft/photo"
)

// Assumption is what had to be assumed of how pixels are scaled, and what the photos say about it. The wrong scaling costs many
// points of accuracy and shows nowhere else.
type Assumption struct {
	// Scaling is what was assumed.
	Scaling string `json:"scaling"`
	// Photos is how many photos of train every scaling was tried on, 0 where they were too few.
	Photos int `json:"photos"`
	// Trials begin with what was assumed.
	Trials []Trial `json:"trials,omitempty"`
	// Better is the scaling that the photos clearly speak for, Flags what asks for it; empty where none is clearly better.
	Better string `json:"better,omitempty"`
	Flags  string `json:"flags,omitempty"`
}

// Trial is how classifiers that were solved on the features of some photos do on others, with pixels scaled in one way.
type Trial struct {
	Scaling  string  `json:"scaling"`
	Accuracy float64 `json:"accuracy"`
	Loss     float64 `json:"loss"`

	flags  string
	losses []float64 // of every photo
}

// String says what was found.
func (a *Assumption) String() string {
	switch {
	case len(a.Trials) == 0:
		return fmt.Sprintf("%s are assumed; there are too few photos to test other scalings of pixels", a.Scaling)
	case a.Better == "":
		return fmt.Sprintf("%s are assumed, and none of the other usual scalings of pixels does clearly better on %d photos of train", a.Scaling, a.Photos)
	}
	was, is := a.Trials[0], a.Trials[0]
	for _, t := range a.Trials {
		if t.Scaling == a.Better {
			is = t
		}
	}
	return fmt.Sprintf("%s are assumed, but the photos speak for %s (%s): on %d photos of train, held out in turn, that has %.0f instead of %.0f %% right, loss %.2f instead of %.2f",
		a.Scaling, a.Better, a.Flags, a.Photos, 100*is.Accuracy, 100*was.Accuracy, is.Loss, was.Loss)
}

// The size of the trials: they cost as much as so many photos, as often as there are scalings.
const (
	trialPhotos   = 144
	trialPerClass = 16
	trialFolds    = 4
	trialLeast    = 6 // of a class
	trialSteps    = 40
	// trialDecay is strong, so that a few photos that are surely taken for others do not drown what all of them say: with 3 the right
	// scaling of Inception-v3 is 3.9 to 5.7 standard errors better on photos of places, with 0.03 it is 1.5 to 2.8.
	trialDecay = 3
)

// tryScalings compares what was assumed with the other usual scalings of pixels: heads are solved on the features of three quarters
// of some photos and judged on the rest, in turn. It changes nothing: what is trained stays what was asked for.
func (r *training) tryScalings(ctx context.Context) error {
	if r.config.Assumed == "" {
		return nil
	}
	if k := r.previous(); k != nil && k.Assumption != nil {
		r.assumption = k.Assumption
		return nil
	}
	r.assumption = &Assumption{Scaling: r.config.Assumed}
	samples := trialSamples(r.sets.train, len(r.sets.classes), r.config.Seed)
	if len(samples) > 0 {
		if err := r.tryOn(ctx, samples); err != nil {
			return err
		}
	}
	r.events.Warn(r.assumption.String())
	return nil
}

func (r *training) tryOn(ctx context.Context, samples []photo.Sample) error {
	a, own := r.assumption, *r.net.Meta.Preprocess
	a.Photos = len(samples)
	r.events.Phase(PhaseScalings, 0, len(samples)*len(photo.Usual))
	trials := []Trial{{Scaling: a.Scaling}}
	prepare := []photo.Preprocess{own}
	for _, n := range photo.Usual {
		if n.Name != own.Scaling() {
			trials, prepare = append(trials, Trial{Scaling: n.Name, flags: n.Settings()}), append(prepare, n.Apply(own))
		}
	}
	for i := range trials {
		if err := r.try(ctx, &trials[i], samples, prepare[i]); err != nil {
			return err
		}
	}
	a.Trials = trials
	best := 0
	for i, t := range trials {
		if t.Loss < trials[best].Loss {
			best = i
		}
	}
	if clearlyBetter(&trials[best], &trials[0]) {
		a.Better, a.Flags = trials[best].Scaling, trials[best].flags
	}
	return nil
}

// trialSamples takes as many photos of every class, chosen by the seed; classes with few photos are left out. nil where the rest is
// not enough.
func trialSamples(train []photo.Sample, classes int, seed uint64) []photo.Sample {
	count, chosen, used := make([]int, classes), []photo.Sample(nil), 0
	for _, s := range train {
		count[s.Label]++
	}
	taken := make([]int, classes)
	for _, i := range random.At(seed, "scalings").Perm(len(train)) {
		s := train[i]
		if len(chosen) == trialPhotos {
			break
		}
		if count[s.Label] < trialLeast || taken[s.Label] == trialPerClass {
			continue
		}
		if taken[s.Label]++; taken[s.Label] == 2 {
			used++
		}
		chosen = append(chosen, s)
	}
	if used < 2 {
		return nil
	}
	return chosen
}

// quiet passes progress on, but starts no phase of its own.
type quiet struct{ Events }

func (quiet) Phase(Phase, int, int) {}

// try fills in t for pixels that are prepared by p.
func (r *training) try(ctx context.Context, t *Trial, samples []photo.Sample, p photo.Preprocess) error {
	net := *r.net
	net.Meta = engine.Meta{Preprocess: &p}
	trunk, err := head.Trunk(&net)
	if err == nil {
		trunk, err = trunk.Subgraph(trunk.Outputs[0])
	}
	if err != nil {
		return err
	}
	e, err := newExtractor(trunk, r.cache, r.hashes, &r.hasher, &r.config)
	if err != nil {
		return err
	}
	defer e.close()
	x := newCollection(samples, r.heads[:1], 1)
	if err := e.fill(ctx, x, quiet{r.events}, func() {}); err != nil {
		return err
	}
	return t.solve(ctx, x.sets[0], &r.heads[0], &r.config)
}

// solve fills in t from the features of the photos.
func (t *Trial) solve(ctx context.Context, x *features, h *head.Head, c *Config) error {
	lbfgs := Config{Optimizer: LBFGS, Threads: c.Threads}
	s, err := newHeadSolver(h, x, newFeatures(h, 0), &lbfgs, nil)
	if err != nil {
		return err
	}
	try := &chooser{
		products: s.products, classes: h.Classes, photos: x.photos(), views: 1, start: s.start(), folds: trialFolds, softmax: s.softmax,
	}
	for i := range x.photos() {
		try.part = append(try.part, i%trialFolds)
	}
	end, err := try.try(ctx, trialDecay, 1, nil, trialSteps)
	if err != nil {
		return err
	}
	t.Loss, t.Accuracy = try.trials[0].Loss, try.trials[0].Accuracy
	for i, label := range x.labels {
		t.losses = append(t.losses, s.softmax.crossEntropy(end.logits[i*h.Classes:(i+1)*h.Classes], label))
	}
	return nil
}

// clearlyBetter tells whether the photos have less loss with a, by so much that chance alone would do it once in about a thousand times
// (the mean of the differences is three of its standard errors), and no fewer of them are right. Losses tell such trials apart with far
// fewer photos than the number of right answers does.
func clearlyBetter(a, b *Trial) bool {
	const errors = 3
	n, sum, squares := float64(len(a.losses)), 0.0, 0.0
	for i := range a.losses {
		d := b.losses[i] - a.losses[i]
		sum += d
		squares += float64(d * d)
	}
	mean := sum / n
	variance := max(squares/n-float64(mean*mean), 0) / (n - 1)
	return a.Accuracy >= b.Accuracy && mean > errors*math.Sqrt(variance)
}
