package train

import (
	"context"
	"errors"
	"fmt"

	"regraft/engine"
	"regraft/engine/session"
	"regraft/featurecache"
	"regraft/head"
	"regraft/photo"
)

// inferenceBatch is the number of photos that run through the network at a time where nothing trains; the
// results do not depend on it.
const inferenceBatch = 8

// Evaluation are the answers of a network to labelled photos.
type Evaluation struct {
	Samples []photo.Sample
	Classes int
	// Logits of the main head, (photos, classes).
	Logits []float32
	// Independent classes do not exclude each other: Sigmoid, not Softmax, makes probabilities of their logits.
	Independent bool
}

// row returns the logits of photo i.
func (e *Evaluation) row(i int) []float32 { return e.Logits[i*e.Classes : (i+1)*e.Classes] }

// Options says how Evaluate works; Direct changes the answers, in their last digits, and Views does.
type Options struct {
	// Direct computes without Winograd's algorithm.
	Direct bool
	// Views are how many views of a photo (photo.View) answer for it, by the mean of their logits; 0 is 1.
	Views int
	// SkipBad lets Readable leave out photos that cannot be read.
	SkipBad          bool
	Threads, Workers int // 0 takes the machine's
	Decode           photo.DecodeOptions
	// Cache may hold features of the photos with these Hashes, by path, and takes those that it lacks; nil for none.
	Cache  *featurecache.Cache
	Hashes map[string]photo.Hash

	waits *waiter
}

// config has what the options say about photos and arithmetic.
func (o Options) config() *Config {
	return &Config{
		Direct: o.Direct, Threads: o.Threads, Workers: o.Workers, TIFF: o.Decode.TIFF, MaxPixels: o.Decode.MaxPixels, waits: o.waits,
	}
}

// options are those that a run evaluates with.
func (c *Config) options() Options {
	return Options{Direct: c.Direct, Threads: c.Threads, Workers: c.Workers, Decode: c.decode(), waits: c.waits}
}

// Evaluate runs photos, whose labels are the network's class ids, through the main head of net. The
// progress is told to events as phase, of an epoch or 0.
func Evaluate(ctx context.Context, net *engine.Network, samples []photo.Sample, o Options, phase Phase, epoch int, events Events) (*Evaluation, error) {
	answers, err := head.AnswersOf(net)
	if err == nil {
		err = answers.Check()
	}
	if err != nil {
		return nil, &ModelError{err}
	}
	for _, assumed := range answers.Assumed {
		events.Warn(assumed)
	}
	if !answers.Exclusive() {
		events.Warn("the model's classes do not exclude each other (Sigmoid): the most probable one counts as the answer, and the loss is binary cross entropy")
	}
	e := &Evaluation{Samples: samples, Classes: answers.Classes, Independent: !answers.Exclusive()}
	for _, s := range samples {
		if s.Label < 0 || s.Label >= e.Classes {
			return nil, &DataError{fmt.Errorf("%s: class %d, but the model has %d", s.Path, s.Label, e.Classes)}
		}
	}
	views := max(o.Views, 1)
	scores, err := newScores(answers, samples, views, o)
	if err != nil {
		return nil, err
	}
	defer scores.close()
	e.Logits = make([]float32, len(samples)*e.Classes)
	err = scores.each(ctx, phase, epoch, events, func(i int, row []float32) {
		logits, _ := answers.Row(row)
		for c, l := range logits {
			e.Logits[i*e.Classes+c] += l / float32(views)
		}
	})
	return e, err
}

// inference makes a session that computes net.
func inference(net *engine.Network, c *Config) (*session.Session, error) {
	net, err := net.WithBatch(inferenceBatch)
	if err != nil {
		return nil, &ModelError{err}
	}
	o, err := session.Native(c.Direct)
	if err != nil {
		return nil, err
	}
	compiled, err := session.Compile(net, o)
	if err != nil {
		return nil, &ModelError{err}
	}
	return compiled.New(c.Threads)
}

// eachBatch hands a view of the photos to f in order, prepared for net, with the hashes of their files.
func eachBatch(ctx context.Context, net *engine.Network, samples []photo.Sample, c *Config, v photo.View, f func(*photo.Batch) error) error {
	loader, err := photo.NewLoader(samples, *net.Meta.Preprocess, photo.LoaderOptions{
		Batch: inferenceBatch, Workers: c.Workers, Decode: c.decode(), Retry: c.waits.again, View: v, Hash: true,
	})
	if err != nil {
		return &DataError{err}
	}
	for b, err := range loader.Epoch(ctx, 0) {
		if err != nil {
			return photoError(ctx, err)
		}
		if err := f(b); err != nil {
			return err
		}
	}
	return nil
}

// photoError makes what a loader reports a DataError, unless the run was cancelled.
func photoError(ctx context.Context, err error) error {
	if cancelled := ctx.Err(); cancelled != nil && errors.Is(err, cancelled) {
		return err
	}
	return &DataError{err}
}
