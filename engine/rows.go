package engine

import (
	"slices"

	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// InRows is the network with one row for every image in each output: what is neither (N, C, H, W) nor (N, C), as tokens (N, T, C), is
// given as (N, T*C).
func (n *Network) InRows() (*Network, error) {
	inRows := func(x *gorgonia.Node) bool {
		shape := x.Shape()
		return (len(shape) == 2 || len(shape) == 4) && shape[0] == n.Batch()
	}
	if !slices.ContainsFunc(n.Outputs, func(o Output) bool { return !inRows(o.Node) }) {
		return n, nil
	}
	return n.Extend(n.Outputs, func(b *Builder, i int, x *gorgonia.Node) (*gorgonia.Node, error) {
		if inRows(x) {
			return x, nil
		}
		return b.Apply(n.Outputs[i].Name+"/rows", &op.Reshape{Shape: []int{n.Batch(), -1}}, x)
	})
}
