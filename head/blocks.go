package head

import (
	"strings"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// Block is a stretch of the network between two places through which all that is computed of the photo flows, such as a residual block or
// an Inception module, with the parameters that it reads. Stretches without a matrix or a kernel belong to the block before.
type Block struct {
	Name   string
	Params []*engine.Param
	// end is what it computes.
	end *gorgonia.Node
}

// Blocks are those of a network from the input on. The last is the main classifier, with what only auxiliary outputs depend on.
func Blocks(net *engine.Network) []Block {
	var list []Block
	var held []*engine.Param // of stretches that have no block yet
	seen := map[*engine.Param]bool{}
	for _, stretch := range stretches(net) {
		var own []*engine.Param
		weights := false
		for _, node := range stretch {
			for _, in := range op.Inputs(node) {
				if p := net.ParamOf(in); p != nil && !seen[p] {
					seen[p] = true
					own = append(own, p)
					weights = weights || !p.Constant && p.Shape.Dims() > 1
				}
			}
		}
		end := stretch[len(stretch)-1]
		switch {
		case weights:
			list = append(list, Block{Params: append(held, own...), end: end})
			held = nil
		case len(list) > 0:
			last := &list[len(list)-1]
			last.Params, last.end = append(last.Params, own...), end
		default:
			held = append(held, own...)
		}
	}
	if len(list) == 0 {
		return nil
	}
	for _, p := range net.Params {
		if !seen[p] {
			last := &list[len(list)-1]
			last.Params = append(last.Params, p)
		}
	}
	for i := range list {
		list[i].Name = nameOf(list[i].Params)
	}
	return list
}

// nameOf is what the names of parameters begin with in common, without the last word of a single one.
func nameOf(params []*engine.Param) string {
	words := func(p *engine.Param) []string { return strings.Split(p.Name, ".") }
	common := words(params[0])
	if len(common) > 1 {
		common = common[:len(common)-1]
	}
	for _, p := range params[1:] {
		other := words(p)
		n := 0
		for n < min(len(common), len(other)) && common[n] == other[n] {
			n++
		}
		if n == 0 { // a norm or an auxiliary head that goes by another name
			continue
		}
		common = common[:n]
	}
	return strings.Join(common, ".")
}

// stretches cuts what the main output is computed by behind its bottlenecks. Nodes that do not depend on the photo lie where they are first
// read.
func stretches(net *engine.Network) (cut [][]*gorgonia.Node) {
	nodes, begin := net.Nodes(net.Outputs[0].Node), 0
	for _, at := range bottlenecks(net, nodes, op.Inputs) {
		cut = append(cut, nodes[begin:at+1])
		begin = at + 1
	}
	if begin == len(nodes) {
		return cut
	}
	return append(cut, nodes[begin:])
}

// bottlenecks are the places of those nodes through which all flows that is computed of the photo; nodes are all that some are computed by,
// operands before users. reads are the operands of a node that count.
func bottlenecks(net *engine.Network, nodes []*gorgonia.Node, reads func(*gorgonia.Node) gorgonia.Nodes) (places []int) {
	depends, last := map[*gorgonia.Node]bool{net.Input: true}, map[*gorgonia.Node]int{}
	for at, node := range nodes {
		for _, x := range reads(node) {
			depends[node] = depends[node] || depends[x]
			last[x] = at
		}
	}
	open := last[net.Input]
	for at, node := range nodes {
		if !depends[node] {
			continue
		}
		if open <= at { // what came before is read by nothing behind it
			places = append(places, at)
		}
		open = max(open, last[node])
	}
	return places
}
