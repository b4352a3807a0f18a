package engine

import (
	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// PoolAfterConv moves every average pool of stride 1 behind the 1x1 convolution without bias that
// is its only reader, where that leaves fewer channels to pool. Both are linear and a pool treats
// all channels alike, so they commute, whatever the pool does at the borders; the result differs in
// its last bits only.
func (n *Network) PoolAfterConv() (*Network, error) {
	readers := map[*gorgonia.Node][]*gorgonia.Node{}
	for _, node := range n.Nodes() {
		for _, in := range op.Inputs(node) {
			readers[in] = append(readers[in], node)
		}
	}
	swaps := func(conv *gorgonia.Node) (*op.AveragePool, bool) {
		c, ok := conv.Op().(*op.Conv)
		if in := op.Inputs(conv); !ok || len(in) != 2 || !c.Pointwise(in[1].Shape()) { // with nothing but weights
			return nil, false
		}
		pooled := op.Inputs(conv)[0]
		pool, ok := pooled.Op().(*op.AveragePool)
		return pool, ok && pool.Strides == [2]int{1, 1} && len(readers[pooled]) == 1 &&
			conv.Shape()[1] < pooled.Shape()[1] && conv.Shape()[2] == op.Inputs(pooled)[0].Shape()[2]
	}
	before := map[*gorgonia.Node]*gorgonia.Node{} // a pool in the new graph to its operand
	return n.Rewrite(nil, func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		if _, ok := old.Op().(*op.AveragePool); ok {
			node, err := b.Apply(n.Label(old), old.Op().(op.Op), in...)
			before[node] = in[0]
			return node, err
		}
		pool, ok := swaps(old)
		if !ok {
			return nil, nil
		}
		conv, err := b.Apply(n.Label(old), old.Op().(op.Op), before[in[0]], in[1])
		if err != nil {
			return nil, err
		}
		return b.Apply(n.Label(op.Inputs(old)[0])+" behind "+n.Label(old), pool, conv)
	})
}
