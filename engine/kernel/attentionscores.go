package kernel

import (
	"fmt"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// attentionScores is what attention and its gradients share: the scores and their softmax.
type attentionScores struct {
	set           *Set
	q, k, v       Heads
	heads, biases int
	scale         float32
	product       *Conv // of the queries with the keys
	layout        Layout
	masks         Masks          // as tables
	hidden        [Lanes]float32 // added to the last block of scores: minus infinity past the last key
	transpose     asm.Form[abi.Transpose]
	zeros         []float32
}

// newAttentionScores checks so many heads of Q, K, V and of the result, or its gradient, y.
func newAttentionScores(set *Set, q, k, v, y Heads, heads, biases int, masks Masks, scale float32) (*attentionScores, error) {
	for i, h := range []Heads{q, k, v, y} {
		if err := h.check(heads); err != nil {
			return nil, fmt.Errorf("attention: operand %d: %w", i, err)
		}
	}
	if y.First != 0 || y.Step != y.Size || y.Layout.C != heads*y.Size {
		return nil, fmt.Errorf("attention: the heads of the result must fill its %d channels", y.Layout.C)
	}
	if biases != 0 && biases != 1 && biases != heads {
		return nil, fmt.Errorf("attention: %d biases for %d heads", biases, heads)
	}
	if q.tokens() != y.tokens() || k.tokens() != v.tokens() || q.Size != k.Size || v.Size != y.Size {
		return nil, fmt.Errorf("attention: %v, %v, %v and %v do not fit each other", q, k, v, y)
	}
	if size := q.tokens() * k.tokens(); masks.Windows < 0 || len(masks.Values) != masks.Windows*size && len(masks.Values) != masks.Windows*heads*size {
		return nil, fmt.Errorf("attention: %d masks of %d numbers for %d heads, %d queries and %d keys", masks.Windows, len(masks.Values), heads, q.tokens(), k.tokens())
	}
	a := &attentionScores{
		set: set, q: q, k: k, v: v, heads: heads, biases: biases, scale: scale, layout: Matrix(q.tokens(), k.tokens()),
		transpose: set.Transpose, zeros: Aligned(roundUp(max(k.tokens(), q.Size, v.Size), Lanes)),
	}
	for c := range a.hidden {
		if (a.layout.Blocks()-1)*Lanes+c >= a.layout.C {
			a.hidden[c] = none
		}
	}
	if biases == 0 && masks.Windows == 0 && !(scale > 0) { // the softmax takes a positive scale, or a table
		masks = Masks{1, make([]float32, q.tokens()*k.tokens())}
	}
	a.masks = a.tables(masks)
	var err error
	a.product, err = NewConv(set, a.queryLayer(q.Size, k.tokens()), q.part(), a.layout, 0)
	return a, err
}

// queryLayer is a linear layer over the queries.
func (a *attentionScores) queryLayer(in, out int) ConvShape {
	n := a.q.tokens()
	return ConvShape{Cin: in, Cout: out, H: 1, W: n, OH: 1, OW: n, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}
}

// Items is the number of heads of all images.
func (a *attentionScores) Items(images int) int { return images * a.heads }

// scoresLen is the floats of the scores of a head, with a margin for their softmax.
func (a *attentionScores) scoresLen() int { return a.layout.Len(1) + marginLen(a.layout.W) }

// biasLen is the floats of the bias of a head.
func (a *attentionScores) biasLen() int { return min(a.biases, 1) * a.layout.Len(1) }

// blocksLen is the floats of keys or values as weights.
func (a *attentionScores) blocksLen() int { return max(a.k.blockLen(), a.v.blockLen()) }

// weights fills scores with the softmax of the scores of a head of an image, whose queries are at an address; rows and columns, of
// blocksLen floats, are left with its keys. Operand 1 of args is the keys; bias is what loadBias left.
func (a *attentionScores) weights(w *Worker, args *Args, image, head int, queries uintptr, bias, scores, rows, columns []float32) {
	a.k.rows(a.k.image(args, 1, image), head, rows)
	a.k.columns(w, a.transpose, rows, columns)
	a.run(w, a.product, queries, columns, Address(scores))
	a.softmax(w, scores, bias, a.maskOf(image, head))
}

// Masks are added to the scores of one image after the other, again and again: as many tables for queries and keys as there are Windows, or
// one for every head of each.
type Masks struct {
	Windows int
	Values  []float32
}

// table lays out numbers for queries and keys, row-major, as the scores lie, with minus infinity past the last key.
func (a *attentionScores) table(dst, numbers []float32) {
	l := a.layout
	for b := range l.Blocks() {
		n := min(Lanes, l.C-b*Lanes)
		for query := range l.W {
			to := dst[b*l.Plane+query*Lanes:][:Lanes]
			copy(to, numbers[query*l.C+b*Lanes:][:n])
			for c := n; c < Lanes; c++ {
				to[c] = none
			}
		}
	}
}

// tables lays out masks.
func (a *attentionScores) tables(m Masks) Masks {
	size, room := a.layout.W*a.layout.C, a.layout.Len(1)
	values := Aligned(len(m.Values) / size * room)
	for k := range len(m.Values) / size {
		a.table(values[k*room:], m.Values[k*size:][:size])
	}
	return Masks{m.Windows, values}
}

// maskOf is what is added to the scores of a head of an image, if there are masks.
func (a *attentionScores) maskOf(image, head int) []float32 {
	if a.masks.Windows == 0 {
		return nil
	}
	room := a.layout.Len(1)
	tables := len(a.masks.Values) / room / a.masks.Windows
	return a.masks.Values[(image%a.masks.Windows*tables+head%tables)*room:][:room]
}

// loadBias lays out the bias of a head, if there is one; it is that of all images.
func (a *attentionScores) loadBias(args *Args, operand, head int, bias []float32) {
	if a.biases > 0 {
		size := a.layout.W * a.layout.C
		a.table(bias, Floats(args.Operand[operand]+uintptr(4*size*(head%a.biases)), size))
	}
}

// run computes a product of one image.
func (a *attentionScores) run(w *Worker, c *Conv, x uintptr, weights []float32, y uintptr) {
	w.args = Args{Operand: [8]uintptr{x, Address(weights), Address(a.zeros), y}, Images: 1}
	c.Range(w, 0, c.Items(1), &w.args)
}

// softmax replaces the scores of every query by their softmax over the keys, with a bias and a mask, tables or of no length.
func (a *attentionScores) softmax(w *Worker, scores, bias, mask []float32) {
	run, margin := a.runs(scores)
	scale := a.scale
	switch last := run.one(run.blocks - 1); {
	case len(bias) > 0:
		run.each(w, a.set, scaleAddKernel, run, run.like(bias), scale)
		if len(mask) > 0 {
			run.each(w, a.set, addKernel, run, run.like(mask), none)
		}
		scale = 1
	case len(mask) > 0:
		run.each(w, a.set, scaleAddKernel, run, run.like(mask), scale)
		scale = 1
	default:
		last.each(w, a.set, affineKernel, last, last, none, Address(oneLanes[:]), Address(a.hidden[:]))
	}
	margin.fill(none)
	margin.each(w, a.set, largestKernel, run, margin, scale)
	margin.spreadLargest(w, a.set)
	run.each(w, a.set, expLessKernel, run, margin, scale)
	margin.fill(0)
	margin.each(w, a.set, addKernel, run, margin, none)
	margin.spread(w, a.set, func(_ int, sum float64) float32 { return float32(1 / sum) })
	run.each(w, a.set, mulKernel, run, margin, none)
}

// runs are the scores of a head and the margin behind them.
func (a *attentionScores) runs(scores []float32) (run, margin pixelRun) {
	l := a.layout
	run = pixelRun{Address(scores), 4 * l.Plane, l.Blocks(), l.W}
	return run, run.margin(scores[l.Len(1):])
}
