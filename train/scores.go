package train

import (
	"context"
	"slices"

	"regraft/engine"
	"regraft/engine/session"
	"regraft/head"
	"regraft/photo"
)

// scores computes what a network says about views of photos: in one go, or, with a cache, from the features that it holds.
type scores struct {
	samples []photo.Sample
	views   int
	config  *Config
	net     *engine.Network // from photos or from features to scores
	session *session.Session
	// features, where there is a cache, are computed by extractor.
	features  *collection
	extractor *extractor
}

func newScores(a *head.Answers, samples []photo.Sample, views int, o Options) (*scores, error) {
	s := &scores{samples: samples, views: views, config: o.config()}
	var trunk *engine.Network
	var err error
	if o.Cache != nil {
		if trunk, s.net, err = a.Split(); err != nil {
			return nil, &ModelError{err}
		}
	}
	if s.net == nil {
		if s.net, err = a.Net.Subgraph(a.Net.Outputs[0]); err != nil {
			return nil, &ModelError{err}
		}
	}
	if s.session, err = inference(s.net, s.config); err != nil || trunk == nil {
		return s, err
	}
	s.features = newCollection(samples, []head.Head{{Features: trunk.Outputs[0].Node.Shape()[1]}}, views)
	if s.extractor, err = newExtractor(trunk, o.Cache, o.Hashes, new(head.Hasher), s.config); err != nil {
		s.close()
	}
	return s, err
}

func (s *scores) close() {
	s.session.Close()
	if s.extractor != nil {
		s.extractor.close()
	}
}

// each tells the scores of photo i, once for every view.
func (s *scores) each(ctx context.Context, phase Phase, epoch int, events Events, tell func(i int, row []float32)) error {
	if s.extractor != nil {
		return s.fromFeatures(ctx, events, tell)
	}
	events.Phase(phase, epoch, len(s.samples)*s.views)
	for view := range s.views {
		first := 0
		err := eachBatch(ctx, s.net, s.samples, s.config, photo.View(view), func(b *photo.Batch) error {
			if err := s.infer(b.X, b.N, first, tell); err != nil {
				return err
			}
			first += b.N
			events.Advanced(b.N, noLoss)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fromFeatures is each by way of the features.
func (s *scores) fromFeatures(ctx context.Context, events Events, tell func(i int, row []float32)) error {
	if err := s.extractor.fill(ctx, s.features, events, func() {}); err != nil {
		return err
	}
	f, n := s.features.sets[0], len(s.samples)
	for row := 0; row < n*s.views; {
		rows := min(inferenceBatch, n-row%n) // of one view
		if err := s.infer(f.data[row*f.f:(row+rows)*f.f], rows, row%n, tell); err != nil {
			return err
		}
		row += rows
	}
	return nil
}

// infer runs n photos, or their features, from number first on.
func (s *scores) infer(x []float32, n, first int, tell func(i int, row []float32)) error {
	if err := s.session.Infer(x, n); err != nil {
		return err
	}
	columns := s.net.Outputs[0].Node.Shape()[1]
	for row := range slices.Chunk(s.session.Output(0)[:n*columns], columns) {
		tell(first, row)
		first++
	}
	return nil
}
