package train

import (
	"context"
	"time"
)

// CrossValidation is how heads on a network's features do on photos that they were solved without.
type CrossValidation struct {
	Choice   *Choice `json:"choice"`
	Report   *Report `json:"report"`
	Features int     `json:"features"`
	// Right says of every photo that was held out whether it is; the photos are the same for all networks.
	Right []bool `json:"-"`
	// Skipped are photos that were left out.
	Skipped []Skipped `json:"skipped"`
}

// CrossValidate solves heads for the classes of c.Data on folds of its training photos, and trains nothing. It reads the settings of
// heads mode that say so, and writes no files but those of c.Cache.
func CrossValidate(ctx context.Context, c Config, events Events) (*CrossValidation, error) {
	r, heads, err := beginFolds(ctx, c, events)
	if err != nil {
		return nil, err
	}
	if err := r.choose(ctx, heads); err != nil {
		return nil, err
	}
	v := &CrossValidation{
		Choice: r.choice, Report: r.outOfFold.Report(r.sets.classes), Features: r.heads[0].Features, Skipped: append([]Skipped{}, r.skipped...),
	}
	for i, s := range r.outOfFold.Samples {
		v.Right = append(v.Right, argmax(r.outOfFold.row(i)) == s.Label)
	}
	return v, nil
}

// beginFolds gathers the features of all photos but those of test for the main head, as of a run that writes nothing.
func beginFolds(ctx context.Context, c Config, events Events) (*training, *headsLearner, error) {
	if err := c.check(); err != nil {
		return nil, nil, err
	}
	if events == nil {
		events = Silent{}
	}
	r := &training{config: c, events: &oneByOne{events: events}, best: -1, marked: true, began: time.Now(), cache: c.Cache}
	r.config.waits = newWaiter(ctx, r.events)
	r.config.settleViews()
	var err error
	if r.sets, err = scan(&r.config); err != nil {
		return nil, nil, err
	}
	r.sets.Train, r.sets.Val = append(r.sets.Train, r.sets.Val...), nil
	r.sets.assign()
	if r.grafted, err = graft(&r.config, r.sets.classes, events.Warn); err != nil {
		return nil, nil, err
	}
	if err := r.inspect(ctx); err != nil {
		return nil, nil, err
	}
	train, val, err := r.collect(ctx)
	if err != nil {
		return nil, nil, err
	}
	heads, err := newHeads(r.heads[:1], train.sets[:1], val.sets[:1], &r.config, r.sets, nil)
	return r, heads, err
}
