package photo

import (
	"image"
	"math"
	"slices"

	"regraft/engine/kernel"
	"regraft/engine/random"
)

// Mixed says what of another photo of its batch a photo has.
type Mixed struct {
	// Row is the other's in the batch.
	Row int
	// Share is how much of the photo, and of its label, is the other: the area that it really covers, or its weight in the mean.
	Share float64
}

// Mixes reports whether photos are mixed with one another, for which a batch needs two.
func (a Augment) Mixes() bool { return a.MixUp > 0 || a.CutMix > 0 }

// mixture is how a photo is mixed with another.
type mixture struct {
	share float64
	// patch is what is taken from the other; blended takes the mean of both, weighted by share, in its place.
	patch   image.Rectangle
	blended bool
}

// mixture draws how a photo that is seen at a size is mixed: by MixUp (Zhang et al., 2018) or CutMix (Yun et al., 2019), where both are
// wanted by each for half of the photos. The weights and areas are of a Beta distribution with both parameters equal.
func (a Augment) mixture(o Occasion, size Size) mixture {
	r := o.stream("mix")
	if a.MixUp > 0 && (a.CutMix == 0 || r.IntN(2) == 0) {
		return mixture{share: symmetricBeta(r, a.MixUp), blended: true}
	}
	return size.cut(symmetricBeta(r, a.CutMix), r.IntN(size.W), r.IntN(size.H))
}

// cut is a rectangle of such a share of the area about a point, of the size's shape, as far as it lies within.
func (s Size) cut(share float64, x, y int) mixture {
	side := math.Sqrt(share) / 2
	w, h := int(side*float64(s.W)), int(side*float64(s.H))
	patch := image.Rect(x-w, y-h, x+w, y+h).Intersect(image.Rect(0, 0, s.W, s.H))
	return mixture{share: float64(patch.Dx()*patch.Dy()) / float64(s.W*s.H), patch: patch}
}

// symmetricBeta draws from the Beta distribution with both parameters alpha, by way of Student's distribution with 2 alpha degrees of
// freedom (Bailey, "Polar Generation of Random Variates with the t-Distribution", 1994).
func symmetricBeta(r *random.Stream, alpha float64) float64 {
	for {
		x, y := r.Uniform(-1, 1), r.Uniform(-1, 1)
		w := float64(x*x) + float64(y*y)
		if x == 0 || w >= 1 {
			continue
		}
		t := float64(float64(x*x)/w) * (kernel.Exp(-kernel.Log(w)/alpha) - 1)
		return 0.5 + math.Copysign(0.5/math.Sqrt(1+1/t), x)
	}
}

// mix puts what a mixture takes of another photo into x, both (C, H, W).
func (s Size) mix(m mixture, x, other []float32) {
	if !m.blended {
		s.each(m.patch, len(x), func(from, to int) { copy(x[from:to], other[from:to]) })
		return
	}
	share, rest := float32(m.share), float32(1-m.share)
	for i, v := range other {
		x[i] = float32(rest*x[i]) + float32(share*v)
	}
}

// clear makes a rectangle of x (C, H, W) zero, the mean colour.
func (s Size) clear(r image.Rectangle, x []float32) {
	s.each(r, len(x), func(from, to int) { clear(x[from:to]) })
}

// each hands out the rows of a rectangle in every channel of a tensor of so many values.
func (s Size) each(r image.Rectangle, values int, row func(from, to int)) {
	for plane := 0; plane < values; plane += s.H * s.W {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			row(plane+y*s.W+r.Min.X, plane+y*s.W+r.Max.X)
		}
	}
}

// mixing mixes the photos of batches, each with the one before it and the first with the last, as torchvision does: their order is
// random already.
type mixing struct {
	augment Augment
	size    Size
	last    []float32 // the last photo as it was
}

// partner is the row that a row of a batch of n photos is mixed with.
func partner(row, n int) int { return (row + n - 1) % n }

// apply mixes the photos of a batch, which has these turns.
func (m *mixing) apply(b *Batch, turns []int, seed uint64, epoch int) {
	values := len(b.X) / b.N
	of := func(row int) []float32 { return b.X[row*values:][:values] }
	m.last = append(m.last[:0], of(b.N-1)...)
	b.Mixed = slices.Grow(b.Mixed[:0], b.N)[:b.N]
	for row := b.N - 1; row >= 0; row-- {
		other := partner(row, b.N)
		from := m.last
		if row > 0 {
			from = of(other)
		}
		how := m.augment.mixture(Occasion{seed, epoch, turns[row]}, m.size)
		m.size.mix(how, of(row), from)
		b.Mixed[row] = Mixed{other, how.share}
	}
}
