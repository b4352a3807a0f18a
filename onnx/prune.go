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
	g.keepTower(info, dead)
	g.nodes = slices.DeleteFunc(g.nodes, func(n *node) bool {
		reads := slices.ContainsFunc(n.needs(), func(v *value) bool { return v != nil && dead[v] })
		for _, out := range n.out {
			dead[out] = reads
		}
		return reads
	})
}

// keepTower leaves of a network of several inputs what depends on the image alone, as the image tower of CLIP beside that of the text.
func (g *graph) keepTower(info *Info, dead map[*value]bool) {
	if len(g.inputs) < 2 {
		return
	}
	others := slices.DeleteFunc(slices.Clone(g.inputs), func(v *value) bool { return info.input(v.name).isImage() })
	if len(others) != len(g.inputs)-1 {
		return
	}
	from := map[*value]*value{} // an input other than the image that a value depends on
	for _, v := range others {
		from[v] = v
	}
	for _, n := range g.nodes {
		for _, v := range n.needs() {
			for _, out := range n.out {
				if v != nil && from[v] != nil && out != nil {
					from[out] = from[v]
				}
			}
		}
	}
	if !slices.ContainsFunc(g.outputs, func(v *value) bool { return from[v] == nil }) {
		return
	}
	g.outputs = slices.DeleteFunc(g.outputs, func(v *value) bool {
		other := from[v]
		if other == nil {
			return false
		}
		info.Warnings = append(info.Warnings, fmt.Sprintf("output %s is left out: it depends on input %s", quoted(v.name), quoted(other.name)))
		for i := range info.Outputs {
			info.Outputs[i].LeftOut = info.Outputs[i].LeftOut || info.Outputs[i].Name == v.name
		}
		return true
	})
	for _, v := range others {
		dead[v] = true
	}
	g.inputs = slices.DeleteFunc(g.inputs, func(v *value) bool { return dead[v] })
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

// isImage recognises four axes of floats or bytes.
func (v ValueInfo) isImage() bool { return len(v.Shape) == 4 && slices.Contains(imageTypes, v.DType) }

// isSwitch recognises a single bool.
func (v ValueInfo) isSwitch() bool {
	return v.DType == typeBool.String() && (len(v.Shape) == 0 || len(v.Shape) == 1 && v.Shape[0].Size == 1)
}
