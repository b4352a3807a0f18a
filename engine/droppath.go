package engine

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// Stochastic depth (Huang et al., 2016), also called drop path: a step of training leaves whole residual branches out, for each photo by itself,
// and the others count 1/(1-p).

// branch is what is added to a value that it was computed from by layers: operand is which operand of the sum it is, block the residual
// block that it belongs to, from 0.
type branch struct {
	sum            *gorgonia.Node
	operand, block int
}

// branches lists the residual branches whose rows are the photos, in the order of the network. That of attention and the one behind it make one block.
func (n *Network) branches() (list []branch, blocks int) {
	attends := false
	for _, node := range n.Nodes() {
		if _, ok := node.Op().(*op.Add); !ok || node.Dims() < 3 || node.Shape()[0] != n.Batch() {
			continue
		}
		in := op.Inputs(node)
		for k := range in {
			layers, attention := between(in[1-k], in[k])
			if layers == 0 {
				continue
			}
			if !attends || attention {
				blocks++
			}
			list = append(list, branch{node, k, blocks - 1})
			attends = attention
			break
		}
	}
	return list, blocks
}

// between counts the layers on the ways from one node to another, and tells whether attention is among them; 0 where there is no way.
func between(from, to *gorgonia.Node) (layers int, attention bool) {
	leads := map[*gorgonia.Node]bool{from: true}
	var visit func(node *gorgonia.Node) bool
	visit = func(node *gorgonia.Node) bool {
		if lead, seen := leads[node]; seen || node.ID() < from.ID() { // nodes are made behind their operands
			return lead
		}
		leads[node] = false
		found := false
		for _, x := range op.Inputs(node) {
			found = visit(x) || found
		}
		leads[node] = found
		if found {
			switch node.Op().(type) {
			case *op.Conv, *op.Linear:
				layers++
			case *op.Attention:
				attention = true
			}
		}
		return found
	}
	if !visit(to) {
		return 0, false
	}
	return layers, attention
}

// withDropPath lets residual branches be left out with a share that rises from 0 in the first block to rate in the last one, as timm's networks
// have it.
func (n *Network) withDropPath(rate float32) (*Network, error) {
	list, blocks := n.branches()
	if len(list) == 0 {
		return nil, fmt.Errorf("the network has no residual branches that drop path could leave out: nothing in it is added to what it was computed from")
	}
	of := map[*gorgonia.Node]branch{}
	for _, b := range list {
		of[b.sum] = b
	}
	return n.Rewrite(nil, func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		at, ok := of[old]
		share := rate
		if blocks > 1 {
			share *= float32(at.block) / float32(blocks-1)
		}
		if !ok || share == 0 {
			return nil, nil
		}
		label := n.Label(old)
		dropped, err := b.Apply(label+" drop path", &op.Dropout{Ratio: share, ID: "path " + label, Whole: true}, in[at.operand])
		if err != nil {
			return nil, err
		}
		in[at.operand] = dropped
		return b.Apply(label, old.Op().(op.Op), in...)
	})
}
