package plan

import (
	"fmt"

	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.Attention]{channels: last, emit: (*emitter).attention})
}

// attended is attention with its operands.
type attended struct {
	*op.Attention
	in []*value
}

// tokens are the tokens of which heads are channels.
func (a attended) tokens(h op.HeadChannels) *value { return a.in[h.Operand] }

func (a attended) heads(h op.HeadChannels) kernel.Heads {
	return kernel.Heads{Layout: a.tokens(h).images(), First: h.First, Step: h.Step, Size: h.Size}
}

// result is how the heads lie in the result, or in its gradient.
func (a attended) result(y *value) kernel.Heads {
	return kernel.Heads{Layout: y.images(), Step: a.V.Size, Size: a.V.Size}
}

// bias is what is added to scores; nil for nothing.
func (a attended) bias() *value {
	if k := a.Bias(len(a.in)); k >= 0 {
		return a.in[k]
	}
	return nil
}

// masks are what is added to the scores of one image after the other.
func (a attended) masks() kernel.Masks {
	if k := a.Mask(len(a.in)); k >= 0 {
		return kernel.Masks{Windows: a.Masks, Values: a.in[k].values()}
	}
	return kernel.Masks{}
}

// scores is the shape of the scores: (N, heads, queries, keys).
func (a attended) scores() tensor.Shape {
	return tensor.Shape{a.in[0].Shape[0], a.Heads, a.tokens(a.Q).Shape[1], a.tokens(a.K).Shape[1]}
}

// biases is the number of tables of the bias, and whether it is written out, with an element for every query and every key.
func (a attended) biases() (tables int, whole bool) {
	if a.bias() == nil {
		return 0, true
	}
	s := a.scores()
	tables = a.Biases(a.bias().Shape, s)
	return tables, a.bias().Shape.TotalSize() == tables*s[2]*s[3]
}

// onBlocks tells whether there is a step for it: the channels of all tokens lie in blocks, masks are constants, and a bias is a
// parameter, which nothing trains unless it is written out, or written out by a step.
func (a attended) onBlocks(isTrained func(*value) bool) bool {
	for _, v := range a.in[:a.Tokens()] {
		if !onTokens(v) {
			return false
		}
	}
	if k := a.Mask(len(a.in)); k >= 0 && (a.in[k].param == nil || isTrained(a.in[k])) {
		return false
	}
	b := a.bias()
	_, whole := a.biases()
	return b == nil || whole && b.form == plain && b.param == nil || b.param != nil && (whole || !isTrained(b))
}

// onTokens tells whether v is tokens whose channels lie in blocks.
func onTokens(v *value) bool { return onImages(v) && v.Shape.Dims() == 3 && v.channelsLast() }

// flops is the arithmetic of an image with so many products of scores' size.
func (a attended) flops(products int) float64 {
	s := a.scores()
	return float64(products * a.Heads * s[2] * s[3] * (a.Q.Size + a.V.Size))
}

// biasTables is the bias as tables for queries and keys.
func (e *emitter) biasTables(i *instr, a attended) *value {
	b := a.bias()
	tables, whole := a.biases()
	switch {
	case b.param == nil:
		return b
	case whole:
		return e.vector(b)
	}
	rows, cols, s := 1, 1, a.scores()
	if d := b.Shape.Dims(); d > 0 {
		cols = b.Shape[d-1]
		if d > 1 {
			rows = b.Shape[d-2]
		}
	}
	return e.constant(i.node+" bias", tables*s[2]*s[3], func(dst []float32) error {
		values := b.values()
		for k := range dst {
			table, query, key := k/(s[2]*s[3]), k/s[3]%s[2], k%s[3]
			dst[k] = values[(table*rows+query%rows)*cols+key%cols]
		}
		return nil
	})
}

func (e *emitter) attention(i *instr, o *op.Attention) error {
	a := attended{o, i.in}
	if !a.onBlocks(e.isTrained) || !onTokens(i.out) {
		return e.interpret(i, o)
	}
	tables, _ := a.biases()
	prim, err := kernel.NewAttention(e.g.opt.ISA, a.heads(o.Q), a.heads(o.K), a.heads(o.V), a.result(i.out), o.Heads, tables, a.masks(), o.Scale)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	operands := []any{a.tokens(o.Q), a.tokens(o.K), a.tokens(o.V), i.out}
	if tables > 0 {
		operands = append(operands, e.biasTables(i, a))
	}
	e.step(i, prim, 0, []*value{i.out}, operands...).step.Flops = a.flops(2)
	return nil
}
