package train

import (
	"cmp"
	"context"
	"slices"

	"regraft/engine/kernel"
	"regraft/photo"
)

// LabelDoubt says how much a photo's label looks wrong.
type LabelDoubt struct {
	Path string `json:"path"`
	// Label is the folder's class, Likely the one that heads give it that were solved without the photo.
	Label  string `json:"label"`
	Likely string `json:"likely"`
	// Score is 1 less the probability of the label.
	Score float64 `json:"score"`
}

// Wrong reports whether the label is more likely wrong than right.
func (d LabelDoubt) Wrong() bool { return d.Score > 0.5 && d.Label != d.Likely }

// The way to the scores: heads are solved on so many folds, several times with other folds, and then again without the photos that looked
// worst, which otherwise teach what is wrong.
const (
	labelFolds  = 10
	labelTimes  = 2
	worstLabels = 0.08
)

// DoubtLabels scores the label of every photo of train and val, the worst first, by the probability of the label that heads give it that
// were solved without it (self-confidence; Northcutt et al., Confident Learning, 2021). It reads the settings of heads mode that decide
// this, and writes no files but those of c.Cache.
func DoubtLabels(ctx context.Context, c Config, events Events) ([]LabelDoubt, error) {
	r, heads, err := beginFolds(ctx, c, events)
	if err != nil {
		return nil, err
	}
	main, n := heads.solvers[0], len(r.sets.train)
	g := newGrouping(&r.config, r.hashes, r.alike)
	d := &doubter{
		chooser: chooser{
			products: main.products, classes: main.head.Classes, photos: n, views: main.train.photos() / n, start: main.start(), softmax: main.softmax,
			events: r.events,
		},
		samples: r.sets.train, groups: g.groups(r.sets.train), seed: c.Seed,
	}
	p, err := d.scores(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]LabelDoubt, n)
	for i, s := range r.sets.train {
		row := p[i*d.classes : (i+1)*d.classes]
		list[i] = LabelDoubt{photo.Text(s.Path), r.sets.classes[s.Label], r.sets.classes[argmax(row)], 1 - row[s.Label]}
	}
	slices.SortStableFunc(list, func(a, b LabelDoubt) int { return cmp.Compare(b.Score, a.Score) })
	return list, nil
}

// doubter finds the probabilities of classes by heads that were solved without the photo.
type doubter struct {
	chooser
	samples []photo.Sample
	groups  [][]int
	seed    uint64
}

// scores are the probabilities (photos, classes). Photos that are never held out keep their label.
func (d *doubter) scores(ctx context.Context) ([]float64, error) {
	first, err := d.round(ctx)
	if err != nil {
		return nil, err
	}
	own := func(i int) float64 { return first[i*d.classes+d.samples[i].Label] }
	order := make([]int, d.photos)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(own(a), own(b)) })
	d.keep = slices.Repeat([]bool{true}, d.photos)
	for _, i := range order[:int(worstLabels*float64(d.photos))] {
		d.keep[i] = false
	}
	return d.round(ctx)
}

// round is the mean over several ways to fold.
func (d *doubter) round(ctx context.Context) ([]float64, error) {
	p := make([]float64, d.photos*d.classes)
	iterations := mostIterations
	for time := range labelTimes {
		d.expect(iterations)
		d.part, d.folds = folds(d.samples, d.groups, d.classes, labelFolds, d.seed+uint64(time))
		if d.part == nil {
			return nil, errNoFolds
		}
		t, err := d.try(ctx, labelDecay, d.views, nil, 0)
		if err != nil {
			return nil, err
		}
		iterations = len(t.losses)
		for i, fold := range d.part {
			row := p[i*d.classes : (i+1)*d.classes]
			if fold < 0 {
				row[d.samples[i].Label] += 1. / labelTimes
				continue
			}
			z := make([]float32, d.classes)
			for c := range z {
				z[c] = float32(t.logits[i*d.classes+c])
			}
			total := logSumExp(z)
			for c := range z {
				row[c] += kernel.Exp(float64(z[c])-total) / labelTimes
			}
		}
	}
	return p, nil
}

// labelDecay is the weight decay of these heads: more than predicts best, since wrong labels are to be contradicted.
const labelDecay = 0.3
