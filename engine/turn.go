package engine

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// Rotary positions (Su et al., 2021): queries and keys of attention whose channels are turned in pairs by angles of their tokens' positions,
// however that is spelled: what is between a layer's tokens and the heads is read as linear.

// turn is heads of tokens that are turned before attention reads them.
type turn struct {
	source   *gorgonia.Node
	op       *op.Rotary
	cos, sin []float32 // (T, size)
}

// turned reads queries or keys as heads of tokens that are turned; token is the axis of the tokens, 2 or 3. nil where they are none.
func (j *joiner) turned(node *gorgonia.Node, token int) *turn {
	if j.few == nil && !j.forFewImages() {
		return nil
	}
	theirs := j.theirs[node]
	if theirs == nil { // a parameter
		return nil
	}
	f, from := linearOf(j.few, theirs)
	source := j.ours[from]
	if f == nil || source == nil || !j.computed[source] {
		return nil
	}
	images, ok := j.few.Batch(), false
	if f.shape, ok = ofHeads(f.shape, images); !ok || !f.imagesAreAlike(images, from.Shape()) {
		return nil
	}
	if token == 3 {
		f = f.turnedOver()
	}
	o, cos, sin := f.turn(from.Shape())
	if o == nil {
		return nil
	}
	return &turn{source, o, cos, sin}
}

// forFewImages makes the network for two images, which show whether one depends on the other, or takes it as it is for one, and knows its
// nodes by those of the joiner's and the other way round; false where these are others.
func (j *joiner) forFewImages() bool {
	few, err := j.net.WithBatch(min(2, j.net.Batch()))
	if err != nil {
		return false
	}
	theirs, ours := few.Nodes(), j.net.Nodes()
	if len(theirs) != len(ours) {
		return false
	}
	j.few, j.theirs, j.ours = few, map[*gorgonia.Node]*gorgonia.Node{}, map[*gorgonia.Node]*gorgonia.Node{}
	for k, node := range theirs {
		j.theirs[ours[k]], j.ours[node] = node, ours[k]
	}
	return true
}

// imagesAreAlike tells whether the elements of every image come from that image as those of the first do.
func (f *linearForm) imagesAreAlike(images int, source tensor.Shape) bool {
	size, apart := len(f.index[0])/images, source.TotalSize()/images
	for k := range 2 {
		for n, coef := range f.coef[k] {
			first, further := n%size, float64(n/size*apart)
			if coef != f.coef[k][first] || coef != 0 && f.index[k][n] != f.index[k][first]+further {
				return false
			}
		}
	}
	return true
}

// turnedOver exchanges the last two axes.
func (f *linearForm) turnedOver() *linearForm {
	s := f.shape
	out := newLinearForm(tensor.Shape{s[0], s[1], s[3], s[2]})
	for n := range f.index[0] {
		to := n/(s[2]*s[3])*(s[2]*s[3]) + n%s[3]*s[2] + n/s[3]%s[2]
		for k := range 2 {
			out.index[k][to], out.coef[k][to] = f.index[k][n], f.coef[k][n]
		}
	}
	return out
}

func (t *turn) from() *gorgonia.Node { return t.source }

func (t *turn) tokens() tensor.Shape { return t.source.Shape() }

func (t *turn) heads() op.HeadChannels { return t.op.At }

// apply turns x, which takes the place of the source; name is what its tables are called.
func (t *turn) apply(b *Builder, name string, x *gorgonia.Node, _ map[*gorgonia.Node]*gorgonia.Node) (*gorgonia.Node, error) {
	in := []*gorgonia.Node{x}
	for k, values := range [][]float32{t.cos, t.sin} {
		table, err := b.Param(&Param{
			Name: fmt.Sprint(name, " ", []string{"cosines", "sines"}[k]), Shape: tensor.Shape{len(values) / t.op.At.Size, t.op.At.Size}, Value: values, Constant: true,
		})
		if err != nil {
			return nil, err
		}
		in = append(in, table)
	}
	return b.Apply(name, t.op, in...)
}

// overlaps tells whether heads of one operand have channels in common.
func (a *attention) overlaps() bool {
	type channel struct{ operand, index int }
	seen := map[channel]bool{}
	for _, h := range []op.HeadChannels{a.op.Q, a.op.K, a.op.V} {
		for k := range a.op.Heads * h.Size {
			c := channel{h.Operand, h.First + k/h.Size*h.Step + k%h.Size}
			if seen[c] {
				return true
			}
			seen[c] = true
		}
	}
	return false
}

// turn reads the form as heads (N, heads, T, size) of tokens (N, T, C) whose channels are turned in pairs; cos and sin are (T, size).
func (f *linearForm) turn(tokens tensor.Shape) (o *op.Rotary, cos, sin []float32) {
	if len(tokens) != 3 || f.shape[2] != tokens[1] {
		return nil, nil, nil
	}
	heads, count, size, channels := f.shape[1], f.shape[2], f.shape[3], tokens[2]
	first := make([]int, heads) // the first channel of every head
	for h := range first {
		first[h] = channels
	}
	f.each(channels, func(h, t, c, token, channel int, _ float64) { first[h] = min(first[h], channel) })
	o = &op.Rotary{Heads: heads, At: op.HeadChannels{First: first[0], Step: size, Size: size}, Pairs: make([]int, size)}
	if heads > 1 {
		o.At.Step = first[1] - first[0]
	}
	for c := range o.Pairs {
		o.Pairs[c] = c
	}
	cos, sin = make([]float32, heads*count*size), make([]float32, heads*count*size)
	ok := true
	f.each(channels, func(h, t, c, token, channel int, coef float64) {
		own := channel - o.At.First - h*o.At.Step
		table := sin
		switch {
		case token != t || own < 0 || own >= size || own != c && o.Pairs[c] != c && o.Pairs[c] != own:
			ok = false
			return
		case own == c:
			table = cos
		default:
			o.Pairs[c] = own
		}
		table[(h*count+t)*size+c] = float32(coef)
	})
	for _, table := range []*[]float32{&cos, &sin} { // one for all heads
		for other := range slices.Chunk(*table, count*size) {
			ok = ok && slices.Equal(other, (*table)[:count*size])
		}
		*table = (*table)[:count*size]
	}
	for c, pair := range o.Pairs {
		if o.Pairs[pair] == pair { // which is never turned itself
			o.Pairs[pair] = c
		}
	}
	table := tensor.Shape{count, size}
	if _, err := op.Infer(o, tokens, table, table); err != nil || !ok { // pairs that are none, or heads in another order
		return nil, nil, nil
	}
	return o, cos, sin
}

// each visits the terms of the first image's heads: head, token and channel of the form, token and channel of the source.
func (f *linearForm) each(channels int, visit func(h, t, c, token, channel int, coef float64)) {
	heads, count, size := f.shape[1], f.shape[2], f.shape[3]
	for n := range heads * count * size {
		for k := range 2 {
			if at := int(f.index[k][n]) - 1; at >= 0 && f.coef[k][n] != 0 {
				visit(n/(count*size), n/size%count, n%size, at/channels, at%channels, f.coef[k][n])
			}
		}
	}
}
