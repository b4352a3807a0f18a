package op

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// SoftmaxCrossEntropy is PyTorch's cross entropy with label smoothing: logits (N, C) and labels (N), class
// ids as floats, give the mean over N of -sum_c t_c log softmax(logits)_c, where the target t is
// 1-Smoothing at the label plus Smoothing/C everywhere (Szegedy et al., 2016).
type SoftmaxCrossEntropy struct {
	base
	Smoothing float32
}

// Name is SoftmaxCrossEntropy.
func (*SoftmaxCrossEntropy) Name() string { return "SoftmaxCrossEntropy" }

// OutShape is that of a scalar.
func (*SoftmaxCrossEntropy) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 2, 1); err != nil {
		return nil, err
	}
	return tensor.ScalarShape(), wantEqual(in, 1, in[0][0])
}

// Do computes the mean loss; labels must be whole numbers from 0 to C-1.
func (o *SoftmaxCrossEntropy) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for the logits.
func (*SoftmaxCrossEntropy) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives SoftmaxCrossEntropyGrad.
func (o *SoftmaxCrossEntropy) SymDiff(in gorgonia.Nodes, _, dloss *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Apply(&SoftmaxCrossEntropyGrad{Smoothing: o.Smoothing}, in[0], in[1], dloss)
	return gorgonia.Nodes{dx, nil}, err
}

func (*SoftmaxCrossEntropy) check(in []array) error { return checkLabels(in[0], in[1]) }

func (o *SoftmaxCrossEntropy) eval(in []array, out array) {
	logits, labels := in[0], in[1].data
	smoothing := float64(o.Smoothing)
	sum := 0.0
	for n, label := range labels {
		row := logits.row(n)
		logSum := logSumExp(row)
		meanLog := 0.0
		for _, v := range row {
			meanLog += v - logSum
		}
		meanLog /= float64(len(row))
		sum -= float64((1-smoothing)*(row[int(label)]-logSum)) + float64(smoothing*meanLog)
	}
	out.data[0] = sum / float64(len(labels))
}

// checkLabels makes sure that every label is a class.
func checkLabels(logits, labels array) error {
	for n, label := range labels.data {
		if label != math.Trunc(label) || label < 0 || label >= float64(logits.shape[1]) {
			return fmt.Errorf("label %v of image %d is not a class from 0 to %d", label, n, logits.shape[1]-1)
		}
	}
	return nil
}

// SoftmaxCrossEntropyGrad is the gradient of SoftmaxCrossEntropy in the logits: logits (N, C), labels (N) and
// the loss's own gradient, a scalar, give dloss/N * (softmax(logits) - target).
type SoftmaxCrossEntropyGrad struct {
	undifferentiable
	Smoothing float32
}

// Name is SoftmaxCrossEntropyGrad.
func (*SoftmaxCrossEntropyGrad) Name() string { return "SoftmaxCrossEntropyGrad" }

// OutShape is the shape of the logits.
func (*SoftmaxCrossEntropyGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 2, 1, 0); err != nil {
		return nil, err
	}
	return in[0].Clone(), wantEqual(in, 1, in[0][0])
}

// Do computes the gradient; labels must be whole numbers from 0 to C-1.
func (o *SoftmaxCrossEntropyGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (*SoftmaxCrossEntropyGrad) check(in []array) error { return checkLabels(in[0], in[1]) }

func (o *SoftmaxCrossEntropyGrad) eval(in []array, out array) {
	logits, labels := in[0], in[1].data
	classes := float64(logits.shape[1])
	share := in[2].data[0] / float64(len(labels))
	smoothing := float64(o.Smoothing)
	for n, label := range labels {
		dx := out.row(n)
		softmax(logits.row(n), dx)
		for c := range dx {
			target := smoothing / classes
			if c == int(label) {
				target += 1 - smoothing
			}
			dx[c] = (dx[c] - target) * share
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
