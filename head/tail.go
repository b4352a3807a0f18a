package head

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// tail is the end of a network: what lies between an output and the linear layers that it is computed from.
type tail struct {
	net    *engine.Network
	seen   map[*gorgonia.Node]bool
	layers []*layer
	// ends are the nodes at which the way back leaves vectors other than through a linear layer: pools, flattened maps.
	ends []*gorgonia.Node
	// plain tails hold nothing but Softmax and changes of shape, so that the layer's results are the logits.
	plain bool
	// scores says that Softmax, Sigmoid or the like makes the output one of scores.
	scores bool
	// bent says that a nonlinear function of another kind comes last, as at the end of features.
	bent bool
}

// tailOf walks back from an output.
func tailOf(net *engine.Network, out *gorgonia.Node) *tail {
	t := &tail{net: net, seen: map[*gorgonia.Node]bool{}, plain: true}
	t.follow(out, false)
	return t
}

// follow goes back from node to the linear layers; normalised says that what node computes enters Softmax or the like.
func (t *tail) follow(node *gorgonia.Node, normalised bool) {
	if t.seen[node] || t.net.ParamOf(node) != nil {
		return
	}
	t.seen[node] = true
	if node.Op() == nil {
		t.ends = append(t.ends, node)
		return
	}
	if l := layerAt(t.net, node); l != nil {
		t.layers = append(t.layers, l)
		return
	}
	in := t.computed(node)
	if !isVector(node) || len(in) == 0 || slices.ContainsFunc(in, func(x *gorgonia.Node) bool { return !isVector(x) }) {
		if l := t.pooledLayer(node); l != nil {
			t.layers = append(t.layers, l)
		} else {
			t.ends = append(t.ends, node)
		}
		return
	}
	switch node.Op().(type) {
	case *op.Flatten, *op.Reshape, *op.Squeeze, *op.Unsqueeze, *op.Transpose, *op.Identity, *op.Dropout, *op.GlobalAveragePool:
	case *op.Softmax, *op.LogSoftmax:
		normalised, t.scores = true, true
	case *op.Sigmoid, *op.HardSigmoid, *op.Exp:
		normalised, t.scores, t.plain = true, true, false
	case *op.Add, *op.Sub, *op.Neg, *op.Concat, *op.Slice, *op.Gather, *op.ReduceMean, *op.BatchNorm, *op.Affine:
		t.plain = false
	case *op.Mul, *op.Div:
		t.plain = false
		if isShare(node) {
			normalised, t.scores = true, true
		}
		t.bend(normalised || len(in) == 1 && op.Inputs(node)[0] == in[0])
	default:
		t.plain = false
		t.bend(normalised)
	}
	for _, x := range in {
		t.follow(x, normalised)
	}
}

// bend notes a nonlinear function, unless it is one of scores.
func (t *tail) bend(ofScores bool) { t.bent = t.bent || !ofScores }

// computed are the operands that are no parameters.
func (t *tail) computed(node *gorgonia.Node) gorgonia.Nodes {
	return slices.DeleteFunc(slices.Clone(op.Inputs(node)), func(x *gorgonia.Node) bool { return t.net.ParamOf(x) != nil })
}

// saw describes the last operators before an output, for messages: "Softmax (node "sm") of Add (node "a")".
func saw(net *engine.Network, out *gorgonia.Node) string {
	const most = 4
	t := &tail{net: net}
	var list []string
	for node := out; node.Op() != nil && len(list) < most; {
		list = append(list, fmt.Sprintf("%s (node %q)", node.Op().(op.Op).Name(), net.Label(node)))
		in := t.computed(node)
		if len(in) == 0 {
			break
		}
		node = in[0]
	}
	return strings.Join(list, " of ")
}
