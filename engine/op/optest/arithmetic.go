package optest

import "regraft/engine/op"

// arithmetic has the operators on elements, and those that broadcast.
var arithmetic = []Row{
	{Name: "Add", Op: &op.Add{}, Shapes: [][]int{{2, 3}, {2, 3}}, Differentiable: 2},
	{Name: "Add broadcasting", Op: &op.Add{}, Shapes: [][]int{{2, 1, 3}, {4, 1}}, Differentiable: 2},
	{Name: "Add scalar", Op: &op.Add{}, Shapes: [][]int{{2, 3}, {}}, Differentiable: 2},
	{Name: "Sub", Op: &op.Sub{}, Shapes: [][]int{{3}, {2, 3}}, Differentiable: 2},
	{Name: "Mul", Op: &op.Mul{}, Shapes: [][]int{{2, 3, 2, 2}, {3, 1, 1}}, Differentiable: 2},
	{Name: "Mul of images", Op: &op.Mul{}, Shapes: [][]int{{2, 18, 3, 2}, {2, 18, 3, 2}}, Differentiable: 2},
	{Name: "Mul by one factor per image and channel", Op: &op.Mul{}, Shapes: [][]int{{2, 18, 3, 2}, {2, 18, 1, 1}}, Differentiable: 2},
	{Name: "Mul by one factor per channel", Op: &op.Mul{}, Shapes: [][]int{{2, 18, 3, 2}, {1, 18, 1, 1}}, Differentiable: 2},
	{Name: "Div", Op: &op.Div{}, Shapes: [][]int{{2, 1}, {2, 4}}, Differentiable: 2, Values: Positive},
	{Name: "Expand", Op: &op.Expand{Shape: []int{2, 1, 4}}, Shapes: [][]int{{3, 1}}, Differentiable: 1},
	{Name: "BatchTile", Op: &op.BatchTile{}, Shapes: [][]int{{1, 3, 5}, {2, 3}}, Differentiable: 1},
	{Name: "BatchTile of rows", Op: &op.BatchTile{}, Shapes: [][]int{{3, 5}, {2, 3, 4, 4}}, Differentiable: 1},
	{Name: "SumTo", Op: &op.SumTo{Shape: []int{3, 1}}, Shapes: [][]int{{2, 3, 4}}, Differentiable: 1},
	{Name: "Neg", Op: &op.Neg{}, Shapes: [][]int{{2, 3}}, Differentiable: 1},
	{Name: "Reciprocal", Op: &op.Reciprocal{}, Shapes: [][]int{{2, 3}}, Differentiable: 1, Values: Positive},
	{Name: "Sqrt", Op: &op.Sqrt{}, Shapes: [][]int{{2, 3}}, Differentiable: 1, Values: Positive},
	{Name: "Exp", Op: &op.Exp{}, Shapes: [][]int{{2, 3}}, Differentiable: 1},
	{Name: "Log", Op: &op.Log{}, Shapes: [][]int{{2, 3}}, Differentiable: 1, Values: Positive},
	{Name: "Clip", Op: &op.Clip{Min: 0, Max: 1}, Shapes: [][]int{{3, 8}}, Differentiable: 1, Values: Distinct},
	{Name: "ClipGrad", Op: &op.ClipGrad{Min: 0, Max: 1}, Shapes: [][]int{{3, 8}, {3, 8}}},
	{Name: "Softmax", Op: &op.Softmax{Axis: 1}, Shapes: [][]int{{2, 4, 3}}, Differentiable: 1},
	{Name: "SoftmaxGrad", Op: &op.SoftmaxGrad{Axis: 1}, Shapes: [][]int{{2, 4, 3}, {2, 4, 3}}},
	{Name: "LogSoftmax", Op: &op.LogSoftmax{Axis: -1}, Shapes: [][]int{{3, 4}}, Differentiable: 1},
	{Name: "LogSoftmaxGrad", Op: &op.LogSoftmaxGrad{Axis: -1}, Shapes: [][]int{{3, 4}, {3, 4}}},
}
