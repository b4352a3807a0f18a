package engine

import (
	"slices"

	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// joinResponseNorms makes one operator of every quotient of the L2 norms of channels and their mean plus a number.
func (n *Network) joinResponseNorms() (*Network, error) {
	if !slices.ContainsFunc(n.Nodes(), func(node *gorgonia.Node) bool { return n.responseNorm(node) != nil }) {
		return n, nil
	}
	return n.Rewrite(nil, func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		o := n.responseNorm(old)
		if o == nil {
			return nil, nil
		}
		return b.Apply(n.Label(old), o, op.Inputs(in[0])[0])
	})
}

// responseNorm reads a node as norms / (their mean over the channels + epsilon).
func (n *Network) responseNorm(node *gorgonia.Node) *op.ResponseNorm {
	if _, ok := node.Op().(*op.Div); !ok {
		return nil
	}
	norms, sum := op.Inputs(node)[0], op.Inputs(node)[1]
	l2, ok := norms.Op().(*op.Reduce)
	if !ok || l2.Kind != op.L2Of || !l2.KeepDims || norms.Dims() != 4 || !norms.Shape().Eq(node.Shape()) {
		return nil
	}
	mean, epsilon := sum, 0.0
	if _, ok := sum.Op().(*op.Add); ok {
		for k, x := range op.Inputs(sum) {
			if v, ok := n.number(x); ok {
				mean, epsilon = op.Inputs(sum)[1-k], v
			}
		}
	}
	m, ok := mean.Op().(*op.ReduceMean)
	if !ok || !m.KeepDims || len(m.Axes) != 1 || op.Inputs(mean)[0] != norms || epsilon < 0 {
		return nil
	}
	channels := wrapped(m.Axes[0], 4)
	var pixels []int
	for _, axis := range l2.Axes {
		pixels = append(pixels, wrapped(axis, 4))
	}
	slices.Sort(pixels)
	if channels == 1 && slices.Equal(pixels, []int{2, 3}) || channels == 3 && slices.Equal(pixels, []int{1, 2}) {
		return &op.ResponseNorm{Last: channels == 3, Epsilon: float32(epsilon)}
	}
	return nil
}

// number is the value of a parameter of one element that training does not change.
func (n *Network) number(node *gorgonia.Node) (float64, bool) {
	p := n.ParamOf(node)
	if p == nil || p.Trainable() || len(p.Value) != 1 {
		return 0, false
	}
	return float64(p.Value[0]), true
}
