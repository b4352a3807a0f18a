package train

import (
	"errors"
	"fmt"
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
	s := &sets{Dataset: d, classes: d.Classes}
	s.assign()
	return s, nil
}

// assign gives the parts of the dataset their purposes.
func (s *sets) assign() {
	s.train, s.val, s.test, s.selection = s.Train, s.Val, s.Test, SetVal
	switch {
	case s.Split:
		s.selection = SetSplit
	case len(s.Val) == 0:
		s.val, s.test, s.selection = s.Test, nil, SetTest
	}
}

// all are the photos of all parts.
func (s *sets) all() []photo.Sample { return slices.Concat(s.Train, s.Val, s.Test) }

// drop takes photos out. What is left must do for training.
func (s *sets) drop(is func(path string) bool) error {
	drop := func(samples []photo.Sample) []photo.Sample {
		return slices.DeleteFunc(slices.Clone(samples), func(p photo.Sample) bool { return is(p.Path) })
	}
	validates := len(s.Val) > 0
	s.Train, s.Val, s.Test = drop(s.Train), drop(s.Val), drop(s.Test)
	for id, class := range s.classes {
		if !slices.ContainsFunc(s.Train, func(p photo.Sample) bool { return p.Label == id }) {
			return &DataError{fmt.Errorf("without the bad photos none is left to train class %q", class)}
		}
	}
	if validates && len(s.Val) == 0 || len(s.Val)+len(s.Test) == 0 {
		return &DataError{errors.New("without the bad photos none is left to choose the best epoch by")}
	}
	s.assign()
	return nil
}

// report is the set on which the final model is judged, and its name: test where it did not select.
func (s *sets) report() ([]photo.Sample, string) {
	if len(s.test) > 0 {
		return s.test, SetTest
	}
	return s.val, s.selection
}

// Relabel gives samples, labelled by classes, the ids of the same names in labels. A class that labels
// lack, or have twice, is a DataError.
func Relabel(samples []photo.Sample, classes, labels []string) ([]photo.Sample, error) {
	if err := photo.UnknownClasses(classes, labels); err != nil {
		return nil, &DataError{err}
	}
	ids := make([]int, len(classes))
	for i, c := range classes {
		ids[i] = slices.Index(labels, c)
		if rest := labels[ids[i]+1:]; slices.Contains(rest, c) {
			return nil, &DataError{fmt.Errorf("two outputs of the model have the label %q: %d and %d", c, ids[i], ids[i]+1+slices.Index(rest, c))}
		}
	}
	out := slices.Clone(samples)
	for i := range out {
		out[i].Label = ids[out[i].Label]
	}
	return out, nil
}
