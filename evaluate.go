package regraft

import (
	"context"
	"fmt"
	"slices"

	"regraft/photo"
	"regraft/train"
)

// Evaluation is how a model does on labelled photos.
type Evaluation struct {
	*Report
	// Labels name the rows and columns of the confusion matrix.
	Labels []string
	// Split is the part of the data that was judged: train, val or test, "" for all of it.
	Split string
	// Advice is a sentence or two each for what the figures say should be looked at.
	Advice []string
	// Skipped are photos that could not be read and were left out (SkipBad).
	Skipped []Skipped

	judged train.Judged
}

// WriteReport writes a page about the evaluation to a file: HTML that needs nothing beside it, with the photos behind every number.
// It reads the photos again, unless the model's Cache has their small pictures. The names of the model's file and the command that
// asked for the page are for its record, and may be "". Events may be nil.
func (e *Evaluation) WriteReport(ctx context.Context, path, model, command string, events Events) error {
	if events == nil {
		events = Silent{}
	}
	j := e.judged
	j.Model, j.Command = model, command
	return j.WritePage(ctx, path, events)
}

// Evaluate answers for the photos of a folder of class folders, or of its part called split (train, val or test; "" takes test, else
// val, where it has such parts), and compares the answers with the folders' names. Events may be nil. Errors of the data
// are *DataError.
func (m *Model) Evaluate(ctx context.Context, data, split string, events Events) (*Evaluation, error) {
	if events == nil {
		events = Silent{}
	}
	net, err := m.whole()
	if err != nil {
		return nil, err
	}
	set, split, err := photo.ScanEval(data, split)
	if err != nil {
		return nil, &DataError{Err: err}
	}
	a, err := m.Answers()
	if err == nil {
		err = a.Check()
	}
	if err != nil {
		return nil, &ModelError{Err: err}
	}
	for _, line := range slices.Concat(set.Doubts, photo.Summary(set.LeftOut)) {
		events.Warn(line)
	}
	labels, err := m.labelsFor(set.Classes, events)
	if err != nil {
		return nil, err
	}
	samples, err := train.Relabel(set.Test, set.Classes, labels)
	if err != nil {
		return nil, err
	}
	o := train.Options{
		Direct: m.options.direct, Threads: m.options.threads, Workers: m.options.workers, Decode: m.options.decode, SkipBad: m.options.skipBad,
		Views: m.options.views, Cache: m.options.cache,
	}
	samples, skipped, err := train.Readable(ctx, data, samples, &o, events)
	if err != nil {
		return nil, err
	}
	answers, err := train.Evaluate(ctx, net, samples, o, train.PhaseTest, 0, events)
	if err != nil {
		return nil, err
	}
	e := &Evaluation{Report: answers.Report(labels), Labels: labels, Split: split, Skipped: skipped}
	e.Advice = e.Report.Advice()
	e.judged = train.Judged{
		Evaluation: answers, Labels: labels, Report: e.Report, Network: net, Data: data, Split: split, Options: o, Skipped: skipped,
		LeftOut: photo.Summary(set.LeftOut),
	}
	return e, nil
}

// labelsFor are the model's labels; a model without labels that has as many classes as the folder is
// taken to know them in byte order of their names, as torchvision's ImageFolder numbers them.
func (m *Model) labelsFor(classes []string, events Events) ([]string, error) {
	labels := m.Labels()
	if m.Labelled() {
		return labels, nil
	}
	if len(labels) != len(classes) {
		return nil, &DataError{Err: fmt.Errorf("the model has %d classes without labels, the folder %d", len(labels), len(classes))}
	}
	events.Warn("the model has no labels: its classes are taken to be the folder's, sorted by name")
	return classes, nil
}
