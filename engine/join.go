package engine

import (
	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// Join makes one operator of each of those that exporters spell out with several and that have steps of their own: attention, its
// continuous position biases and the factors of global response normalisation.
func (n *Network) Join() (*Network, error) {
	for _, join := range []func(*Network) (*Network, error){(*Network).joinResponseNorms, (*Network).joinPositionBiases, (*Network).JoinAttention} {
		var err error
		if n, err = join(n); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// trackingRewriter is a Rewriter that is also told what every node that was read so far has become.
type trackingRewriter func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes, moved map[*gorgonia.Node]*gorgonia.Node) (*gorgonia.Node, error)

func tracking(rewrite trackingRewriter) Rewriter {
	moved := map[*gorgonia.Node]*gorgonia.Node{}
	return func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		for k, x := range op.Inputs(old) {
			moved[x] = in[k]
		}
		return rewrite(b, old, in, moved)
	}
}

// replaced rewrites n, without what nothing reads any more then.
func (n *Network) replaced(rewrite trackingRewriter) (*Network, error) {
	joined, err := n.Rewrite(nil, tracking(rewrite))
	if err != nil {
		return nil, err
	}
	return joined.Rewrite(nil, nil)
}

// chained applies operators until one fails.
type chained struct {
	b   *Builder
	err error
}

func (c *chained) apply(label string, o op.Op, in ...*gorgonia.Node) *gorgonia.Node {
	if c.err != nil {
		return nil
	}
	var n *gorgonia.Node
	n, c.err = c.b.Apply(label, o, in...)
	return n
}
