package plan

import (
	"fmt"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*normStats]{emit: (*emitter).normStats})
	register(row[*normApply]{choice: choice{epilogue: epilogue{clamps: kernel.ReLU}, remadeFrom: recomputeAbove + 1}, emit: (*emitter).normApply})
	register(row[*normReduce]{emit: (*emitter).normReduce})
	register(row[*normGradX]{choice: choice{overwrites: []int{3}}, emit: (*emitter).normGradX})
}

// The planner's own operators for BatchNorm with the statistics of the batch.
type (
	// normStats: z, gamma, beta, running mean, running variance -> statistics block. The running
	// statistics are updated in place.
	normStats struct {
		epsilon, momentum float32
	}
	// normApply: z, statistics -> y.
	normApply struct{}
	// normReduce: z, statistics, gamma, dy -> sums block, and beside it dgamma, dbeta. With masked,
	// dy counts only where the Relu behind the normalisation let the value through.
	normReduce struct {
		epsilon float32
		masked  bool
	}
	// normGradX: z, statistics, sums, dy -> dz.
	normGradX struct{ masked bool }
)

func (*normStats) title() string  { return "BatchStats" }
func (*normApply) title() string  { return "BatchNorm" }
func (*normReduce) title() string { return "BatchNormReduce" }
func (*normGradX) title() string  { return "BatchNormGradX" }

// masking are the backward passes, which can apply a Relu's mask to dy.
type masking interface{ mask() }

func (o *normReduce) mask() { o.masked = true }
func (o *normGradX) mask()  { o.masked = true }

// normGroup gathers the operators of one BatchNorm in training form.
type normGroup struct {
	stats, apply   *instr
	mean, variance *instr // running statistics
	reduce, gradX  *instr
	rows           []*instr
	statistics     *value
}

// groupBatchNorm replaces the operators of every BatchNorm in training form by the planner's own.
func (g *graph) groupBatchNorm() error {
	groups := map[*value]*normGroup{} // by statistics, then by sums
	var order []*normGroup
	group := func(stats *value) *normGroup {
		if groups[stats] == nil {
			groups[stats] = &normGroup{statistics: stats}
			order = append(order, groups[stats])
		}
		return groups[stats]
	}
	for _, i := range g.instrs {
		switch i.op.(type) {
		case *op.BatchStats:
			group(i.out).stats = i
		case *op.BatchNormTrain:
			group(i.in[3]).apply = i
		case *op.RunningMean:
			group(i.in[1]).mean = i
		case *op.RunningVar:
			group(i.in[1]).variance = i
		case *op.BatchNormReduce:
			r := group(i.in[1])
			r.reduce, groups[i.out] = i, r
		case *op.BatchNormGradX:
			group(i.in[1]).gradX = i
		case *op.Row:
			if r := groups[i.in[0]]; r != nil {
				r.rows = append(r.rows, i)
			}
		}
	}
	dead := map[*instr]bool{}
	for _, n := range order {
		if n.stats == nil || n.apply == nil || n.mean == nil || n.variance == nil {
			return fmt.Errorf("node %q: BatchNorm in training form is incomplete", n.statistics.label)
		}
		if !known(n.apply.in[1:3]) {
			return fmt.Errorf("node %q: BatchNorm whose scale or shift is computed cannot be trained with the statistics of the batch", n.apply.node)
		}
		n.rewrite(dead)
	}
	g.remove(dead)
	return nil
}

// rewrite turns the group's instructions into the planner's own.
func (n *normGroup) rewrite(dead map[*instr]bool) {
	train := n.apply.op.(*op.BatchNormTrain)
	momentum := n.mean.op.(*op.RunningMean).Momentum
	z, gamma, beta := n.apply.in[0], n.apply.in[1], n.apply.in[2]
	statistics := n.statistics
	statistics.form = plain
	n.stats.op = &normStats{train.Epsilon, momentum}
	n.stats.in = []*value{z, gamma, beta, n.mean.in[0], n.variance.in[0]}
	n.apply.op, n.apply.in = &normApply{}, []*value{z, statistics}
	dead[n.mean], dead[n.variance] = true, true
	if n.reduce == nil {
		return
	}
	dy, sums := n.reduce.in[2], n.reduce.out
	sums.form = plain
	n.reduce.op, n.reduce.in = &normReduce{epsilon: train.Epsilon}, []*value{z, statistics, gamma, dy}
	n.reduce.also = make([]*value, 2)
	for _, row := range n.rows {
		// row 0 holds the sum of dy, which is dbeta; row 1 that of dy*xhat, dgamma
		n.reduce.also[1-row.op.(*op.Row).Index] = row.out
		dead[row] = true
	}
	if n.gradX != nil {
		n.gradX.op, n.gradX.in = &normGradX{}, []*value{z, statistics, sums, dy}
	}
}

// maskNormGrads lets the backward passes of a BatchNorm with a Relu fused behind it apply the
// Relu's mask themselves, where nothing else needs the masked gradient.
func (g *graph) maskNormGrads() {
	users, makers := g.users(), g.makers()
	dead := map[*instr]bool{}
	for _, i := range g.instrs {
		if _, ok := i.op.(*op.ReluGrad); !ok {
			continue
		}
		apply := makers[i.in[0]]
		if apply == nil || apply.clamp != kernel.ReLU {
			continue
		}
		if _, ok := apply.op.(*normApply); !ok || !onlyNormGrads(users[i.out], apply.in[1]) {
			continue
		}
		for _, u := range users[i.out] {
			u.op.(masking).mask()
			u.in[3] = i.in[1]
		}
		dead[i] = true
	}
	g.remove(dead)
}

// onlyNormGrads tells whether all users are the backward passes of the BatchNorm with these statistics.
func onlyNormGrads(users []*instr, statistics *value) bool {
	for _, u := range users {
		if _, ok := u.op.(masking); !ok || u.in[1] != statistics {
			return false
		}
	}
	return true
}

func (e *emitter) normStats(i *instr, o *normStats) error {
	z, statistics := i.in[0], i.out
	statistics.length = kernel.StatsLen(z.shape[1])
	sums, err := kernel.NewBatchStats(e.g.opt.ISA, z.images())
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	slots := e.temporary(i.node+" slots", sums.Slots(z.shape[0]))
	e.step(&instr{node: i.node, op: planned("BatchStats"), in: i.in[:1], out: i.out}, sums, 0, []*value{slots}, z, slots)
	finish, err := kernel.NewBatchStatsFinish(z.images(), float64(o.epsilon), float64(o.momentum))
	return e.primitive(&instr{node: i.node, op: planned("BatchStatsFinish"), in: i.in[:1], out: i.out}, finish, err, 0,
		slots, e.vector(i.in[1]), e.vector(i.in[2]), e.vector(i.in[3]), e.vector(i.in[4]), statistics)
}

func (e *emitter) normApply(i *instr, _ *normApply) error {
	z, statistics, y := i.in[0], i.in[1], i.out
	scale, shift := kernel.StatsPart(z.shape[1])
	prim, err := kernel.NewAffine(e.g.opt.ISA, z.images(), y.images(), i.flags())
	return e.primitive(i, prim, err, 0, z, operand{v: statistics, off: scale}, operand{v: statistics, off: shift}, y)
}

func maskFlag(masked bool) int {
	if masked {
		return kernel.ReLU
	}
	return 0
}

func (e *emitter) normReduce(i *instr, o *normReduce) error {
	z, statistics, gamma, dy, sums := i.in[0], i.in[1], i.in[2], i.in[3], i.out
	sums.length = kernel.CoefficientsLen(z.shape[1])
	prim, err := kernel.NewBatchNormGradSums(e.g.opt.ISA, z.images(), dy.images(), maskFlag(o.masked))
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	slots := e.temporary(i.node+" slots", prim.Slots(z.shape[0]))
	e.step(i, prim, 0, []*value{slots}, z, statistics, dy, slots)
	for k, v := range i.also {
		if v == nil { // the parameter is frozen
			i.also[k] = e.temporary(i.node+" unused gradient", padded(z.shape[1]))
		}
	}
	finish, err := kernel.NewBatchNormGradFinish(z.images(), float64(o.epsilon), false)
	return e.primitive(&instr{node: i.node, op: planned("BatchNormReduceFinish"), in: i.in[:1], out: sums, also: i.also}, finish, err, 0,
		slots, statistics, e.vector(gamma), i.also[0], i.also[1], sums)
}

func (e *emitter) normGradX(i *instr, o *normGradX) error {
	z, statistics, sums, dy, dz := i.in[0], i.in[1], i.in[2], i.in[3], i.out
	prim, err := kernel.NewBatchNormGradX(e.g.opt.ISA, z.images(), dy.images(), dz.images(), maskFlag(o.masked))
	return e.primitive(i, prim, err, 0, z, statistics, dy, sums, dz)
}
