package plan

import (
	"slices"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*pick]{channels: anywhere, choice: choice{moves: true}, emit: (*emitter).pick})
}

// pick is the planner's own operator for values put together out of channels of others: slices and concatenations that are no
// views, permutations of channels, and their gradients.
type pick struct {
	name     string
	channels []kernel.Channel
}

func (p *pick) title() string { return p.name }

// maxPicked bounds the operands of a step, its result left out.
const maxPicked = maxOperands - 1

// pickChannels turns what only moves channels into picks, picks of picks into one, and drops what nothing reads any more.
func (g *graph) pickChannels() {
	makers, before := g.makers(), g.users()
	for _, i := range g.instrs {
		if p, from := picked(i, makers); p != nil {
			g.replace(i, p, from)
		}
	}
	for _, i := range g.instrs {
		g.joinGradients(i, makers)
		if p, ok := i.op.(*pick); ok {
			compose(i, p, makers)
		}
	}
	g.dropUnread(before, func(i *instr) bool { return i.choice.moves })
}

// dropUnread removes those instructions that only move elements, as moves tells, and lost their last reader since before.
func (g *graph) dropUnread(before map[*value][]*instr, moves func(*instr) bool) {
	users, dead := g.users(), map[*instr]bool{}
	for _, i := range slices.Backward(g.instrs) {
		if !moves(i) || len(before[i.out]) == 0 || len(users[i.out]) > 0 || isRootOfViews(g, i.out) {
			continue
		}
		dead[i] = true
		for _, v := range i.in {
			at := slices.Index(users[v], i)
			users[v] = slices.Delete(users[v], at, at+1)
		}
	}
	g.remove(dead)
}

// picked reads an instruction as a pick; nil where it is none.
func picked(i *instr, makers map[*value]*instr) (p *pick, from []*value) {
	o, ok := i.op.(op.Op)
	if i.choice.picks == nil || !ok || !onImages(i.out) || i.out.shape.Dims() < 2 {
		return nil, nil
	}
	p = &pick{name: o.Name(), channels: make([]kernel.Channel, channels(i.out.shape))}
	from = i.choice.picks(i, p, makers)
	for _, v := range from {
		if !onImages(v) || v.form != i.out.form || v.Channel != i.out.Channel {
			return nil, nil
		}
	}
	if len(from) == 0 {
		return nil, nil
	}
	return p, slices.Clone(from)
}

func pickConcat(i *instr, p *pick, _ map[*value]*instr) []*value {
	if !i.alongChannels(i.op.(*op.Concat).Axis) || len(i.in) > maxPicked {
		return nil
	}
	k := 0
	for source, v := range i.in {
		for c := range channels(v.shape) {
			p.channels[k] = kernel.Channel{Source: source, Index: c}
			k++
		}
	}
	return i.in
}

func pickSlice(i *instr, p *pick, _ map[*value]*instr) []*value {
	start, ok := i.sliced(i.op.(*op.Slice))
	if !ok {
		return nil
	}
	for c := range p.channels {
		p.channels[c].Index = start + c
	}
	return i.in
}

func pickSliceGrad(i *instr, p *pick, _ map[*value]*instr) []*value {
	start, ok := i.sliced(&i.op.(*op.SliceGrad).Slice)
	if !ok || !p.scatter(func(c int) int { return start + c }, channels(i.in[0].shape)) {
		return nil
	}
	return i.in
}

func pickGather(i *instr, p *pick, _ map[*value]*instr) []*value {
	o := i.op.(*op.Gather)
	if !i.alongChannels(o.Axis) || len(o.IndexShape) != 1 {
		return nil
	}
	for c, index := range o.Indices {
		p.channels[c].Index = wrapped(index, channels(i.in[0].shape))
	}
	return i.in
}

func pickGatherGrad(i *instr, p *pick, _ map[*value]*instr) []*value {
	o := i.op.(*op.GatherGrad)
	to := func(c int) int { return wrapped(o.Indices[c], len(p.channels)) }
	if !i.alongChannels(o.Axis) || len(o.IndexShape) != 1 || !p.scatter(to, channels(i.in[0].shape)) {
		return nil
	}
	return i.in
}

func pickShuffle(i *instr, p *pick, makers map[*value]*instr) []*value {
	x, groups := shuffled(i, makers)
	if x == nil {
		return nil
	}
	p.name = "ChannelShuffle"
	for c := range p.channels {
		p.channels[c].Index = c%groups*(len(p.channels)/groups) + c/groups
	}
	return []*value{x}
}

// alongChannels tells whether an axis is that of the channels of the result.
func (i *instr) alongChannels(axis int) bool { return i.out.axis(axis) == i.out.Channel }

// sliced is the first channel of a slice of neighbouring channels.
func (i *instr) sliced(o *op.Slice) (start int, ok bool) {
	if len(o.Axes) != 1 || !i.alongChannels(o.Axes[0]) || len(o.Steps) > 0 && o.Steps[0] != 1 || o.Starts[0] < 0 {
		return 0, false
	}
	return o.Starts[0], true
}

// scatter lets channel c of the source become channel to(c), all others zero; false where two become the same.
func (p *pick) scatter(to func(c int) int, count int) bool {
	for c := range p.channels {
		p.channels[c].Source = -1
	}
	for c := range count {
		if p.channels[to(c)].Source == 0 {
			return false
		}
		p.channels[to(c)] = kernel.Channel{Index: c}
	}
	return true
}

// shuffled recognises the channel shuffle (Zhang et al., ShuffleNet, 2018) that ends in a Reshape: (N, C, H, W) as (N, groups,
// C/groups, H, W), both exchanged, and (N, C, H, W) again.
func shuffled(i *instr, makers map[*value]*instr) (x *value, groups int) {
	turn := makers[i.in[0]]
	if turn == nil {
		return nil, 0
	}
	if t, ok := turn.op.(*op.Transpose); !ok || !slices.Equal(t.Perm, []int{0, 2, 1, 3, 4}) {
		return nil, 0
	}
	part := makers[turn.in[0]]
	if part == nil {
		return nil, 0
	}
	if _, ok := part.op.(*op.Reshape); !ok {
		return nil, 0
	}
	x, s := part.in[0], part.out.Shape
	if x.Channel != 1 || !x.Shape.Eq(i.out.Shape) || x.shape.Dims() != 4 || s[0] != x.shape[0] || s[1]*s[2] != x.shape[1] || s[3] != x.shape[2] || s[4] != x.shape[3] {
		return nil, 0
	}
	return x, s[1]
}

// compose lets a pick read what the picks that made its operands were made of.
func compose(i *instr, p *pick, makers map[*value]*instr) {
	var in []*value
	source := func(v *value) int {
		at := slices.Index(in, v)
		if at < 0 {
			at = len(in)
			in = append(in, v)
		}
		return at
	}
	composed := make([]kernel.Channel, len(p.channels))
	for c, from := range p.channels {
		if composed[c] = from; from.Source < 0 {
			continue
		}
		v := i.in[from.Source]
		if m := makers[v]; m != nil {
			if inner, ok := m.op.(*pick); ok && v.root == nil {
				from = inner.channels[from.Index]
				if from.Source >= 0 {
					v = m.in[from.Source]
				}
			}
		}
		if composed[c] = from; from.Source >= 0 {
			composed[c].Source = source(v)
		}
	}
	if len(in) > 0 && len(in) <= maxPicked {
		p.channels, i.in = composed, in
	}
}

// joinGradients makes the sum of two picks whose channels do not meet one pick: the gradient of a value that was cut in parts.
func (g *graph) joinGradients(i *instr, makers map[*value]*instr) {
	if _, ok := i.op.(*op.Add); !ok || !sameBlocked(i) || i.clamp != 0 {
		return
	}
	a, b := makers[i.in[0]], makers[i.in[1]]
	if a == nil || b == nil {
		return
	}
	left, ok := a.op.(*pick)
	right, also := b.op.(*pick)
	if !ok || !also || len(a.in)+len(b.in) > maxPicked {
		return
	}
	sum := &pick{name: left.name, channels: slices.Clone(left.channels)}
	for c, from := range right.channels {
		switch {
		case from.Source < 0:
		case sum.channels[c].Source >= 0:
			return
		default:
			sum.channels[c] = kernel.Channel{Source: len(a.in) + from.Source, Index: from.Index}
		}
	}
	g.replace(i, sum, slices.Concat(a.in, b.in))
}

func (e *emitter) pick(i *instr, p *pick) error {
	var sources []kernel.Layout
	var operands []any
	for _, v := range i.in {
		sources, operands = append(sources, v.images()), append(operands, v)
	}
	prim, err := kernel.NewPick(e.g.opt.ISA, sources, p.channels, i.out.images())
	return e.primitive(i, prim, err, 0, append(operands, i.out)...)
}
