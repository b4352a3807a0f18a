package head

import (
	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// Split cuts Net in two: trunk computes the features, (N, F), and scores computes the scores from an input (N, F, 1, 1), with the same
// bits as Net. Both are nil where there are no scores, or where these depend on more than the features: where a map is classified
// before it is averaged.
func (a *Answers) Split() (trunk, scores *engine.Network, err error) {
	if !a.Features || a.Classes == 0 {
		return nil, nil, nil
	}
	outputs := a.Net.Outputs
	ends, features := outputs[0], outputs[len(outputs)-1]
	at := features.Node
	if _, is := at.Op().(*op.Flatten); is && !dependsOn(a.Net, ends.Node, at) {
		at = op.Inputs(at)[0]
	}
	if scores, err = a.Net.Behind(at, ends); err != nil {
		return nil, nil, nil // it says what else they depend on
	}
	trunk, err = a.Net.Subgraph(features)
	return trunk, scores, err
}

// dependsOn reports whether node is computed from x.
func dependsOn(net *engine.Network, node, x *gorgonia.Node) bool {
	for _, n := range net.Nodes(node) {
		if n == x {
			return true
		}
	}
	return false
}
