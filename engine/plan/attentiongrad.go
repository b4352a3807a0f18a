package plan

import (
	"fmt"
	"slices"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.AttentionGrad]{channelsOf: attentionGradAxis, carries: carriesToTokens, choice: choice{gradient: true}, emit: (*emitter).attentionBiasGrad})
	register(row[*attentionGrad]{channels: last, choose: chooseAttentionGrad, emit: (*emitter).attentionGrad})
}

// attentionGrad is the planner's own operator for the gradients in all tokens that an attention reads: its operands and the gradient of
// its result -> the gradients in those operands.
type attentionGrad struct {
	attention *op.Attention
	of        []int
}

func (*attentionGrad) title() string { return "AttentionGrad" }

// chooseAttentionGrad: gradients may take the memory of what they are those of, head by head, where that is no other operand too.
func chooseAttentionGrad(_ *graph, i *instr, o *attentionGrad) choice {
	own := 0
	for _, v := range i.in {
		if v == i.in[o.of[0]] {
			own++
		}
	}
	if own > 1 {
		return choice{}
	}
	return choice{overwrites: []int{o.of[0]}}
}

// attentionGradAxis: gradients of tokens are tokens, those of biases have no channels.
func attentionGradAxis(o *op.AttentionGrad) axisRule {
	if o.Of < o.Tokens() {
		return last
	}
	return anywhere
}

// carriesToTokens: no axis of a bias is that of channels.
func carriesToTokens(_ *instr, _, _ *value) int { return undecided }

// groupAttention makes one step of the gradients of an attention in its tokens, all of which need the same scores.
func (g *graph) groupAttention() {
	var groups []*instr
	dead := map[*instr]bool{}
	for _, i := range g.instrs {
		o, ok := i.op.(*op.AttentionGrad)
		if !ok || o.Of >= o.Tokens() {
			continue
		}
		a, dy := attendedByGrad(i, &o.Attention)
		if !a.onBlocks(g.isTrained) || !a.fillsTokens() || !onTokens(dy) {
			continue
		}
		at := slices.IndexFunc(groups, func(other *instr) bool {
			return slices.Equal(other.in, i.in) && sameHeads(other.op.(*attentionGrad).attention, a.Attention)
		})
		if at < 0 {
			i.op = &attentionGrad{a.Attention, []int{o.Of}}
			groups = append(groups, i)
			continue
		}
		group := groups[at].op.(*attentionGrad)
		group.of, groups[at].also, dead[i] = append(group.of, o.Of), append(groups[at].also, i.out), true
	}
	g.remove(dead)
}

// attendedByGrad is the attention whose gradient i is, and the gradient of its result.
func attendedByGrad(i *instr, o *op.Attention) (a attended, dy *value) {
	last := len(i.in) - 1
	return attended{o, i.in[:last]}, i.in[last]
}

func sameHeads(a, b *op.Attention) bool {
	return a.Heads == b.Heads && a.Masks == b.Masks && a.Scale == b.Scale && a.Q == b.Q && a.K == b.K && a.V == b.V
}

// isTrained tells whether v is a parameter whose gradient is computed.
func (g *graph) isTrained(v *value) bool {
	return v.param != nil && g.obj != nil && slices.Contains(g.obj.Trainable, v.param)
}

// fillsTokens tells whether every channel of the tokens belongs to one head of queries, keys or values, and to no other.
func (a attended) fillsTokens() bool {
	for k, v := range a.in[:a.Tokens()] {
		heads := make([]int, channels(v.shape))
		for _, part := range []op.HeadChannels{a.Q, a.K, a.V} {
			for c := range a.Heads * part.Size {
				if part.Operand == k {
					heads[part.First+c/part.Size*part.Step+c%part.Size]++
				}
			}
		}
		if slices.ContainsFunc(heads, func(n int) bool { return n != 1 }) {
			return false
		}
	}
	return true
}

func (e *emitter) attentionGrad(i *instr, o *attentionGrad) error {
	a, dy := attendedByGrad(i, o.attention)
	grads := attended{o.attention, make([]*value, a.Tokens())}
	for k, of := range o.of {
		grads.in[of] = append([]*value{i.out}, i.also...)[k]
	}
	for k, v := range grads.in {
		if v == nil { // nobody wants it
			x := a.in[k]
			unread := x.like(x.label + " gradient")
			unread.layout = x.images()
			unread.length = unread.layout.Len(x.shape[0])
			grads.in[k], i.also = unread, append(i.also, unread)
		}
	}
	tables, _ := a.biases()
	prim, err := kernel.NewAttentionGrad(e.g.opt.ISA, a.heads(a.Q), a.heads(a.K), a.heads(a.V), a.result(dy),
		grads.heads(a.Q), grads.heads(a.K), grads.heads(a.V), a.Heads, tables, a.masks(), a.Scale)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	operands := []any{a.tokens(a.Q), a.tokens(a.K), a.tokens(a.V), dy, grads.tokens(a.Q), grads.tokens(a.K), grads.tokens(a.V)}
	if tables > 0 {
		operands = append(operands, e.biasTables(i, a))
	}
	e.step(i, prim, 0, append([]*value{i.out}, i.also...), operands...).step.Flops = a.flops(5)
	return nil
}

// attentionBiasGrad emits the gradient of a bias.
func (e *emitter) attentionBiasGrad(i *instr, o *op.AttentionGrad) error {
	a, dy := attendedByGrad(i, &o.Attention)
	tables, whole := a.biases()
	if o.Of < o.Tokens() || !a.onBlocks(e.isTrained) || !whole || !onTokens(dy) || i.out.form != plain {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewAttentionBiasGrad(e.g.opt.ISA, a.heads(o.Q), a.heads(o.K), a.heads(o.V), a.result(dy), o.Heads, tables, a.masks(), o.Scale)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(i, prim, 0, []*value{i.out}, a.tokens(o.Q), a.tokens(o.K), a.tokens(o.V), dy, e.biasTables(i, a), i.out).step.Flops = a.flops(3)
	return nil
}
