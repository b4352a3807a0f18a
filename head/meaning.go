package head

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// Meaning says what the rows of an output are.
type Meaning string

const (
	// Logits become probabilities of classes that exclude each other by Softmax.
	Logits Meaning = "softmax"
	// Independent logits become probabilities of classes that do not exclude each other by Sigmoid. A single one is that of one
	// class against its absence.
	Independent Meaning = "sigmoid"
	// Given rows are probabilities of classes as they are.
	Given Meaning = "given"
	// NoScores are features.
	NoScores Meaning = "none"
)

// reading is what the end of a network says about an output.
type reading struct {
	meaning Meaning
	// scores is the node whose rows have that meaning.
	scores *gorgonia.Node
	// assumed says in words what the file does not.
	assumed []string
}

// read goes back from an output through what makes probabilities of scores.
func read(net *engine.Network, out *gorgonia.Node) reading {
	r := reading{scores: out}
	for {
		node := shaped(r.scores)
		if node.Op() == nil || !isVector(node) {
			return r.raw(net, out)
		}
		in := op.Inputs(node)
		switch node.Op().(type) {
		case *op.Softmax, *op.LogSoftmax:
			r.scores = in[0]
			if overClasses(node) {
				r.meaning = Logits
				return r
			}
			r.assumed = append(r.assumed, fmt.Sprintf("node %q takes %s over an axis that is not that of the classes, which says nothing about a photo: it is left out",
				net.Label(node), node.Op().(op.Op).Name()))
			continue
		case *op.Exp:
			if x := shaped(in[0]); isLogSoftmax(x) {
				r.scores = x
				continue
			}
		case *op.Log:
			if x := shaped(in[0]); probabilities(net, x) {
				r.scores = x
				continue
			}
		case *op.Sigmoid:
			r.meaning, r.scores = Independent, in[0]
			return r
		case *op.Mul, *op.Div:
			// Percentages.
			if x, factor := scaling(net, node); x != nil && factor != 1 && probabilities(net, x) {
				r.assumed = append(r.assumed, fmt.Sprintf("node %q multiplies probabilities by %g: they are taken without it", net.Label(node), factor))
				r.scores = x
				continue
			}
		}
		if probabilities(net, node) {
			r.meaning = Given
			return r
		}
		return r.raw(net, out)
	}
}

// raw takes rows of which the network does not say more for logits, of the kind that the metadata tells.
func (r reading) raw(net *engine.Network, out *gorgonia.Node) reading {
	r.meaning = Logits
	if net.Meta.Probabilities == string(Independent) {
		r.meaning = Independent
	} else if perPhoto(out) == 1 {
		r.meaning = Independent
		r.assumed = append(r.assumed, "the only score has no Sigmoid behind it: it is taken for the logit of one class against its absence")
	}
	return r
}

// shaped goes back through what only gives values another shape.
func shaped(node *gorgonia.Node) *gorgonia.Node {
	for node.Op() != nil {
		switch node.Op().(type) {
		case *op.Flatten, *op.Reshape, *op.Squeeze, *op.Unsqueeze, *op.Transpose, *op.Identity, *op.Dropout:
			if x := op.Inputs(node)[0]; isVector(x) && perPhoto(x) == perPhoto(node) {
				node = x
				continue
			}
		}
		return node
	}
	return node
}

// overClasses tells whether Softmax or LogSoftmax is taken over the axis that the values of a photo lie along.
func overClasses(node *gorgonia.Node) bool {
	axis := 0
	switch o := node.Op().(type) {
	case *op.Softmax:
		axis = o.Axis
	case *op.LogSoftmax:
		axis = o.Axis
	}
	shape := node.Shape()
	axis = (axis + len(shape)) % len(shape)
	return axis > 0 && shape[axis] == perPhoto(node) && shape[axis] > 1
}

func isLogSoftmax(node *gorgonia.Node) bool {
	_, is := node.Op().(*op.LogSoftmax)
	return is
}

// scaling reads node as a known number times x.
func scaling(net *engine.Network, node *gorgonia.Node) (x *gorgonia.Node, factor float64) {
	in := op.Inputs(node)
	_, div := node.Op().(*op.Div)
	for i, k := range in {
		p := net.ParamOf(k)
		if p == nil || len(p.Value) != 1 || div && i == 0 {
			continue
		}
		factor = float64(p.Value[0])
		if div {
			factor = 1 / factor
		}
		return in[1-i], factor
	}
	return nil, 0
}
