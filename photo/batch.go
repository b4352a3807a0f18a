package photo

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"

	"regraft/engine/random"
)

// Batch is what the network takes at a time. Its slices are used again for a
// later batch: they are valid until the next one is asked for.
type Batch struct {
	// N is the number of photos; less than the loader's batch only at an
	// epoch's end, or after Compact.
	N int
	// X is (N, C, H, W). The rows of photos that failed hold zeros.
	X []float32
	// Labels are the class ids as float32, (N), as the loss takes them.
	Labels []float32
	// Samples are the photos, (N).
	Samples []Sample
	// Errors says what is wrong with each photo, (N); nil for a good one.
	Errors []error
	// Hashes are those of the files that were decoded, (N), where LoaderOptions.Hash asks for them.
	Hashes []Hash
}

// Compact drops the photos that failed, keeping the order of the others, and
// returns their errors. N may become 0.
func (b *Batch) Compact() []error {
	var failed []error
	values := 0
	if b.N > 0 {
		values = len(b.X) / b.N
	}
	n := 0
	for i, err := range b.Errors {
		if err != nil {
			failed = append(failed, err)
			continue
		}
		copy(b.X[n*values:(n+1)*values], b.X[i*values:(i+1)*values])
		b.Labels[n], b.Samples[n], b.Errors[n], b.Hashes[n] = b.Labels[i], b.Samples[i], nil, b.Hashes[i]
		n++
	}
	b.resize(n, values)
	return failed
}

// resize sets the number of photos, within the capacity.
func (b *Batch) resize(n, values int) {
	b.N = n
	b.X, b.Labels, b.Samples, b.Errors, b.Hashes = b.X[:n*values], b.Labels[:n], b.Samples[:n], b.Errors[:n], b.Hashes[:n]
}

// LoaderOptions says how photos become batches.
type LoaderOptions struct {
	// Batch is the number of photos in a batch.
	Batch int
	// Workers is the number of photos that are decoded at the same time; 0
	// means one per CPU. The batches are the same for any number.
	Workers int
	// Ahead is the number of batches that are prepared while one is in use; 0 means 2.
	Ahead int
	// Seed, with the epoch, decides the order and the augmentation.
	Seed    uint64
	Shuffle bool
	Augment Augment
	// View is what every photo is seen in where Augment is zero.
	View   View
	Decode DecodeOptions
	// Hash fills Batch.Hashes.
	Hash bool
	// Retry, if set, is asked when a photo cannot be prepared, by several goroutines: true tries again. Attempts count
	// from 0.
	Retry func(err error, attempt int) bool
	// KeepGoing puts what is wrong with a photo into Batch.Errors; otherwise
	// the first bad photo ends the epoch with an error that names it.
	KeepGoing bool
}

// Loader reads samples and hands them out in batches. Its memory is bounded by
// (Ahead + 1) batches and one photo per worker. One epoch runs at a time.
type Loader struct {
	samples []Sample
	p       Preprocess
	o       LoaderOptions
	slots   []*slot
}

// NewLoader returns a loader of the samples.
func NewLoader(samples []Sample, p Preprocess, o LoaderOptions) (*Loader, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if o.Batch < 1 {
		return nil, fmt.Errorf("a batch of %d photos is not possible", o.Batch)
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Ahead <= 0 {
		o.Ahead = 2
	}
	o.Batch = max(min(o.Batch, len(samples)), 1)
	l := &Loader{samples: samples, p: p, o: o}
	for range o.Ahead + 1 {
		l.slots = append(l.slots, newSlot(o.Batch, p.Values()))
	}
	return l, nil
}

// Len is the number of photos in an epoch.
func (l *Loader) Len() int { return len(l.samples) }

// Batches is the number of batches in an epoch.
func (l *Loader) Batches() int { return (len(l.samples) + l.o.Batch - 1) / l.o.Batch }

// Order returns the order of the samples, as indices, in an epoch.
func (l *Loader) Order(epoch int) []int {
	if l.o.Shuffle {
		return random.At(l.o.Seed, "shuffle", uint64(epoch)).Perm(len(l.samples))
	}
	order := make([]int, len(l.samples))
	for i := range order {
		order[i] = i
	}
	return order
}

// slot is a batch in the making.
type slot struct {
	Batch
	indices []int         // of the samples
	missing atomic.Int64  // photos that are not there yet
	done    chan struct{} // closed when none is missing
}

func newSlot(photos, values int) *slot {
	return &slot{
		Batch: Batch{
			X:       make([]float32, photos*values),
			Labels:  make([]float32, photos),
			Samples: make([]Sample, photos),
			Errors:  make([]error, photos),
			Hashes:  make([]Hash, photos),
		},
	}
}

// start makes the slot the batch of the samples with these indices.
func (s *slot) start(l *Loader, indices []int) {
	s.indices, s.done = indices, make(chan struct{})
	s.resize(len(indices), l.p.Values())
	s.missing.Store(int64(len(indices)))
	for i, index := range indices {
		s.Samples[i] = l.samples[index]
		s.Labels[i] = float32(s.Samples[i].Label)
	}
}

// finish records that photo i is there.
func (s *slot) finish(i int, err error) {
	s.Errors[i] = err
	if s.missing.Add(-1) == 0 {
		close(s.done)
	}
}

// job is one photo of a slot.
type job struct {
	*slot
	i int
}

// Epoch runs through all samples once. It stops with ctx's error when that is
// cancelled. The numbers depend on seed and epoch, never on the workers.
func (l *Loader) Epoch(ctx context.Context, epoch int) iter.Seq2[*Batch, error] {
	return l.EpochFrom(ctx, epoch, 0)
}

// EpochFrom is Epoch without its first batches.
func (l *Loader) EpochFrom(ctx context.Context, epoch, batches int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait() // nobody writes to a slot after the end
		defer cancel()

		free := make(chan *slot, len(l.slots))
		for _, s := range l.slots {
			free <- s
		}
		ready, jobs := make(chan *slot, len(l.slots)), make(chan job)
		order := l.Order(epoch)
		order = order[min(batches*l.o.Batch, len(order)):]
		running.Go(func() { l.feed(ctx, order, free, ready, jobs) })
		for range l.o.Workers {
			running.Go(func() {
				for j := range jobs {
					err := l.prepare(j.slot, j.i, epoch)
					for attempt := 0; err != nil && l.o.Retry != nil && l.o.Retry(err, attempt); attempt++ {
						err = l.prepare(j.slot, j.i, epoch)
					}
					j.finish(j.i, err)
				}
			})
		}
		l.drain(ctx, free, ready, yield)
	}
}

// feed deals the samples out, a slot at a time as slots come free.
func (l *Loader) feed(ctx context.Context, order []int, free <-chan *slot, ready chan<- *slot, jobs chan<- job) {
	defer close(jobs)
	defer close(ready)
	for len(order) > 0 {
		var s *slot
		select {
		case s = <-free:
		case <-ctx.Done():
			return
		}
		n := min(l.o.Batch, len(order))
		s.start(l, order[:n])
		order = order[n:]
		ready <- s
		for i := range s.indices {
			select {
			case jobs <- job{s, i}:
			case <-ctx.Done():
				return
			}
		}
	}
}

// drain hands the slots out in order once they are complete.
func (l *Loader) drain(ctx context.Context, free chan<- *slot, ready <-chan *slot, yield func(*Batch, error) bool) {
	for s := range ready {
		select {
		case <-s.done:
		case <-ctx.Done():
			yield(nil, ctx.Err())
			return
		}
		if err := s.firstError(); err != nil && !l.o.KeepGoing {
			yield(nil, err)
			return
		}
		if !yield(&s.Batch, nil) {
			return
		}
		free <- s
	}
	if err := ctx.Err(); err != nil {
		yield(nil, err)
	}
}

func (s *slot) firstError() error {
	for _, err := range s.Errors {
		if err != nil {
			return err
		}
	}
	return nil
}

// prepare fills row i of the slot.
func (l *Loader) prepare(s *slot, i, epoch int) error {
	values := l.p.Values()
	x := s.X[i*values : (i+1)*values]
	draw := l.o.View.augmentation
	if l.o.Augment != (Augment{}) {
		draw = func(w, h int) Augmentation { return l.o.Augment.Draw(l.o.Seed, epoch, s.indices[i], w, h) }
	}
	var hash *Hash
	if l.o.Hash {
		hash = &s.Hashes[i]
	}
	err := l.p.readFile(s.Samples[i].Path, l.o.Decode, draw, hash, x)
	if err != nil {
		clear(x)
	}
	return err
}
