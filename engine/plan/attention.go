package plan

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*attention]{channels: last, emit: (*emitter).attention})
}

// attention is the planner's own operator for softmax(scale q k' + bias) v of several heads: tokens that hold q, those of k and of v, and
// a known bias, of every head or of all, if there is one -> tokens.
type attention struct {
	heads   int
	biases  int // tables of the bias: none, one, or one for every head
	scale   float32
	q, k, v headsOf
}

// headsOf tells where the heads lie among the channels of tokens: head h is size channels from first + h*step on.
type headsOf struct{ first, step, size int }

func (*attention) title() string { return "Attention" }

// joinAttention makes one step of attention as exporters spell it: tokens that are cut into heads, two products with a softmax of the
// scores between them, and the heads as channels of tokens again.
func (g *graph) joinAttention() {
	g.imagesFirst()
	users, makers := g.users(), g.makers()
	for _, i := range g.instrs {
		if o, ok := i.op.(*op.Softmax); ok && i.out.Shape.Dims() == 4 && i.out.axis(o.Axis) == 3 {
			g.attentionAround(i, users, makers)
		}
	}
	g.sweep()
}

// attentionAround replaces what lies around a softmax of scores, if that is attention.
func (g *graph) attentionAround(softmax *instr, users map[*value][]*instr, makers map[*value]*instr) {
	mix := onlyUser(softmax.out, users)
	sum, bias := plus(softmax.in[0], makers)
	scores, scale := factors(sum, makers)
	product := makers[scores]
	if !isProduct(mix) || !isProduct(product) || mix.in[0] != softmax.out {
		return
	}
	a := &attention{heads: mix.out.Shape[1]}
	from := make([]*value, 3)
	for k, operand := range []struct {
		v          *value
		token, one int // the axes of tokens and of a head's channels
		heads      *headsOf
	}{{product.in[0], 2, 3, &a.q}, {product.in[1], 3, 2, &a.k}, {mix.in[1], 2, 3, &a.v}} {
		s, factor := traced(operand.v, makers)
		var ok bool
		if *operand.heads, ok = s.heads(operand.token, operand.one); !ok || !s.is(1, run{a.heads, operand.heads.step}) || !g.isComputed(s.source) {
			return
		}
		from[k], scale = s.source, scale*factor
	}
	if bias != nil {
		from, a.biases = append(from, bias), biasTables(bias.Shape, product.out.Shape)
		if a.biases == 0 {
			return
		}
	}
	last := joinedHeads(mix, users)
	if last == nil {
		last = g.joinedRows(mix, users)
	}
	if last != nil {
		a.scale = float32(scale)
		last.op, last.in, last.node = a, from, mix.node
	}
}

// plus reads v as a sum with something known, or as itself.
func plus(v *value, makers map[*value]*instr) (x, known *value) {
	i := makers[v]
	if i == nil {
		return v, nil
	}
	if _, ok := i.op.(*op.Add); ok {
		for k := range i.in {
			if i.in[k].param != nil {
				return i.in[1-k], i.in[k]
			}
		}
	}
	return v, nil
}

// biasTables is the number of tables that a bias for scores (N, heads, T, T) of several heads broadcasts to: one for all heads, or one for
// every head; 0 for others.
func biasTables(bias, scores tensor.Shape) int {
	b := scores.Clone() // of the same number of dimensions
	for axis := range b {
		b[axis] = 1
	}
	if len(bias) > len(b) {
		return 0
	}
	copy(b[len(b)-len(bias):], bias)
	for axis, size := range b {
		if size != 1 && (axis == 0 || size != scores[axis]) {
			return 0
		}
	}
	return b[1]
}

// scoreBias is a known bias as tables for queries and keys.
func (e *emitter) scoreBias(i *instr, v *value, tables, queries, keys int) *value {
	rows, cols := 1, 1
	if d := v.Shape.Dims(); d > 0 {
		cols = v.Shape[d-1]
		if d > 1 {
			rows = v.Shape[d-2]
		}
	}
	return e.constant(i.node+" bias", tables*queries*keys, func(dst []float32) error {
		for k := range dst {
			table, query, key := k/(queries*keys), k/keys%queries, k%keys
			dst[k] = v.param.Value[(table*rows+query%rows)*cols+key%cols]
		}
		return nil
	})
}

func isProduct(i *instr) bool {
	if i == nil {
		return false
	}
	_, ok := i.op.(*op.MatMul)
	return ok
}

// isComputed tells whether v is neither known nor the network's input.
func (g *graph) isComputed(v *value) bool {
	return v.param == nil && v.number == nil && v != g.values[g.net.Input]
}

// factors goes back through multiplications with numbers.
func factors(v *value, makers map[*value]*instr) (from *value, factor float64) {
	factor = 1
	for i := makers[v]; i != nil; i = makers[v] {
		l, ok := i.lowering()
		if !ok || l.factor == nil {
			break
		}
		x, f := l.factor(i)
		if x == nil {
			break
		}
		v, factor = x, factor*f
	}
	return v, factor
}

// traced goes back through what only moves elements, and through multiplications with numbers, to the value that v is part of.
func traced(v *value, makers map[*value]*instr) (s strided, factor float64) {
	v, factor = factors(v, makers)
	if i := makers[v]; i != nil && len(i.in) > 0 {
		inner, f := traced(i.in[0], makers)
		if s, ok := i.through(inner); ok {
			return s, factor * f
		}
	}
	return whole(v), factor
}

// heads reads a view (N, heads, ...) of tokens (N, T, C) as heads; token and one are the axes of tokens and of a head's channels.
func (s strided) heads(token, one int) (h headsOf, ok bool) {
	if s.source.Shape.Dims() != 3 || len(s.dims) != 4 {
		return headsOf{}, false
	}
	n, t, c := s.source.Shape[0], s.source.Shape[1], s.source.Shape[2]
	channels, single := s.run(one)
	apart, regular := s.run(1)
	if !single || !regular || channels.size > 1 && channels.stride != 1 || !s.is(0, run{n, t * c}) || !s.is(token, run{t, c}) {
		return headsOf{}, false
	}
	h = headsOf{s.offset, apart.stride, channels.size}
	if apart.size == 1 {
		h.step = h.size
	}
	return h, h.step >= h.size && h.first+(apart.size-1)*h.step+h.size <= c
}

// joinedHeads finds the step that makes channels of tokens of the heads (N, heads, T, size) that i makes.
func joinedHeads(i *instr, users map[*value][]*instr) *instr {
	n, heads, t, size := i.out.Shape[0], i.out.Shape[1], i.out.Shape[2], i.out.Shape[3]
	return follow(i, users, func(s strided, v *value) bool {
		return slices.Equal(v.Shape, []int{n, t, heads * size}) && s.is(0, run{n, heads * t * size}) && s.is(1, run{t, size}) &&
			s.joins(2, run{heads, t * size}, run{size, 1})
	})
}

// sweep drops what nothing reads.
func (g *graph) sweep() {
	users, dead := g.users(), map[*instr]bool{}
	for _, i := range slices.Backward(g.instrs) {
		if len(users[i.out]) > 0 {
			continue
		}
		dead[i] = true
		for _, v := range i.in {
			at := slices.Index(users[v], i)
			users[v] = slices.Delete(users[v], at, at+1)
		}
	}
	g.remove(dead)
}

func (e *emitter) attention(i *instr, o *attention) error {
	heads := func(v *value, h headsOf) kernel.Heads {
		return kernel.Heads{Layout: v.images(), First: h.first, Step: h.step, Size: h.size}
	}
	q, k, v, y := i.in[0], i.in[1], i.in[2], i.out
	operands := []any{q, k, v, y}
	if o.biases > 0 {
		operands = append(operands, e.scoreBias(i, i.in[3], o.biases, q.Shape[1], k.Shape[1]))
	}
	prim, err := kernel.NewAttention(e.g.opt.ISA, heads(q, o.q), heads(k, o.k), heads(v, o.v), heads(y, headsOf{0, o.v.size, o.v.size}), o.heads, o.biases, o.scale)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	products := 2 * o.heads * q.Shape[1] * k.Shape[1] * (o.q.size + o.v.size)
	e.step(i, prim, 0, []*value{y}, operands...).step.Flops = float64(products)
	return nil
}
