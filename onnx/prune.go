package onnx

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"
)

// prune drops inputs that no output depends on, with the nodes that read them, and makes switches constant: an input of one bool
// tells whether the network is being trained (keras_learning_phase), and here it is not.
func (g *graph) prune(info *Info) {
	if len(g.inputs) < 2 {
		return
	}
	needed := g.needed()
	dead := map[*value]bool{}
	g.inputs = slices.DeleteFunc(g.inputs, func(v *value) bool {
		switch {
		case !needed[v]:
			dead[v] = true
			info.Warnings = append(info.Warnings, fmt.Sprintf("input %s is left out: no output depends on it", quoted(v.name)))
		case info.input(v.name).isSwitch():
			info.Warnings = append(info.Warnings, fmt.Sprintf("input %s, a single bool, is taken as false: the network is not being trained", quoted(v.name)))
			v.shape = tensor.Shape{}
			v.constant = &constant{name: v.name, shape: v.shape, dtype: typeBool, ints: []int64{0}}
		default:
			return false
		}
		return true
	})
	g.nodes = slices.DeleteFunc(g.nodes, func(n *node) bool {
		reads := slices.ContainsFunc(n.needs(), func(v *value) bool { return v != nil && dead[v] })
		for _, out := range n.out {
			dead[out] = reads
		}
		return reads
	})
}

// needed are the values that the outputs depend on.
func (g *graph) needed() map[*value]bool {
	needed := map[*value]bool{}
	for _, v := range g.outputs {
		needed[v] = true
	}
	for _, n := range slices.Backward(g.nodes) {
		if slices.ContainsFunc(n.out, func(v *value) bool { return v != nil && needed[v] }) {
			for _, v := range n.needs() {
				needed[v] = true
			}
		}
	}
	return needed
}

// needs are the node's operands, and what its subgraphs read from outside.
func (n *node) needs() []*value { return slices.Concat(n.in, n.outer) }

// isSwitch recognises a single bool.
func (v ValueInfo) isSwitch() bool {
	return v.DType == typeBool.String() && (len(v.Shape) == 0 || len(v.Shape) == 1 && v.Shape[0].Size == 1)
}
