package engine

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Attention by cosines (Swin V2; Liu et al., 2022): queries and keys are divided by their lengths, and the scores are multiplied by a
// learned number for every head.

// headNorm is heads of tokens that are divided by their lengths before attention reads them.
type headNorm struct {
	source      *gorgonia.Node
	op          *op.HeadNorm
	temperature *gorgonia.Node // the values of the factors, nil for none
}

func (h *headNorm) from() *gorgonia.Node { return h.source }

func (h *headNorm) tokens() tensor.Shape { return h.source.Shape() }

func (h *headNorm) heads() op.HeadChannels { return h.op.At }

// normalised reads queries or keys as such heads, times a number; token and one are the axes of tokens and of a head's channels. nil where
// they are none.
func (j *joiner) normalised(node *gorgonia.Node, count, token, one int) (h *headNorm, factor float64) {
	s, factor := j.traced(node, true)
	x, epsilon, ok := j.unit(s.source)
	if !ok {
		return nil, 1
	}
	shape, ok := ofHeads(s.source.Shape(), j.net.Batch())
	if !ok {
		return nil, 1
	}
	if len(s.dims) == 3 {
		to, _ := ofHeads(node.Shape(), j.net.Batch())
		if s, ok = s.reshaped(to); !ok {
			return nil, 1
		}
	}
	n, heads, tokens, size := sizes(shape)
	if heads != count || s.offset != 0 || len(s.dims) != 4 || !s.is(0, run{n, heads * tokens * size}) || !s.is(1, run{heads, tokens * size}) ||
		!s.is(token, run{tokens, size}) || !s.is(one, run{size, 1}) {
		return nil, 1
	}
	at, source, _ := j.headsOf(x, count, 2, 3, false)
	if source == nil {
		return nil, 1
	}
	return &headNorm{source: source, op: &op.HeadNorm{Heads: count, At: at, Epsilon: epsilon}}, factor
}

// unit reads a node as x / max(|x|, epsilon) with lengths over the last axis.
func (j *joiner) unit(node *gorgonia.Node) (x *gorgonia.Node, epsilon float32, ok bool) {
	if _, div := node.Op().(*op.Div); !div {
		return nil, 0, false
	}
	x, length := op.Inputs(node)[0], op.Inputs(node)[1]
	if _, expanded := length.Op().(*op.Expand); expanded {
		length = op.Inputs(length)[0]
	}
	if clip, clipped := length.Op().(*op.Clip); clipped && clip.Max >= math.MaxFloat32 && clip.Min >= 0 && clip.Min < math.MaxFloat32 {
		length, epsilon = op.Inputs(length)[0], clip.Min
	}
	l2, ok := length.Op().(*op.Reduce)
	if !ok || l2.Kind != op.L2Of || !l2.KeepDims || len(l2.Axes) != 1 || wrapped(l2.Axes[0], x.Dims()) != x.Dims()-1 || op.Inputs(length)[0] != x {
		return nil, 0, false
	}
	return x, epsilon, x.Shape().Eq(node.Shape())
}

// tempered reads scores (N, heads, queries, keys) as others times a number for every head, which does not depend on the image: the values
// of the numbers, and what of a HeadNorm tells how they are made of these. values is nil where they are none.
func (j *joiner) tempered(node *gorgonia.Node) (scores, values *gorgonia.Node, exponential bool, most float32) {
	if _, ok := node.Op().(*op.Mul); !ok || node.Dims() != 4 {
		return node, nil, false, 0
	}
	for k, x := range op.Inputs(node) {
		s := x.Shape()
		if j.computed[x] || len(s) < 3 || s.TotalSize() != node.Shape()[1] || s[len(s)-3] != node.Shape()[1] || !op.Inputs(node)[1-k].Shape().Eq(node.Shape()) {
			continue
		}
		most = math.MaxFloat32
		if _, exponential = x.Op().(*op.Exp); exponential {
			x = op.Inputs(x)[0]
			if clip, ok := x.Op().(*op.Clip); ok && clip.Min <= -math.MaxFloat32 {
				x, most = op.Inputs(x)[0], clip.Max
			}
		}
		return op.Inputs(node)[1-k], x, exponential, most
	}
	return node, nil, false, 0
}

// temper multiplies normalised queries with numbers for every head; false where they are not normalised.
func (a *attention) temper(values *gorgonia.Node, exponential bool, most float32) bool {
	for _, p := range a.first {
		if h, ok := p.(*headNorm); ok && h.op.At == (op.HeadChannels{First: a.op.Q.First, Step: a.op.Q.Step, Size: a.op.Q.Size}) && a.in[a.op.Q.Operand] == h.source {
			h.temperature, h.op.Exponential, h.op.Most = values, exponential, most
			return true
		}
	}
	return false
}

// keepKeys keeps the bias of normalised keys at zero, where it is: Swin V2 has none for them, though it is stored with those of queries and
// values, and beside cosines it would not be without effect.
func (a *attention) keepKeys(net *Network) {
	if !slices.ContainsFunc(a.first, func(p prepared) bool { h, ok := p.(*headNorm); return ok && h.temperature != nil }) {
		return // other attention by cosines may have such a bias, and begin with zeros
	}
	for _, p := range a.first {
		h, ok := p.(*headNorm)
		at := a.op.K
		if at.Operand = 0; !ok || h.op.At != at || a.in[a.op.K.Operand] != h.source {
			continue
		}
		if _, layer := h.source.Op().(*op.Linear); !layer || len(op.Inputs(h.source)) != 3 {
			continue
		}
		bias := net.ParamOf(op.Inputs(h.source)[2])
		if bias == nil || !bias.Trainable() {
			continue
		}
		still := make([]bool, len(bias.Value))
		for k := range a.op.Heads * at.Size {
			channel := at.First + k/at.Size*at.Step + k%at.Size
			if channel >= len(still) || bias.Value[channel] != 0 {
				return
			}
			still[channel] = true
		}
		bias.Still = still
	}
}

// apply divides x, which takes the place of the source.
func (h *headNorm) apply(b *Builder, name string, x *gorgonia.Node, moved map[*gorgonia.Node]*gorgonia.Node) (*gorgonia.Node, error) {
	in := []*gorgonia.Node{x}
	if h.temperature != nil {
		in = append(in, moved[h.temperature])
	}
	return b.Apply(fmt.Sprint(name, " normalised"), h.op, in...)
}
