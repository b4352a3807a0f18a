package photo

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"

	"regraft/ordered"
)

// Batch is what the network takes at a time. Its slices are used again for a
// later batch: they are valid until the next one is asked for.
type Batch struct {
	// N is the number of photos; less than the loader's batch only at an
	// epoch's end.
	N int
	// X is (N, C, H, W).
	X []float32
	// Labels are the class ids as float32, (N), as the loss takes them.
	Labels []float32
	// Mixed are the parts of other photos, (N); empty where none are mixed.
	Mixed []Mixed
	// Samples are the photos, (N).
	Samples []Sample
	// Hashes are those of the files that were decoded, (N), where LoaderOptions.Hash asks for them.
	Hashes []Hash
}

// resize sets the number of photos, within the capacity.
func (b *Batch) resize(n, values int) {
	b.N = n
	b.X, b.Labels, b.Samples, b.Hashes = b.X[:n*values], b.Labels[:n], b.Samples[:n], b.Hashes[:n]
}

// Class is the class id of the larger part of photo i.
func (b *Batch) Class(i int) int {
	if len(b.Mixed) > 0 && b.Mixed[i].Share > 0.5 {
		i = b.Mixed[i].Row
	}
	return int(b.Labels[i])
}

// LoaderOptions says how photos become batches.
type LoaderOptions struct {
	// Batch is the number of photos in a batch.
	Batch int
	// Workers is the number of photos that are decoded at the same time; 0
	// means one per CPU. The batches are the same for any number.
	Workers int
	// Ahead is the number of batches that are prepared while one is in use; 0 means two.
	Ahead int
	// Seed, with the epoch, decides the order and the augmentation.
	Seed    uint64
	Shuffle bool
	// Balance lets every class come equally often in an epoch, where Shuffle is set.
	Balance bool
	Augment Augment
	// View is what every photo is seen in where Augment is zero.
	View   View
	Decode DecodeOptions
	// Hash fills Batch.Hashes.
	Hash bool
	// Retry, if set, is asked when a photo cannot be prepared, by several goroutines: true tries again. Attempts count
	// from 0.
	Retry func(err error, attempt int) bool
}

// Loader reads samples and hands them out in batches. Its memory is bounded by
// (Ahead + 1) batches and one photo per worker. One epoch runs at a time. The first photo that cannot be prepared ends it, with an
// error that names it.
type Loader struct {
	samples []Sample
	p       Preprocess
	o       LoaderOptions
	slots   []*slot
	mixing  *mixing // nil where photos are not mixed
}

// usuallyAhead is LoaderOptions.Ahead where that is zero, and LoaderBatches what a loader holds then.
const (
	usuallyAhead  = 2
	LoaderBatches = usuallyAhead + 1
)

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
		o.Ahead = usuallyAhead
	}
	o.Batch = max(min(o.Batch, len(samples)), 1)
	l := &Loader{samples: samples, p: p, o: o}
	if o.Augment.Mixes() {
		l.mixing = &mixing{augment: o.Augment, size: p.Size}
	}
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
	switch {
	case l.o.Shuffle && l.o.Balance:
		labels := make([]int, len(l.samples))
		for i, s := range l.samples {
			labels[i] = s.Label
		}
		return Balanced(labels, l.o.Seed, epoch)
	case l.o.Shuffle:
		return Shuffled(len(l.samples), l.o.Seed, epoch)
	}
	order := make([]int, len(l.samples))
	for i := range order {
		order[i] = i
	}
	return order
}

// turns is Order with the number of samples added for every time that a sample has come before, so that every turn of a sample is drawn anew.
func (l *Loader) turns(epoch int) []int {
	order, before := l.Order(epoch), make([]int, len(l.samples))
	for i, sample := range order {
		order[i] += len(l.samples) * before[sample]
		before[sample]++
	}
	return order
}

// sampleOf is the sample whose turn it is.
func (l *Loader) sampleOf(turn int) Sample { return l.samples[turn%len(l.samples)] }

// slot is a batch in the making.
type slot struct {
	Batch
	turns []int
}

func newSlot(photos, values int) *slot {
	return &slot{
		Batch: Batch{
			X:       make([]float32, photos*values),
			Labels:  make([]float32, photos),
			Samples: make([]Sample, photos),
			Hashes:  make([]Hash, photos),
		},
	}
}

// start makes the slot the batch of these turns.
func (s *slot) start(l *Loader, turns []int) {
	s.turns = turns
	s.resize(len(turns), l.p.Values())
	for i, turn := range turns {
		s.Samples[i] = l.sampleOf(turn)
		s.Labels[i] = float32(s.Samples[i].Label)
	}
}

// row is photo i of a slot, and what is wrong with it.
type row struct {
	*slot
	i   int
	err error
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
		free := make(chan *slot, len(l.slots))
		for _, s := range l.slots {
			free <- s
		}
		order := l.turns(epoch)
		order = order[min(batches*l.o.Batch, len(order)):]
		prepared := ordered.Map(ctx, l.rows(ctx, order, free), l.o.Workers, len(l.slots)*l.o.Batch, func(r row) row {
			r.err = l.fill(r, epoch)
			for attempt := 0; r.err != nil && l.o.Retry != nil && l.o.Retry(r.err, attempt); attempt++ {
				r.err = l.fill(r, epoch)
			}
			return r
		})
		defer prepared.Wait() // nobody writes to a slot after the end
		defer cancel()
		for r, ok := prepared.Next(nil); ok; r, ok = prepared.Next(nil) {
			if r.err != nil {
				yield(nil, r.err)
				return
			}
			if r.i+1 < r.N {
				continue
			}
			if l.mixing != nil {
				l.mixing.apply(&r.Batch, r.turns, l.o.Seed, epoch)
			}
			if !yield(&r.Batch, nil) {
				return
			}
			free <- r.slot
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// rows deals the samples out, a slot at a time as slots come free.
func (l *Loader) rows(ctx context.Context, order []int, free <-chan *slot) iter.Seq[row] {
	return func(yield func(row) bool) {
		for turns := range slices.Chunk(order, l.o.Batch) {
			var s *slot
			select {
			case s = <-free:
			case <-ctx.Done():
				return
			}
			s.start(l, turns)
			for i := range turns {
				if !yield(row{slot: s, i: i}) {
					return
				}
			}
		}
	}
}

// fill fills a row of its slot.
func (l *Loader) fill(r row, epoch int) error {
	var hash *Hash
	if l.o.Hash {
		hash = &r.Hashes[r.i]
	}
	values := l.p.Values()
	turn := r.turns[r.i]
	return l.prepare(turn, l.drawing(turn, epoch), hash, r.X[r.i*values:][:values])
}

// drawing chooses what happens to a sample in a turn of an epoch.
func (l *Loader) drawing(turn, epoch int) func(w, h int) Augmentation {
	if l.o.Augment == (Augment{}) {
		return l.o.View.augmentation
	}
	return func(w, h int) Augmentation {
		return l.o.Augment.Draw(Occasion{l.o.Seed, epoch, turn}, w, h, l.p.Size)
	}
}

// prepare writes a sample with the augmentation that is drawn for it to dst.
func (l *Loader) prepare(turn int, draw func(w, h int) Augmentation, hash *Hash, dst []float32) error {
	return l.p.readFile(l.sampleOf(turn).Path, l.o.Decode, draw, hash, dst)
}
