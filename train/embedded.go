package train

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"regraft/engine"
	"regraft/featurefile"
	"regraft/head"
	"regraft/photo"
	"regraft/setting"
)

// embedded are the features of a run whose photos are elsewhere: heads are solved on what files hold of their first view. The sums run
// over chunks that are read from disk, in the order that the photos themselves would have, so that the number of files changes no bit.
type embedded struct {
	*featurefile.Set
	hashes map[string]photo.Hash // of the photos' files by path, where they are known
}

// checkFeatures refuses settings that need the photos.
func (c *Config) checkFeatures() error {
	if len(c.Features) == 0 {
		return nil
	}
	if c.Mode != Heads || stepwise(c) {
		return usagef("%v needs %v %s %v %s", setting.Features, setting.Mode, Heads, setting.Optimizer, LBFGS)
	}
	for _, s := range []struct {
		is   bool
		name setting.Name
	}{
		{c.Data != "", setting.Data}, {c.Views > 1 || c.Augment == Flip, setting.Views}, {c.ValSplit > 0, setting.ValSplit}, {c.SelectOn != "", setting.SelectOn},
		{c.Labels != nil, setting.Labels}, {c.AllowChanged, setting.AllowChanged},
	} {
		if s.is {
			return usagef("%v does nothing with %v, which has one view of every photo to train on and none of the photos", s.name, setting.Features)
		}
	}
	return nil
}

// openFeatures opens the files, whose rows are the photos of train. What is left out is among the doubts of the sets.
func openFeatures(c *Config) (*embedded, *sets, error) {
	paths, err := featurefile.Expand(c.Features)
	if err != nil {
		return nil, nil, &DataError{fmt.Errorf("%v: %w", setting.Features, err)}
	}
	set, err := featurefile.Open(paths)
	if err != nil {
		return nil, nil, &DataError{fmt.Errorf("%v: %w", setting.Features, err)}
	}
	e := &embedded{Set: set, hashes: map[string]photo.Hash{}}
	s, err := e.list(c)
	if err != nil {
		set.Close()
		return nil, nil, &DataError{err}
	}
	return e, s, nil
}

// listed is a row before the classes are known.
type listed struct{ path, label string }

// list reads the paths and classes of all rows.
func (e *embedded) list(c *Config) (*sets, error) {
	var all []listed
	places, left := map[string]int{}, map[string]*listed{}
	count := map[string]int{}
	err := e.Photos(func(row int, p featurefile.Photo) error {
		if at, twice := places[p.Path]; twice {
			return fmt.Errorf("%s is there twice: %s has it too", photo.Shown(p.Path), e.Name(at))
		}
		places[p.Path] = row
		one := listed{p.Path, p.Label}
		if hash, err := hex.DecodeString(p.Hash); err != nil || len(hash) != len(photo.Hash{}) && p.Hash != "" {
			return fmt.Errorf("the hash of %s is none: %q", photo.Shown(p.Path), p.Hash)
		} else if p.Hash != "" {
			e.hashes[p.Path] = photo.Hash(hash)
		}
		why := ""
		switch {
		case p.Label == "":
			why = "without a label"
		case p.Part == SetVal || p.Part == SetTest:
			why = "of " + p.Part
		default:
			all = append(all, one)
			return nil
		}
		if count[why]++; left[why] == nil {
			left[why] = &one
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d := &photo.Dataset{}
	for _, why := range slices.Sorted(maps.Keys(count)) {
		d.Doubts = append(d.Doubts, fmt.Sprintf("%s left out, the first: %s", photo.Count(count[why], "photo "+why+" is", "photos "+why+" are"), photo.Shown(left[why].path)))
	}
	if e.Failed > 0 {
		d.Doubts = append(d.Doubts, photo.Count(e.Failed, "photo has no features, as embed told: it is left out", "photos have no features, as embed told: they are left out"))
	}
	slices.SortFunc(all, func(a, b listed) int { return cmp.Or(cmp.Compare(a.label, b.label), cmp.Compare(a.path, b.path)) })
	for _, one := range all {
		if n := len(d.Classes); n == 0 || d.Classes[n-1] != one.label {
			d.Classes = append(d.Classes, one.label)
		}
		d.Train = append(d.Train, photo.Sample{Path: one.path, Label: len(d.Classes) - 1})
	}
	if n := len(d.Classes); n < 2 {
		return nil, fmt.Errorf("the files have photos of %s with a label: two are needed", photo.Count(n, "class", "classes"))
	}
	s := &sets{Dataset: d, classes: d.Classes}
	s.assign()
	if !foldable(s.train, newGrouping(c, nil, nil), len(s.classes)) {
		return nil, errNoFolds
	}
	return s, nil
}

// mainOnly is the network without auxiliary classifiers, whose features the files do not hold.
func mainOnly(net *engine.Network, warn func(string)) (*engine.Network, error) {
	heads, err := head.Find(net)
	if err != nil || len(heads) == 1 {
		return net, nil // of which graft tells
	}
	warn(fmt.Sprintf("the auxiliary classifier is left out: its features are not in the files (%v %s attaches a new one)", setting.Mode, Full))
	return net.Subgraph(net.Outputs[heads[0].Output])
}

// fits is an error where the files' features are not those of the network's trunk.
func (e *embedded) fits(r *training) error {
	if r.heads[0].Rectified {
		return &ModelError{fmt.Errorf("%v: the model's classifier reads a map of every photo, not a row of features", setting.Features)}
	}
	trunk, err := head.Trunk(r.net)
	if err != nil {
		return &ModelError{err}
	}
	source := FeatureSource(trunk, r.config.Direct, &r.hasher)
	if different := e.Source.Differs(source); different != "" {
		return &DataError{fmt.Errorf("the features of %s are not the model's: %s", e.Name(0), different)}
	}
	if n := r.heads[0].Features; n != e.Features {
		return &DataError{fmt.Errorf("%s has %d features a photo, the model %d", e.Name(0), e.Features, n)}
	}
	return nil
}

// judge looks at the photos' hashes, as inspect does: equal ones stay together in folds and are refused under different classes.
func (e *embedded) judge(r *training) error {
	r.hashes = e.hashes
	found := make([]photo.Finding, len(r.sets.train))
	for i, s := range r.sets.train {
		known := false
		if found[i].Hash, known = e.hashes[s.Path]; !known {
			found[i].Hash = photo.HashOf([]byte(s.Path)) // like no other
		}
	}
	report := r.sets.Report(found)
	problems := report.Problems()
	switch {
	case r.previous() != nil:
	case len(problems) > 0 && !r.config.SkipBad:
		return refusal(photo.Refusal(problems))
	case len(problems) > 0:
		bad := skipped(r.config.Data, problems)
		if _, err := r.goWithout(bad, nil); err != nil {
			return err
		}
		r.events.Warn(goesOnWithout(bad, len(found)))
	}
	for _, w := range report.Warnings() {
		r.events.Warn(w)
	}
	r.photos = r.sets.identity(r.config.Data)
	return nil
}

// spill writes the features of all photos to their places in a file in the run's folder. Undefined and infinite ones are an error.
func (e *embedded) spill(ctx context.Context, r *training) (*spill, *products, error) {
	samples := r.sets.train
	labels, places := make([]int, len(samples)), map[string]int32{}
	for i, s := range samples {
		labels[i], places[s.Path] = s.Label, int32(i)
	}
	p, err := layOutProducts(&features{labels: labels, positions: 1, f: e.Features}, len(r.sets.classes))
	if err != nil {
		return nil, nil, err
	}
	photos := make([]int32, e.Rows) // of each row; -1: left out
	if err := e.Photos(func(row int, p featurefile.Photo) error {
		i, is := places[p.Path]
		if photos[row] = i; !is {
			photos[row] = -1
		}
		return nil
	}); err != nil {
		return nil, nil, &DataError{err}
	}
	s, err := newSpill(r.out.path, p, e.Features)
	if err != nil {
		return nil, nil, err
	}
	r.events.Phase(PhaseFeatures, 0, e.Rows)
	r.contents = make([]byte, len(samples)*fingerprintBytes)
	err = e.Each(ctx, func(row int, x []float32) error {
		i := photos[row]
		if r.events.Advanced(1, noLoss); i < 0 {
			return nil
		}
		for f, v := range x {
			if broken(float64(v)) {
				return fmt.Errorf("feature %d of %s is %g", f, photo.Shown(samples[i].Path), v)
			}
		}
		hash := photo.HashOf(bytesOf(x))
		copy(r.contents[int(i)*fingerprintBytes:][:fingerprintBytes], hash[:])
		return s.put(int(i), x)
	})
	switch before := r.previous(); {
	case err != nil && ctx.Err() == nil && !errors.Is(err, errSpill):
		err = &DataError{err}
	case err == nil && before != nil && !slices.Equal(before.Contents, r.contents):
		err = &DataError{fmt.Errorf("%v: the features have changed since the run began", setting.Resume)}
	}
	if err != nil {
		s.close()
		return nil, nil, err
	}
	return s, p, nil
}

// solver makes the solver of the main head.
func (e *embedded) solver(ctx context.Context, r *training) (*headSolver, error) {
	if err := e.judge(r); err != nil {
		return nil, err
	}
	spill, p, err := e.spill(ctx, r)
	if err != nil {
		return nil, err
	}
	h := &r.heads[0]
	s := &headSolver{head: h, train: p.x, val: newFeatures(h, 0), standard: standardOf(spill.rows(), e.Features), products: p}
	s.softmax = softmaxOf(h, &r.config, r.config.classWeights(r.sets.train, len(r.sets.classes)))
	if err = cmp.Or(spill.err(), spill.pack(p, s.standard)); err != nil {
		spill.close()
		return nil, err
	}
	p.spill = spill
	return s, nil
}
