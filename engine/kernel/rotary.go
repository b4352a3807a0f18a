package kernel

import (
	"fmt"

	"regraft/engine/kernel/asm"
)

// rotary turns pairs of channels of heads.
type rotary struct {
	x, y  tensor
	heads int
	at    Heads
	pairs []int
	back  bool
}

// NewRotary turns pairs of channels of heads by angles (Su et al., 2021): channel c of a head becomes x[c] cos[c] + x[pairs[c]] sin[c], or
// sin[pairs[c]] where it turns back. Other channels are copied. Operands: 0 X as at says, 1 cosines and 2 sines (tokens, size), row-major, 3 Y,
// which may be the memory of X. Item: a token of an image.
func NewRotary(at Heads, heads int, pairs []int, back bool, out Layout) (Primitive, error) {
	for _, h := range []Heads{at, {out, at.First, at.Step, at.Size}} {
		if err := h.check(heads); err != nil {
			return nil, fmt.Errorf("rotary embedding: %w", err)
		}
	}
	if err := checkLayout("rotary embedding", out, at.Layout.C, 1, at.tokens()); err != nil {
		return nil, err
	}
	if len(pairs) != at.Size {
		return nil, fmt.Errorf("rotary embedding: %d pairs of %d channels", len(pairs), at.Size)
	}
	for c, pair := range pairs {
		if pair < 0 || pair >= at.Size || pairs[pair] != c {
			return nil, fmt.Errorf("rotary embedding: pairs %v", pairs)
		}
	}
	return &rotary{tensor{0, at.Layout}, tensor{3, out}, heads, at, pairs, back}, nil
}

func (*rotary) Name() string           { return "rotary" }
func (r *rotary) Items(images int) int { return images * r.at.tokens() }
func (r *rotary) Scratch() int         { return roundUp(r.at.Size, Lanes) }

func (r *rotary) Item(w *Worker, i int, a *Args) {
	image, token := i/r.at.tokens(), i%r.at.tokens()
	block := func(t tensor, channel int) *[Lanes]float32 {
		return asm.LanesAt(t.plane(a, image, channel/Lanes) + uintptr(4*token*Lanes))
	}
	for b := range r.x.layout.Blocks() {
		*block(r.y, b*Lanes) = *block(r.x, b*Lanes)
	}
	size := r.at.Size
	cos, sin := Floats(a.Operand[1]+uintptr(4*token*size), size), Floats(a.Operand[2]+uintptr(4*token*size), size)
	x := w.Scratch[:size]
	for h := range r.heads {
		first := r.at.First + h*r.at.Step
		for c := range x {
			x[c] = block(r.y, first+c)[(first+c)%Lanes]
		}
		for c, pair := range r.pairs {
			s := sin[c]
			if r.back {
				s = sin[pair]
			}
			block(r.y, first+c)[(first+c)%Lanes] = float32(x[c]*cos[c]) + float32(x[pair]*s)
		}
	}
}
