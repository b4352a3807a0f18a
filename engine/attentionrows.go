package engine

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Attention whose heads are no channels of tokens (of maps, as in MobileNetV4; of channels instead of tokens, as in XCiT): its heads are images
// of their own, with one head each. Where all heads share keys and values (Shazeer, 2019), they are one head of more queries.

// rowsOf is attention of operands (N, heads, queries, size), (N, heads, size, keys) and (N, heads, keys, size), or with other axes in place
// of that of heads.
type rowsOf struct {
	label   string
	op      *op.Attention
	q, k, v *gorgonia.Node
	factors *gorgonia.Node // a known number for every head, which multiplies the queries; nil for none
	bias    *gorgonia.Node // one for all heads, or masks, one for every head; nil for none
	queries int            // of an image of the operator
	shape   tensor.Shape   // of the result
}

// inRows takes note of attention around a softmax of scores by its heads.
func (j *joiner) inRows(softmax *gorgonia.Node) {
	mix := j.onlyReader(softmax)
	scores, bias := j.biased(op.Inputs(softmax)[0])
	product, scale := j.factors(scores)
	product, factors := j.headFactors(product)
	product, more := j.factors(product)
	if !isProduct(mix) || !isProduct(product) || op.Inputs(mix)[0] != softmax {
		return
	}
	q, first := j.factors(op.Inputs(product)[0])
	k, second := j.factors(op.Inputs(product)[1])
	v, shape := op.Inputs(mix)[1], mix.Shape()
	d := len(shape)
	if slices.ContainsFunc([]*gorgonia.Node{q, k, v}, func(x *gorgonia.Node) bool { return x.Dims() != d || !j.computed[x] }) || d < 3 {
		return
	}
	r := &rowsOf{label: j.net.Label(mix), q: q, k: k, v: v, factors: factors, queries: shape[d-2], shape: shape}
	heads, rows := shape[:d-2], func(x *gorgonia.Node) tensor.Shape { return x.Shape()[:d-2] }
	switch shared := append(slices.Clone(heads[:d-3]), 1); {
	case !slices.Equal(rows(q), heads):
		return
	case slices.Equal(rows(k), heads) && slices.Equal(rows(v), heads):
	case d == 4 && bias == nil && slices.Equal(rows(k), shared) && slices.Equal(rows(v), shared):
		r.queries *= heads[1]
	default:
		return
	}
	size := func(x *gorgonia.Node) int { return x.Shape()[d-1] }
	r.op = &op.Attention{
		Heads: 1, Scale: float32(scale * more * first * second), Q: op.HeadChannels{Operand: 0, Step: size(q), Size: size(q)},
		K: op.HeadChannels{Operand: 1, Step: size(q), Size: size(q)}, V: op.HeadChannels{Operand: 2, Step: size(v), Size: size(v)},
	}
	if bias != nil && !r.takes(j.net, bias) {
		return
	}
	j.rows[mix] = r
}

// biased reads scores as others plus a table that is known; table is nil where they are none.
func (j *joiner) biased(scores *gorgonia.Node) (to, table *gorgonia.Node) {
	if _, sum := scores.Op().(*op.Add); sum {
		for k, x := range op.Inputs(scores) {
			if !j.computed[x] && x != j.net.Input && op.Inputs(scores)[1-k].Shape().Eq(scores.Shape()) {
				return op.Inputs(scores)[1-k], x
			}
		}
	}
	return scores, nil
}

// headFactors reads scores (N, heads, queries, keys) as others times a known number for every head; factors is nil where they are none.
func (j *joiner) headFactors(node *gorgonia.Node) (scores, factors *gorgonia.Node) {
	if _, ok := node.Op().(*op.Mul); ok && node.Dims() == 4 {
		for k, x := range op.Inputs(node) {
			s := x.Shape()
			if !j.computed[x] && x != j.net.Input && len(s) >= 3 && s[len(s)-3] == s.TotalSize() && op.Inputs(node)[1-k].Shape().Eq(node.Shape()) {
				return op.Inputs(node)[1-k], x
			}
		}
	}
	return node, nil
}

// takes adds a bias of the scores to the operands, if there is a form for it: a table for all heads, or one for every head that nothing trains.
func (r *rowsOf) takes(net *Network, bias *gorgonia.Node) bool {
	s, d := bias.Shape(), len(r.shape)
	keys := r.v.Shape()[d-2]
	table := r.queries * keys
	if len(s) < 2 || s[len(s)-2] != r.queries || s[len(s)-1] != keys {
		return false
	}
	r.bias = bias
	if s.TotalSize() == table {
		return true
	}
	p := net.ParamOf(bias)
	if d != 4 || s.TotalSize() != r.shape[1]*table || p == nil || p.Trainable() {
		return false
	}
	r.op.Masks = r.shape[1]
	return true
}

// apply makes the operator and what cuts its operands into images.
func (r *rowsOf) apply(b *Builder, moved map[*gorgonia.Node]*gorgonia.Node) (*gorgonia.Node, error) {
	c := chained{b: b}
	q, k, v := moved[r.q], moved[r.k], moved[r.v]
	if r.factors != nil {
		q = c.apply(r.label+" factors", &op.Mul{}, q, moved[r.factors])
	}
	last := func(x *gorgonia.Node) int { return x.Shape()[x.Dims()-1] }
	keys := r.v.Shape()[r.v.Dims()-2]
	in := gorgonia.Nodes{
		c.apply(r.label+" queries", &op.Reshape{Shape: []int{-1, r.queries, last(r.q)}}, q),
		c.apply(r.label+" keys", &op.Transpose{Perm: []int{0, 2, 1}}, c.apply(r.label+" keys in rows", &op.Reshape{Shape: []int{-1, last(r.q), keys}}, k)),
		c.apply(r.label+" values", &op.Reshape{Shape: []int{-1, keys, last(r.v)}}, v),
	}
	if r.bias != nil {
		tables := []int{max(r.op.Masks, 1), r.queries, keys}
		in = append(in, c.apply(r.label+" bias", &op.Reshape{Shape: tables}, moved[r.bias]))
	}
	y := c.apply(r.label, r.op, in...)
	return c.apply(r.label+" heads", &op.Reshape{Shape: append([]int{-1}, r.shape[1:]...)}, y), c.err
}
