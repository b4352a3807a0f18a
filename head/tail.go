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

// visit is a node on the way back; normalised says that what it computes enters Softmax or the like.
type visit struct {
	node       *gorgonia.Node
	normalised bool
}

// tailOf walks back from an output to the linear layers.
func tailOf(net *engine.Network, out *gorgonia.Node) *tail {
	t := &tail{net: net, seen: map[*gorgonia.Node]bool{}, plain: true}
	ahead := []visit{{node: out}}
	for len(ahead) > 0 {
		v := ahead[len(ahead)-1]
		ahead = ahead[:len(ahead)-1]
		if t.seen[v.node] || net.ParamOf(v.node) != nil {
			continue
		}
		t.seen[v.node] = true
		if t.arrived(v.node) {
			continue
		}
		in := t.computed(v.node)
		v.normalised = t.pass(v, in)
		for _, x := range slices.Backward(in) {
			ahead = append(ahead, visit{x, v.normalised})
		}
	}
	return t
}

// arrived notes a linear layer, or that the way back leaves vectors otherwise.
func (t *tail) arrived(node *gorgonia.Node) bool {
	if node.Op() == nil {
		t.ends = append(t.ends, node)
		return true
	}
	if l := layerAt(t.net, node); l != nil {
		t.layers = append(t.layers, l)
		return true
	}
	in := t.computed(node)
	if isVector(node) && len(in) > 0 && !slices.ContainsFunc(in, func(x *gorgonia.Node) bool { return !isVector(x) }) {
		return false
	}
	if l := t.pooledLayer(node); l != nil {
		t.layers = append(t.layers, l)
	} else {
		t.ends = append(t.ends, node)
	}
	return true
}

// pass notes what an operator of the vectors in does, and tells whether they enter Softmax or the like.
func (t *tail) pass(v visit, in gorgonia.Nodes) (normalised bool) {
	switch v.node.Op().(type) {
	case *op.Flatten, *op.Reshape, *op.Squeeze, *op.Unsqueeze, *op.Transpose, *op.Identity, *op.Dropout, *op.GlobalAveragePool:
		return v.normalised
	case *op.Softmax, *op.LogSoftmax:
		t.scores = true
		return true
	}
	t.plain = false
	switch v.node.Op().(type) {
	case *op.Sigmoid, *op.HardSigmoid, *op.Exp:
		t.scores = true
		return true
	case *op.Add, *op.Sub, *op.Neg, *op.Concat, *op.Slice, *op.Gather, *op.ReduceMean, *op.BatchNorm, *op.Affine:
	case *op.Mul, *op.Div:
		if isShare(v.node) {
			t.scores = true
			return true
		}
		t.bend(v.normalised || len(in) == 1 && op.Inputs(v.node)[0] == in[0])
	default:
		t.bend(v.normalised)
	}
	return v.normalised
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
