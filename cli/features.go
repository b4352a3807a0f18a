package cli

import (
	"context"
	"fmt"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/photo"
)

// openForFeatures opens a model whose classifier reads a row of features. The caller calls done.
func openForFeatures(con *console, c *urfave.Context, path string) (m *regraft.Model, done func(), err error) {
	cache, err := featureCache(c)
	if err != nil {
		return nil, nil, err
	}
	if m, err = openModel(con, c, path, regraft.AnswersOnly(), regraft.Cache(cache)); err != nil {
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

// eachFeatures hands on the features of all inputs. What has none is told of, and counted in failed; err is what ended it early.
func eachFeatures(ctx context.Context, con *console, m *regraft.Model, in *inputs, add func(path string, features []float32) error) (failed, err error) {
	good, bad := 0, 0
	bar := con.progress(0, "photos", "features")
	defer bar.end()
	for r, err := range m.Stream(ctx, in.photos()) {
		switch {
		case err != nil:
			return nil, err
		case r.Err != nil:
			bad++
			con.warnf("%s: %s", shown(r.Path), shown(reason(r)))
			continue
		}
		if err := add(r.Path, r.Features); err != nil {
			return nil, err
		}
		good++
		bar.set(good+bad, in.total())
	}
	bar.end()
	for _, line := range photo.Summary(in.leftOut) {
		con.notef("%s", line)
	}
	switch {
	case in.err != nil:
		return in.err, nil
	case good+bad == 0:
		return failf(statusData, "no photos found"), nil
	case bad > 0:
		return failf(statusInputs, "%d of %d photos have no features", bad, good+bad), nil
	}
	return nil, nil
}

// embedded are the features of photos.
type embedded struct {
	paths    []string
	features [][]float32
}

// featuresOf keeps those of all inputs.
func featuresOf(ctx context.Context, con *console, m *regraft.Model, in *inputs) (e *embedded, failed, err error) {
	e = &embedded{}
	failed, err = eachFeatures(ctx, con, m, in, func(path string, features []float32) error {
		e.paths, e.features = append(e.paths, path), append(e.features, features)
		return nil
	})
	return e, failed, err
}

// labelsOf are the classes of the photos in folders that are labelled as train takes them, by path.
func labelsOf(args []string) map[string]string {
	known := map[string]string{}
	for _, arg := range args {
		d, err := photo.Scan(arg, photo.ScanOptions{Whole: true})
		if err != nil {
			continue // photos without labels
		}
		for _, s := range slices.Concat(d.Train, d.Val, d.Test) {
			known[s.Path] = d.Classes[s.Label]
		}
	}
	return known
}
