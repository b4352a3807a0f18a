package train

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"regraft/photo"
	"regraft/setting"
)

// Names of the sets in reports.
const (
	SetVal   = "val"
	SetTest  = "test"
	SetSplit = "a split of train"
	// SetFolds are the photos of train, each answered for by heads that were solved without it.
	SetFolds = "folds of train"
)

// sets are the photos of a run.
type sets struct {
	*photo.Dataset
	classes          []string
	train, val, test []photo.Sample
	// selection names val: what the best epoch is chosen by; SetFolds where val is empty.
	selection string
	onTest    bool // test selects
	// relabelled photos have another label than their folder's, and unlabelled ones are left out, as Config.Labels says.
	relabelled, unlabelled int
}

// scan reads the folder's classes. Val validates where it exists. Otherwise heads are chosen by folds of train, unless a split of it is
// asked for, and everything else by such a split; test chooses nothing unless that is asked for.
func scan(c *Config) (*sets, error) {
	d, err := photo.Scan(c.Data, photo.ScanOptions{
		ValSplit: cmp.Or(c.ValSplit, photo.DefaultSplit), Whole: c.byFolds() || c.SelectOn == SetTest, Seed: c.Seed,
	})
	if err != nil {
		return nil, &DataError{err}
	}
	s := &sets{Dataset: d, classes: d.Classes, onTest: c.SelectOn == SetTest}
	if s.onTest && len(d.Test) == 0 {
		return nil, &DataError{fmt.Errorf("%v %s: %s has no test photos", setting.SelectOn, SetTest, photo.Shown(c.Data))}
	}
	if err := s.relabel(c); err != nil {
		return nil, err
	}
	g := newGrouping(c, nil, nil)
	s.together(g)
	if err := s.apart(); err != nil {
		return nil, err
	}
	s.assign()
	if s.selection == SetFolds && !foldable(s.train, g, len(s.classes)) {
		return nil, errNoFolds
	}
	return s, nil
}

// foldable reports whether some of the photos can be held out.
func foldable(samples []photo.Sample, g grouping, classes int) bool {
	part, _ := folds(samples, g.groups(samples), classes, defaultFolds, 0)
	return part != nil
}

// HoldsOut is an error where a dataset has no photos for validation and too few to hold some out, so that Fit refuses it unless its
// test photos select.
func HoldsOut(d *photo.Dataset) error {
	if len(d.Val) == 0 && !foldable(d.Train, grouping{}, len(d.Classes)) {
		return errNoFolds
	}
	return nil
}

var errNoFolds = &DataError{errors.New("the classes have too few photos to hold some out: one each, or one group; add photos, or a part val")}

// byFolds reports whether folds of train choose where the data has no part for validation.
func (c *Config) byFolds() bool { return !stepwise(c) && c.ValSplit == 0 && c.SelectOn != SetTest }

// assign gives the parts of the dataset their purposes.
func (s *sets) assign() {
	s.train, s.val, s.test, s.selection = s.Train, s.Val, s.Test, SetVal
	switch {
	case s.onTest:
		s.val, s.test, s.selection = s.Test, nil, SetTest
	case s.Split:
		s.selection = SetSplit
	case len(s.Val) == 0:
		s.selection = SetFolds
	}
}

// all are the photos of all parts.
func (s *sets) all() []photo.Sample { return slices.Concat(s.Train, s.Val, s.Test) }

// drop takes photos out. What is left must do for training.
func (s *sets) drop(is func(path string) bool) error {
	drop := func(samples []photo.Sample) []photo.Sample {
		return slices.DeleteFunc(slices.Clone(samples), func(p photo.Sample) bool { return is(p.Path) })
	}
	validates := len(s.val) > 0
	s.Train, s.Val, s.Test = drop(s.Train), drop(s.Val), drop(s.Test)
	for id, class := range s.classes {
		if !slices.ContainsFunc(s.Train, func(p photo.Sample) bool { return p.Label == id }) {
			return &DataError{fmt.Errorf("without the bad photos none is left to train class %q", class)}
		}
	}
	s.assign()
	if validates && len(s.val) == 0 {
		return &DataError{errors.New("without the bad photos none is left to choose the best epoch by")}
	}
	return nil
}

// report is the set on which the final model is judged, and its name: test where it did not select. Of SetFolds the answers are known
// already.
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
