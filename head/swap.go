package head

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/random"
)

// Swap replaces every classifier of net by a new one for the given labels, initialised as torchvision
// does and drawn from seed. A Softmax at an output is dropped, so that outputs are logits
// (N, classes), the main one first; where the network ends in features a linear classifier is added.
// net itself stays as it is; the values of its other parameters are shared.
func Swap(net *engine.Network, labels []string, seed uint64) (*engine.Network, error) {
	if len(labels) < 2 {
		return nil, fmt.Errorf("a classifier needs at least 2 classes, not %d", len(labels))
	}
	logits, err := Logits(net)
	if err != nil {
		return nil, err
	}
	heads, err := Find(logits)
	if err != nil {
		return nil, err
	}
	// The parameters of logits, a copy that is ours alone, get new shapes; its graph follows in the rewriting.
	fresh := make(map[*gorgonia.Node]*classifier, len(heads))
	for i := range heads {
		fresh[heads[i].Node] = newClassifier(&heads[i], len(labels), seed)
	}
	swapped, err := logits.Rewrite(nil, func(b *engine.Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		if c := fresh[old]; c != nil {
			return c.build(b, logits.Label(old), in)
		}
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	swapped.Meta.Labels = slices.Clone(labels)
	return swapped, nil
}

// Logits returns a copy of net whose outputs are its classifiers' logits, the main one first: Softmax
// at an output is dropped, and so are outputs that are no classifiers.
func Logits(net *engine.Network) (*engine.Network, error) {
	heads, err := Find(net)
	if err != nil {
		return nil, err
	}
	cut := *net
	cut.Outputs = nil
	drop := map[*gorgonia.Node]bool{}
	for _, h := range heads {
		cut.Outputs = append(cut.Outputs, net.Outputs[h.Output])
		for node := net.Outputs[h.Output].Node; node != h.Node; node = op.Inputs(node)[0] {
			switch node.Op().(type) {
			case *op.Softmax, *op.LogSoftmax:
				drop[node] = true
			}
		}
	}
	return cut.Rewrite(nil, func(_ *engine.Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		if drop[old] {
			return in[0], nil
		}
		return nil, nil
	})
}

// classifier is a new head on its way into the network.
type classifier struct {
	operator     op.Op
	weight, bias *engine.Param
	// features says that the network has no classifier yet: operator computes the features.
	features bool
}

// newClassifier gives the head's parameters new shapes and values, or makes them where the head has none.
func newClassifier(h *Head, classes int, seed uint64) *classifier {
	c := &classifier{operator: h.Node.Op().(op.Op), weight: h.Weight, bias: h.Bias}
	shape := tensor.Shape{classes, h.Features}
	name := "head"
	if c.weight == nil {
		c.features, c.weight = true, &engine.Param{Name: name + ".weight"}
	} else {
		name = h.Name()
		shape = append(shape, c.weight.Shape[2:]...)
	}
	if c.bias == nil {
		c.bias = &engine.Param{Name: name + ".bias"}
	}
	r := random.At(seed, "head", uint64(h.Output))
	c.weight.Shape, c.weight.Value = shape, uniform(r, classes*h.Features, h.Features)
	c.bias.Shape, c.bias.Value = tensor.Shape{classes}, uniform(r, classes, h.Features)
	return c
}

// build adds the classifier to the new graph; in are the operands of the node whose place it takes.
func (c *classifier) build(b *engine.Builder, label string, in gorgonia.Nodes) (*gorgonia.Node, error) {
	if c.features {
		return c.append(b, label, in)
	}
	if len(in) == 3 {
		return b.Apply(label, c.operator, in...)
	}
	bias, err := b.Param(c.bias)
	if err != nil {
		return nil, err
	}
	return b.Apply(label, c.operator, in[0], in[1], bias)
}

// append puts a linear classifier behind the node that computes features, after a global pool where
// these are a map.
func (c *classifier) append(b *engine.Builder, label string, in gorgonia.Nodes) (*gorgonia.Node, error) {
	x, err := b.Apply(label, c.operator, in...)
	if err != nil {
		return nil, err
	}
	if x.Shape().Dims() == 4 {
		if x, err = b.Apply("head pool", &op.GlobalAveragePool{}, x); err != nil {
			return nil, err
		}
		if x, err = b.Apply("head flatten", &op.Flatten{Axis: 1}, x); err != nil {
			return nil, err
		}
	}
	weight, err := b.Param(c.weight)
	if err != nil {
		return nil, err
	}
	bias, err := b.Param(c.bias)
	if err != nil {
		return nil, err
	}
	return b.Apply("head", &op.Linear{}, x, weight, bias)
}

// uniform draws n numbers from U(-1/sqrt(fanIn), 1/sqrt(fanIn)), PyTorch's default for the weights
// (kaiming_uniform with a = sqrt 5) and biases of linear and convolution layers.
func uniform(r *random.Stream, n, fanIn int) []float32 {
	bound := 1 / math.Sqrt(float64(fanIn))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.Uniform(-bound, bound))
	}
	return values
}
