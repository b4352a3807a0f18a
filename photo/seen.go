package photo

import (
	"math"
	"slices"
)

// Seen is what the network sees of a photo in an epoch.
type Seen struct {
	// X is (C, H, W).
	X []float32
	// How it was changed.
	How Augmentation
	// Other is the sample of which a Share is mixed in; -1 for none.
	Other int
	Share float64
	// LeftOver says that its batch, the epoch's last, is not full, or that the epoch lacks the photo.
	LeftOver bool
}

// See prepares a sample as an epoch's batch has it, the first where it comes several times.
func (l *Loader) See(epoch, sample int) (*Seen, error) {
	s := &Seen{X: make([]float32, l.p.Values()), Other: -1}
	draw := l.drawing(sample, epoch)
	err := l.prepare(sample, func(w, h int) Augmentation {
		s.How = draw(w, h)
		return s.How
	}, nil, s.X)
	if err != nil {
		return nil, err
	}
	order := l.turns(epoch)
	place := slices.Index(order, sample) // -1 where a balanced epoch lacks it
	batch := order[max(place, 0)/l.o.Batch*l.o.Batch:]
	batch = batch[:min(l.o.Batch, len(batch))]
	s.LeftOver = place < 0 || len(batch) < l.o.Batch
	if l.mixing == nil || place < 0 {
		return s, nil
	}
	turn := batch[partner(place%l.o.Batch, len(batch))]
	s.Other = turn % len(l.samples)
	other := make([]float32, len(s.X))
	if err := l.prepare(turn, l.drawing(turn, epoch), nil, other); err != nil {
		return nil, err
	}
	m := l.o.Augment.mixture(Occasion{l.o.Seed, epoch, sample}, l.p.Size)
	l.p.Size.mix(m, s.X, other)
	s.Share = m.share
	return s, nil
}

// Picture is the input (C, H, W) as people see it: the pixels that Apply made it of, or the nearest ones.
func (p Preprocess) Picture(x []float32) *Image {
	m, plane := NewImage(p.Size.W, p.Size.H), p.Size.H*p.Size.W
	for c, sample := range samples[p.Channels] {
		for i, v := range x[c*plane : (c+1)*plane] {
			value := (float64(v)*float64(p.Std[c]) + float64(p.Mean[c])) / p.Rescale
			m.Pix[3*i+sample] = uint8(math.Round(min(max(value, 0), 255)))
		}
	}
	if p.Channels == Gray {
		for i := 0; i < len(m.Pix); i += 3 {
			m.Pix[i+1], m.Pix[i+2] = m.Pix[i], m.Pix[i]
		}
	}
	return m
}
