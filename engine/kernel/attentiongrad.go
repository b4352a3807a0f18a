package kernel

import "fmt"

// The gradients of attention, by FlashAttention's way (Dao et al., 2022): nothing is kept of the forward pass, the softmax P of the scores is
// computed again, with the same bits. With dP = dY v', dS = P (dP - sum of P dP over the keys):
//
//	dV = P' dY    dQ = scale dS K    dK = scale dS' Q    dbias = the sum of dS over the images
//
// dP and dQ are direct convolutions over the queries as in the forward pass; dV and dK are weight gradients, each element one chain of
// fused multiply-adds in the order of the queries.

type attentionGrad struct {
	*attentionScores
	dy, dq, dk, dv Heads
	mixed          *Conv // of dY with the values
	back           *Conv // of dS with the keys
	toV, toK       *ConvGradW
}

// NewAttentionGrad is the gradient of NewAttention in Q, K and V, which lie as these do, in their memory or in memory of their own. Operands: 0 Q, 1 K, 2 V,
// 3 dY, 4 dQ, 5 dK, 6 dV, 7 the biases if there are any. Item: one head of one image.
func NewAttentionGrad(set *Set, q, k, v, dy, dq, dk, dv Heads, heads, biases int, masks Masks, scale float32) (Primitive, error) {
	s, err := newAttentionScores(set, q, k, v, dy, heads, biases, masks, scale)
	if err != nil {
		return nil, err
	}
	for i, h := range []Heads{dq, dk, dv} {
		if err := h.check(heads); err != nil {
			return nil, fmt.Errorf("attention: gradient %d: %w", i, err)
		}
		if x := []Heads{q, k, v}[i]; h.tokens() != x.tokens() || h.Size != x.Size {
			return nil, fmt.Errorf("attention: gradient %d lies in %v, not as %v", i, h, x)
		}
	}
	a := &attentionGrad{attentionScores: s, dy: dy, dq: dq, dk: dk, dv: dv}
	if a.mixed, err = NewConv(set, s.queryLayer(v.Size, k.tokens()), dy.part(), s.layout, 0); err != nil {
		return nil, err
	}
	if a.back, err = NewConv(set, s.queryLayer(k.tokens(), q.Size), s.layout, dq.part(), 0); err != nil {
		return nil, err
	}
	if a.toV, err = NewConvGradW(set, s.queryLayer(k.tokens(), v.Size), s.layout, dy.part()); err != nil {
		return nil, err
	}
	a.toK, err = NewConvGradW(set, s.queryLayer(k.tokens(), q.Size), s.layout, q.part())
	return a, err
}

func (a *attentionGrad) Name() string { return "attention_gradx_" + a.product.Name() }

// Scratch is the scores and their gradient, keys and values as weights, a bias, and heads that need memory of their own.
func (a *attentionGrad) Scratch() int {
	return 2*a.scoresLen() + 2*a.blocksLen() + a.biasLen() + a.q.own() + a.dy.own() + a.dq.own()
}

// Items are ordered by heads, as in the forward pass.
func (a *attentionGrad) Item(w *Worker, i int, args *Args) { a.Range(w, i, i+1, args) }

// Range implements Ranger.
func (a *attentionGrad) Range(w *Worker, first, end int, args *Args) {
	take := parts(w.Scratch)
	weights, scores, rows, columns, bias := take(a.scoresLen()), take(a.scoresLen()), take(a.blocksLen()), take(a.blocksLen()), take(a.biasLen())
	query, dy, dq := take(a.q.own()), take(a.dy.own()), take(a.dq.own())
	for i := first; i < end; i++ {
		head, image := i/args.Images, i%args.Images
		if i == first || image == 0 {
			a.loadBias(args, 7, head, bias)
		}
		a.q.load(args, 0, image, head, query)
		a.dy.load(args, 3, image, head, dy)
		queries, gradient := a.q.at(args, 0, image, head, query), a.dy.at(args, 3, image, head, dy)

		a.weights(w, args, image, head, queries, bias, weights, rows, columns)
		a.scoreGradients(w, args, image, head, a.mixed, gradient, weights, scores, rows, columns, a.scale)
		a.sums(w, a.toV, weights, gradient, rows)
		a.dv.store(a.dv.image(args, 6, image), head, rows)
		a.dv.pad(args, 6, image, head)
		a.sums(w, a.toK, scores, queries, rows)
		a.k.rows(a.k.image(args, 1, image), head, columns)
		a.dk.store(a.dk.image(args, 5, image), head, rows)
		a.dk.pad(args, 5, image, head)
		a.run(w, a.back, Address(scores), columns, a.dq.at(args, 4, image, head, dq))
		a.dq.unload(args, 4, image, head, dq)
	}
}

// scoreGradients fills scores with scale*dS, given the softmax of the scores and where dY of the head lies. Sums over the keys are sixteen
// partial sums in float32, which are added in float64.
func (a *attentionScores) scoreGradients(w *Worker, args *Args, image, head int, mixed *Conv, dy uintptr, weights, scores, rows, columns []float32, scale float32) {
	a.v.rows(a.v.image(args, 2, image), head, rows)
	a.v.columns(w, a.transpose, rows, columns)
	a.run(w, mixed, dy, columns, Address(scores))
	p, part := a.runs(weights)
	d, sum := a.runs(scores)
	sum.fill(0)
	for b := range d.blocks {
		part.one(b).each(w, a.set, mulKernel, p.one(b), d.one(b), none)
		sum.one(b).each(w, a.set, addKernel, part.one(b), sum.one(b), none)
	}
	sum.spread(w, a.set, func(_ int, sum float64) float32 { return float32(sum) })
	d.each(w, a.set, subKernel, d, sum, none)
	d.each(w, a.set, productKernel, d, p, scale)
}

// sums computes the gradient of keys or values, as weights.
func (a *attentionScores) sums(w *Worker, g *ConvGradW, x []float32, dy uintptr, dw []float32) {
	w.args = Args{Operand: [8]uintptr{Address(x), dy, Address(dw)}, Images: 1}
	for i := range g.Items(1) {
		g.Item(w, i, &w.args)
	}
}

type attentionBiasGrad struct {
	*attentionScores
	dy    Heads
	mixed *Conv
}

// NewAttentionBiasGrad is the gradient of NewAttention in its biases. Operands: 0 Q, 1 K, 2 V, 3 dY, 4 the biases, 5 their gradient,
// row-major like these. Item: one table; the images follow each other, and the heads within each.
func NewAttentionBiasGrad(set *Set, q, k, v, dy Heads, heads, biases int, masks Masks, scale float32) (Primitive, error) {
	s, err := newAttentionScores(set, q, k, v, dy, heads, biases, masks, scale)
	if err != nil {
		return nil, err
	}
	if biases == 0 {
		return nil, fmt.Errorf("attention: the gradient of no bias")
	}
	mixed, err := NewConv(set, s.queryLayer(v.Size, k.tokens()), dy.part(), s.layout, 0)
	return &attentionBiasGrad{s, dy, mixed}, err
}

func (a *attentionBiasGrad) Name() string { return "attention_gradbias_" + a.product.Name() }

// Items is the number of tables.
func (a *attentionBiasGrad) Items(int) int { return a.biases }

// Scratch is that of attentionGrad without what its results need, and a table of sums.
func (a *attentionBiasGrad) Scratch() int {
	return 2*a.scoresLen() + 2*a.blocksLen() + 2*a.biasLen() + a.q.own() + a.dy.own()
}

func (a *attentionBiasGrad) Item(w *Worker, table int, args *Args) {
	take := parts(w.Scratch)
	weights, scores, rows, columns := take(a.scoresLen()), take(a.scoresLen()), take(a.blocksLen()), take(a.blocksLen())
	bias, sums := take(a.biasLen()), take(a.biasLen())
	query, dy := take(a.q.own()), take(a.dy.own())
	a.loadBias(args, 4, table, bias)
	clear(sums)
	for i := range args.Images * a.heads {
		image, head := i/a.heads, i%a.heads
		if head%a.biases != table {
			continue
		}
		a.q.load(args, 0, image, head, query)
		a.dy.load(args, 3, image, head, dy)
		a.weights(w, args, image, head, a.q.at(args, 0, image, head, query), bias, weights, rows, columns)
		a.scoreGradients(w, args, image, head, a.mixed, a.dy.at(args, 3, image, head, dy), weights, scores, rows, columns, 1)
		d, _ := a.runs(scores)
		d.like(sums).each(w, a.set, addKernel, d, d.like(sums), none)
	}
	queries, keys := a.layout.W, a.layout.C
	out := Floats(args.Operand[5]+uintptr(4*table*queries*keys), queries*keys)
	for k := range out {
		out[k] = sums[k%keys/Lanes*a.layout.Plane+k/keys*Lanes+k%keys%Lanes]
	}
}
