package cli

import (
	"context"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/photo"
	"regraft/train"
)

// openForFeatures opens a model whose classifier reads a row of features. The caller calls done.
func openForFeatures(con *console, c *urfave.Context, path string, opts ...regraft.Option) (m *regraft.Model, done func(), err error) {
	cache, err := featureCache(c)
	if err != nil {
		return nil, nil, err
	}
	if m, err = openModel(con, c, path, append(opts, regraft.AnswersOnly(), regraft.Cache(cache))...); err != nil {
		return nil, nil, err
	}
	a, err := m.Answers()
	if err == nil && !a.Features {
		err = fmt.Errorf("no classifier was recognised that reads a row of features")
	}
	if err != nil {
		m.Close()
		return nil, nil, fail(statusModel, fmt.Errorf("%s: %w", path, err))
	}
	return m, func() {
		m.Close()
		keptOrTold(con, cache)
	}, nil
}

// eachFeatures hands on the features of all inputs and counts them, and those that have none, of which it tells.
func eachFeatures(ctx context.Context, con *console, m *regraft.Model, in *inputs, add func(r regraft.Result) error) (t tally, err error) {
	bar := con.progress(0, "photos", "features")
	defer bar.end()
	for r, err := range m.Stream(ctx, in.photos()) {
		switch {
		case err != nil:
			return t, err
		case r.Err != nil:
			t.photos++
			t.bad++
			con.warnf("%s: %s", shown(r.Path), shown(reason(r)))
			continue
		}
		if err := add(r); err != nil {
			return t, err
		}
		t.photos++
		bar.set(t.photos, in.total())
	}
	bar.end()
	for _, line := range photo.Summary(in.leftOut) {
		con.notef("%s", line)
	}
	if in.err == nil && in.found() == 0 {
		return t, failf(statusData, "no photos found")
	}
	return t, in.err
}

// embedded are the features of photos.
type embedded struct {
	paths    []string
	features [][]float32
}

// featuresOf keeps those of all inputs.
func featuresOf(ctx context.Context, con *console, m *regraft.Model, in *inputs) (*embedded, tally, error) {
	e := &embedded{}
	t, err := eachFeatures(ctx, con, m, in, func(r regraft.Result) error {
		e.paths, e.features = append(e.paths, r.Path), append(e.features, r.Features)
		return nil
	})
	return e, t, err
}

// place is what folders say of a photo: its class, and whether it is one of train, val or test; "" where they say nothing.
type place struct{ label, part string }

// placesOf are those of the photos in folders that are labelled as train takes them, by path.
func placesOf(args []string) map[string]place {
	known := map[string]place{}
	for _, arg := range args {
		d, err := photo.Scan(arg, photo.ScanOptions{Whole: true})
		if err != nil {
			continue // photos without labels
		}
		for part, samples := range map[string][]photo.Sample{"train": d.Train, train.SetVal: d.Val, train.SetTest: d.Test} {
			for _, s := range samples {
				known[s.Path] = place{photo.Text(d.Classes[s.Label]), part}
			}
		}
	}
	return known
}
