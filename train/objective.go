package train

import (
	"math"
	"slices"

	"regraft/engine/kernel"
)

// role is what a photo, or a view of one, is to an objective.
type role uint8

const (
	learnt role = iota // counts
	judged             // does not count, but is answered for
	unused
)

// objective is the mean loss of the photos that are learnt, by the weights of their classes, plus decay/2 times the square of the weights, biases excepted. Parameters
// are one vector: W (classes, F), then b (classes).
type objective struct {
	of    *objectives // which it is one of
	decay float64
	roles []role  // of every photo; nil: all are learnt
	learn int     // photos that are learnt
	mass  float64 // of their weights

	// value is that of the last evaluation, last are its sums over what is learnt, held those over what is judged, and logits the answers to
	// that, at the places of the judged photos.
	value      float64
	last, held outcome
	logits     []float64
	places     map[int]int
}

// objectives are of several classifiers on the same features, which products answer for together: theirs are columns of one matrix. Sums
// over photos are made chunk by chunk, some chunks at a time, and the chunks are added in order in float64, so that neither the number of threads nor the machine
// nor the other classifiers change a bit.
type objectives struct {
	*products // of all columns
	softmax   softmax
	each      []*objective

	multipliers []*multiplier
	weights     []float32 // packed
	bias        []float32
	parts       []chunkSums
}

// chunkSums are those of one chunk.
type chunkSums struct {
	last, held []outcome // of each classifier
	learnt     bool      // there is a gradient
	gradient   []float32 // packed
	bias       []float64 // of each column
}

// point is where an objective is evaluated, and where its gradient goes.
type point struct{ w, gradient []float64 }

// newObjective is that of one classifier.
func newObjective(p *products, s softmax, decay float64, roles []role) *objective {
	return newObjectives(p, s, decay, [][]role{roles}).each[0]
}

// newObjectives has one for each list of roles; p has the columns of all.
func newObjectives(p *products, s softmax, decay float64, roles [][]role) *objectives {
	all := &objectives{products: p, softmax: s}
	for _, r := range roles {
		o := &objective{of: all, decay: decay, roles: r, places: map[int]int{}}
		for i, label := range p.x.labels {
			switch o.roleOf(i) {
			case learnt:
				o.learn++
				o.mass += s.weight(label)
			case judged:
				o.places[i] = len(o.places)
			}
		}
		o.logits = make([]float64, len(o.places)*s.classes)
		all.each = append(all.each, o)
	}
	for range min(s.threads, len(p.chunks)) {
		all.multipliers = append(all.multipliers, p.newMultiplier())
	}
	all.weights, all.bias = kernel.Aligned(p.packed()), kernel.Aligned(blocks(p.columns)*kernel.Lanes)
	all.parts = make([]chunkSums, min(len(p.chunks), mostParts))
	for i := range all.parts {
		all.parts[i] = chunkSums{
			last: make([]outcome, len(roles)), held: make([]outcome, len(roles)), bias: make([]float64, p.columns), gradient: kernel.Aligned(p.packed()),
		}
	}
	return all
}

// mostParts bounds the chunks whose sums are in memory at a time.
const mostParts = 32

// answer is the logits of a judged photo.
func (o *objective) answer(photo int) []float64 {
	classes := o.of.softmax.classes
	return o.logits[o.places[photo]*classes:][:classes]
}

func (o *objective) roleOf(photo int) role {
	if o.roles == nil {
		return learnt
	}
	return o.roles[photo]
}

// any reports whether a photo of a chunk has a role for one of the classifiers.
func (all *objectives) any(c *chunkOfRows, r role) bool {
	for _, o := range all.each {
		for i := range c.photos {
			if o.roleOf(c.first+i) == r {
				return true
			}
		}
	}
	return false
}

// at is the objective's value at w; its gradient is written.
func (o *objective) at(w, gradient []float64) float64 {
	points := make([]point, len(o.of.each))
	points[slices.Index(o.of.each, o)] = point{w, gradient}
	o.of.at(points)
	return o.value
}

// at evaluates the objectives that have a point, and writes their gradients.
func (all *objectives) at(points []point) {
	classes, f := all.softmax.classes, all.x.f
	for k, p := range points {
		if p.w == nil {
			continue
		}
		copyTo(all.bias[k*classes:][:classes], p.w[classes*f:])
		all.eachColumn(k, func(class, first, features, packed int) {
			to := all.weights[packed:]
			for i, v := range p.w[class*f+first:][:features] {
				to[i*kernel.Lanes] = float32(v)
			}
		})
	}
	each := func(f func(o *objective, k int)) {
		all.softmax.parallel(len(points), func(k int) {
			if points[k].w != nil {
				f(all.each[k], k)
			}
		})
	}
	each(func(o *objective, k int) {
		o.last, o.held = outcome{}, outcome{}
		clear(points[k].gradient)
	})
	for first := 0; first < len(all.chunks); first += len(all.parts) {
		parts := all.parts[:min(len(all.parts), len(all.chunks)-first)]
		all.softmax.parallelBy(len(parts), func(worker, i int) { all.chunk(all.multipliers[worker], first+i, &parts[i], points) })
		each(func(o *objective, k int) { o.add(k, parts, points[k].gradient) })
	}
	each(func(o *objective, k int) { o.finish(points[k]) })
}

// add adds what chunks have for classifier k.
func (o *objective) add(k int, parts []chunkSums, gradient []float64) {
	all := o.of
	classes, f := all.softmax.classes, all.x.f
	for i := range parts {
		part := &parts[i]
		o.last.add(part.last[k])
		o.held.add(part.held[k])
		for c := range classes {
			gradient[classes*f+c] += part.bias[k*classes+c] / o.mass
		}
	}
	all.eachColumn(k, func(class, first, features, packed int) {
		for i := range parts {
			if parts[i].learnt {
				addColumn(gradient[class*f+first:][:features], parts[i].gradient[packed:])
			}
		}
	})
}

// finish makes means of sums and adds the decay. The value is undefined where features could not be read.
func (o *objective) finish(p point) {
	weights := o.of.softmax.classes * o.of.x.f
	for i, v := range p.w[:weights] {
		p.gradient[i] = p.gradient[i]/o.mass + float64(o.decay*v)
	}
	o.value = o.last.loss/o.mass + float64(o.decay/2*dot(p.w[:weights], p.w[:weights]))
	if o.of.err() != nil {
		o.value = math.NaN()
	}
}

// addColumn adds a column of packed numbers, which begin with its first.
func addColumn(sum []float64, packed []float32) {
	packed = packed[:(len(sum)-1)*kernel.Lanes+1]
	for i := range sum {
		sum[i] += float64(packed[i*kernel.Lanes])
	}
}

// eachColumn calls f with the columns of classifier k in parts of some features, from the first of these on, and with where that is packed:
// in an order in which columns that share a cache line come one after the other.
func (all *objectives) eachColumn(k int, f func(class, first, features, packed int)) {
	const part = 64
	for first := 0; first < all.x.f; first += part {
		for class := range all.softmax.classes {
			f(class, first, min(part, all.x.f-first), all.weightAt(k*all.softmax.classes+class, first))
		}
	}
}

// chunk fills in the sums of chunk i, of the classifiers that have a point.
func (all *objectives) chunk(m *multiplier, i int, p *chunkSums, points []point) {
	c, classes := &all.chunks[i], all.softmax.classes
	clear(p.last)
	clear(p.held)
	clear(p.bias)
	p.learnt = all.any(c, learnt)
	if !p.learnt && !all.any(c, judged) || !m.take(all.products, i) {
		return
	}
	m.forward(c, all.weights, all.bias)
	z := make([]float64, classes)
	for k, o := range all.each {
		if points[k].w == nil {
			continue
		}
		for row := range c.photos {
			photo := c.first + row
			r, label := o.roleOf(photo), all.x.labels[photo]
			all.mean(m, c, row, k*classes, z)
			if r == judged {
				copy(o.answer(photo), z)
			}
			right := 0
			if argmax(z) == label {
				right = 1
			}
			loss := all.softmax.crossEntropy(z, label)
			switch r {
			case learnt:
				p.last[k].add(outcome{loss, all.softmax.weight(label), right})
			case judged:
				p.held[k].add(outcome{loss, all.softmax.weight(label), right})
			}
			if r != learnt {
				clear(z)
			}
			all.spread(m, c, row, k*classes, z, p.bias)
		}
	}
	if p.learnt {
		m.backward(c, p.gradient)
	}
}

// mean is the logits of a photo of a chunk, whose scores begin at a column: of rectified heads the mean of what is left above zero at all
// positions.
func (all *objectives) mean(m *multiplier, c *chunkOfRows, row, column int, z []float64) {
	clear(z)
	for pos := range all.x.positions {
		for class := range z {
			v := float64(m.scores[at(c.out, row*all.x.positions+pos, column+class)])
			if all.x.rectified {
				v = max(v, 0)
			}
			z[class] += v
		}
	}
	for class := range z {
		z[class] /= float64(all.x.positions)
	}
}

// spread replaces the scores of a photo of a chunk by their gradient, given that of its logits, and adds it to that of the biases.
func (all *objectives) spread(m *multiplier, c *chunkOfRows, row, column int, gradient, bias []float64) {
	for pos := range all.x.positions {
		for class, g := range gradient {
			score := &m.scores[at(c.out, row*all.x.positions+pos, column+class)]
			if g /= float64(all.x.positions); all.x.rectified && *score <= 0 {
				g = 0
			}
			*score = float32(g)
			bias[column+class] += g
		}
	}
}
