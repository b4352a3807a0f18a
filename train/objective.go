package train

import (
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
// are one vector: W (classes, F), then b (classes). Its sums over photos are made by products, chunk by chunk, and the chunks are added
// in order in float64, so that the number of threads and the machine change no bit.
type objective struct {
	*products
	softmax softmax
	decay   float64
	roles   []role  // of every photo; nil: all are learnt
	learn   int     // photos that are learnt
	mass    float64 // of their weights

	// last are the sums of the last evaluation over what is learnt, held those over what is judged, and logits (photos, classes) the
	// answers to that.
	last, held outcome
	logits     []float64

	multipliers []*multiplier
	weights     []float32 // packed
	bias        []float32
	parts       []chunkSums
	sum         []float64 // packed
}

// chunkSums are those of one chunk.
type chunkSums struct {
	last, held outcome
	gradient   []float32 // packed
	bias       []float64
}

func newObjective(p *products, s softmax, decay float64, roles []role) *objective {
	o := &objective{products: p, softmax: s, decay: decay, roles: roles, logits: make([]float64, p.x.photos()*p.classes)}
	for range min(s.threads, len(p.chunks)) {
		o.multipliers = append(o.multipliers, p.newMultiplier())
	}
	o.weights, o.bias = kernel.Aligned(p.packed()), kernel.Aligned(blocks(p.classes)*kernel.Lanes)
	o.parts, o.sum = make([]chunkSums, len(p.chunks)), make([]float64, p.packed())
	for i := range p.x.photos() {
		if o.roleOf(i) == learnt {
			o.learn++
			o.mass += s.weight(p.x.labels[i])
		}
	}
	for i := range o.parts {
		o.parts[i].bias = make([]float64, p.classes)
		if o.any(&p.chunks[i], learnt) {
			o.parts[i].gradient = kernel.Aligned(p.packed())
		}
	}
	return o
}

func (o *objective) roleOf(photo int) role {
	if o.roles == nil {
		return learnt
	}
	return o.roles[photo]
}

// any reports whether a photo of a chunk has a role.
func (o *objective) any(c *chunkOfRows, r role) bool {
	for i := range c.photos {
		if o.roleOf(c.first+i) == r {
			return true
		}
	}
	return false
}

// at is the objective's value at w; its gradient is written.
func (o *objective) at(w, gradient []float64) float64 {
	classes, f := o.classes, o.x.f
	for c := range classes {
		for i, v := range w[c*f : (c+1)*f] {
			o.weights[o.weightAt(c, i)] = float32(v)
		}
		o.bias[c] = float32(w[classes*f+c])
	}
	o.softmax.parallelBy(len(o.chunks), func(worker, i int) { o.chunk(o.multipliers[worker], i) })
	o.last, o.held = outcome{}, outcome{}
	clear(o.sum)
	clear(gradient)
	for i := range o.parts {
		p := &o.parts[i]
		o.last.add(p.last)
		o.held.add(p.held)
		for k, v := range p.gradient {
			o.sum[k] += float64(v)
		}
		for c, v := range p.bias {
			gradient[classes*f+c] += v / o.mass
		}
	}
	for c := range classes {
		for i, v := range w[c*f : (c+1)*f] {
			gradient[c*f+i] = o.sum[o.weightAt(c, i)]/o.mass + float64(o.decay*v)
		}
	}
	weight := w[:classes*f]
	return o.last.loss/o.mass + float64(o.decay/2*dot(weight, weight))
}

// chunk fills in the sums of a chunk.
func (o *objective) chunk(m *multiplier, i int) {
	c, p := &o.chunks[i], &o.parts[i]
	p.last, p.held = outcome{}, outcome{}
	clear(p.bias)
	if p.gradient == nil && !o.any(c, judged) {
		return
	}
	m.forward(c, o.weights, o.bias)
	z := make([]float64, o.classes)
	for k := range c.photos {
		photo := c.first + k
		r, label := o.roleOf(photo), o.x.labels[photo]
		o.mean(m, c, k, z)
		copy(o.logits[photo*o.classes:], z)
		right := 0
		if argmax(z) == label {
			right = 1
		}
		loss := o.softmax.crossEntropy(z, label)
		switch r {
		case learnt:
			p.last.add(outcome{loss, o.softmax.weight(label), right})
		case judged:
			p.held.add(outcome{loss, o.softmax.weight(label), right})
		}
		if r != learnt {
			clear(z)
		}
		o.spread(m, c, k, z, p.bias)
	}
	if p.gradient != nil {
		m.backward(c, p.gradient)
	}
}

// mean is the logits of photo k of a chunk: of rectified heads the mean of what is left above zero at all positions.
func (o *objective) mean(m *multiplier, c *chunkOfRows, k int, z []float64) {
	clear(z)
	for pos := range o.x.positions {
		for class := range z {
			v := float64(m.scores[at(c.out, k*o.x.positions+pos, class)])
			if o.x.rectified {
				v = max(v, 0)
			}
			z[class] += v
		}
	}
	for class := range z {
		z[class] /= float64(o.x.positions)
	}
}

// spread replaces the scores of photo k of a chunk by their gradient, given that of its logits.
func (o *objective) spread(m *multiplier, c *chunkOfRows, k int, gradient, bias []float64) {
	for pos := range o.x.positions {
		for class, g := range gradient {
			score := &m.scores[at(c.out, k*o.x.positions+pos, class)]
			if g /= float64(o.x.positions); o.x.rectified && *score <= 0 {
				g = 0
			}
			*score = float32(g)
			bias[class] += g
		}
	}
}
