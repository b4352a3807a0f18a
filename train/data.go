package train

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"regraft/photo"
)

// Names of the sets in reports.
const (
	SetVal   = "val"
	SetTest  = "test"
	SetSplit = "a split of train"
)

// ownSplit is the share of train that validates where the data has neither val nor test.
const ownSplit = 0.2

// sets are the photos of a run.
type sets struct {
	classes          []string
	train, val, test []photo.Sample
	// selection names val: what the best epoch is chosen by.
	selection string
}

// scan reads the folder's classes. Val validates where it exists, else a split of train when one is asked
// for, else test, which then is not independent any more; a folder of classes alone is split.
func scan(root string, valSplit float64, seed uint64) (*sets, error) {
	d, err := photo.Scan(root, photo.ScanOptions{ValSplit: valSplit, Seed: seed})
	if err == nil && len(d.Val) == 0 && len(d.Test) == 0 {
		d, err = photo.Scan(root, photo.ScanOptions{ValSplit: ownSplit, Seed: seed})
	}
	if err != nil {
		return nil, &DataError{err}
	}
	s := &sets{classes: d.Classes, train: d.Train, val: d.Val, test: d.Test, selection: SetVal}
	switch {
	case d.Split:
		s.selection = SetSplit
	case len(d.Val) == 0:
		s.val, s.test, s.selection = d.Test, nil, SetTest
	}
	switch {
	case len(s.classes) < 2:
		return nil, &DataError{fmt.Errorf("%s holds %d class; a classifier needs at least 2", root, len(s.classes))}
	case len(s.val) == 0:
		return nil, &DataError{fmt.Errorf("%s: the classes have too few photos to keep some for validation", root)}
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

// checkPhotos decodes every photo once, so that a run of hours does not end at a broken one, and warns of
// photos that make the results look better than they are.
func checkPhotos(ctx context.Context, c *Config, s *sets, events Events) error {
	events.Phase(PhaseCheck, 0, len(s.train)+len(s.val)+len(s.test))
	var serial sync.Mutex
	report, err := photo.Check(ctx, c.Data, photo.CheckOptions{
		Decode: c.decode(), Workers: c.Workers,
		Progress: func(int, int) {
			serial.Lock()
			defer serial.Unlock()
			events.Advanced(1, noLoss)
		},
	})
	if err != nil {
		return err
	}
	if n := len(report.Unreadable); n > 0 {
		return &DataError{fmt.Errorf("%d photos cannot be read, the first: %w", n, report.Unreadable[0])}
	}
	if n := len(report.Leaks); n > 0 {
		events.Warn(fmt.Sprintf("%d photos lie in train and in val or test, for example %s: accuracies will look too good",
			n, strings.Join(report.Leaks[0], " = ")))
	}
	if n := len(report.Contradictions); n > 0 {
		events.Warn(fmt.Sprintf("%d photos lie in several classes, for example %s", n, strings.Join(report.Contradictions[0], " = ")))
	}
	return nil
}

// Relabel gives samples, labelled by classes, the ids of the same names in labels. A class that labels
// lack is a DataError.
func Relabel(samples []photo.Sample, classes, labels []string) ([]photo.Sample, error) {
	ids := make([]int, len(classes))
	for i, c := range classes {
		if ids[i] = slices.Index(labels, c); ids[i] < 0 {
			return nil, &DataError{fmt.Errorf("the model knows no class %q (it knows: %s)", c, list(labels))}
		}
	}
	out := slices.Clone(samples)
	for i := range out {
		out[i].Label = ids[out[i].Label]
	}
	return out, nil
}

// list writes the first names of a long list.
func list(names []string) string {
	const most = 12
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
