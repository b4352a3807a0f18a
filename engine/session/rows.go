package session

import (
	"slices"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// inRows gives outputs of other shapes than (N, C, H, W) and (N, C) one row for every image: tokens (N, T, C) become (N, T*C).
func inRows(net *engine.Network) (*engine.Network, error) {
	flat := func(x *gorgonia.Node) bool {
		shape := x.Shape()
		return (len(shape) == 2 || len(shape) == 4) && shape[0] == net.Batch()
	}
	if !slices.ContainsFunc(net.Outputs, func(o engine.Output) bool { return !flat(o.Node) }) {
		return net, nil
	}
	return net.Extend(net.Outputs, func(b *engine.Builder, i int, x *gorgonia.Node) (*gorgonia.Node, error) {
		if flat(x) {
			return x, nil
		}
		return b.Apply(net.Outputs[i].Name+"/rows", &op.Reshape{Shape: []int{net.Batch(), -1}}, x)
	})
}
