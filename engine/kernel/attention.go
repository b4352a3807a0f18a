package kernel

import (
	"fmt"
	"math"
)

// Attention (Vaswani et al., 2017): for every head, softmax(scale q k' + bias) v with tokens as rows. Both products are direct convolutions of
// 1x1 over the tokens, with the keys and then the values of the image as weights, so every element is one chain of fused multiply-adds
// in the order of the channels or of the keys; the softmax is in float64.

// Heads are the heads of tokens, images of one row: head h is Size channels of the layout from First + h*Step on.
type Heads struct {
	Layout            Layout
	First, Step, Size int
}

func (h Heads) tokens() int { return h.Layout.W }

// aligned tells whether every head has blocks of channels of its own.
func (h Heads) aligned() bool { return h.First%Lanes == 0 && h.Step%Lanes == 0 && h.Size%Lanes == 0 }

// part is the layout of one head. Heads without blocks of their own are copied to memory of their own.
func (h Heads) part() Layout {
	if !h.aligned() {
		return Matrix(h.tokens(), h.Size)
	}
	l := h.Layout
	l.C = h.Size
	return l
}

// own is the floats of the memory of its own that a head needs.
func (h Heads) own() int {
	if h.aligned() {
		return 0
	}
	return h.part().Len(1)
}

// offset is where head k begins in an image, in floats.
func (h Heads) offset(k int) int { return (h.First + k*h.Step) / Lanes * h.Layout.Plane }

// each visits the tokens and channels of head k in the memory of an image.
func (h Heads) each(image []float32, k int, visit func(token, c int, at *float32)) {
	l := h.Layout
	for c := range h.Size {
		channel := h.First + k*h.Step + c
		plane := image[l.Base+channel/Lanes*l.Plane+channel%Lanes:]
		for token := range l.W {
			visit(token, c, &plane[token*Lanes])
		}
	}
}

func (h Heads) image(a *Args, operand, image int) []float32 {
	l := h.Layout
	return Floats(a.Operand[operand]+uintptr(4*image*l.Image), l.Base+l.Blocks()*l.Plane)
}

type attention struct {
	q, k, v, y    Heads
	heads, biases int
	scale         float64
	scores        *Conv // of the queries with the keys
	mix           *Conv // of the scores with the values
	score         Layout
	zeros         []float32
	packed, turns int // floats of scratch: packed weights, those before they are packed
}

// NewAttention is y = softmax(scale q k' + bias) v for so many heads of every image. q and y have as many tokens, k and v too; heads of
// q and k are of one size, those of v and y too. There is no bias, one for all heads, or one for every head. Operands: 0 Q, 1 K, 2 V,
// 3 Y, 4 the biases if there are any: (biases, tokens of q, tokens of k), row-major. Item: one head of one image.
func NewAttention(set *Set, q, k, v, y Heads, heads, biases int, scale float32) (Primitive, error) {
	for i, h := range []Heads{q, k, v, y} {
		l := h.Layout
		if !l.blocked() || l.H != 1 || l.Halo != 0 || min(l.C, l.W, h.Size, heads) < 1 || h.First < 0 || h.Step < h.Size && heads > 1 || h.First+(heads-1)*h.Step+h.Size > l.C {
			return nil, fmt.Errorf("attention: operand %d is %v, which does not have %d heads of %d channels from %d on", i, l, heads, h.Size, h.First)
		}
	}
	if y.First != 0 || y.Step != y.Size || y.Layout.C != heads*y.Size {
		return nil, fmt.Errorf("attention: the heads of operand 3 must fill its %d channels", y.Layout.C)
	}
	if biases != 0 && biases != 1 && biases != heads {
		return nil, fmt.Errorf("attention: %d biases for %d heads", biases, heads)
	}
	if q.tokens() != y.tokens() || k.tokens() != v.tokens() || q.Size != k.Size || v.Size != y.Size {
		return nil, fmt.Errorf("attention: %v, %v, %v and %v do not fit each other", q, k, v, y)
	}
	a := &attention{q: q, k: k, v: v, y: y, heads: heads, biases: biases, scale: float64(scale), score: Matrix(q.tokens(), k.tokens())}
	first, second := a.product(q.Size, k.tokens()), a.product(k.tokens(), v.Size)
	var err error
	if a.scores, err = NewConv(set, first, q.part(), a.score, 0); err != nil {
		return nil, err
	}
	if a.mix, err = NewConv(set, second, a.score, y.part(), 0); err != nil {
		return nil, err
	}
	a.packed = max(PackedLen(first), PackedLen(second))
	a.turns = roundUp(max(k.tokens()*k.Size, v.tokens()*v.Size), Lanes)
	a.zeros = Aligned(roundUp(max(k.tokens(), v.Size), Lanes))
	return a, nil
}

// product is a linear layer over the queries.
func (a *attention) product(in, out int) ConvShape {
	n := a.q.tokens()
	return ConvShape{Cin: in, Cout: out, H: 1, W: n, OH: 1, OW: n, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}
}

func (a *attention) Name() string         { return "attention_" + a.scores.Name() }
func (a *attention) Items(images int) int { return images * a.heads }

// Scratch is the scores, packed weights, those before they are packed, and queries and results that need memory of their own.
func (a *attention) Scratch() int {
	return a.score.Len(1) + a.packed + a.turns + a.q.own() + a.y.own()
}

func (a *attention) Item(w *Worker, i int, args *Args) {
	image, head := i/a.heads, i%a.heads
	rest := w.Scratch[:a.Scratch()]
	take := func(n int) []float32 {
		part := rest[:n]
		rest = rest[n:]
		return part
	}
	scores, packed, turned := take(a.score.Len(1)), take(a.packed), take(a.turns)

	queries := args.Operand[0] + uintptr(4*(image*a.q.Layout.Image+a.q.offset(head)))
	if !a.q.aligned() {
		own := take(a.q.own())
		a.copyHead(a.q, args, 0, image, head, own, false)
		queries = Address(own)
	}
	a.k.each(a.k.image(args, 1, image), head, func(token, c int, at *float32) { turned[token*a.k.Size+c] = *at })
	PackWeights(a.scores.shape, packed, turned)
	a.run(w, a.scores, queries, packed, Address(scores))

	var bias []float32
	if a.biases > 0 {
		size := a.score.W * a.score.C
		bias = Floats(args.Operand[4]+uintptr(4*size*(head%a.biases)), size)
	}
	a.softmax(scores, bias)

	a.v.each(a.v.image(args, 2, image), head, func(token, c int, at *float32) { turned[c*a.v.tokens()+token] = *at })
	PackWeights(a.mix.shape, packed, turned)
	if a.y.aligned() {
		a.run(w, a.mix, Address(scores), packed, args.Operand[3]+uintptr(4*(image*a.y.Layout.Image+a.y.offset(head))))
		return
	}
	own := take(a.y.own())
	a.run(w, a.mix, Address(scores), packed, Address(own))
	a.copyHead(a.y, args, 3, image, head, own, true)
	if head == a.heads-1 {
		clearLanes(tensor{3, a.y.Layout}, args, image)
	}
}

// run computes a product of one image.
func (a *attention) run(w *Worker, c *Conv, x uintptr, weights []float32, y uintptr) {
	w.args = Args{Operand: [8]uintptr{x, Address(weights), Address(a.zeros), y}, Images: 1}
	for i := range c.Items(1) {
		c.Item(w, i, &w.args)
	}
}

// copyHead copies a head to memory of its own, or back.
func (a *attention) copyHead(h Heads, args *Args, operand, image, head int, own []float32, back bool) {
	l := h.part()
	if !back {
		clear(own)
	}
	h.each(h.image(args, operand, image), head, func(token, c int, at *float32) {
		mine := &own[c/Lanes*l.Plane+token*Lanes+c%Lanes]
		if back {
			*at = *mine
		} else {
			*mine = *at
		}
	})
}

// softmax replaces the scores of every query by their softmax over the keys, with a bias for every one of them or none.
func (a *attention) softmax(scores, bias []float32) {
	l := a.score
	for query := range l.W {
		var row []float32
		if bias != nil {
			row = bias[query*l.C:][:l.C]
		}
		best, total := math.Inf(-1), 0.0
		for b := range l.Blocks() {
			keys := a.keys(scores, b, query)
			for c, v := range keys {
				s := float64(a.scale * float64(v))
				if row != nil {
					s += float64(row[b*Lanes+c])
				}
				keys[c] = float32(s)
				best = max(best, float64(keys[c]))
			}
		}
		for b := range l.Blocks() {
			keys := a.keys(scores, b, query)
			for c, v := range keys {
				e := Exp(float64(v) - best) // NaN spreads to all keys through the total
				total += e
				keys[c] = float32(e)
			}
		}
		for b := range l.Blocks() {
			keys := a.keys(scores, b, query)
			for c, v := range keys {
				keys[c] = float32(float64(v) / total)
			}
		}
	}
}

// keys are the scores of a query with the keys of a block.
func (a *attention) keys(scores []float32, block, query int) []float32 {
	return scores[block*a.score.Plane+query*Lanes:][:min(Lanes, a.score.C-block*Lanes)]
}
