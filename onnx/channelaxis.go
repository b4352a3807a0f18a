package onnx

import "slices"

// inputAxes is what the first layers tell of a graph's input of four axes.
type inputAxes struct {
	// channel is the axis of the channels, 0 where nothing tells it: 1 for (N, C, H, W), 3 for (N, H, W, C).
	channel int
	// channels is their number, 0 where nothing tells it.
	channels int
}

// keepsAxes are operators whose result has the axes of its operands, in their order.
var keepsAxes = map[string]bool{
	"Abs": true, "Add": true, "Cast": true, "CastLike": true, "Clip": true, "Concat": true, "Div": true,
	"Identity": true, "LeakyRelu": true, "Max": true, "Min": true, "Mul": true, "Neg": true, "Pad": true, "Pow": true, "Relu": true,
	"Resize": true, "Sigmoid": true, "Slice": true, "Split": true, "Sqrt": true, "Sub": true, "Sum": true, "Tanh": true, "Upsample": true,
	"DequantizeLinear": true, "QuantizeLinear": true,
}

// hasChannels are operators on (N, C, H, W); weights tell the number of channels too.
var hasChannels = map[string]bool{
	"Conv": true, "FusedConv": true, "MaxPool": true, "AveragePool": true, "GlobalAveragePool": true, "GlobalMaxPool": true, "BatchNormalization": true,
	"InstanceNormalization": true, "LRN": true,
}

// traceAxes follows the input to the first operator that takes images as (N, C, H, W). What lies between may reorder
// the axes. A Transpose to that order is a sign of its own, for graphs without such an operator.
func traceAxes(g *graph, input *value, shape []Dim) inputAxes {
	from := map[*value][]int{input: {0, 1, 2, 3}} // which axis of the input every axis of a value is
	var sign inputAxes
	for _, n := range g.nodes {
		var axes []int
		for _, v := range n.in {
			if axes = from[v]; axes != nil {
				break
			}
		}
		if axes == nil {
			continue
		}
		if hasChannels[n.opType] {
			return inputAxes{axes[1], weightChannels(n)}
		}
		axes = n.reorders(axes, shape)
		if n.opType == "Transpose" && slices.Equal(axes, toChannelsFirst) {
			sign.channel = 3
		}
		for _, out := range n.out {
			if out != nil && axes != nil {
				from[out] = axes
			}
		}
	}
	return sign
}

// weightChannels is the number of channels that a convolution or BatchNormalization takes, 0 where its weight is not known yet.
func weightChannels(n *node) int {
	if len(n.in) < 2 || n.in[1] == nil || n.in[1].constant == nil {
		return 0
	}
	switch shape := n.in[1].constant.shape; {
	case n.opType == "BatchNormalization" && len(shape) == 1:
		return shape[0]
	case n.opType != "Conv" && n.opType != "FusedConv" || len(shape) != 4:
		return 0
	}
	group := int64(1)
	for _, a := range n.attributes {
		if a.name == "group" {
			group = a.i
		}
	}
	return n.in[1].constant.shape[1] * int(max(group, 1))
}

// reorders tells which axes of the input the result's are, where the node's operand has the given ones; nil where it
// has others.
func (n *node) reorders(axes []int, shape []Dim) []int {
	switch {
	case keepsAxes[n.opType]:
		return axes
	case n.opType == "Transpose":
		perm := []int64{3, 2, 1, 0}
		for _, a := range n.attributes {
			if a.name == "perm" {
				perm = a.ints
			}
		}
		if len(perm) != 4 || slices.Min(perm) < 0 || slices.Max(perm) > 3 {
			return nil
		}
		out := make([]int, 4)
		for i, p := range perm {
			out[i] = axes[p]
		}
		return out
	case n.opType == "Reshape" && len(n.in) == 2 && n.in[1] != nil && n.in[1].constant != nil:
		// TensorFlow's converters write the Transpose of a single channel as a Reshape.
		to := n.in[1].constant.ints
		if slices.Equal(axes, []int{0, 1, 2, 3}) && len(to) == 4 && shape[3].Size == 1 && to[1] == 1 &&
			to[2] == shape[1].Size && to[3] == shape[2].Size {
			return toChannelsFirst
		}
	}
	return nil
}
