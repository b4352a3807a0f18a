package train

import (
	"context"
	"slices"

	"regraft/engine/session"
	"regraft/head"
	"regraft/photo"
)

// Upright is what some photos of train say about turning photos upside down, by heads on features of the network as it was before the
// training, each solved without the photos that it answers for.
type Upright struct {
	Photos int `json:"photos"`
	// Told is the share of the photos and their images upside down that are told apart: 0.5 is chance.
	Told float64 `json:"told_apart"`
	// With and Without are the shares of upright photos that heads have right which learned from images upside down too, and which did
	// not.
	With    float64 `json:"accuracy_with"`
	Without float64 `json:"accuracy_without"`
}

// measureUpright looks whether photos that will be turned upside down have an up. It changes nothing.
func (r *training) measureUpright(ctx context.Context) error {
	augment, err := r.config.augment()
	if err != nil || !augment.FlipY || r.heads[0].Rectified {
		return err
	}
	samples := trialSamples(r.sets.train, len(r.sets.classes), r.config.Seed)
	if len(samples) == 0 {
		return nil
	}
	trunk, err := head.Trunk(r.net)
	if err == nil {
		trunk, err = trunk.Subgraph(trunk.Outputs[0])
	}
	if err != nil {
		return err
	}
	s, err := inference(trunk, &r.config)
	if err != nil {
		return err
	}
	defer s.Close()
	n, h := len(samples), head.Head{Features: r.heads[0].Features, Classes: len(r.sets.classes)}
	x := newCollection(samples, []head.Head{h}, 2).sets[0]
	r.events.Phase(PhaseUpright, 0, n)
	done, size := 0, r.net.ImageSize()
	err = eachBatch(ctx, trunk, samples, &r.config, 0, func(b *photo.Batch) error {
		for view := range 2 {
			if err := s.Infer(b.X, b.N); err != nil {
				return err
			}
			for i := range b.N {
				x.setMap(view*n+done+i, s.Output(0)[i*h.Features:(i+1)*h.Features])
			}
			turn(b.X, size)
		}
		done += b.N
		r.events.Advanced(b.N, noLoss)
		return nil
	})
	if err != nil {
		return err
	}
	r.upright, err = upright(ctx, x, h, session.Threads(r.config.Threads))
	return err
}

// turn turns images (..., H, W) upside down.
func turn(x []float32, size photo.Size) {
	for plane := range slices.Chunk(x, size.H*size.W) {
		for y := range size.H / 2 {
			above, below := plane[y*size.W:(y+1)*size.W], plane[(size.H-1-y)*size.W:(size.H-y)*size.W]
			for i := range above {
				above[i], below[i] = below[i], above[i]
			}
		}
	}
}

// upright judges x, the features of photos and behind them those of their images upside down, for heads like h.
func upright(ctx context.Context, x *features, h head.Head, threads int) (*Upright, error) {
	standardise(x).apply(x)
	n := x.photos() / 2
	u := &Upright{Photos: n}
	products, err := newProducts(x, h.Classes)
	if err != nil {
		return nil, err
	}
	classes := &chooser{
		products: products, classes: h.Classes, photos: n, views: 2, start: make([]float64, h.Classes*(h.Features+1)), folds: trialFolds,
		softmax: softmax{classes: h.Classes, threads: threads},
	}
	for i := range n {
		classes.part = append(classes.part, i%trialFolds)
	}
	if u.Without, err = classes.accuracy(ctx, 1); err != nil {
		return nil, err
	}
	if u.With, err = classes.accuracy(ctx, 2); err != nil {
		return nil, err
	}
	sides := *x
	sides.labels = make([]int, 2*n)
	for i := n; i < 2*n; i++ {
		sides.labels[i] = 1
	}
	if products, err = newProducts(&sides, 2); err != nil {
		return nil, err
	}
	told := &chooser{
		products: products, classes: 2, photos: 2 * n, views: 1, start: make([]float64, 2*(h.Features+1)), folds: trialFolds,
		part: slices.Repeat(classes.part, 2), softmax: softmax{classes: 2, threads: threads},
	}
	u.Told, err = told.accuracy(ctx, 1)
	return u, err
}

// accuracy is that of held-out photos after trialSteps, with the middle weight decay.
func (c *chooser) accuracy(ctx context.Context, views int) (float64, error) {
	t, err := c.try(ctx, decays[middleDecay], views, nil, trialSteps)
	if err != nil {
		return 0, err
	}
	return share(t.correct[t.end], c.held()), nil
}
