// Package head finds the classifiers of a network by what they compute, says what its outputs mean, and replaces classifiers by
// new ones.
package head

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/setting"
)

// Kind tells the main classifier from auxiliary ones, which help training alone.
type Kind string

// The kinds.
const (
	Main Kind = "main"
	Aux  Kind = "aux"
)

// Head is a classifier: the last linear map of features before an output, whatever operators spell it, or the 1x1 convolution in
// front of a global pool (SqueezeNet). Softmax, Sigmoid, a temperature and the like may lie behind it.
type Head struct {
	Kind Kind
	// Output is the index in Network.Outputs.
	Output int
	// Node is the classifier's operator. Where the network ends in features it is the node that computes these, and Weight and
	// Bias are nil.
	Node *gorgonia.Node
	// Input is the classifier's input: Features numbers for every photo in any shape, for a convolution in front of a pool a map
	// (N, Features, H, W).
	Input *gorgonia.Node
	// Weight and Bias are those of Node, in the shapes that its operator wants; Bias may be nil.
	Weight, Bias *engine.Param
	Features     int
	// Classes is the number of scores at the output, 0 where the network ends in features.
	Classes int
	// Rectified convolutions pass a Relu before the global pool.
	Rectified bool

	layer *layer
	plain bool // nothing but Softmax and changes of shape lies behind it
	steps int  // operators between it and the output
	convs int  // convolutions before it
}

// Convolution says that the head is a 1x1 convolution before a global pool.
func (h *Head) Convolution() bool { return h.layer != nil && h.layer.pooled }

// Name is the head's name in messages: its weight's without the ending.
func (h *Head) Name() string {
	if h.Weight == nil {
		return "new classifier"
	}
	return strings.TrimSuffix(h.Weight.Name, ".weight")
}

// AmbiguousError says that the network has several classifiers of equal depth, so that none is the main one.
type AmbiguousError struct{ Candidates []string }

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("the network has %d classifiers of equal depth: %s; choose one with %v",
		len(e.Candidates), strings.Join(e.Candidates, ", "), setting.Head)
}

// UnknownError says that an output holds scores, or may, but that no classifier was found that computes them.
type UnknownError struct {
	Output, Reason string
	// Saw describes the last operators.
	Saw string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("no classifier was found: output %q %s; it is %s; name the node that is the classifier, or that computes the features, with %v",
		e.Output, e.Reason, e.Saw, setting.Head)
}

// Find returns the heads of net, the main one first. Outputs that share a classifier have one head; an output that ends in features
// is a head only where it lies behind more convolutions than all classifiers. Beside an AmbiguousError the heads are returned too, in
// the order of the outputs.
func Find(net *engine.Network) ([]Head, error) {
	var classifiers, features []Head
	var unknown error
	deepest, unknownDepth := -1, -1
	for i, out := range net.Outputs {
		h, err := find(net, i)
		switch {
		case err != nil:
			if depth := op.DepthOf(out.Node).Convolutions; depth > unknownDepth {
				unknown, unknownDepth = err, depth
			}
			continue
		case h.Weight != nil:
			classifiers = append(classifiers, *h)
		default:
			features = append(features, *h)
			continue
		}
		deepest = max(deepest, h.convs)
	}
	heads := classifiers
	for _, h := range features {
		if h.convs > deepest && (deepest < 0 || isVector(h.Node)) {
			heads = append(heads, h)
		}
	}
	if heads = distinct(net, heads); len(heads) == 0 {
		return nil, unknown
	}
	heads, err := byDepth(net, heads)
	if unknownDepth > heads[0].convs {
		return nil, unknown // what was found is auxiliary
	}
	return heads, err
}

// find tells what an output is: the scores of a classifier or features.
func find(net *engine.Network, output int) (*Head, error) {
	out := net.Outputs[output]
	refuse := func(format string, args ...any) error {
		return &UnknownError{out.Name, fmt.Sprintf(format, args...), saw(net, out.Node)}
	}
	t := tailOf(net, out.Node)
	named := len(net.Meta.Labels) > 1 && len(net.Meta.Labels) == perPhoto(out.Node)
	scores := t.scores || named && !out.Chosen
	features := !named && slices.Contains(featureOutputs, out.Name)
	h := &Head{Kind: Main, Output: output, Node: out.Node, Input: out.Node, plain: t.plain, steps: len(t.seen)}
	switch {
	case len(t.layers) > 0 && isSummary(net, out.Node):
		return nil, refuse("sums up the scores of a photo in one number")
	case len(t.layers) == 1 && len(t.ends) == 0 && (scores || !t.bent) && !features:
		l := t.layers[0]
		h.layer, h.Node, h.Input, h.Weight, h.Bias = l, l.node, l.input, l.weight, l.bias
		h.Features, h.Classes, h.Rectified = l.features, perPhoto(out.Node), l.rectified
		h.convs = op.DepthOf(h.Input).Convolutions
		return h, nil
	case scores:
		return nil, refuse("holds scores (%v)", out.Node.Shape())
	case !out.Chosen && slices.ContainsFunc(t.ends, scoresOfPlaces):
		return nil, refuse("comes straight from a convolution, as scores of every place do (%v)", out.Node.Shape())
	case !out.Chosen && !features && len(t.layers) > 1 && !t.bent && !residual(net, t.layers):
		var names []string
		for _, l := range t.layers {
			names = append(names, strings.TrimSuffix(l.weight.Name, ".weight"))
		}
		return nil, refuse("is put together from %d linear layers (%s)", len(names), strings.Join(names, ", "))
	case isVector(out.Node):
		h.Features = perPhoto(out.Node)
	case out.Node.Dims() == 4:
		h.Features = out.Node.Shape()[1]
	default:
		return nil, refuse("has the shape %v, which is neither features (N, F) nor a map (N, C, H, W)", out.Node.Shape())
	}
	if len(net.Nodes(out.Node)) == 0 || !weighted(net, out.Node) {
		return nil, refuse("depends on no layer with a weight")
	}
	h.convs = op.DepthOf(out.Node).Convolutions
	return h, nil
}

// isSummary tells whether an output is one number that a reduction made of the scores of all classes: the largest, the entropy.
func isSummary(net *engine.Network, node *gorgonia.Node) bool {
	t := &tail{net: net}
	for {
		node = shaped(node)
		in := t.computed(node)
		if len(in) != 1 || perPhoto(node) != 1 || !isVector(in[0]) {
			return false
		}
		switch node.Op().(type) {
		case *op.Reduce, *op.ReduceMean:
			if perPhoto(in[0]) > 1 {
				return true
			}
		case *op.Slice, *op.Gather:
			return false
		}
		node = in[0]
	}
}

// residual tells whether one of the layers reads what another has computed: their sum is then one around a block of layers, which makes
// features, where scores are those of layers side by side.
func residual(net *engine.Network, layers []*layer) bool {
	behind := map[*gorgonia.Node]bool{} // layers, and what depends on one
	for _, l := range layers {
		behind[l.node] = true
	}
	for _, node := range net.Nodes() {
		behind[node] = behind[node] || slices.ContainsFunc(op.Inputs(node), func(in *gorgonia.Node) bool { return behind[in] })
	}
	return slices.ContainsFunc(layers, func(l *layer) bool { return behind[l.input] })
}

// scoresOfPlaces tells whether a node pools or flattens a map that comes straight from a convolution, or from Softmax or Sigmoid:
// features end in Relu, a sum, BatchNorm or the like.
func scoresOfPlaces(node *gorgonia.Node) bool {
	for node.Op() != nil {
		switch node.Op().(type) {
		case *op.Conv, *op.Softmax, *op.LogSoftmax, *op.Sigmoid:
			return true
		case *op.GlobalAveragePool, *op.AveragePool, *op.MaxPool, *op.ReduceMean, *op.Reduce, *op.Flatten, *op.Reshape, *op.Squeeze,
			*op.Dropout, *op.Identity:
			node = op.Inputs(node)[0]
		default:
			return false
		}
	}
	return false
}

// weighted tells whether a parameter takes part in what node computes.
func weighted(net *engine.Network, node *gorgonia.Node) bool {
	return slices.ContainsFunc(net.Nodes(node), func(n *gorgonia.Node) bool {
		return slices.ContainsFunc(op.Inputs(n), func(x *gorgonia.Node) bool { return net.ParamOf(x) != nil })
	})
}

// distinct leaves one head for every classifier: the output that says most about its scores, which has most operators behind the
// classifier, unless they share its scores between them; and none for linear layers, or features, from which another head is
// computed.
func distinct(net *engine.Network, heads []Head) []Head {
	var kept []Head
	for _, h := range heads {
		same := slices.IndexFunc(kept, func(k Head) bool {
			return k.Node == h.Node && (k.steps != h.steps || k.Classes == h.Classes)
		})
		inside := slices.ContainsFunc(heads, func(other Head) bool {
			return other.Node != h.Node && slices.Contains(net.Nodes(other.Node), h.Node)
		})
		switch {
		case inside:
		case same < 0:
			kept = append(kept, h)
		case h.steps > kept[same].steps:
			kept[same] = h
		}
	}
	return kept
}

// byDepth puts the main head, before which most convolutions lie, first and calls the others auxiliary.
func byDepth(net *engine.Network, heads []Head) ([]Head, error) {
	slices.SortStableFunc(heads, func(a, b Head) int { return b.convs - a.convs })
	var tied []string
	for i := range heads {
		if heads[i].convs < heads[0].convs {
			heads[i].Kind = Aux
			continue
		}
		tied = append(tied, fmt.Sprintf("%s (output %s)", heads[i].Name(), net.Outputs[heads[i].Output].Name))
	}
	if len(tied) > 1 {
		return heads, &AmbiguousError{tied}
	}
	return heads, nil
}
