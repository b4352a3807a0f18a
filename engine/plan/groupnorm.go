package plan

import (
	"fmt"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.GroupNorm]{choose: chooseGroupNorm, emit: (*emitter).groupNorm})
	register(row[*op.GroupNormReduce]{emit: (*emitter).groupNormReduce})
	register(row[*op.GroupNormGradX]{choice: choice{overwrites: []int{2}}, emit: (*emitter).groupNormGradX})
	register(row[*op.Row]{emit: (*emitter).row})
}

// groupable tells whether a GroupNorm of x has a fast form.
func groupable(x *value, vectors ...*value) bool {
	return onImages(x) && known(vectors)
}

func keyOf(x *value, o *op.GroupNorm) groupKey { return groupKey{x, o.GroupsOf(x.shape[1]), o.Epsilon} }

func chooseGroupNorm(_ *graph, i *instr, _ *op.GroupNorm) choice {
	made := choice{overwrites: []int{0}}
	if groupable(i.in[0], i.in[1:]...) {
		made.clamps = kernel.ReLU
	}
	return made
}

func (e *emitter) groupNorm(i *instr, o *op.GroupNorm) error {
	x := i.in[0]
	if !groupable(x, i.in[1:]...) {
		return e.interpret(i, o)
	}
	sums, err := kernel.NewBatchStats(e.g.opt.ISA, x.images())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	slots := e.temporary(i.node+" slots", sums.Slots(x.shape[0]))
	e.step(&instr{node: i.node, op: planned("GroupStats"), in: i.in[:1], out: i.out}, sums, 0, []*value{slots}, x, slots)
	finish, err := kernel.NewGroupNormFinish(x.images(), o.GroupsOf(x.shape[1]), float64(o.Epsilon))
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	stats := e.temporary(i.node+" statistics", kernel.GroupStatsLen(x.shape[0], x.shape[1]))
	e.step(&instr{node: i.node, op: planned("GroupStatsFinish"), in: i.in[:1], out: i.out}, finish, 0, []*value{stats},
		slots, e.vector(i.in[1]), e.vector(i.in[2]), stats)
	e.groups[keyOf(x, o)] = &groupPasses{stats, map[*value]*value{}}
	prim, err := kernel.NewGroupNormApply(e.g.opt.ISA, x.images(), i.out.images(), i.flags())
	return e.primitive(i, prim, err, 0, x, stats, i.out)
}

// groupSums gives the sums over pixels that the gradients share.
func (e *emitter) groupSums(i *instr, p *groupPasses, dy *value) (*value, error) {
	x := i.in[0]
	if p.sums[dy] != nil {
		return p.sums[dy], nil
	}
	prim, err := kernel.NewBatchNormGradSums(e.g.opt.ISA, x.images(), dy.images(), 0)
	if err != nil {
		return nil, fmt.Errorf("node %q: %w", i.node, err)
	}
	slots := e.temporary(i.node+" slots", prim.Slots(x.shape[0]))
	e.step(&instr{node: i.node, op: planned("GroupNormGradSums"), in: []*value{x, dy}, out: i.out}, prim, 0, []*value{slots},
		x, p.stats, dy, slots)
	p.sums[dy] = slots
	return slots, nil
}

func (e *emitter) groupNormReduce(i *instr, o *op.GroupNormReduce) error {
	x, dy := i.in[0], i.in[1]
	p := e.groups[keyOf(x, &o.GroupNorm)]
	if p == nil || !onImages(dy) {
		return e.interpret(i, o)
	}
	sums, err := e.groupSums(i, p, dy)
	if err != nil {
		return err
	}
	prim, err := kernel.NewGroupNormReduce(x.images(), i.out.matrix())
	return e.primitive(i, prim, err, 0, sums, p.stats, i.out)
}

func (e *emitter) groupNormGradX(i *instr, o *op.GroupNormGradX) error {
	x, gamma, dy := i.in[0], i.in[1], i.in[2]
	p := e.groups[keyOf(x, &o.GroupNorm)]
	if p == nil || !groupable(dy, gamma) {
		return e.interpret(i, o)
	}
	sums, err := e.groupSums(i, p, dy)
	if err != nil {
		return err
	}
	finish, err := kernel.NewGroupNormGradFinish(x.images(), o.GroupsOf(x.shape[1]))
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	k := e.temporary(i.node+" coefficients", kernel.GroupCoefficientsLen(x.shape[0], x.shape[1]))
	e.step(&instr{node: i.node, op: planned("GroupNormGradFinish"), in: i.in[:1], out: i.out}, finish, 0, []*value{k},
		sums, p.stats, e.vector(gamma), k)
	prim, err := kernel.NewGroupNormGradX(e.g.opt.ISA, x.images(), dy.images(), i.out.images())
	return e.primitive(i, prim, err, 0, x, p.stats, dy, k, i.out)
}

// row emits a row of a matrix as a vector.
func (e *emitter) row(i *instr, o *op.Row) error {
	x, c := i.in[0], i.out.shape[0]
	if !onImages(x) || x.shape.Dims() != 2 {
		return e.interpret(i, o)
	}
	from := x.matrix()
	from.Base += o.Index * from.Pixel
	from.W = 1
	to := kernel.Layout{C: c, H: 1, W: 1, Pixel: kernel.Lanes, Row: kernel.Lanes, Plane: kernel.Lanes, Image: padded(c)}
	prim, err := kernel.NewCopy(e.g.opt.ISA, from, to)
	return e.primitive(i, prim, err, 1, x, i.out)
}
