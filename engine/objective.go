package engine

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// ObjectiveOptions says how a network is trained.
type ObjectiveOptions struct {
	// Batch is the number of images per step.
	Batch int
	// AuxWeight multiplies the loss of every auxiliary output (torchvision's recipe: 0.4).
	AuxWeight float32
	// Dropout overrides every dropout ratio when it is not nil.
	Dropout *float32
	// DropPath is the share of the photos for which a step leaves out the last block's residual branches; from the first block on it rises
	// evenly (stochastic depth).
	DropPath float32
}

// Update is a value that the step computes for a running statistic.
type Update struct {
	Param *Param
	Node  *gorgonia.Node
}

// Objective is a network in training form with its loss and the gradients of all trainable
// parameters in one graph.
type Objective struct {
	// Net shares its graph with the loss and the gradients; its outputs are the logits.
	Net *Network
	// Targets is (N, classes): how much every class counts in the loss of an image.
	Targets *gorgonia.Node
	// Key is (4): sixteen bits each of the number that decides what Dropout keeps; nil without Dropout.
	Key *gorgonia.Node
	// Total is the scalar that is minimised: main + AuxWeight * each auxiliary loss.
	Total *gorgonia.Node
	// Losses holds the mean cross entropy of each output.
	Losses []*gorgonia.Node
	// Trainable parameters and their gradients, in the order of Net.Params.
	Trainable []*Param
	Grads     []*gorgonia.Node
	// Updates are BatchNorm's new running statistics.
	Updates []Update
}

// NewObjective puts net into training form (BatchNorm with the statistics of the batch unless its scale is frozen, active
// Dropout), adds the cross-entropy losses and differentiates them with gorgonia.Grad.
func NewObjective(net *Network, o ObjectiveOptions) (*Objective, error) {
	obj := &Objective{}
	net, err := net.PoolAfterConv()
	if err != nil {
		return nil, err
	}
	if net, err = net.Join(); err != nil {
		return nil, err
	}
	if o.DropPath > 0 {
		if net, err = net.withDropPath(o.DropPath); err != nil {
			return nil, err
		}
	}
	if net, err = net.OneToken(); err != nil {
		return nil, err
	}
	shape := net.Input.Shape().Clone()
	shape[0] = o.Batch
	train, err := net.Rewrite(shape, obj.trainingForm(net, o))
	if err != nil {
		return nil, err
	}
	obj.Net = train
	if err := obj.addLoss(o); err != nil {
		return nil, err
	}
	return obj, obj.differentiate()
}

// trainingForm replaces inference-form operators by those that training needs.
func (obj *Objective) trainingForm(net *Network, o ObjectiveOptions) Rewriter {
	return func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		label := net.Label(old)
		switch v := old.Op().(type) {
		case *op.BatchNorm:
			if p := net.ParamOf(op.Inputs(old)[1]); p != nil && p.Frozen {
				return nil, nil // with the running statistics
			}
			return obj.batchNorm(b, v, label, in)
		case *op.Dropout:
			ratio := v.Ratio
			if o.Dropout != nil && !v.Whole {
				ratio = *o.Dropout
			}
			if ratio == 0 {
				return in[0], nil
			}
			if obj.Key == nil {
				var err error
				if obj.Key, err = b.Placeholder("dropout key", 4); err != nil {
					return nil, err
				}
			}
			return b.Apply(label, &op.DropoutTrain{Ratio: ratio, ID: v.ID, Whole: v.Whole}, in[0], obj.Key)
		}
		return nil, nil
	}
}

// batchNorm normalises with the statistics of the batch and records the running ones' updates.
func (obj *Objective) batchNorm(b *Builder, v *op.BatchNorm, label string, in gorgonia.Nodes) (*gorgonia.Node, error) {
	x, gamma, beta, mean, variance := in[0], in[1], in[2], in[3], in[4]
	shape := x.Shape()
	count := shape.TotalSize() / shape[1]
	if count < 2 {
		return nil, fmt.Errorf("node %q: batch statistics need more than one value per channel; use a larger batch or larger photos", label)
	}
	stats, err := b.Apply(label+" statistics", &op.BatchStats{ID: gamma.Name()}, x)
	if err != nil {
		return nil, err
	}
	newMean, err := b.Apply(label+" running mean", &op.RunningMean{Momentum: v.Momentum}, mean, stats)
	if err != nil {
		return nil, err
	}
	newVar, err := b.Apply(label+" running variance", &op.RunningVar{Momentum: v.Momentum, Count: count}, variance, stats)
	if err != nil {
		return nil, err
	}
	for _, u := range []struct{ param, value *gorgonia.Node }{{mean, newMean}, {variance, newVar}} {
		p := b.net.params[u.param]
		if p == nil {
			return nil, fmt.Errorf("node %q: running statistics must be parameters", label)
		}
		p.Running = true
		obj.Updates = append(obj.Updates, Update{p, u.value})
	}
	return b.Apply(label, &op.BatchNormTrain{Epsilon: v.Epsilon}, x, gamma, beta, stats)
}

func (obj *Objective) addLoss(o ObjectiveOptions) error {
	b := &Builder{net: obj.Net, names: map[string]bool{}}
	weights := make([]float32, len(obj.Net.Outputs))
	for i, out := range obj.Net.Outputs {
		logits, err := b.logits(out)
		if err != nil {
			return err
		}
		if obj.Targets == nil {
			if obj.Targets, err = b.Placeholder("targets", logits.Shape()...); err != nil {
				return err
			}
		}
		loss, err := b.Apply("loss of "+out.Name, &op.SoftmaxCrossEntropy{}, logits, obj.Targets)
		if err != nil {
			return err
		}
		obj.Losses = append(obj.Losses, loss)
		weights[i] = o.AuxWeight
	}
	weights[0] = 1
	var err error
	obj.Total, err = b.Apply("total loss", &op.WeightedSum{Weights: weights}, obj.Losses...)
	return err
}

// logits is the output as (N, classes): maps of one pixel (N, classes, 1, 1) lose their last dimensions.
func (b *Builder) logits(out Output) (*gorgonia.Node, error) {
	s := out.Node.Shape()
	if s.Dims() == 2 {
		return out.Node, nil
	}
	if s.Dims() < 2 || s.TotalSize() != s[0]*s[1] {
		return nil, fmt.Errorf("output %q has shape %v: training needs logits of shape (N, classes) or (N, classes, 1, 1)", out.Name, s)
	}
	return b.Apply("logits of "+out.Name, &op.Flatten{Axis: 1}, out.Node)
}

// differentiate adds the gradients of the trainable parameters that the loss is differentiable in.
func (obj *Objective) differentiate() error {
	reached := map[*gorgonia.Node]bool{obj.Total: true}
	for _, node := range slices.Backward(obj.Net.Nodes(obj.Total)) {
		in := op.Inputs(node)
		for k, differentiable := range node.Op().(op.Op).DiffWRT(len(in)) {
			if differentiable && reached[node] {
				reached[in[k]] = true
			}
		}
	}
	var wrt gorgonia.Nodes
	for _, p := range obj.Net.Params {
		if reached[p.Node] && p.Trainable() {
			obj.Trainable = append(obj.Trainable, p)
			wrt = append(wrt, p.Node)
		}
	}
	if len(wrt) == 0 {
		return fmt.Errorf("nothing to train: the loss depends on no trainable parameter")
	}
	grads, err := gorgonia.Grad(obj.Total, wrt...)
	if err != nil {
		return fmt.Errorf("gradient graph: %w", err)
	}
	obj.Grads = grads
	return nil
}
