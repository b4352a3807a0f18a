package optest

import (
	"gorgonia.org/gorgonia"

	"regraft/engine/op"
	"regraft/engine/random"
)

var unit = [2]int{1, 1}

// inception has the operators of Inception-v3, in training and inference form.
var inception = []Row{
	{Name: "Conv larger than the image", Op: &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Pads: [4]int{3, 3, 3, 3}, Group: 3}, Shapes: [][]int{{1, 3, 2, 2}, {3, 1, 7, 7}}, Differentiable: 2},
	{Name: "Conv 3x3", Op: &op.Conv{Strides: unit, Dilations: unit, Group: 1}, Shapes: [][]int{{2, 5, 5, 4}, {6, 5, 3, 3}}, Differentiable: 2},
	{Name: "Conv 1x1 with bias", Op: &op.Conv{Strides: unit, Dilations: unit, Group: 1}, Shapes: [][]int{{1, 3, 2, 3}, {4, 3, 1, 1}, {4}}, Differentiable: 3},
	{Name: "Conv stride 2, uneven pads", Op: &op.Conv{Strides: [2]int{2, 3}, Dilations: unit, Pads: [4]int{1, 0, 2, 1}, Group: 1}, Shapes: [][]int{{2, 2, 6, 7}, {3, 2, 3, 2}, {3}}, Differentiable: 3},
	{Name: "Conv 1x1 padded", Op: &op.Conv{Strides: unit, Dilations: unit, Pads: [4]int{1, 1, 0, 0}, Group: 1}, Shapes: [][]int{{1, 2, 3, 3}, {2, 2, 1, 1}}, Differentiable: 2},
	{Name: "Conv 1x7", Op: &op.Conv{Strides: unit, Dilations: unit, Pads: [4]int{0, 3, 0, 3}, Group: 1}, Shapes: [][]int{{1, 2, 2, 5}, {2, 2, 1, 7}}, Differentiable: 2},
	{Name: "Conv 3x1", Op: &op.Conv{Strides: unit, Dilations: unit, Pads: [4]int{1, 0, 1, 0}, Group: 1}, Shapes: [][]int{{1, 4, 4, 3}, {2, 4, 3, 1}}, Differentiable: 2},
	{Name: "Conv dilated", Op: &op.Conv{Strides: [2]int{1, 2}, Dilations: [2]int{2, 3}, Pads: [4]int{2, 1, 1, 3}, Group: 1}, Shapes: [][]int{{1, 2, 5, 7}, {2, 2, 2, 3}}, Differentiable: 2},
	{Name: "Conv of patches", Op: &op.Conv{Strides: [2]int{4, 4}, Dilations: unit, Group: 1}, Shapes: [][]int{{2, 5, 9, 8}, {6, 5, 4, 4}, {6}}, Differentiable: 3},
	{Name: "Conv of patches, padded", Op: &op.Conv{Strides: [2]int{3, 5}, Dilations: unit, Pads: [4]int{2, 1, 0, 3}, Group: 1}, Shapes: [][]int{{2, 3, 7, 9}, {4, 3, 2, 4}}, Differentiable: 2},
	{Name: "Conv grouped", Op: &op.Conv{Strides: unit, Dilations: unit, Pads: [4]int{1, 1, 1, 1}, Group: 2}, Shapes: [][]int{{2, 4, 3, 3}, {6, 2, 3, 3}, {6}}, Differentiable: 3},
	{Name: "Conv grouped by 8, stride 2", Op: &op.Conv{Strides: [2]int{2, 2}, Dilations: unit, Pads: [4]int{1, 1, 1, 1}, Group: 3}, Shapes: [][]int{{2, 24, 5, 4}, {24, 8, 3, 3}}, Differentiable: 2},
	{Name: "Conv depthwise", Op: &op.Conv{Strides: [2]int{2, 2}, Dilations: unit, Pads: [4]int{1, 1, 1, 1}, Group: 3}, Shapes: [][]int{{1, 3, 5, 4}, {3, 1, 3, 3}}, Differentiable: 2},
	{Name: "ConvGradX", Op: &op.ConvGradX{Conv: op.Conv{Strides: [2]int{2, 1}, Dilations: unit, Pads: [4]int{1, 0, 0, 1}, Group: 1}, In: [2]int{6, 4}}, Shapes: [][]int{{3, 2, 3, 2}, {2, 3, 3, 4}}},
	{Name: "ConvGradW", Op: &op.ConvGradW{Conv: op.Conv{Strides: [2]int{2, 1}, Dilations: unit, Pads: [4]int{1, 0, 0, 1}, Group: 1}, Kernel: [2]int{3, 2}}, Shapes: [][]int{{2, 2, 6, 4}, {2, 3, 3, 4}}},
	{Name: "ChannelSum", Op: &op.ChannelSum{}, Shapes: [][]int{{2, 3, 2, 2}}},
	{Name: "ChannelScale", Op: &op.ChannelScale{}, Shapes: [][]int{{2, 3, 2, 2}, {3}}},
	{Name: "Row", Op: &op.Row{Index: 1}, Shapes: [][]int{{2, 3}}},
	{Name: "Stack", Op: &op.Stack{}, Shapes: [][]int{{3}, {3}}},

	{Name: "BatchNorm", Op: &op.BatchNorm{Epsilon: 1e-3, Momentum: 0.9}, Shapes: [][]int{{2, 3, 2, 3}, {3}, {3}, {3}, {3}}, Differentiable: 3, Values: Positive},
	{Name: "BatchNormScale", Op: &op.BatchNormScale{Epsilon: 1e-3}, Shapes: [][]int{{3}, {3}}, Values: Positive},
	{Name: "BatchStats", Op: &op.BatchStats{}, Shapes: [][]int{{2, 3, 2, 2}}},
	{Name: "BatchNormTrain", Op: &op.BatchNormTrain{Epsilon: 1e-3}, Shapes: [][]int{{3, 2, 2, 3}, {2}, {2}}, Differentiable: 3,
		Build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
			stats, err := op.Apply(&op.BatchStats{}, in[0])
			if err != nil {
				return nil, err
			}
			return op.Apply(&op.BatchNormTrain{Epsilon: 1e-3}, in[0], in[1], in[2], stats)
		}},
	{Name: "BatchNormReduce", Op: &op.BatchNormReduce{Epsilon: 1e-3}, Shapes: [][]int{{2, 3, 2, 2}, {2, 3}, {2, 3, 2, 2}}, Values: Positive},
	{Name: "BatchNormGradX", Op: &op.BatchNormGradX{Epsilon: 1e-3}, Shapes: [][]int{{2, 3, 2, 2}, {2, 3}, {3}, {2, 3, 2, 2}, {2, 3}}, Values: Positive},
	{Name: "RunningMean", Op: &op.RunningMean{Momentum: 0.9}, Shapes: [][]int{{3}, {2, 3}}},
	{Name: "RunningVar", Op: &op.RunningVar{Momentum: 0.9, Count: 8}, Shapes: [][]int{{3}, {2, 3}}, Values: Positive},

	{Name: "Relu", Op: &op.Relu{}, Shapes: [][]int{{2, 3, 2, 2}}, Differentiable: 1, Values: Distinct},
	{Name: "ReluGrad", Op: &op.ReluGrad{}, Shapes: [][]int{{2, 3}, {2, 3}}},

	{Name: "MaxPool 3x3, stride 2", Op: &op.MaxPool{Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Dilations: unit}, Shapes: [][]int{{2, 2, 5, 7}}, Differentiable: 1, Values: Distinct},
	{Name: "MaxPool padded, ceil", Op: &op.MaxPool{Kernel: [2]int{3, 2}, Strides: [2]int{2, 3}, Dilations: unit, Pads: [4]int{1, 0, 1, 1}, CeilMode: true}, Shapes: [][]int{{1, 2, 6, 6}}, Differentiable: 1, Values: Distinct},
	{Name: "MaxPool dilated", Op: &op.MaxPool{Kernel: [2]int{2, 2}, Strides: unit, Dilations: [2]int{2, 3}, Pads: [4]int{0, 1, 1, 0}}, Shapes: [][]int{{1, 1, 5, 6}}, Differentiable: 1, Values: Distinct},
	{Name: "MaxPoolGrad", Op: &op.MaxPoolGrad{MaxPool: op.MaxPool{Kernel: [2]int{2, 2}, Strides: unit, Dilations: unit}}, Shapes: [][]int{{1, 2, 3, 4}, {1, 2, 2, 3}}},
	{Name: "AveragePool counting pads", Op: &op.AveragePool{Kernel: [2]int{3, 3}, Strides: unit, Pads: [4]int{1, 1, 1, 1}, CountIncludePad: true}, Shapes: [][]int{{1, 2, 4, 3}}, Differentiable: 1},
	{Name: "AveragePool not counting pads", Op: &op.AveragePool{Kernel: [2]int{3, 2}, Strides: [2]int{2, 1}, Pads: [4]int{1, 0, 1, 1}}, Shapes: [][]int{{2, 1, 4, 3}}, Differentiable: 1},
	{Name: "AveragePool ceil counting pads", Op: &op.AveragePool{Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Pads: [4]int{1, 1, 1, 1}, CeilMode: true, CountIncludePad: true}, Shapes: [][]int{{1, 1, 6, 5}}, Differentiable: 1},
	{Name: "AveragePool ceil", Op: &op.AveragePool{Kernel: [2]int{2, 2}, Strides: [2]int{2, 2}, CeilMode: true}, Shapes: [][]int{{1, 1, 5, 4}}, Differentiable: 1},
	{Name: "AveragePoolGrad", Op: &op.AveragePoolGrad{AveragePool: op.AveragePool{Kernel: [2]int{2, 2}, Strides: unit}, In: [2]int{3, 4}}, Shapes: [][]int{{1, 2, 2, 3}}},
	{Name: "GlobalAveragePool", Op: &op.GlobalAveragePool{}, Shapes: [][]int{{2, 3, 3, 2}}, Differentiable: 1},
	{Name: "GlobalAveragePoolGrad", Op: &op.GlobalAveragePoolGrad{In: [2]int{2, 3}}, Shapes: [][]int{{2, 3, 1, 1}}},

	{Name: "Linear", Op: &op.Linear{}, Shapes: [][]int{{3, 4}, {2, 4}}, Differentiable: 2},
	{Name: "Linear with bias", Op: &op.Linear{}, Shapes: [][]int{{2, 5}, {3, 5}, {3}}, Differentiable: 3},
	{Name: "Linear of tokens", Op: &op.Linear{}, Shapes: [][]int{{2, 3, 5}, {3, 5}, {3}}, Differentiable: 3},
	{Name: "Linear of pixels", Op: &op.Linear{}, Shapes: [][]int{{2, 3, 2, 5}, {3, 5}}, Differentiable: 2},
	{Name: "LinearGradX", Op: &op.LinearGradX{}, Shapes: [][]int{{2, 4}, {3, 2}}},
	{Name: "LinearGradW", Op: &op.LinearGradW{}, Shapes: [][]int{{3, 4}, {3, 2}}},

	{Name: "Concat channels", Op: &op.Concat{Axis: 1}, Shapes: [][]int{{2, 1, 2, 2}, {2, 3, 2, 2}, {2, 2, 2, 2}}, Differentiable: 3},
	{Name: "Concat last", Op: &op.Concat{Axis: -1}, Shapes: [][]int{{2, 3}, {2, 1}}, Differentiable: 2},
	{Name: "Slice", Op: &op.Slice{Starts: []int{1, -1}, Ends: []int{4, -5}, Axes: []int{0, -1}, Steps: []int{2, -2}}, Shapes: [][]int{{5, 2, 4}}, Differentiable: 1},
	{Name: "Slice reversing", Op: &op.Slice{Starts: []int{-1}, Ends: []int{-100}, Axes: []int{1}, Steps: []int{-1}}, Shapes: [][]int{{2, 4}}, Differentiable: 1},
	{Name: "Slice defaults", Op: &op.Slice{Starts: []int{0, 1}, Ends: []int{1, 100}}, Shapes: [][]int{{3, 4}}, Differentiable: 1},
	{Name: "SliceGrad", Op: &op.SliceGrad{Slice: op.Slice{Starts: []int{1}, Ends: []int{3}, Axes: []int{1}, Steps: []int{1}}, In: []int{2, 4}}, Shapes: [][]int{{2, 2}}},

	{Name: "Dropout", Op: &op.Dropout{Ratio: 0.5, ID: "a"}, Shapes: [][]int{{2, 5}}, Differentiable: 1},
	{Name: "DropoutTrain", Op: &op.DropoutTrain{Ratio: 0.4, ID: "a"}, Shapes: [][]int{{3, 7}, {4}}, Differentiable: 1,
		Values: func(i int, x []float64, s *random.Stream) {
			if i == 1 {
				Labels(1<<16, x, s)
				return
			}
			Smooth(i, x, s)
		}},

	{Name: "DropoutTrain of whole images", Op: &op.DropoutTrain{Ratio: 0.4, ID: "a", Whole: true}, Shapes: [][]int{{5, 7}, {4}}, Differentiable: 1,
		Values: func(i int, x []float64, s *random.Stream) {
			if i == 1 {
				Labels(1<<16, x, s)
				return
			}
			Smooth(i, x, s)
		}},

	{Name: "SoftmaxCrossEntropy", Op: &op.SoftmaxCrossEntropy{}, Shapes: [][]int{{4, 5}, {4, 5}}, Differentiable: 1, Values: logitsAndTargets},
	{Name: "SoftmaxCrossEntropyGrad", Op: &op.SoftmaxCrossEntropyGrad{}, Shapes: [][]int{{3, 5}, {3, 5}, {}}, Values: logitsAndTargets},
	{Name: "WeightedSum", Op: &op.WeightedSum{Weights: []float32{1, 0.4}}, Shapes: [][]int{{}, {}}, Differentiable: 2},
	{Name: "Scale", Op: &op.Scale{Factor: -0.75}, Shapes: [][]int{{2, 3}}, Differentiable: 1},
}

// logitsAndTargets are logits of any size and targets between 0 and 1 that do not add up to one.
func logitsAndTargets(i int, x []float64, s *random.Stream) {
	if i == 1 {
		Targets(x, s)
		return
	}
	Smooth(i, x, s)
}
