package head

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
)

// layer is a linear map of one vector for every photo to another, which is what a classifier is, whatever operator spells it.
type layer struct {
	node, input  *gorgonia.Node
	weight, bias *engine.Param
	features     int
	// pooled layers are 1x1 convolutions of a map (N, F, H, W) whose results are averaged over the map, rectified ones pass a
	// Relu before that.
	pooled, rectified bool
}

// layerAt recognises a linear layer: Linear, a product with a known matrix on either side, or a convolution whose kernel is as
// large as its map.
func layerAt(net *engine.Network, node *gorgonia.Node) *layer {
	in := op.Inputs(node)
	x, w := 0, 1
	switch o := node.Op().(type) {
	case *op.Linear:
	case *op.MatMul:
		if net.ParamOf(in[0]) != nil {
			x, w = 1, 0
		}
	case *op.Conv:
		if o.Group > 1 {
			return nil
		}
	default:
		return nil
	}
	l := &layer{node: node, input: in[x], weight: net.ParamOf(in[w]), features: perPhoto(in[x])}
	if len(in) > 2 {
		l.bias = net.ParamOf(in[2])
	}
	_, product := node.Op().(*op.MatMul)
	switch {
	case l.weight == nil || len(in) > 2 && l.bias == nil,
		product && !isVector(in[x]),
		!isVector(node) || l.weight.Shape.TotalSize() != l.features*perPhoto(node):
		return nil
	}
	return l
}

// matrix is the weight as (classes, features).
func (l *layer) matrix() []float32 {
	classes := l.weight.Shape.TotalSize() / l.features
	if _, product := l.node.Op().(*op.MatMul); !product || l.weight.Node == op.Inputs(l.node)[0] {
		return l.weight.Value
	}
	turned := make([]float32, len(l.weight.Value)) // from (features, classes)
	for f := range l.features {
		for c := range classes {
			turned[c*l.features+f] = l.weight.Value[f*classes+c]
		}
	}
	return turned
}

// pooledLayer goes back from a global pool to the 1x1 convolution whose maps it averages: SqueezeNet's classifier. On the way
// there may be a Relu, and what makes probabilities of scores. With a Relu the last block of a trunk looks the same, but that has
// BatchNorm, folded or not, in place of a bias.
func (t *tail) pooledLayer(pool *gorgonia.Node) *layer {
	if !isVector(pool) {
		return nil
	}
	rectified, scores := false, false
	for node := pool; node.Op() != nil; node = op.Inputs(node)[0] {
		switch o := node.Op().(type) {
		case *op.GlobalAveragePool:
		case *op.ReduceMean:
			if !overMap(o, op.Inputs(node)[0].Shape()) {
				return nil
			}
		case *op.AveragePool:
			if !wholeMap(o, node) {
				return nil
			}
		case *op.Relu:
			rectified = true
		case *op.Dropout, *op.Identity:
		case *op.Softmax, *op.Sigmoid:
			scores = true
		case *op.Conv:
			in := op.Inputs(node)
			l := &layer{node: node, input: in[0], weight: t.net.ParamOf(in[1]), pooled: true, rectified: rectified && !scores}
			if l.weight == nil || !o.Pointwise(l.weight.Shape) {
				return nil
			}
			if len(in) > 2 {
				l.bias = t.net.ParamOf(in[2])
			}
			l.features = l.weight.Shape[1]
			t.scores, t.plain = t.scores || scores, t.plain && !scores
			t.bend(!l.rectified || l.bias != nil && !l.bias.Folded)
			return l
		default:
			return nil
		}
	}
	return nil
}

// overMap tells whether a mean is taken over the rows or columns of a map, not over photos or channels.
func overMap(o *op.ReduceMean, x tensor.Shape) bool {
	return len(o.Axes) > 0 && !slices.ContainsFunc(o.Axes, func(axis int) bool {
		return (axis+len(x))%len(x) < 2
	})
}

// wholeMap tells whether an average pool takes the mean of all its map.
func wholeMap(o *op.AveragePool, node *gorgonia.Node) bool {
	x := op.Inputs(node)[0].Shape()
	return isVector(node) && o.Pads == [4]int{} && o.Kernel == [2]int(x[2:])
}

// isVector tells whether a value is one row of numbers for every photo: its first size is the batch, and of the others at most one
// is above 1.
func isVector(n *gorgonia.Node) bool {
	shape := n.Shape()
	if len(shape) == 0 {
		return false
	}
	longest := 1
	for _, d := range shape[1:] {
		longest = max(longest, d)
	}
	return longest == perPhoto(n)
}

// perPhoto is the number of values for every photo.
func perPhoto(n *gorgonia.Node) int {
	shape := n.Shape()
	if len(shape) == 0 || shape[0] == 0 {
		return 0
	}
	return shape.TotalSize() / shape[0]
}
