package kernel

import (
	"fmt"
	"math"
	"slices"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// Attention (Vaswani et al., 2017): for every head, softmax(scale q k' + bias) v with tokens as rows. Both products are direct convolutions of
// 1x1 over the tokens, with the keys and then the values of the image as weights, so every element is one chain of fused multiply-adds
// in the order of the channels or of the keys. The softmax adds up sixteen partial sums in float32, and these in float64. The scores of one
// head stay in a worker's memory.

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

// gather copies head k in the memory of an image to blocks of channels, so many floats each, and fills these up with zeros.
func (h Heads) gather(image []float32, k int, blocks []float32, block int) {
	clear(blocks)
	h.each(image, k, func(token, c int, at *float32) { blocks[c/Lanes*block+token*Lanes+c%Lanes] = *at })
}

// scatter copies them back.
func (h Heads) scatter(image []float32, k int, blocks []float32, block int) {
	h.each(image, k, func(token, c int, at *float32) { *at = blocks[c/Lanes*block+token*Lanes+c%Lanes] })
}

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

// padded is the number of tokens in whole blocks.
func (h Heads) padded() int { return roundUp(h.tokens(), Lanes) }

// blockLen is the floats of a head as blocks of tokens and channels.
func (h Heads) blockLen() int { return blocksOf(h.Size) * h.padded() * Lanes }

// rows fills dst with head k of an image: [block of channels][token][16 channels], zeros past the last of either, the weights of a 1x1
// convolution from tokens to channels.
func (h Heads) rows(image []float32, k int, dst []float32) {
	if !h.aligned() {
		h.gather(image, k, dst, h.padded()*Lanes)
		return
	}
	n := h.tokens() * Lanes
	for b := range h.Size / Lanes {
		to := dst[b*h.padded()*Lanes:][:h.padded()*Lanes]
		copy(to, image[h.Layout.Base+h.offset(k)+b*h.Layout.Plane:][:n])
		clear(to[n:])
	}
}

// store is the way back from rows.
func (h Heads) store(image []float32, k int, src []float32) {
	if !h.aligned() {
		h.scatter(image, k, src, h.padded()*Lanes)
		return
	}
	for b := range h.Size / Lanes {
		copy(image[h.Layout.Base+h.offset(k)+b*h.Layout.Plane:], src[b*h.padded()*Lanes:][:h.tokens()*Lanes])
	}
}

// columns makes of rows the weights of a 1x1 convolution from channels to tokens.
func (h Heads) columns(w *Worker, kernel asm.Form[abi.Transpose], rows, dst []float32) {
	t := argsOf[abi.Transpose](w)
	t.SrcStep, t.DstStep, t.Count = 4*h.padded()*Lanes, abi.EntryBytes, blocksOf(h.Size)
	for b := range h.padded() / Lanes {
		t.Src, t.Dst = Address(rows)+uintptr(b*abi.EntryBytes), Address(dst)+uintptr(b*t.Count*abi.EntryBytes)
		kernel.Run(t)
	}
}

// attentionScores is what attention and its gradients share: the scores and their softmax.
type attentionScores struct {
	set           *Set
	q, k, v       Heads
	heads, biases int
	scale         float64
	product       *Conv // of the queries with the keys
	layout        Layout
	masks         Masks
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
		set: set, q: q, k: k, v: v, heads: heads, biases: biases, masks: masks, scale: float64(scale), layout: Matrix(q.tokens(), k.tokens()),
		transpose: set.Transpose, zeros: Aligned(roundUp(max(k.tokens(), q.Size, v.Size), Lanes)),
	}
	var err error
	a.product, err = NewConv(set, a.queryLayer(q.Size, k.tokens()), q.part(), a.layout, 0)
	return a, err
}

// check refuses tokens that do not have so many heads.
func (h Heads) check(heads int) error {
	l := h.Layout
	if !l.blocked() || l.H != 1 || l.Halo != 0 || min(l.C, l.W, h.Size, heads) < 1 || h.First < 0 || h.Step < h.Size && heads > 1 || h.First+(heads-1)*h.Step+h.Size > l.C {
		return fmt.Errorf("%v does not have %d heads of %d channels from %d on", l, heads, h.Size, h.First)
	}
	return nil
}

// queryLayer is a linear layer over the queries.
func (a *attentionScores) queryLayer(in, out int) ConvShape {
	n := a.q.tokens()
	return ConvShape{Cin: in, Cout: out, H: 1, W: n, OH: 1, OW: n, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}
}

// Items is the number of heads of all images.
func (a *attentionScores) Items(images int) int { return images * a.heads }

// scoresLen is the floats of the scores of a head, with a margin of a block for their softmax.
func (a *attentionScores) scoresLen() int { return a.layout.Len(1) + a.layout.W*Lanes }

// blocksLen is the floats of keys or values as weights.
func (a *attentionScores) blocksLen() int { return max(a.k.blockLen(), a.v.blockLen()) }

// weights fills scores with the softmax of the scores of a head of an image, whose queries are at an address; rows and columns, of
// blocksLen floats, are left with its keys. The operands 1 and bias of args are the keys and the biases.
func (a *attentionScores) weights(w *Worker, args *Args, image, head int, queries uintptr, bias int, scores, rows, columns []float32) {
	a.k.rows(a.k.image(args, 1, image), head, rows)
	a.k.columns(w, a.transpose, rows, columns)
	a.run(w, a.product, queries, columns, Address(scores))
	var table []float32
	if a.biases > 0 {
		size := a.layout.W * a.layout.C
		table = Floats(args.Operand[bias]+uintptr(4*size*(head%a.biases)), size)
	}
	a.softmax(w, scores, table, a.maskOf(image, head))
}

// Masks are added to the scores of one image after the other, again and again: as many tables for queries and keys as there are Windows, or
// one for every head of each.
type Masks struct {
	Windows int
	Values  []float32
}

// maskOf is what is added to the scores of a head of an image, if there are masks.
func (a *attentionScores) maskOf(image, head int) []float32 {
	if a.masks.Windows == 0 {
		return nil
	}
	size := a.layout.W * a.layout.C
	tables := len(a.masks.Values) / size / a.masks.Windows
	return a.masks.Values[(image%a.masks.Windows*tables+head%tables)*size:][:size]
}

// run computes a product of one image.
func (a *attentionScores) run(w *Worker, c *Conv, x uintptr, weights []float32, y uintptr) {
	w.args = Args{Operand: [8]uintptr{x, Address(weights), Address(a.zeros), y}, Images: 1}
	c.Range(w, 0, c.Items(1), &w.args)
}

// at is where head k of an image of an operand lies as part says, which is own where the head has no blocks of its own.
func (h Heads) at(args *Args, operand, image, k int, own []float32) uintptr {
	if h.aligned() {
		return args.Operand[operand] + uintptr(4*(image*h.Layout.Image+h.offset(k)))
	}
	return Address(own)
}

// load copies head k to own, where it has no blocks of its own.
func (h Heads) load(args *Args, operand, image, k int, own []float32) {
	if h.aligned() {
		return
	}
	h.gather(h.image(args, operand, image), k, own, h.part().Plane)
}

// unload copies it back.
func (h Heads) unload(args *Args, operand, image, k int, own []float32) {
	if h.aligned() {
		return
	}
	h.scatter(h.image(args, operand, image), k, own, h.part().Plane)
	h.pad(args, operand, image, k)
}

// pad clears the lanes past the last channel behind the head that has that.
func (h Heads) pad(args *Args, operand, image, k int) {
	if h.First+k*h.Step+h.Size == h.Layout.C {
		clearLanes(tensor{operand, h.Layout}, args, image)
	}
}

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

// Scratch is the scores, keys and values as weights, and queries and results that need memory of their own.
func (a *attention) Scratch() int {
	return a.scoresLen() + 2*a.blocksLen() + a.q.own() + a.y.own()
}

func (a *attention) Item(w *Worker, i int, args *Args) {
	image, head := i/a.heads, i%a.heads
	take := parts(w.Scratch)
	scores, rows, columns, query, result := take(a.scoresLen()), take(a.blocksLen()), take(a.blocksLen()), take(a.q.own()), take(a.y.own())
	a.q.load(args, 0, image, head, query)
	a.weights(w, args, image, head, a.q.at(args, 0, image, head, query), 4, scores, rows, columns)
	a.v.rows(a.v.image(args, 2, image), head, rows)
	a.run(w, a.mix, Address(scores), rows, a.y.at(args, 3, image, head, result))
	a.y.unload(args, 3, image, head, result)
}

// parts hands out memory piece by piece.
func parts(memory []float32) func(n int) []float32 {
	return func(n int) []float32 {
		part := memory[:n]
		memory = memory[n:]
		return part
	}
}

// softmax replaces the scores of every query by their softmax over the keys, with a bias and a mask for every one of them or none.
func (a *attentionScores) softmax(w *Worker, scores, bias, mask []float32) {
	l := a.layout
	run := pixelRun{Address(scores), 4 * l.Plane, l.Blocks(), l.W}
	margin := run.margin(scores[l.Len(1):])
	scale := float32(a.scale)
	if bias != nil || mask != nil || !(scale > 0) {
		a.scaled(scores, bias, mask)
		scale = 1
	}
	a.hide(scores)
	none := float32(math.Inf(-1))
	margin.fill(none)
	margin.each(w, a.set, largestKernel, run, margin, scale)
	margin.spread(func(_ int, lanes *[Lanes]float32) float32 { return slices.Max(lanes[:]) }) // NaN where one is
	run.each(w, a.set, expLessKernel, run, margin, scale)
	margin.fill(0)
	margin.each(w, a.set, addKernel, run, margin, none)
	margin.spread(func(_ int, lanes *[Lanes]float32) float32 { return float32(1 / total(lanes)) })
	run.each(w, a.set, mulKernel, run, margin, none)
}

// scaled multiplies the scores with the scale and adds a bias and a mask, if there are such.
func (a *attentionScores) scaled(scores, bias, mask []float32) {
	l := a.layout
	for query := range l.W {
		for b := range l.Blocks() {
			keys := a.keys(scores, b, query)
			for c, v := range keys {
				s := float64(a.scale * float64(v))
				if bias != nil {
					s += float64(bias[query*l.C+b*Lanes+c])
				}
				if mask != nil {
					s += float64(mask[query*l.C+b*Lanes+c])
				}
				keys[c] = float32(s)
			}
		}
	}
}

// hide gives the lanes past the last key a weight of zero.
func (a *attentionScores) hide(scores []float32) {
	used := a.layout.C % Lanes
	if used == 0 {
		return
	}
	last := scores[(a.layout.Blocks()-1)*a.layout.Plane:]
	for query := range a.layout.W {
		for c := used; c < Lanes; c++ {
			last[query*Lanes+c] = float32(math.Inf(-1))
		}
	}
}

// keys are the scores of a query with the keys of a block.
func (a *attentionScores) keys(scores []float32, block, query int) []float32 {
	return scores[block*a.layout.Plane+query*Lanes:][:min(Lanes, a.layout.C-block*Lanes)]
}
