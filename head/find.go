// Package head finds the classifiers of a network by structure and replaces them by new ones.
package head

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// Kinds of heads. The main head has the deepest trunk; auxiliary ones help training from halfway up.
const (
	Main = "main"
	Aux  = "aux"
)

// Head is a classifier: the last linear layer, or 1x1 convolution in front of a global pool
// (SqueezeNet), before an output.
type Head struct {
	Kind string
	// Output is the index in Network.Outputs.
	Output int
	// Node is the classifier's operator, op.Linear or op.Conv. Where the network ends in features it is the node
	// that computes these, and Weight and Bias are nil.
	Node *gorgonia.Node
	// Input is the classifier's input: (N, Features), for a convolution (N, Features, H, W).
	Input *gorgonia.Node
	// Weight is (Classes, Features) or (Classes, Features, 1, 1); Bias, (Classes), may be nil.
	Weight, Bias *engine.Param
	Features     int
	// Classes is 0 where the network ends in features.
	Classes int
	// Rectified convolutions pass a Relu before the global pool.
	Rectified bool

	depth [2]int // convolutions and operators before the head
}

// Convolution says that the head is a 1x1 convolution before a global pool.
func (h *Head) Convolution() bool {
	if h.Weight == nil {
		return false
	}
	_, is := h.Node.Op().(*op.Conv)
	return is
}

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
	return fmt.Sprintf("the network has %d classifiers of equal depth: %s; choose one with --head",
		len(e.Candidates), strings.Join(e.Candidates, ", "))
}

// Find returns the heads of net, the main one first. Outputs that end in features are heads only where
// no output has a classifier.
func Find(net *engine.Network) ([]Head, error) {
	var classifiers, features []Head
	for i, out := range net.Outputs {
		h, err := find(net, i)
		switch {
		case err != nil:
			return nil, fmt.Errorf("output %q: %w", out.Name, err)
		case h.Weight != nil:
			classifiers = append(classifiers, *h)
		default:
			features = append(features, *h)
		}
	}
	heads := classifiers
	if len(heads) == 0 {
		heads = features
	}
	return byDepth(net, heads)
}

// Choose returns a network that has only the output whose classifier, or itself, has the given name.
func Choose(net *engine.Network, name string) (*engine.Network, error) {
	var names []string
	for i, out := range net.Outputs {
		h, err := find(net, i)
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", out.Name, err)
		}
		if name == out.Name || name == h.Name() || name == net.Label(h.Node) {
			return net.Until(out)
		}
		names = append(names, fmt.Sprintf("%s (output %s)", h.Name(), out.Name))
	}
	return nil, fmt.Errorf("no head %q; there are: %s", name, strings.Join(names, ", "))
}

// find walks back from an output to the last node with a weight, through what only shapes,
// pools or normalises.
func find(net *engine.Network, output int) (*Head, error) {
	out := net.Outputs[output].Node
	h := &Head{Kind: Main, Output: output}
	pooled := false
	for node := out; node.Op() != nil; {
		in := op.Inputs(node)
		switch node.Op().(type) {
		case *op.GlobalAveragePool, *op.ReduceMean, *op.AveragePool:
			pooled = true
		case *op.Relu:
			h.Rectified = pooled
		case *op.Softmax, *op.LogSoftmax, *op.Flatten, *op.Reshape, *op.Squeeze, *op.Identity:
		case *op.Linear:
			return h.at(net, node, in)
		case *op.Conv:
			if pooled && isPointwise(node) {
				return h.at(net, node, in)
			}
			return endsInFeatures(h, net, out)
		default:
			return endsInFeatures(h, net, out)
		}
		node = in[0]
	}
	return nil, fmt.Errorf("no layer with a weight lies before it")
}

func isPointwise(node *gorgonia.Node) bool {
	c := node.Op().(*op.Conv)
	w := op.Inputs(node)[1].Shape()
	return c.Group <= 1 && w[2] == 1 && w[3] == 1 && c.Strides == [2]int{1, 1} && c.Pads == [4]int{}
}

// at completes the head whose classifier is node.
func (h *Head) at(net *engine.Network, node *gorgonia.Node, in gorgonia.Nodes) (*Head, error) {
	h.Node, h.Input, h.Weight = node, in[0], net.ParamOf(in[1])
	if h.Weight == nil {
		return nil, fmt.Errorf("node %q: the classifier's weight is not a parameter", net.Label(node))
	}
	if len(in) > 2 {
		if h.Bias = net.ParamOf(in[2]); h.Bias == nil {
			return nil, fmt.Errorf("node %q: the classifier's bias is not a parameter", net.Label(node))
		}
	}
	h.Classes, h.Features = h.Weight.Shape[0], h.Weight.Shape[1]
	return h, nil
}

func endsInFeatures(h *Head, net *engine.Network, out *gorgonia.Node) (*Head, error) {
	if d := out.Shape().Dims(); d != 2 && d != 4 {
		return nil, fmt.Errorf("it has the shape %v, which is neither features (N, F) nor a map (N, C, H, W)", out.Shape())
	}
	h.Node, h.Input, h.Features = out, out, out.Shape()[1]
	return h, nil
}

// byDepth puts the main head first and calls the others auxiliary.
func byDepth(net *engine.Network, heads []Head) ([]Head, error) {
	for i := range heads {
		nodes := net.Nodes(heads[i].Node)
		heads[i].depth[1] = len(nodes)
		for _, n := range nodes {
			if _, conv := n.Op().(*op.Conv); conv {
				heads[i].depth[0]++
			}
		}
	}
	slices.SortStableFunc(heads, func(a, b Head) int { return slices.Compare(b.depth[:], a.depth[:]) })
	var tied []string
	for i := range heads {
		if heads[i].depth == heads[0].depth {
			tied = append(tied, fmt.Sprintf("%s (output %s)", heads[i].Name(), net.Outputs[heads[i].Output].Name))
		}
		if i > 0 {
			heads[i].Kind = Aux
		}
	}
	if len(tied) > 1 {
		return nil, &AmbiguousError{tied}
	}
	return heads, nil
}
