package regraft

import (
	"slices"

	"regraft/engine"
	"regraft/engine/session"
	"regraft/featurecache"
	"regraft/head"
	"regraft/photo"
	"regraft/train"
)

// worthKeeping is the number of photos from which on a call looks for features in the cache: to know the model by its hash takes as
// long as a few photos.
const worthKeeping = 16

// keptFeatures lets a Model answer from features in its cache.
type keptFeatures struct {
	cache           *featurecache.Cache
	net             *engine.Network
	features, looks keptRows
	scores          *session.Compiled
}

// keptRows are the rows of numbers that a network with one output computes, in a cache; without keys there are none.
type keptRows struct {
	keys   *featurecache.Keys
	length int
}

func newKeptRows(net *engine.Network, direct bool, h *head.Hasher) keptRows {
	keys := train.FeatureKeys(net, direct, h)
	return keptRows{&keys, columnsOf(net)}
}

// get is the row of a view of a photo; false where it should be there and is not.
func (k keptRows) get(c *featurecache.Cache, hash photo.Hash, view int) ([]float32, bool) {
	if k.keys == nil {
		return nil, true
	}
	row := make([]float32, k.length)
	return row, c.Get(k.keys.Of(hash, view), row)
}

// put keeps a row; without it the next time takes longer, and the cache knows (Failed).
func (k keptRows) put(c *featurecache.Cache, hash photo.Hash, view int, row []float32) {
	if k.keys != nil {
		c.Put(k.keys.Of(hash, view), row)
	}
}

// kept is how the model answers from features; nil where it has no cache or its answers depend on more.
func (m *Model) kept() (*keptFeatures, error) {
	if m.options.cache == nil {
		return nil, nil
	}
	net := m.Network()
	m.keeping.Lock()
	defer m.keeping.Unlock()
	if m.keeps != nil && m.keeps.net == net {
		return m.keeps, nil
	}
	a, d, err := m.readingOf(net)
	if err != nil {
		return nil, err
	}
	trunk, scores, err := a.Split()
	if err != nil || trunk == nil {
		return nil, err
	}
	if m.options.answersOnly { // all else of the file's memory may go
		for _, p := range scores.Params {
			p.Value = slices.Clone(p.Value)
		}
	}
	k, h := &keptFeatures{cache: m.options.cache, net: net}, new(head.Hasher)
	k.features = newKeptRows(trunk, m.options.direct, h)
	if d != nil {
		looking, _, err := head.Look(trunk)
		if err != nil {
			return nil, err
		}
		k.looks = newKeptRows(looking, m.options.direct, h)
	}
	if k.scores, err = session.ForInference(scores, m.options.batch, m.options.direct); err != nil {
		return nil, err
	}
	m.keeps = k
	return k, nil
}

// seen is a view of a photo: the network's input, or what the cache has of it; then what was computed.
type seen struct {
	x                []float32
	features, scores []float32
	look             []float32 // where the model knows a distance
}

// look prepares the views of a photo that is the content of a file; k may be nil.
func (m *Model) look(data []byte, p photo.Preprocess, k *keptFeatures) (views []seen, hash photo.Hash, err error) {
	views = make([]seen, m.options.views)
	if k != nil || m.options.hashes {
		hash = photo.HashOf(data)
	}
	for v := range views {
		if k != nil {
			features, known := k.features.get(k.cache, hash, v)
			look, seen := k.looks.get(k.cache, hash, v)
			if known && seen {
				views[v].features, views[v].look = features, look
				continue
			}
		}
		x := m.tensor(p)
		if err = p.Read(data, m.options.decode, photo.View(v), x); err != nil {
			m.tensors.Put(&x)
			return nil, hash, err
		}
		views[v].x = x
	}
	return views, hash, nil
}

// tensor is memory for the input of one photo, used before if there is any.
func (m *Model) tensor(p photo.Preprocess) []float32 {
	if x, used := m.tensors.Get().(*[]float32); used && len(*x) == p.Values() {
		return *x
	}
	return make([]float32, p.Values())
}

// compute fills in the scores of all views of the batch, and the features of those that the cache lacked, which are put there.
func (s *stream) compute() error {
	if err := s.computeInputs(); err != nil {
		return err
	}
	var rows []*seen
	var x []float32
	var k *keptFeatures
	for _, d := range s.batch {
		for v := range d.views {
			if view := &d.views[v]; view.x == nil {
				rows, x, k = append(rows, view), append(x, view.features...), d.kept
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	one, err := k.scores.New(1)
	if err != nil {
		return err
	}
	defer one.Close()
	outputs, err := k.scores.Infer(one, x, len(rows))
	for i := range rows {
		if err == nil {
			rows[i].scores = outputs[0].Row(i)
		}
	}
	return err
}

// computeInputs is compute for the views that are inputs of the network, whose tensors are free afterwards.
func (s *stream) computeInputs() error {
	var inputs []*seen
	for _, d := range s.batch {
		for v := range d.views {
			if d.views[v].x != nil {
				inputs = append(inputs, &d.views[v])
			}
		}
	}
	if len(inputs) == 0 {
		return nil
	}
	s.x = slices.Grow(s.x[:0], len(inputs)*len(inputs[0].x))
	for _, view := range inputs {
		s.x = append(s.x, view.x...)
	}
	m := s.m
	net := m.Network()
	outputs, err := m.infer(s.ctx, net, s.x, len(inputs))
	if err != nil {
		return err
	}
	a, far, err := m.readingOf(net)
	if err != nil {
		return err
	}
	last, row := len(a.Net.Outputs)-1, 0
	for _, d := range s.batch {
		for v := range d.views {
			view := &d.views[v]
			if view.x == nil {
				continue
			}
			x := view.x
			m.tensors.Put(&x)
			view.scores, view.features = outputs[0].Row(row), outputs[last].Row(row)
			if far != nil {
				view.look = outputs[last+1].Row(row)
			}
			row++
			if k := d.kept; k != nil {
				k.features.put(k.cache, d.hash, v, view.features)
				k.looks.put(k.cache, d.hash, v, view.look)
			}
		}
	}
	return nil
}
