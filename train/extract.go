package train

import (
	"context"
	"encoding/json"
	"fmt"

	"regraft/engine"
	"regraft/engine/session"
	"regraft/featurecache"
	"regraft/featurefile"
	"regraft/head"
	"regraft/photo"
)

// extractor computes the inputs of heads, at inference speed: BatchNorm is folded. What its cache holds is not computed again.
type extractor struct {
	trunk  *engine.Network // an output for each head
	config *Config
	cache  *featurecache.Cache
	keys   []featurecache.Keys // of each head; empty without a cache
	hashes map[string]photo.Hash
	// session is made when the first photo needs it.
	session *session.Session
}

// newExtractor computes the outputs of trunk. hashes are those of the photos that may be in the cache, by path.
func newExtractor(trunk *engine.Network, cache *featurecache.Cache, hashes map[string]photo.Hash, hasher *head.Hasher, c *Config) (*extractor, error) {
	e := &extractor{trunk: trunk, config: c, cache: cache, hashes: hashes}
	if cache == nil {
		return e, nil
	}
	for _, out := range trunk.Outputs {
		part, err := trunk.Subgraph(out)
		if err != nil {
			return nil, &ModelError{err}
		}
		e.keys = append(e.keys, FeatureKeys(part, c.Direct, hasher))
	}
	return e, nil
}

// FeatureSource is what decides the features that a trunk with one output computes; direct says that it does so without Winograd's
// algorithm.
func FeatureSource(trunk *engine.Network, direct bool, h *head.Hasher) featurefile.Source {
	preprocess, err := json.Marshal(trunk.Meta.Preprocess)
	if err != nil {
		panic(err) // it holds only numbers and strings
	}
	s := featurefile.Source{Trunk: h.Fingerprint(trunk), Preprocess: string(preprocess), Algorithm: "auto"}
	if direct {
		s.Algorithm = "direct"
	}
	return s
}

// FeatureKeys are those under which a cache keeps the features of FeatureSource.
func FeatureKeys(trunk *engine.Network, direct bool, h *head.Hasher) featurecache.Keys {
	s := FeatureSource(trunk, direct, h)
	return featurecache.NewKeys(s.Trunk, fmt.Sprintf("%s direct=%v", s.Preprocess, direct))
}

func (e *extractor) close() {
	if e.session != nil {
		e.session.Close()
	}
}

// fill fills x, from the cache and by computing, and calls between after what was computed at a time.
func (e *extractor) fill(ctx context.Context, x *collection, events Events, between func()) error {
	events.Phase(PhaseFeatures, 0, len(x.samples)*x.views)
	missing, cached := make([][]int, x.views), 0
	for view := range x.views {
		for i := range x.samples {
			if e.load(x, view, i) {
				cached++
			} else {
				missing[view] = append(missing[view], i)
			}
		}
	}
	events.Advanced(cached, noLoss)
	for view, photos := range missing {
		if len(photos) == 0 {
			continue
		}
		err := e.compute(ctx, x, view, photos, func(b *photo.Batch) {
			for i := range b.N {
				e.keep(x, b.Hashes[i], view, i, x.row(view, photos[i]), events)
			}
			photos = photos[b.N:]
			events.Advanced(b.N, noLoss)
			between()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// load takes the features of a view of photo i out of the cache.
func (e *extractor) load(x *collection, view, i int) bool {
	hash, known := e.hashes[x.samples[i].Path]
	if !known {
		return false
	}
	for k, f := range x.sets {
		if e.cache == nil || !e.cache.Get(e.keys[k].Of(hash, view), f.of(x.row(view, i))) {
			return false
		}
	}
	return true
}

// compute runs a view of some of the photos through the trunk, a batch at a time.
func (e *extractor) compute(ctx context.Context, x *collection, view int, photos []int, done func(*photo.Batch)) error {
	if e.session == nil {
		var err error
		if e.session, err = inference(e.trunk, e.config); err != nil {
			return err
		}
	}
	var samples []photo.Sample
	for _, i := range photos {
		samples = append(samples, x.samples[i])
	}
	return eachBatch(ctx, e.trunk, samples, e.config, photo.View(view), func(b *photo.Batch) error {
		if err := e.session.Infer(b.X, b.N); err != nil {
			return err
		}
		done(b)
		return nil
	})
}

// keep copies the features of photo i of the batch that was computed to a row, and to the cache.
func (e *extractor) keep(x *collection, hash photo.Hash, view, i, row int, events Events) {
	for k, f := range x.sets {
		n := f.positions * f.f
		f.setMap(row, e.session.Output(k)[i*n:(i+1)*n])
		if e.cache == nil {
			continue
		}
		if err := e.cache.Put(e.keys[k].Of(hash, view), f.of(row)); err != nil {
			events.Warn(notKept(err))
		}
	}
}
