package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Attention is softmax(Scale q k' + bias) v of several heads (Vaswani et al., 2017). Queries, keys and values are channels of tokens
// (N, T, C), which are one operand, two or three; then comes the bias, if there is one, which broadcasts to (heads, queries, keys)
// and may have a first dimension of 1 more. Where there are masks, as for the windows of Swin (Liu et al., 2021), a last operand with
// elements (Masks, queries, keys), or (Masks, heads, queries, keys), is added too: its first for the first of N, and so on, again and again. The result is tokens (N, T,
// Heads*V.Size) with one head beside the other.
type Attention struct {
	base
	Heads   int
	Masks   int
	Scale   float32
	Q, K, V HeadChannels
}

// HeadChannels tells where heads lie among the channels of tokens, which are an operand: head h is Size channels from First + h*Step on.
type HeadChannels struct{ Operand, First, Step, Size int }

// Name is Attention.
func (*Attention) Name() string { return "Attention" }

// Tokens is the number of operands that are tokens.
func (o *Attention) Tokens() int { return max(o.Q.Operand, o.K.Operand, o.V.Operand) + 1 }

// Mask is which of so many operands is the masks; -1 for none.
func (o *Attention) Mask(operands int) int {
	if o.Masks == 0 {
		return -1
	}
	return operands - 1
}

// maskTables is the number of tables of a mask: one for all heads, or one for every head; 0 where it is no mask.
func (o *Attention) maskTables(mask, scores tensor.Shape) int {
	for _, tables := range []int{1, o.Heads} {
		if mask.TotalSize() == o.Masks*tables*scores[2]*scores[3] {
			return tables
		}
	}
	return 0
}

// Bias is which of so many operands is the bias; -1 for none.
func (o *Attention) Bias(operands int) int {
	if o.Masks > 0 {
		operands--
	}
	if operands == o.Tokens() {
		return -1
	}
	return operands - 1
}

// Biases is the number of tables for queries and keys that a bias for scores (N, heads, queries, keys) broadcasts to: one for all heads,
// or one for every head; 0 where it is no bias.
func (*Attention) Biases(bias, scores tensor.Shape) int {
	b := tensor.Shape{1, 1, 1, 1}
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

// scores is the shape of the scores: (N, heads, queries, keys).
func (o *Attention) scores(in []tensor.Shape) tensor.Shape {
	return tensor.Shape{in[0][0], o.Heads, in[o.Q.Operand][1], in[o.K.Operand][1]}
}

// OutShape is (N, T, Heads*V.Size).
func (o *Attention) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	tokens := o.Tokens()
	bias, mask := o.Bias(len(in)), o.Mask(len(in))
	if bias >= 0 && bias != tokens || mask >= 0 && mask < tokens || len(in) < tokens {
		return nil, fmt.Errorf("%d operands, want %d and perhaps a bias and masks", len(in), tokens)
	}
	for _, h := range []HeadChannels{o.Q, o.K, o.V} {
		s := in[h.Operand]
		if len(s) != 3 || s[0] != in[0][0] || o.Heads < 1 || h.Size < 1 || h.First < 0 || h.Step < h.Size || h.First+(o.Heads-1)*h.Step+h.Size > s[2] {
			return nil, fmt.Errorf("tokens of shape %v do not have %d heads of %d channels, %d apart from %d on", s, o.Heads, h.Size, h.Step, h.First)
		}
	}
	if in[o.K.Operand][1] != in[o.V.Operand][1] || o.Q.Size != o.K.Size {
		return nil, fmt.Errorf("shapes %v: queries and keys must have heads of one size, and there must be as many keys as values", in)
	}
	scores := o.scores(in)
	if bias >= 0 && o.Biases(in[bias], scores) == 0 {
		return nil, fmt.Errorf("a bias of shape %v for scores %v", in[bias], scores)
	}
	if mask >= 0 && (o.maskTables(in[mask], scores) == 0 || scores[0]%o.Masks != 0) {
		return nil, fmt.Errorf("%d masks of shape %v for scores %v", o.Masks, in[mask], scores)
	}
	return tensor.Shape{in[0][0], in[o.Q.Operand][1], o.Heads * o.V.Size}, nil
}

// Do computes the function.
func (o *Attention) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for all operands but masks.
func (o *Attention) DiffWRT(inputs int) []bool {
	if o.Masks > 0 {
		return wrt(inputs-1, inputs)
	}
	return wrt(inputs, inputs)
}

// SymDiff gives an AttentionGrad for every operand.
func (o *Attention) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	grads := make(gorgonia.Nodes, len(in))
	for k := range in {
		if k == o.Mask(len(in)) {
			continue
		}
		grads[k] = c.apply(&AttentionGrad{Attention: *o, Of: k}, append(append(gorgonia.Nodes{}, in...), dy)...)
	}
	return grads, c.err
}

// head is one head of one image: rows of the tokens that it takes part in.
type head struct {
	q, k, v func(token int) []float64
	weights [][]float64 // softmax of the scores, for every query
}

// head works out the weights of a head.
func (o *Attention) head(in []array, image, h int) head {
	rows := func(c HeadChannels) func(token int) []float64 {
		x := in[c.Operand]
		return func(token int) []float64 {
			at := (image*x.shape[1]+token)*x.shape[2] + c.First + h*c.Step
			return x.data[at : at+c.Size]
		}
	}
	r := head{q: rows(o.Q), k: rows(o.K), v: rows(o.V)}
	queries, keys := in[o.Q.Operand].shape[1], in[o.K.Operand].shape[1]
	for i := range queries {
		scores := make([]float64, keys)
		for j := range scores {
			for c, q := range r.q(i) {
				scores[j] += float64(q * r.k(j)[c])
			}
			scores[j] *= float64(o.Scale)
			if k := o.Bias(len(in)); k >= 0 {
				scores[j] += in[k].data[o.biasAt(in[k].shape, h, i, j)]
			}
			if k := o.Mask(len(in)); k >= 0 {
				tables := len(in[k].data) / (o.Masks * queries * keys)
				scores[j] += in[k].data[((image%o.Masks*tables+h%tables)*queries+i)*keys+j]
			}
		}
		weights := make([]float64, keys)
		softmax(scores, weights)
		r.weights = append(r.weights, weights)
	}
	return r
}

// biasAt is where the element of a bias of such a shape lies that belongs to a head, a query and a key.
func (*Attention) biasAt(s tensor.Shape, index ...int) int {
	at := 0
	for axis, size := range s {
		at *= size
		if size > 1 {
			at += index[axis-len(s)+len(index)]
		}
	}
	return at
}

func (o *Attention) eval(in []array, out array) {
	out.parallel(out.shape[0]*o.Heads, func(i int) {
		image, h := i/o.Heads, i%o.Heads
		r := o.head(in, image, h)
		for query, weights := range r.weights {
			y := out.data[(image*out.shape[1]+query)*out.shape[2]+h*o.V.Size:]
			for key, w := range weights {
				axpy(w, r.v(key), 1, y, 1, o.V.Size)
			}
		}
	})
}

// AttentionGrad is the gradient of Attention in operand Of: the operands and dy.
type AttentionGrad struct {
	Attention
	Of int
}

// Name is AttentionGrad.
func (*AttentionGrad) Name() string { return "AttentionGrad" }

// OutShape is that of the operand.
func (o *AttentionGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	last := len(in) - 1
	if o.Of < 0 || o.Of >= last || o.Of == o.Mask(last) {
		return nil, fmt.Errorf("no operand %d of %d", o.Of, last)
	}
	y, err := o.Attention.OutShape(in[:last]...)
	if err != nil {
		return nil, err
	}
	return in[o.Of].Clone(), wantEqual(in, last, y...)
}

// Do computes the gradient.
func (o *AttentionGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*AttentionGrad) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *AttentionGrad) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *AttentionGrad) eval(in []array, out array) {
	last := len(in) - 1
	dy, in := in[last], in[:last]
	for image := range dy.shape[0] {
		for h := range o.Heads {
			r := o.head(in, image, h)
			to := func(c HeadChannels, token int) []float64 {
				return out.data[(image*out.shape[1]+token)*out.shape[2]+c.First+h*c.Step:]
			}
			for query, weights := range r.weights {
				g := dy.data[(image*dy.shape[1]+query)*dy.shape[2]+h*o.V.Size:][:o.V.Size]
				if o.V.Operand == o.Of {
					for key, w := range weights {
						axpy(w, g, 1, to(o.V, key), 1, o.V.Size)
					}
				}
				for key, d := range o.scoreGradients(weights, g, r.v) {
					if o.Of == o.Bias(len(in)) {
						out.data[o.biasAt(out.shape, h, query, key)] += d
					}
					d *= float64(o.Scale)
					if o.Q.Operand == o.Of {
						axpy(d, r.k(key), 1, to(o.Q, query), 1, o.Q.Size)
					}
					if o.K.Operand == o.Of {
						axpy(d, r.q(query), 1, to(o.K, key), 1, o.K.Size)
					}
				}
			}
		}
	}
}

// scoreGradients is the gradient in a query's scores, given that of its result.
func (o *AttentionGrad) scoreGradients(weights, g []float64, v func(key int) []float64) []float64 {
	d, sum := make([]float64, len(weights)), 0.0
	for key, w := range weights {
		for c, x := range v(key) {
			d[key] += float64(g[c] * x)
		}
		sum += float64(w * d[key])
	}
	for key, w := range weights {
		d[key] = w * (d[key] - sum)
	}
	return d
}
