package plan

import "regraft/engine/op"

// fuse does away with instructions whose work the one that makes their operand can do, where nothing else reads that: merge
// tells whether it can, and makes it so.
func (g *graph) fuse(merge func(i, into *instr) bool) {
	users, makers := g.users(), g.makers()
	dead := map[*instr]bool{}
	for _, i := range g.instrs {
		if len(i.in) == 0 {
			continue
		}
		into := makers[i.in[0]]
		if into == nil || len(users[into.out]) != 1 || !merge(i, into) {
			continue
		}
		into.out = i.out
		makers[i.out] = into
		dead[i] = true
		g.settle(into)
	}
	g.remove(dead)
}

// fold is i, an inference BatchNorm whose operands are parameters, as something that goes into weights.
func (i *instr) fold(bn *op.BatchNorm) *fold {
	return &fold{i.in[1], i.in[2], i.in[3], i.in[4], bn.Epsilon}
}

// foldBatchNorm merges every BatchNorm whose only input is a convolution (or an average pool
// behind one, which commutes with a scale and a shift per channel when the shift is added after
// the pool) into that convolution.
func (g *graph) foldBatchNorm() {
	users, makers := g.users(), g.makers()
	g.fuse(func(i, into *instr) bool {
		bn, ok := i.op.(*op.BatchNorm)
		if !ok || into.norm != nil || into.clamp != 0 || !known(i.in[1:]) {
			return false
		}
		if _, ok := into.op.(*op.AveragePool); ok {
			conv := makers[into.in[0]]
			if conv == nil || len(users[conv.out]) != 1 || len(conv.in) > 2 || conv.norm != nil || !isConv(conv) {
				return false
			}
			conv.norm = i.fold(bn)
			conv.norm.beta = nil // the pool adds the shift
		} else if !isConv(into) {
			return false
		}
		into.norm = i.fold(bn)
		return true
	})
}

// isConv tells whether i is a convolution with weights that are known.
func isConv(i *instr) bool {
	_, ok := i.op.(*op.Conv)
	return ok && i.choice.conv != nil
}

// fuseClamps applies Relu, and Clip from 0 to 6, in the step that makes their operand.
func (g *graph) fuseClamps() {
	g.fuse(func(i, into *instr) bool {
		clamp := i.choice.clamp
		if into.clamp != 0 || into.choice.clamps&clamp == 0 {
			return false
		}
		into.clamp = clamp
		return true
	})
}

// fuseActivations applies activations in the convolution that makes their operand.
func (g *graph) fuseActivations() {
	g.fuse(func(i, into *instr) bool {
		if i.choice.activation == nil || into.clamp != 0 || into.activation != nil || into.sumTo != nil || !into.choice.activates {
			return false
		}
		into.activation = i
		return true
	})
}
