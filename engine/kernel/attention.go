package kernel

// Attention (Vaswani et al., 2017): for every head, softmax(scale q k' + bias) v with tokens as rows. Both products are direct convolutions of
// 1x1 over the tokens, with the keys and then the values of the image as weights, so every element is one chain of fused multiply-adds
// in the order of the channels or of the keys. The softmax adds up sixteen partial sums in float32, and these in float64. The scores of one
// head stay in a worker's memory.

type attention struct {
	*attentionScores
	y   Heads
	mix *Conv // of the weights with the values
}

// NewAttention is y = softmax(scale q k' + bias) v for so many heads of every image. q and y have as many tokens, k and v too; heads of
// q and k are of one size, those of v and y too. There is no bias, one for all heads, or one for every head. Masks
// are added to it. Operands: 0 Q, 1 K, 2 V,
// 3 Y, 4 the biases if there are any: (biases, tokens of q, tokens of k), row-major. Item: one head of one image.
func NewAttention(set *Set, q, k, v, y Heads, heads, biases int, masks Masks, scale float32) (Primitive, error) {
	s, err := newAttentionScores(set, q, k, v, y, heads, biases, masks, scale)
	if err != nil {
		return nil, err
	}
	mix, err := NewConv(set, s.queryLayer(k.tokens(), v.Size), s.layout, y.part(), 0)
	return &attention{s, y, mix}, err
}

func (a *attention) Name() string { return "attention_" + a.product.Name() }

// Scratch is the scores, keys and values as weights, a bias, and queries and results that need memory of their own.
func (a *attention) Scratch() int {
	return a.scoresLen() + 2*a.blocksLen() + a.biasLen() + a.q.own() + a.y.own()
}

// Items are ordered by heads, so that a worker can go on with a bias.
func (a *attention) Item(w *Worker, i int, args *Args) { a.Range(w, i, i+1, args) }

// Range implements Ranger.
func (a *attention) Range(w *Worker, first, end int, args *Args) {
	take := parts(w.Scratch)
	scores, rows, columns, bias := take(a.scoresLen()), take(a.blocksLen()), take(a.blocksLen()), take(a.biasLen())
	query, result := take(a.q.own()), take(a.y.own())
	for i := first; i < end; i++ {
		head, image := i/args.Images, i%args.Images
		if i == first || image == 0 {
			a.loadBias(args, 4, head, bias)
		}
		a.q.load(args, 0, image, head, query)
		a.weights(w, args, image, head, a.q.at(args, 0, image, head, query), bias, scores, rows, columns)
		a.v.rows(a.v.image(args, 2, image), head, rows)
		a.run(w, a.mix, Address(scores), rows, a.y.at(args, 3, image, head, result))
		a.y.unload(args, 3, image, head, result)
	}
}

// parts hands out memory piece by piece.
func parts(memory []float32) func(n int) []float32 {
	return func(n int) []float32 {
		part := memory[:n]
		memory = memory[n:]
		return part
	}
}
