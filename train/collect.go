package train

import (
	"context"
	"fmt"
	"slices"

	"regraft/featurecache"
	"regraft/head"
	"regraft/photo"
)

// collection are the features of one set of photos in some views.
type collection struct {
	samples []photo.Sample
	views   int
	sets    []*features // of each head: all photos in view 0, then in view 1, ...
}

func newCollection(samples []photo.Sample, heads []head.Head, views int) *collection {
	x := &collection{samples: samples, views: views}
	for k := range heads {
		f := newFeatures(&heads[k], views*len(samples))
		for i := range f.labels {
			f.labels[i] = samples[i%len(samples)].Label
		}
		x.sets = append(x.sets, f)
	}
	return x
}

// row is where the features of a view of photo i are.
func (x *collection) row(view, i int) int { return view*len(x.samples) + i }

// collect computes the features of train and val, but for those that are in the cache, and the distance of photos from those of train.
func (r *training) collect(ctx context.Context) (train, val *collection, err error) {
	trunk, err := head.Trunk(r.net)
	if err != nil {
		return nil, nil, err
	}
	ends, block := slices.Clone(r.heads), ""
	if r.config.Far > 0 {
		looking, at, err := head.WithLook(trunk, trunk.Outputs[0].Node)
		if err != nil {
			return nil, nil, err
		}
		if looking != nil {
			trunk, block = looking, at
			ends = append(ends, lookEnd(looking))
		}
	}
	e, err := newExtractor(trunk, r.cache, r.hashes, &r.hasher, &r.config)
	if err != nil {
		return nil, nil, err
	}
	defer e.close()
	views := r.config.Views
	if views == 0 {
		views = 2 // of which folds choose
	}
	train, val = newCollection(r.sets.train, ends, views), newCollection(r.sets.val, ends, 1)
	for _, x := range []*collection{train, val} {
		if err = e.fill(ctx, x, r.events, r.begun); err != nil && r.out.holds(featuresFile) {
			err = r.keep(ctx, err, r.mark)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if len(ends) > len(r.heads) && r.out != nil {
		r.measureDistance(train.sets[len(r.heads)], block)
	}
	return train, val, nil
}

// begun marks the folder when the first features are in the cache, so that the run is one that can be resumed.
func (r *training) begun() {
	if r.marked {
		return
	}
	r.marked = true
	if err := r.mark(); err != nil {
		r.events.Warn(fmt.Sprintf("the run cannot be resumed before its first epoch: %v", err))
	}
}

// mark writes a checkpoint that tells what the run began with; the features themselves are in the cache.
func (r *training) mark() error {
	return r.save(func() error { return r.out.write(featuresFile, r.snapshot().write) })
}

// openCache is the cache of the configuration, or one in the run's own folder, which lives as long as the run does.
func (r *training) openCache() {
	if r.cache = r.config.Cache; r.cache == nil {
		r.cache = r.ownCache()
	}
}

// ownCache is the one in the run's folder, which goes with the end of the run.
func (r *training) ownCache() *featurecache.Cache {
	return featurecache.Open(r.out.name(featuresDir), featurecache.DefaultLimit)
}
