package optest

import (
	"regraft/engine/op"
	"regraft/engine/random"
)

// arithmetic has the operators on elements, and those that broadcast.
var arithmetic = []Row{
	{Name: "Add", Op: &op.Add{}, Shapes: [][]int{{2, 3}, {2, 3}}, Differentiable: 2},
	{Name: "Add broadcasting", Op: &op.Add{}, Shapes: [][]int{{2, 1, 3}, {4, 1}}, Differentiable: 2},
	{Name: "Add scalar", Op: &op.Add{}, Shapes: [][]int{{2, 3}, {}}, Differentiable: 2},
	{Name: "Add of one number per channel", Op: &op.Add{}, Shapes: [][]int{{2, 18, 3, 2}, {1, 18, 1, 1}}, Differentiable: 2},
	{Name: "Sub", Op: &op.Sub{}, Shapes: [][]int{{3}, {2, 3}}, Differentiable: 2},
	{Name: "Mul", Op: &op.Mul{}, Shapes: [][]int{{2, 3, 2, 2}, {3, 1, 1}}, Differentiable: 2},
	{Name: "Mul of images", Op: &op.Mul{}, Shapes: [][]int{{2, 18, 3, 2}, {2, 18, 3, 2}}, Differentiable: 2},
	{Name: "Mul by one factor per image and channel", Op: &op.Mul{}, Shapes: [][]int{{2, 18, 3, 2}, {2, 18, 1, 1}}, Differentiable: 2},
	{Name: "Mul by one factor per channel", Op: &op.Mul{}, Shapes: [][]int{{2, 18, 3, 2}, {1, 18, 1, 1}}, Differentiable: 2},
	{Name: "Mul by one image of a channel", Op: &op.Mul{}, Shapes: [][]int{{2, 18, 3, 5}, {2, 1, 3, 5}}, Differentiable: 2},
	{Name: "Sub of a row of every image", Op: &op.Sub{}, Shapes: [][]int{{2, 18, 3, 5}, {2, 18, 1, 5}}, Differentiable: 2},
	{Name: "Div by lengths", Op: &op.Div{}, Shapes: [][]int{{3, 20}, {3, 1}}, Differentiable: 2, Values: Positive},
	{Name: "Expand of columns", Op: &op.Expand{Shape: []int{2, 18, 3, 5}}, Shapes: [][]int{{2, 18, 3, 1}}, Differentiable: 1},
	{Name: "Div", Op: &op.Div{}, Shapes: [][]int{{2, 1}, {2, 4}}, Differentiable: 2, Values: Positive},
	{Name: "Expand", Op: &op.Expand{Shape: []int{2, 1, 4}}, Shapes: [][]int{{3, 1}}, Differentiable: 1},
	{Name: "BatchTile", Op: &op.BatchTile{}, Shapes: [][]int{{1, 3, 5}, {2, 3}}, Differentiable: 1},
	{Name: "BatchTile of rows", Op: &op.BatchTile{}, Shapes: [][]int{{3, 5}, {2, 3, 4, 4}}, Differentiable: 1},
	{Name: "Where", Op: &op.Where{}, Shapes: [][]int{{2, 3, 4}, {3, 1}, {2, 1, 4}}, Differentiable: 2, Values: truthIn(2)},
	{Name: "Where of images", Op: &op.Where{}, Shapes: [][]int{{2, 3, 4, 4}, {2, 3, 4, 4}, {2, 3, 4, 4}}, Differentiable: 2, Values: truthIn(2)},
	{Name: "IsNaN", Op: &op.IsNaN{}, Shapes: [][]int{{2, 3}}},
	{Name: "Equal", Op: &op.Compare{Relation: op.EqualTo}, Shapes: [][]int{{4, 5}, {5}}, Values: truthIn(1)},
	{Name: "Greater", Op: &op.Compare{Relation: op.GreaterThan}, Shapes: [][]int{{4, 5}, {4, 5}}},
	{Name: "Less", Op: &op.Compare{Relation: op.LessThan}, Shapes: [][]int{{4, 5}, {4, 5}}},
	{Name: "GreaterOrEqual", Op: &op.Compare{Relation: op.GreaterOrEqual}, Shapes: [][]int{{4, 5}, {4, 5}}},
	{Name: "LessOrEqual", Op: &op.Compare{Relation: op.LessOrEqual}, Shapes: [][]int{{4, 5}, {4, 5}}},
	{Name: "SumTo", Op: &op.SumTo{Shape: []int{3, 1}}, Shapes: [][]int{{2, 3, 4}}, Differentiable: 1},
	{Name: "Neg", Op: &op.Neg{}, Shapes: [][]int{{2, 3}}, Differentiable: 1},
	{Name: "Reciprocal", Op: &op.Reciprocal{}, Shapes: [][]int{{2, 3}}, Differentiable: 1, Values: Positive},
	{Name: "Sqrt", Op: &op.Sqrt{}, Shapes: [][]int{{2, 3}}, Differentiable: 1, Values: Positive},
	{Name: "Exp", Op: &op.Exp{}, Shapes: [][]int{{2, 3}}, Differentiable: 1},
	{Name: "Log", Op: &op.Log{}, Shapes: [][]int{{2, 3}}, Differentiable: 1, Values: Positive},
	{Name: "Clip", Op: &op.Clip{Min: 0, Max: 1}, Shapes: [][]int{{3, 8}}, Differentiable: 1, Values: Distinct},
	{Name: "ClipGrad", Op: &op.ClipGrad{Min: 0, Max: 1}, Shapes: [][]int{{3, 8}, {3, 8}}},
	{Name: "Softmax", Op: &op.Softmax{Axis: 1}, Shapes: [][]int{{2, 4, 3}}, Differentiable: 1},
	{Name: "Softmax of rows of pixels", Op: &op.Softmax{Axis: -1}, Shapes: [][]int{{2, 18, 3, 5}}, Differentiable: 1},
	{Name: "Softmax over channels", Op: &op.Softmax{Axis: 1}, Shapes: [][]int{{2, 18, 3, 5}}, Differentiable: 1},
	{Name: "LogSoftmax of columns of pixels", Op: &op.LogSoftmax{Axis: 2}, Shapes: [][]int{{2, 18, 3, 5}}, Differentiable: 1},
	{Name: "SoftmaxGrad", Op: &op.SoftmaxGrad{Axis: 1}, Shapes: [][]int{{2, 4, 3}, {2, 4, 3}}},
	{Name: "LogSoftmax", Op: &op.LogSoftmax{Axis: -1}, Shapes: [][]int{{3, 4}}, Differentiable: 1},
	{Name: "LogSoftmaxGrad", Op: &op.LogSoftmaxGrad{Axis: -1}, Shapes: [][]int{{3, 4}, {3, 4}}},
}

// truthIn fills one operand with zeros and ones.
func truthIn(operand int) func(i int, x []float64, s *random.Stream) {
	return func(i int, x []float64, s *random.Stream) {
		if i == operand {
			Labels(2, x, s)
		} else {
			Smooth(i, x, s)
		}
	}
}
