package run

import (
	"fmt"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/op/optest"
)

// untrained are the rows that a network before training cannot hold: training itself makes these operators.
var untrained = []string{
	"BatchNormTrain", "DropoutTrain", "DropoutTrain of whole images", "SoftmaxCrossEntropy", "WeightedSum",
}

// TestEveryRowTrains makes one training step through every differentiable row of the operators' table, whatever its shapes,
// with trainable operands, and compares loss and gradients with the interpreter.
func TestEveryRowTrains(t *testing.T) {
	for _, row := range optest.Rows() {
		if row.Differentiable == 0 || slices.Contains(untrained, row.Name) {
			continue
		}
		t.Run(row.Name, func(t *testing.T) {
			b, in := rowOperands(t, row)
			y, err := row.Node(in)
			b.check(err)
			// What the row's Build applies is not the builder's: the operator is applied again, which gives the same node.
			y = b.apply(row.Op, op.Inputs(y)...)
			compareRow(t, b.objectiveOf(y, 2), false)
		})
	}
}

// rowOperands starts a network with the operands of a row: parameters of the row's values, to the first of which something
// small is added that is computed from the image.
func rowOperands(t *testing.T, row optest.Row) (*tiny, gorgonia.Nodes) {
	t.Helper()
	b := &tiny{t: t, b: engine.NewBuilder()}
	x, err := b.b.Placeholder("x", 2, 3, 4, 4)
	b.check(err)
	x = b.apply(&op.Conv{Strides: [2]int{2, 2}, Dilations: [2]int{1, 1}, Group: 1}, x, b.param(4, 3, 2, 2))
	var in gorgonia.Nodes
	for k, values := range row.Operands() {
		shape := row.Shapes[k]
		data := make([]float32, len(values))
		for i, v := range values {
			data[i] = float32(v)
		}
		node, err := b.b.Param(&engine.Param{Name: fmt.Sprint("operand", k), Shape: shape, Value: data, Constant: k >= row.Differentiable})
		b.check(err)
		if k == 0 {
			small := b.apply(&op.Reshape{Shape: []int{1, -1}}, x)
			small = b.apply(&op.Linear{}, small, b.param(len(data), small.Shape()[1]))
			small = b.apply(&op.Scale{Factor: 1.0 / 1024}, small)
			node = b.apply(&op.Add{}, b.apply(&op.Reshape{Shape: shape}, small), node)
		}
		in = append(in, node)
	}
	return b, in
}

// objectiveOf is the training of y, of any shape, with a classifier of 4 classes for each of the images behind it.
func (b *tiny) objectiveOf(y *gorgonia.Node, images int) *engine.Objective {
	b.t.Helper()
	y = b.apply(&op.Reshape{Shape: []int{1, -1}}, y)
	y = b.apply(&op.Linear{}, y, b.param(4*images, y.Shape()[1]), b.param(4*images))
	y = b.apply(&op.Reshape{Shape: []int{images, -1}}, y)
	net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: y})
	b.check(err)
	none := float32(0)
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: images, Dropout: &none})
	b.check(err)
	return obj
}
