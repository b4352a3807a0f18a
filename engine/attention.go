package engine

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// JoinAttention makes one operator of attention as exporters spell it: tokens (N, T, C) that are cut into heads, two products with a
// softmax of the scores between them, and the heads as channels of tokens again.
func (n *Network) JoinAttention() (*Network, error) {
	first, err := n.picksBeforeTurns()
	if err != nil {
		return nil, err
	}
	if first, err = first.layersBeforeSwaps(); err != nil {
		return nil, err
	}
	j := &joiner{
		net: first, readers: first.readers(), computed: first.computed(),
		joined: map[*gorgonia.Node]*attention{}, rows: map[*gorgonia.Node]*rowsOf{}, skipped: map[*gorgonia.Node]bool{},
	}
	for _, node := range first.Nodes() {
		if o, ok := node.Op().(*op.Softmax); ok && wrapped(o.Axis, node.Dims()) == node.Dims()-1 {
			if !j.around(node) {
				j.inRows(node)
			}
		}
	}
	if len(j.joined)+len(j.rows) == 0 {
		return first, nil
	}
	joined, err := first.Rewrite(nil, j.rewriter())
	if err != nil {
		return nil, err
	}
	return joined.Rewrite(nil, nil) // without what nothing reads any more
}

// readers maps nodes to those that read them; whoever reads an output of the network counts as nil.
func (n *Network) readers() map[*gorgonia.Node][]*gorgonia.Node {
	readers := map[*gorgonia.Node][]*gorgonia.Node{}
	for _, o := range n.Outputs {
		readers[o.Node] = append(readers[o.Node], nil)
	}
	for _, node := range n.Nodes() {
		for _, in := range op.Inputs(node) {
			readers[in] = append(readers[in], node)
		}
	}
	return readers
}

// computed are the nodes whose values depend on the image.
func (n *Network) computed() map[*gorgonia.Node]bool {
	computed := map[*gorgonia.Node]bool{}
	for _, node := range n.Nodes() {
		computed[node] = slices.ContainsFunc(op.Inputs(node), func(in *gorgonia.Node) bool { return in == n.Input || computed[in] })
	}
	return computed
}

// attention is one that was found: its operator, the label of the node that it takes the place of, and its operands.
type attention struct {
	op    *op.Attention
	label string
	in    gorgonia.Nodes
	first []prepared // what operands go through before it reads them
	back  []int      // the transposition of (N, T, heads, size) that its result becomes heads by; nil where it takes the place of tokens
}

// prepared is heads of tokens that are turned, or divided by their lengths, or the same for all images, or no channels of tokens yet.
type prepared interface {
	from() *gorgonia.Node // the tokens, or what becomes them
	heads() op.HeadChannels
	tokens() tensor.Shape // (N, T, C)
	// apply puts it behind x, which takes the place of the tokens; name is what its tables are called, moved has where nodes went.
	apply(b *Builder, name string, x *gorgonia.Node, moved map[*gorgonia.Node]*gorgonia.Node) (*gorgonia.Node, error)
}

// joiner looks for attention.
type joiner struct {
	net      *Network
	readers  map[*gorgonia.Node][]*gorgonia.Node
	computed map[*gorgonia.Node]bool
	joined   map[*gorgonia.Node]*attention // by the node whose values it computes
	rows     map[*gorgonia.Node]*rowsOf    // likewise
	skipped  map[*gorgonia.Node]bool       // nodes that leave their operand as it is
	// few is the network for few images, where it was needed; theirs and ours lead to its nodes and back.
	few          *Network
	theirs, ours map[*gorgonia.Node]*gorgonia.Node
}

// rewriter puts the new operators in their places.
func (j *joiner) rewriter() Rewriter {
	return tracking(func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes, moved map[*gorgonia.Node]*gorgonia.Node) (*gorgonia.Node, error) {
		if j.skipped[old] {
			return in[0], nil
		}
		if r := j.rows[old]; r != nil {
			return r.apply(b, moved)
		}
		a := j.joined[old]
		if a == nil {
			return nil, nil
		}
		operands := make([]*gorgonia.Node, len(a.in))
		for k, x := range a.in {
			operands[k] = moved[x]
			for n, p := range a.first {
				if p.from() != x {
					continue
				}
				var err error
				if operands[k], err = p.apply(b, fmt.Sprint(a.label, " operand ", n), operands[k], moved); err != nil {
					return nil, err
				}
			}
		}
		y, err := b.Apply(a.label, a.op, operands...)
		if a.back == nil || err != nil {
			return y, err
		}
		return apart(b, a.label, y, a.op, a.back, old.Shape())
	})
}

// around takes note of what lies around a softmax of scores, if that is attention with heads that are channels of tokens: of (N, heads,
// queries, keys), or of (N*heads, queries, keys).
func (j *joiner) around(softmax *gorgonia.Node) (found bool) {
	mix, values, turned := j.mixed(softmax)
	added, ok := j.added(op.Inputs(softmax)[0])
	product, scale := j.factors(added.to)
	product, temperature, exponential, most := j.tempered(product)
	product, more := j.factors(product)
	scale *= more
	if !ok || mix == nil || !isProduct(product) {
		return false
	}
	shape, ok := ofHeads(mix.Shape(), j.net.Batch())
	if !ok {
		return false
	}
	token, one := 2, 3 // of the values
	if turned {
		token, one = 3, 2
	}
	a := &attention{op: &op.Attention{Heads: shape[1]}, label: j.net.Label(mix)}
	for _, operand := range []struct {
		node       *gorgonia.Node
		token, one int // the axes of tokens and of a head's channels
		heads      *op.HeadChannels
		scales     bool // the scores: a factor of it is one of theirs
	}{{op.Inputs(product)[0], 2, 3, &a.op.Q, true}, {op.Inputs(product)[1], 3, 2, &a.op.K, true}, {values, token, one, &a.op.V, false}} {
		heads, source, factor := j.headsOf(operand.node, a.op.Heads, operand.token, operand.one, operand.scales)
		if source == nil && operand.scales {
			var first prepared
			if first, factor = j.prepared(operand.node, a.op.Heads, operand.token, operand.one); first != nil {
				heads, source, a.first = first.heads(), first.from(), append(a.first, first)
			}
		}
		if source == nil {
			var first *gathered
			if first, factor = j.gathered(operand.node, a.op.Heads, operand.token, operand.one, operand.scales); first == nil {
				return false
			}
			heads, source, a.first = first.heads(), first.from(), append(a.first, first)
		}
		heads.Operand = a.operand(source)
		*operand.heads, scale = heads, scale*factor
	}
	a.op.Scale = float32(scale)
	if temperature != nil && !a.temper(temperature, exponential, most) {
		return false
	}
	if added.bias != nil {
		a.in = append(a.in, added.bias)
	}
	if added.masks != nil {
		a.op.Masks, a.in = added.windows, append(a.in, added.masks)
	}
	if !a.fits() || len(a.first) > 0 && a.overlaps() {
		return false
	}
	a.keepKeys(j.net)
	if turned {
		a.back = []int{0, 2, 3, 1}
		j.joined[mix] = a
		return true
	}
	if last := j.joinedHeads(mix, shape); last != nil {
		j.joined[last] = a
		return true
	}
	if rows, layer, tokens := j.joinedRows(mix, shape); rows != nil {
		j.joined[rows] = a
		for node := tokens; node != layer; node = op.Inputs(node)[0] {
			j.skipped[node] = true
		}
		return true
	}
	a.back = []int{0, 2, 1, 3}
	j.joined[mix] = a
	return true
}

// mixed finds the product of weights and values: weights (queries, keys) times values (keys, channels), or, turned, values (channels, keys)
// times weights (keys, queries). mix is nil where it is none, or something else reads the weights.
func (j *joiner) mixed(softmax *gorgonia.Node) (mix, values *gorgonia.Node, turned bool) {
	mix, weights := j.onlyReader(softmax), softmax
	if mix != nil && isTurn(mix) {
		mix, weights, turned = j.onlyReader(mix), mix, true
	}
	if !isProduct(mix) {
		return nil, nil, false
	}
	of := 0
	if turned {
		of = 1
	}
	if in := op.Inputs(mix); in[of] == weights && in[1-of] != weights {
		return mix, in[1-of], turned
	}
	return nil, nil, false
}

// isTurn tells whether a node exchanges the last two axes.
func isTurn(node *gorgonia.Node) bool {
	t, ok := node.Op().(*op.Transpose)
	d := node.Dims()
	if !ok || d < 2 || len(t.Perm) != d || t.Perm[d-1] != d-2 || t.Perm[d-2] != d-1 {
		return false
	}
	for axis, from := range t.Perm[:d-2] {
		if axis != from {
			return false
		}
	}
	return true
}

// prepared reads queries or keys as heads that are turned or divided by their lengths, or as one learned query, times a number; nil where they
// are none.
func (j *joiner) prepared(node *gorgonia.Node, count, token, one int) (first prepared, factor float64) {
	if q, factor := j.learnedQuery(node, count); q != nil && token == 2 {
		return q, factor
	}
	if h, factor := j.normalised(node, count, token, one); h != nil {
		return h, factor
	}
	if t := j.turned(node, token); t != nil && t.op.Heads == count {
		return t, 1
	}
	return nil, 1
}

// headsOf reads an operand of a product as heads of tokens that are computed, times a number; token and one are the axes of tokens and of
// a head's channels. The source is nil where it is none.
func (j *joiner) headsOf(node *gorgonia.Node, count, token, one int, scales bool) (h op.HeadChannels, source *gorgonia.Node, factor float64) {
	s, factor := j.traced(node, scales)
	if len(s.dims) == 3 {
		to, _ := ofHeads(node.Shape(), j.net.Batch())
		var ok bool
		if s, ok = s.reshaped(to); !ok {
			return h, nil, 1
		}
	}
	h, ok := s.heads(token, one)
	if !ok || !s.is(1, run{count, h.Step}) || !j.computed[s.source] {
		return h, nil, 1
	}
	return h, s.source, factor
}

// ofHeads is (N, heads, rows, columns) for what has such a shape, or (N*heads, rows, columns) with so many images.
func ofHeads(s tensor.Shape, images int) (tensor.Shape, bool) {
	switch {
	case len(s) == 4:
		return s, true
	case len(s) == 3 && s[0]%images == 0:
		return tensor.Shape{images, s[0] / images, s[1], s[2]}, true
	}
	return nil, false
}

// fits tells whether the operands are of the same images, and a bias is one of heads, queries and keys: products and sums broadcast others.
func (a *attention) fits() bool {
	var shapes []tensor.Shape
	for _, x := range a.in {
		shape := x.Shape()
		for _, p := range a.first {
			if p.from() == x {
				shape = p.tokens()
			}
		}
		shapes = append(shapes, shape)
	}
	_, err := op.Infer(a.op, shapes...)
	return err == nil
}

// operand is which of the operands x is, and makes it one.
func (a *attention) operand(x *gorgonia.Node) int {
	at := slices.Index(a.in, x)
	if at < 0 {
		at, a.in = len(a.in), append(a.in, x)
	}
	return at
}

// onlyReader is the one node that reads another; nil where there are others or none.
func (j *joiner) onlyReader(node *gorgonia.Node) *gorgonia.Node {
	if r := j.readers[node]; len(r) == 1 {
		return r[0]
	}
	return nil
}

func isProduct(node *gorgonia.Node) bool {
	if node == nil {
		return false
	}
	_, ok := node.Op().(*op.MatMul)
	return ok
}

// factors goes back through multiplications with numbers.
func (j *joiner) factors(node *gorgonia.Node) (from *gorgonia.Node, factor float64) {
	factor = 1
	for {
		x, f := j.factor(node)
		if x == nil {
			return node, factor
		}
		node, factor = x, factor*f
	}
}

// factor reads a node as a multiplication of x with a number; nil for others.
func (j *joiner) factor(node *gorgonia.Node) (x *gorgonia.Node, factor float64) {
	in := op.Inputs(node)
	switch o := node.Op().(type) {
	case *op.Scale:
		return in[0], float64(o.Factor)
	case *op.Mul:
		for k := range in {
			if f, ok := j.net.number(in[k]); ok && in[1-k].Shape().Eq(node.Shape()) {
				return in[1-k], f
			}
		}
	case *op.Div:
		if f, ok := j.net.number(in[1]); ok && in[0].Shape().Eq(node.Shape()) {
			return in[0], 1 / f
		}
	}
	return nil, 0
}

// traced goes back through what only moves elements, and through multiplications with numbers if these are wanted, to the node that another
// is part of.
func (j *joiner) traced(node *gorgonia.Node, scaled bool) (s strided, factor float64) {
	factor = 1
	if scaled {
		node, factor = j.factors(node)
	}
	if in := op.Inputs(node); len(in) > 0 {
		inner, f := j.traced(in[0], scaled)
		if s, ok := inner.through(node); ok {
			return s, factor * f
		}
	}
	return whole(node), factor
}

// heads reads a view (N, heads, ...) of tokens (N, T, C) as heads; token and one are the axes of tokens and of a head's channels.
func (s strided) heads(token, one int) (h op.HeadChannels, ok bool) {
	if s.source.Dims() != 3 || len(s.dims) != 4 {
		return h, false
	}
	n, t, c := s.source.Shape()[0], s.source.Shape()[1], s.source.Shape()[2]
	channels, single := s.run(one)
	apart, regular := s.run(1)
	if !single || !regular || channels.size > 1 && channels.stride != 1 || !s.is(0, run{n, t * c}) || !s.is(token, run{t, c}) {
		return h, false
	}
	h = op.HeadChannels{First: s.offset, Step: apart.stride, Size: channels.size}
	if apart.size == 1 {
		h.Step = h.Size
	}
	return h, true
}

// joinedHeads finds the node that makes channels of tokens of the heads (N, heads, T, size) that are mixed.
func (j *joiner) joinedHeads(mix *gorgonia.Node, shape tensor.Shape) *gorgonia.Node {
	n, heads, t, size := sizes(shape)
	return j.follow(mix, func(s strided, shape tensor.Shape) bool {
		return slices.Equal(shape, []int{n, t, heads * size}) && s.is(0, run{n, heads * t * size}) && s.is(1, run{t, size}) &&
			s.joins(2, run{heads, t * size}, run{size, 1})
	})
}

func sizes(s tensor.Shape) (n, heads, tokens, size int) { return s[0], s[1], s[2], s[3] }

// follow goes on from a node through what only moves elements, for as long as there is one reader, to the last node that is as wanted.
func (j *joiner) follow(node *gorgonia.Node, wanted func(s strided, shape tensor.Shape) bool) (last *gorgonia.Node) {
	for s := whole(node); ; {
		next := j.onlyReader(node)
		if next == nil {
			return last
		}
		var ok bool
		if s, ok = s.through(next); !ok {
			return last
		}
		if node = next; wanted(s, node.Shape()) {
			last = node
		}
	}
}
