package op

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// BatchNorm is the inference form of ONNX BatchNormalization: x (N, C, ...) with gamma, beta and the
// running mean and var, each (C), gives gamma*(x-mean)/sqrt(var+Epsilon) + beta.
type BatchNorm struct {
	base
	Epsilon float32
	// Momentum is ONNX's: training multiplies the old running value by it. PyTorch's is 1 - Momentum.
	Momentum float32
}

// Name is BatchNormalization.
func (*BatchNorm) Name() string { return "BatchNormalization" }

// OutShape is the shape of x.
func (*BatchNorm) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, 1, 1, 1, 1); err != nil {
		return nil, err
	}
	return in[0].Clone(), wantChannels(in[0], in[1:]...)
}

// Do normalises with the running statistics.
func (o *BatchNorm) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for x, gamma and beta.
func (*BatchNorm) DiffWRT(inputs int) []bool { return wrt(3, inputs) }

// SymDiff takes the statistics for constants.
func (o *BatchNorm) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	x, gamma, mean, variance := in[0], in[1], in[3], in[4]
	var c chain
	scale := c.apply(&BatchNormScale{Epsilon: o.Epsilon}, gamma, variance)
	stats := c.apply(&Stack{}, mean, variance)
	sums := c.apply(&BatchNormReduce{Epsilon: o.Epsilon}, x, stats, dy)
	return gorgonia.Nodes{
		c.apply(&ChannelScale{}, dy, scale),
		c.apply(&Row{Index: 1}, sums),
		c.apply(&Row{Index: 0}, sums),
		nil, nil,
	}, c.err
}

func (o *BatchNorm) eval(in []array, out array) {
	normalise(in[0], in[1].data, in[2].data, in[3].data, in[4].data, o.Epsilon, out)
}

// normalise computes gamma*(x-mean)/sqrt(variance+epsilon) + beta per channel.
func normalise(x array, gamma, beta, mean, variance []float64, epsilon float32, out array) {
	mapChannels(x, out, func(c int, v float64) float64 {
		return float64(gamma[c]*((v-mean[c])*inverseDeviation(variance[c], epsilon))) + beta[c]
	})
}

func inverseDeviation(variance float64, epsilon float32) float64 {
	return 1 / math.Sqrt(variance+float64(epsilon))
}

// BatchNormScale gives gamma/sqrt(var+Epsilon) of gamma and var, all (C).
type BatchNormScale struct {
	undifferentiable
	Epsilon float32
}

// Name is BatchNormScale.
func (*BatchNormScale) Name() string { return "BatchNormScale" }

// OutShape is (C).
func (*BatchNormScale) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 1, 1); err != nil {
		return nil, err
	}
	return sameShape(in, 2)
}

// Do divides.
func (o *BatchNormScale) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *BatchNormScale) eval(in []array, out array) {
	for c, gamma := range in[0].data {
		out.data[c] = gamma * inverseDeviation(in[1].data[c], o.Epsilon)
	}
}
