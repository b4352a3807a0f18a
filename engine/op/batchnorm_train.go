package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// BatchStats gives the statistics of x (N, C, ...) per channel, over everything else: (2, C) with the
// mean in row 0 and the biased variance in row 1.
type BatchStats struct {
	undifferentiable
	// ID tells the statistics of several norms of one value apart, of which each has its own.
	ID string
}

// Name is BatchStats.
func (*BatchStats) Name() string { return "BatchStats" }

// OutShape is (2, C).
func (*BatchStats) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	if err := wantChannels(in[0]); err != nil {
		return nil, err
	}
	return tensor.Shape{2, in[0][1]}, nil
}

// Do sums in float64, in two passes.
func (o *BatchStats) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*BatchStats) eval(in []array, out array) {
	x := in[0]
	count := float64(channelCount(x.shape))
	mean, variance := out.row(0), out.row(1)
	out.parallel(x.shape[1], func(c int) {
		for n := range x.shape[0] {
			for _, v := range x.plane(n, c) {
				mean[c] += v
			}
		}
		mean[c] /= count
		for n := range x.shape[0] {
			for _, v := range x.plane(n, c) {
				variance[c] += float64((v - mean[c]) * (v - mean[c]))
			}
		}
		variance[c] /= count
	})
}

// channelCount is the number of elements per channel.
func channelCount(x tensor.Shape) int { return x[0] * product(x[2:]) }

// BatchNormTrain is batch normalisation (Ioffe and Szegedy, 2015) with the statistics of the batch:
// x (N, C, ...), gamma (C), beta (C) and stats (2, C) of BatchStats give the shape of x.
type BatchNormTrain struct {
	base
	Epsilon float32
}

// Name is BatchNormTrain.
func (*BatchNormTrain) Name() string { return "BatchNormTrain" }

// OutShape is the shape of x.
func (*BatchNormTrain) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, 1, 1, 2); err != nil {
		return nil, err
	}
	if err := wantChannels(in[0], in[1:3]...); err != nil {
		return nil, err
	}
	return in[0].Clone(), wantEqual(in, 3, 2, in[0][1])
}

// Do normalises.
func (o *BatchNormTrain) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for x, gamma and beta.
func (*BatchNormTrain) DiffWRT(inputs int) []bool { return wrt(3, inputs) }

// SymDiff takes stats to be BatchStats of x: the gradient of x holds what flows through them.
func (o *BatchNormTrain) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	x, gamma, stats := in[0], in[1], in[3]
	var c chain
	sums := c.apply(&BatchNormReduce{Epsilon: o.Epsilon}, x, stats, dy)
	return gorgonia.Nodes{
		c.apply(&BatchNormGradX{Epsilon: o.Epsilon}, x, stats, gamma, dy, sums),
		c.apply(&Row{Index: 1}, sums),
		c.apply(&Row{Index: 0}, sums),
		nil,
	}, c.err
}

func (o *BatchNormTrain) eval(in []array, out array) {
	normalise(in[0], in[1].data, in[2].data, in[3].row(0), in[3].row(1), o.Epsilon, out)
}

// BatchNormReduce sums what the gradients of batch normalisation need: x, stats (2, C) and dy give
// (2, C) with sum(dy) in row 0 and sum(dy*xhat) in row 1, xhat being (x-mean)/sqrt(var+Epsilon).
// These are the gradients of beta and gamma.
type BatchNormReduce struct {
	undifferentiable
	Epsilon float32
}

// Name is BatchNormReduce.
func (*BatchNormReduce) Name() string { return "BatchNormReduce" }

// OutShape is (2, C).
func (*BatchNormReduce) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, 2, -1); err != nil {
		return nil, err
	}
	if err := wantChannels(in[0]); err != nil {
		return nil, err
	}
	if err := wantEqual(in, 2, in[0]...); err != nil {
		return nil, err
	}
	return in[1].Clone(), wantEqual(in, 1, 2, in[0][1])
}

// Do sums in float64 in the order of the elements.
func (o *BatchNormReduce) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *BatchNormReduce) eval(in []array, out array) {
	x, dy := in[0], in[2]
	mean, variance := in[1].row(0), in[1].row(1)
	out.parallel(x.shape[1], func(c int) {
		sum, sumHat := 0.0, 0.0
		scale := inverseDeviation(variance[c], o.Epsilon)
		for n := range x.shape[0] {
			values := x.plane(n, c)
			for i, g := range dy.plane(n, c) {
				sum += g
				sumHat += float64(g * ((values[i] - mean[c]) * scale))
			}
		}
		out.row(0)[c], out.row(1)[c] = sum, sumHat
	})
}

// BatchNormGradX is the gradient of batch normalisation in x: x, stats (2, C), gamma (C), dy and sums
// (2, C) of BatchNormReduce give gamma/sqrt(var+Epsilon) * (dy - sums[0]/M - xhat*sums[1]/M) with M
// elements per channel.
type BatchNormGradX struct {
	undifferentiable
	Epsilon float32
}

// Name is BatchNormGradX.
func (*BatchNormGradX) Name() string { return "BatchNormGradX" }

// OutShape is the shape of x.
func (*BatchNormGradX) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, 2, 1, -1, 2); err != nil {
		return nil, err
	}
	x := in[0]
	if err := wantChannels(x, in[2]); err != nil {
		return nil, err
	}
	if err := wantEqual(in, 1, 2, x[1]); err != nil {
		return nil, err
	}
	if err := wantEqual(in, 3, x...); err != nil {
		return nil, err
	}
	return x.Clone(), wantEqual(in, 4, 2, x[1])
}

// Do computes the gradient.
func (o *BatchNormGradX) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *BatchNormGradX) eval(in []array, out array) {
	x, stats, gamma, dy, sums := in[0], in[1], in[2], in[3], in[4]
	count := float64(channelCount(x.shape))
	channels := x.shape[1]
	out.parallel(x.shape[0]*channels, func(i int) {
		n, c := i/channels, i%channels
		mean, scale := stats.row(0)[c], inverseDeviation(stats.row(1)[c], o.Epsilon)
		meanDy, meanDyHat := sums.row(0)[c]/count, sums.row(1)[c]/count
		values, dx := x.plane(n, c), out.plane(n, c)
		for k, g := range dy.plane(n, c) {
			hat := (values[k] - mean) * scale
			dx[k] = gamma.data[c] * scale * (g - meanDy - float64(hat*meanDyHat))
		}
	})
}

// RunningMean updates a running mean: running (C) and stats (2, C) give
// Momentum*running + (1-Momentum)*mean.
type RunningMean struct {
	undifferentiable
	Momentum float32
}

// Name is RunningMean.
func (*RunningMean) Name() string { return "RunningMean" }

// OutShape is (C).
func (*RunningMean) OutShape(in ...tensor.Shape) (tensor.Shape, error) { return runningShape(in) }

// Do computes the update.
func (o *RunningMean) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *RunningMean) eval(in []array, out array) {
	blend(in[0].data, in[1].row(0), 1, o.Momentum, out.data)
}

// RunningVar updates a running variance as PyTorch does, with the unbiased variance of Count elements
// per channel: running (C) and stats (2, C) give Momentum*running + (1-Momentum)*var*Count/(Count-1).
type RunningVar struct {
	undifferentiable
	Momentum float32
	Count    int
}

// Name is RunningVar.
func (*RunningVar) Name() string { return "RunningVar" }

// OutShape is (C).
func (o *RunningVar) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if o.Count < 2 {
		return nil, fmt.Errorf("the variance of %d values is not known", o.Count)
	}
	return runningShape(in)
}

// Do computes the update.
func (o *RunningVar) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *RunningVar) eval(in []array, out array) {
	blend(in[0].data, in[1].row(1), float64(o.Count)/float64(o.Count-1), o.Momentum, out.data)
}

func runningShape(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 1, 2); err != nil {
		return nil, err
	}
	return in[0].Clone(), wantEqual(in, 1, 2, in[0][0])
}

// blend computes momentum*old + (1-momentum)*factor*fresh.
func blend(old, fresh []float64, factor float64, momentum float32, out []float64) {
	m := float64(momentum)
	for i := range out {
		out[i] = float64(m*old[i]) + float64((1-m)*(factor*fresh[i]))
	}
}
