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

// Swap replaces every classifier of net by a new one for the given labels, initialised as torchvision does and drawn from seed.
// What lies behind a classifier (Softmax, Sigmoid, a temperature) goes with it: outputs are logits (N, classes), the main one
// first. Where the network ends in features a classifier is added. net itself stays as it is; the values of its other parameters
// are shared.
func Swap(net *engine.Network, labels []string, seed uint64) (*engine.Network, error) {
	if len(labels) < 2 {
		return nil, fmt.Errorf("a classifier needs at least 2 classes, not %d", len(labels))
	}
	heads, err := Find(net)
	if err != nil {
		return nil, err
	}
	swapped, err := withHeads(net, heads, func(h *Head) values {
		r := random.At(seed, "head", uint64(h.Output))
		return values{uniform(r, len(labels)*h.Features, h.Features), uniform(r, len(labels), h.Features)}
	})
	if err != nil {
		return nil, err
	}
	swapped.Meta.Labels = slices.Clone(labels)
	return swapped, nil
}

// Keep returns net with the heads that it has in the form that Swap gives them, for training on from their values. It returns nil
// where that form cannot hold what a head computes: something other than Softmax lies behind it, or it has another number of scores
// than there are classes.
func Keep(net *engine.Network, classes int) (*engine.Network, error) {
	heads, err := Find(net)
	if err != nil {
		return nil, err
	}
	for _, h := range heads {
		if h.Weight == nil || !h.plain || h.Classes != classes {
			return nil, nil
		}
	}
	return withHeads(net, heads, func(h *Head) values {
		bias := make([]float32, h.Classes)
		if h.Bias != nil {
			bias = h.Bias.Value
		}
		return values{h.layer.matrix(), bias}
	})
}

// values are those of a classifier: weight (classes, features) and bias (classes).
type values struct{ weight, bias []float32 }

// withHeads puts a linear layer, or a 1x1 convolution, Relu and a global pool for rectified heads, on the trunk of every head.
func withHeads(net *engine.Network, heads []Head, of func(*Head) values) (*engine.Network, error) {
	trunk, err := trunkOf(net, heads)
	if err != nil {
		return nil, err
	}
	ends := slices.Clone(trunk.Outputs)
	for i := range ends {
		ends[i].Name = net.Outputs[heads[i].Output].Name
	}
	whole, err := trunk.Extend(ends, func(b *engine.Builder, i int, x *gorgonia.Node) (*gorgonia.Node, error) {
		return build(b, &heads[i], of(&heads[i]), x)
	})
	if err != nil {
		return nil, err
	}
	whole.Meta.Probabilities = string(Logits)
	return whole, nil
}

// build adds the classifier behind its features x.
func build(b *engine.Builder, h *Head, v values, x *gorgonia.Node) (*gorgonia.Node, error) {
	name := "head"
	switch {
	case h.Weight != nil:
		name = h.Name()
	case h.Kind == Aux:
		name = fmt.Sprint("aux_head", h.Output)
	}
	classes := len(v.bias)
	shape := tensor.Shape{classes, h.Features}
	if h.Rectified {
		shape = append(shape, 1, 1)
	}
	weight, err := b.Param(&engine.Param{Name: name + ".weight", Shape: shape, Value: v.weight})
	if err != nil {
		return nil, err
	}
	bias, err := b.Param(&engine.Param{Name: name + ".bias", Shape: tensor.Shape{classes}, Value: v.bias})
	if err != nil {
		return nil, err
	}
	if !h.Rectified {
		return b.Apply(name, &op.Linear{}, x, weight, bias)
	}
	scores, err := b.Apply(name, &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}, x, weight, bias)
	if err != nil {
		return nil, err
	}
	if scores, err = b.Apply(name+" relu", &op.Relu{}, scores); err != nil {
		return nil, err
	}
	return pooled(b, name, scores)
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
