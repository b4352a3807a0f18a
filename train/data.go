package train

import (
	"context"
	"slices"

	"regraft/photo"
)

// Names of the sets in reports.
const (
	SetVal   = "val"
	SetTest  = "test"
	SetSplit = "a split of train"
)

// sets are the photos of a run.
type sets struct {
	*photo.Dataset
	classes          []string
	train, val, test []photo.Sample
	// selection names val: what the best epoch is chosen by.
	selection string
}

// scan reads the folder's classes. Val validates where it exists, else a split of train when one is asked
// for, else test, which then is not independent any more; a folder of classes alone is split.
func scan(root string, valSplit float64, seed uint64) (*sets, error) {
	d, err := photo.Scan(root, photo.ScanOptions{ValSplit: valSplit, Seed: seed})
	if err != nil {
		return nil, &DataError{err}
	}
	s := &sets{Dataset: d, classes: d.Classes, train: d.Train, val: d.Val, test: d.Test, selection: SetVal}
	switch {
	case d.Split:
		s.selection = SetSplit
	case len(d.Val) == 0:
		s.val, s.test, s.selection = d.Test, nil, SetTest
	}
	return s, nil
}

// report is the set on which the final model is judged, and its name: test where it did not select.
func (s *sets) report() ([]photo.Sample, string) {
	if len(s.test) > 0 {
		return s.test, SetTest
	}
	return s.val, s.selection
}

// checkPhotos decodes every photo once, so that a run of hours does not end at a broken one. It refuses what
// the command check refuses, and warns of photos that make the results look better than they are.
func checkPhotos(ctx context.Context, c *Config, s *sets, events Events) error {
	photos := slices.Concat(s.Train, s.Val, s.Test)
	events.Phase(PhaseCheck, 0, len(photos))
	found, err := photo.Examine(ctx, photos, photo.CheckOptions{
		Decode: c.decode(), Workers: c.Workers,
		Progress: func(int, int) { events.Advanced(1, noLoss) },
	})
	if err != nil {
		return err
	}
	report := s.Report(found)
	if err := photo.Refusal(report.Problems()); err != nil {
		return &DataError{err}
	}
	for _, w := range report.Warnings() {
		events.Warn(w)
	}
	return nil
}

// Relabel gives samples, labelled by classes, the ids of the same names in labels. A class that labels
// lack is a DataError.
func Relabel(samples []photo.Sample, classes, labels []string) ([]photo.Sample, error) {
	if err := photo.UnknownClasses(classes, labels); err != nil {
		return nil, &DataError{err}
	}
	ids := make([]int, len(classes))
	for i, c := range classes {
		ids[i] = slices.Index(labels, c)
	}
	out := slices.Clone(samples)
	for i := range out {
		out[i].Label = ids[out[i].Label]
	}
	return out, nil
}
