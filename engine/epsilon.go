package engine

import (
	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// WithEpsilon changes the constant that BatchNorm and LayerNorm add to the variance, where of knows another one for the name of the
// parameter that scales the result.
func (n *Network) WithEpsilon(of func(scale string) (epsilon float32, ok bool)) (*Network, error) {
	return n.Rewrite(nil, func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		operands := op.Inputs(old)
		if len(operands) < 2 || n.ParamOf(operands[1]) == nil {
			return nil, nil
		}
		epsilon, ok := of(n.ParamOf(operands[1]).Name)
		if !ok {
			return nil, nil
		}
		switch o := old.Op().(type) {
		case *op.BatchNorm:
			norm := *o
			norm.Epsilon = epsilon
			return b.Apply(n.Label(old), &norm, in...)
		case *op.LayerNorm:
			norm := *o
			norm.Epsilon = epsilon
			return b.Apply(n.Label(old), &norm, in...)
		}
		return nil, nil
	})
}
