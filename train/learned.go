package train

import (
	"context"

	"regraft/photo"
)

// Learned are the photos that a run with these settings learns from, in the order by which augmentation knows them. Where some are held
// out for validation, all are read, since photos that look the same stay together. Photos that cannot be used are those of Fit.
func Learned(ctx context.Context, c Config, events Events) ([]photo.Sample, error) {
	r := &training{config: c, events: &oneByOne{events: events}}
	var err error
	if r.sets, err = scan(&r.config); err != nil {
		return nil, err
	}
	if r.sets.Split {
		if err := r.inspect(ctx); err != nil {
			return nil, err
		}
	}
	return r.sets.train, nil
}
