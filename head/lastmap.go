package head

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// LastMap is the last map (N, C, H, W) that all of a network's scores are computed from.
type LastMap struct {
	Node *gorgonia.Node
	// Weights (scores, C) where the scores are linear in the means of the map's channels, whatever constant is added: those of a
	// classifier behind a global average pool, or of each channel alone, where the channels' means are the scores. nil elsewhere.
	Weights []float32
}

// NoMapError says why a network's scores come from no map that could show where on a photo they do.
type NoMapError struct{ Reason string }

func (e *NoMapError) Error() string { return "there are no heat maps of this network: " + e.Reason }

// LastMap finds the map in a.Net. It is a *NoMapError where there is none.
func (a *Answers) LastMap() (*LastMap, error) {
	if err := a.Check(); err != nil {
		return nil, &NoMapError{err.Error()}
	}
	scores := a.Net.Outputs[0].Node
	if m := a.linearMap(scores); m != nil {
		return m, nil
	}
	nodes := a.Net.Nodes(scores)
	maps := channelMaps(nodes)
	for _, at := range slices.Backward(bottlenecks(a.Net, nodes, op.Inputs)) {
		node := nodes[at]
		if shape := node.Shape(); !maps[node] || shape[2]*shape[3] == 1 {
			continue
		}
		if behind := mixer(a.Net, scores, node); behind != nil {
			return nil, &NoMapError{fmt.Sprintf("node %q mixes the places of a photo behind the last map, as transformers do", a.Net.Label(behind))}
		}
		return &LastMap{Node: node}, nil
	}
	return nil, &NoMapError{"its scores do not all come from one map (N, C, H, W)"}
}

// linearMap is the map whose global average the scores are, or a linear layer makes of it; nil where it is neither.
func (a *Answers) linearMap(scores *gorgonia.Node) *LastMap {
	if node := pooledMap(a.Net, scores); node != nil {
		c := node.Shape()[1]
		m := &LastMap{Node: node, Weights: make([]float32, c*c)}
		for i := range c {
			m.Weights[i*c+i] = 1
		}
		return m
	}
	l := layerAt(a.Net, shaped(scores))
	if l == nil {
		return nil
	}
	if node := pooledMap(a.Net, l.input); node != nil && node.Shape()[1] == l.features {
		return &LastMap{Node: node, Weights: l.matrix()}
	}
	return nil
}

// pooledMap is the map of which x, a row of numbers for every photo, holds the means; nil where it does not, or the map is a single
// place.
func pooledMap(net *engine.Network, x *gorgonia.Node) *gorgonia.Node {
	if !isVector(x) {
		return nil
	}
	pool := shaped(x)
	if pool.Op() == nil {
		return nil
	}
	node := op.Inputs(pool)[0]
	shape := node.Shape()
	if len(shape) != 4 || shape[1] != perPhoto(x) || shape[2]*shape[3] == 1 || net.ParamOf(node) != nil {
		return nil
	}
	switch o := pool.Op().(type) {
	case *op.GlobalAveragePool:
		return node
	case *op.ReduceMean:
		axes := map[int]bool{}
		for _, axis := range o.Axes {
			axes[(axis+4)%4] = true
		}
		if len(axes) == 2 && axes[2] && axes[3] {
			return node
		}
	case *op.AveragePool:
		if wholeMap(o, pool) {
			return node
		}
	}
	return nil
}

// channelMaps are those of the nodes whose second axis of four is that of channels: something that treats it so has made them, or
// elementwise operators have of such values.
func channelMaps(nodes []*gorgonia.Node) map[*gorgonia.Node]bool {
	maps := map[*gorgonia.Node]bool{}
	for _, node := range nodes {
		if node.Dims() != 4 {
			continue
		}
		switch node.Op().(type) {
		case *op.Conv, *op.MaxPool, *op.AveragePool, *op.BatchNorm, *op.Affine:
			maps[node] = true
		case *op.Reshape, *op.Transpose, *op.Linear, *op.MatMul, *op.LayerNorm:
		default:
			maps[node] = slices.ContainsFunc(op.Inputs(node), func(x *gorgonia.Node) bool { return maps[x] })
		}
	}
	return maps
}

// mixer is the first layer behind the map that computes with several rows of a photo, tokens; nil where there is none.
func mixer(net *engine.Network, scores, node *gorgonia.Node) *gorgonia.Node {
	behind := map[*gorgonia.Node]bool{node: true}
	for _, n := range net.Nodes(scores) {
		if !slices.ContainsFunc(op.Inputs(n), func(in *gorgonia.Node) bool { return behind[in] }) {
			continue
		}
		behind[n] = true
		switch n.Op().(type) {
		case *op.Linear, *op.MatMul, *op.Softmax:
			if !isVector(n) {
				return n
			}
		}
	}
	return nil
}
