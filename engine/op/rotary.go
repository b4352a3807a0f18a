package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Rotary turns pairs of channels of heads by angles of their tokens' positions (Su et al., 2021): x (N, T, C), cosines and sines (T, Size).
// Channel c of a head becomes x[c] cos[c] + x[Pairs[c]] sin[c], other channels stay what they are. Back is the transposed map, its gradient.
type Rotary struct {
	base
	Heads int
	At    HeadChannels // of operand 0
	Pairs []int        // of Size channels, each its pair's pair
	Back  bool
}

// Name is RotaryEmbedding.
func (*Rotary) Name() string { return "RotaryEmbedding" }

// OutShape is the shape of x.
func (o *Rotary) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 3, 2, 2); err != nil {
		return nil, err
	}
	h := o.At
	if o.Heads < 1 || h.Size < 1 || h.First < 0 || h.Step < h.Size || h.First+(o.Heads-1)*h.Step+h.Size > in[0][2] || len(o.Pairs) != h.Size {
		return nil, fmt.Errorf("tokens of shape %v do not have %d heads of %d channels, %d apart from %d on, in pairs %v", in[0], o.Heads, h.Size, h.Step, h.First, o.Pairs)
	}
	for c, pair := range o.Pairs {
		if pair < 0 || pair >= h.Size || o.Pairs[pair] != c {
			return nil, fmt.Errorf("pairs %v", o.Pairs)
		}
	}
	for k := 1; k < 3; k++ {
		if err := wantEqual(in, k, in[0][1], h.Size); err != nil {
			return nil, err
		}
	}
	return in[0].Clone(), nil
}

// Do turns.
func (o *Rotary) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for x.
func (*Rotary) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff turns dy back.
func (o *Rotary) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	back := *o
	back.Back = !o.Back
	var c chain
	return gorgonia.Nodes{c.apply(&back, dy, in[1], in[2]), nil, nil}, c.err
}

func (o *Rotary) eval(in []array, out array) {
	copy(out.data, in[0].data)
	tokens, channels := out.shape[1], out.shape[2]
	for token := range out.shape[0] * tokens {
		angles := token % tokens * o.At.Size
		cos, sin := in[1].data[angles:], in[2].data[angles:]
		for h := range o.Heads {
			at := token*channels + o.At.First + h*o.At.Step
			x, y := in[0].data[at:], out.data[at:]
			for c, pair := range o.Pairs {
				s := sin[c]
				if o.Back {
					s = sin[pair]
				}
				y[c] = float64(x[c]*cos[c]) + float64(x[pair]*s)
			}
		}
	}
}
