package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// SoftmaxCrossEntropy is PyTorch's cross entropy with targets that are no class ids: logits (N, C) and targets t (N, C) give the mean
// over N of -sum_c t_c log softmax(logits)_c. One at the label is the usual loss of a class; smoothed labels (Szegedy et al., 2016),
// mixtures of two photos and weights of classes, whose targets do not add up to one, are others.
type SoftmaxCrossEntropy struct{ base }

// Name is SoftmaxCrossEntropy.
func (*SoftmaxCrossEntropy) Name() string { return "SoftmaxCrossEntropy" }

// OutShape is that of a scalar.
func (*SoftmaxCrossEntropy) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 2, 2); err != nil {
		return nil, err
	}
	return tensor.ScalarShape(), wantEqual(in, 1, in[0]...)
}

// Do computes the mean loss.
func (o *SoftmaxCrossEntropy) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for the logits.
func (*SoftmaxCrossEntropy) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives SoftmaxCrossEntropyGrad.
func (*SoftmaxCrossEntropy) SymDiff(in gorgonia.Nodes, _, dloss *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Apply(&SoftmaxCrossEntropyGrad{}, in[0], in[1], dloss)
	return gorgonia.Nodes{dx, nil}, err
}

func (*SoftmaxCrossEntropy) eval(in []array, out array) {
	logits, targets := in[0], in[1]
	sum, rows := 0.0, logits.shape[0]
	for n := range rows {
		row := logits.row(n)
		logSum := logSumExp(row)
		for c, t := range targets.row(n) {
			if t != 0 {
				sum -= float64(t * (row[c] - logSum))
			}
		}
	}
	out.data[0] = sum / float64(rows)
}

// SoftmaxCrossEntropyGrad is the gradient of SoftmaxCrossEntropy in the logits: logits (N, C), targets t (N, C) and
// the loss's own gradient, a scalar, give dloss/N * (sum_c t_c * softmax(logits) - t).
type SoftmaxCrossEntropyGrad struct{ undifferentiable }

// Name is SoftmaxCrossEntropyGrad.
func (*SoftmaxCrossEntropyGrad) Name() string { return "SoftmaxCrossEntropyGrad" }

// OutShape is the shape of the logits.
func (*SoftmaxCrossEntropyGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 2, 2, 0); err != nil {
		return nil, err
	}
	return in[0].Clone(), wantEqual(in, 1, in[0]...)
}

// Do computes the gradient.
func (o *SoftmaxCrossEntropyGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *SoftmaxCrossEntropyGrad) eval(in []array, out array) {
	logits, targets := in[0], in[1]
	rows := logits.shape[0]
	share := in[2].data[0] / float64(rows)
	for n := range rows {
		dx, total := out.row(n), 0.0
		for _, t := range targets.row(n) {
			total += t
		}
		softmax(logits.row(n), dx)
		for c, t := range targets.row(n) {
			dx[c] = (float64(dx[c]*total) - t) * share
		}
	}
}

// WeightedSum gives the sum of scalars, each times its weight: the total loss of several heads.
type WeightedSum struct {
	base
	Weights []float32
}

// Name is WeightedSum.
func (*WeightedSum) Name() string { return "WeightedSum" }

// OutShape is that of a scalar.
func (o *WeightedSum) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if len(in) == 0 {
		return nil, fmt.Errorf("no operands")
	}
	return tensor.ScalarShape(), wantRanks(in, make([]int, len(o.Weights))...)
}

// Do sums.
func (o *WeightedSum) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for all operands.
func (*WeightedSum) DiffWRT(inputs int) []bool { return wrt(inputs, inputs) }

// SymDiff gives every operand its weight times dy.
func (o *WeightedSum) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	var grads gorgonia.Nodes
	for i := range in {
		grads = append(grads, c.apply(&Scale{Factor: o.Weights[i]}, dy))
	}
	return grads, c.err
}

func (o *WeightedSum) eval(in []array, out array) {
	for i, a := range in {
		out.data[0] += float64(a.data[0] * float64(o.Weights[i]))
	}
}
