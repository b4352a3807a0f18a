package optest

import (
	"regraft/engine/op"
	"regraft/engine/random"
)

// others has the operators of other families of networks.
var others = []Row{
	{Name: "Sigmoid", Op: &op.Sigmoid{}, Shapes: [][]int{{2, 5}}, Differentiable: 1},
	{Name: "SigmoidGrad", Op: &op.SigmoidGrad{}, Shapes: [][]int{{2, 5}, {2, 5}}},
	{Name: "HardSigmoid", Op: &op.HardSigmoid{Alpha: 0.2, Beta: 0.5}, Shapes: [][]int{{8, 8}}, Differentiable: 1, Values: Distinct},
	{Name: "HardSigmoidGrad", Op: &op.HardSigmoidGrad{Alpha: 0.2, Beta: 0.5}, Shapes: [][]int{{8, 8}, {8, 8}}, Values: Distinct},
	{Name: "HardSwish", Op: &op.HardSwish{}, Shapes: [][]int{{8, 8}}, Differentiable: 1, Values: Distinct},
	{Name: "HardSwishGrad", Op: &op.HardSwishGrad{}, Shapes: [][]int{{8, 8}, {8, 8}}, Values: Distinct},
	{Name: "SiLU", Op: &op.SiLU{}, Shapes: [][]int{{2, 5}}, Differentiable: 1},
	{Name: "SiLUGrad", Op: &op.SiLUGrad{}, Shapes: [][]int{{2, 5}, {2, 5}}},
	{Name: "Sigmoid of images", Op: &op.Sigmoid{}, Shapes: [][]int{{2, 20, 3, 5}}, Differentiable: 1},
	{Name: "SiLU of images", Op: &op.SiLU{}, Shapes: [][]int{{2, 20, 3, 5}}, Differentiable: 1},
	{Name: "HardSigmoid of images", Op: &op.HardSigmoid{Alpha: 0.2, Beta: 0.5}, Shapes: [][]int{{1, 20, 3, 5}}, Differentiable: 1, Values: Distinct},
	{Name: "HardSwish of images", Op: &op.HardSwish{}, Shapes: [][]int{{1, 20, 3, 5}}, Differentiable: 1, Values: Distinct},
	{Name: "Tanh", Op: &op.Tanh{}, Shapes: [][]int{{2, 5}}, Differentiable: 1},
	{Name: "TanhGrad", Op: &op.TanhGrad{}, Shapes: [][]int{{2, 5}, {2, 5}}},
	{Name: "Gelu", Op: &op.Gelu{}, Shapes: [][]int{{2, 5}}, Differentiable: 1},
	{Name: "Gelu of images", Op: &op.Gelu{}, Shapes: [][]int{{2, 20, 3, 5}}, Differentiable: 1},
	{Name: "Gelu by tanh", Op: &op.Gelu{Tanh: true}, Shapes: [][]int{{2, 5}}, Differentiable: 1},
	{Name: "Gelu by tanh, of images", Op: &op.Gelu{Tanh: true}, Shapes: [][]int{{2, 20, 3, 5}}, Differentiable: 1},
	{Name: "GeluGrad", Op: &op.GeluGrad{}, Shapes: [][]int{{2, 5}, {2, 5}}},
	{Name: "LeakyRelu", Op: &op.LeakyRelu{Alpha: 0.1}, Shapes: [][]int{{8, 8}}, Differentiable: 1, Values: Distinct},
	{Name: "LeakyRelu of images", Op: &op.LeakyRelu{Alpha: 0.1}, Shapes: [][]int{{1, 20, 3, 5}}, Differentiable: 1, Values: Distinct},
	{Name: "LeakyReluGrad", Op: &op.LeakyReluGrad{Alpha: 0.1}, Shapes: [][]int{{8, 8}, {8, 8}}, Values: Distinct},
	{Name: "absolute value", Op: &op.LeakyRelu{Alpha: -1}, Shapes: [][]int{{8, 8}}, Differentiable: 1, Values: Distinct},
	{Name: "ThresholdedRelu", Op: &op.ThresholdedRelu{Alpha: 1}, Shapes: [][]int{{8, 8}}, Differentiable: 1, Values: Distinct},
	{Name: "ThresholdedRelu of images", Op: &op.ThresholdedRelu{Alpha: 1}, Shapes: [][]int{{1, 20, 3, 5}}, Differentiable: 1, Values: Distinct},
	{Name: "ThresholdedReluGrad", Op: &op.ThresholdedReluGrad{Alpha: 1}, Shapes: [][]int{{8, 8}, {8, 8}}, Values: Distinct},
	{Name: "PRelu", Op: &op.PRelu{}, Shapes: [][]int{{2, 20, 3, 2}, {20, 1, 1}}, Differentiable: 2, Values: Distinct},
	{Name: "PRelu of one slope", Op: &op.PRelu{}, Shapes: [][]int{{2, 20, 3, 2}, {1, 1, 1}}, Differentiable: 2, Values: Distinct},
	{Name: "PRelu of features", Op: &op.PRelu{}, Shapes: [][]int{{3, 5}, {5}}, Differentiable: 2, Values: Distinct},
	{Name: "PRelu of pixels", Op: &op.PRelu{}, Shapes: [][]int{{2, 3, 2, 2}, {3, 2, 2}}, Differentiable: 2, Values: Distinct},
	{Name: "PReluGradX", Op: &op.PReluGradX{}, Shapes: [][]int{{2, 3, 2, 2}, {3, 1, 1}, {2, 3, 2, 2}}, Values: Distinct},
	{Name: "Elu", Op: &op.Elu{Alpha: 0.5, Gamma: 1, Rate: 1}, Shapes: [][]int{{8, 8}}, Differentiable: 1, Values: Distinct},
	{Name: "Selu of images", Op: &op.Elu{Alpha: 1.67326319, Gamma: 1.05070102, Rate: 1}, Shapes: [][]int{{1, 20, 3, 5}}, Differentiable: 1, Values: Distinct},
	{Name: "Celu of images", Op: &op.Elu{Alpha: 2, Gamma: 1, Rate: 0.5}, Shapes: [][]int{{1, 20, 3, 5}}, Differentiable: 1, Values: Distinct},
	{Name: "EluGrad", Op: &op.EluGrad{Alpha: 2, Gamma: 1.5, Rate: 0.5}, Shapes: [][]int{{8, 8}, {8, 8}}, Values: Distinct},
	{Name: "Softplus", Op: &op.Softplus{}, Shapes: [][]int{{2, 5}}, Differentiable: 1},
	{Name: "Softplus of images", Op: &op.Softplus{}, Shapes: [][]int{{2, 20, 3, 5}}, Differentiable: 1},
	{Name: "Softsign", Op: &op.Softsign{}, Shapes: [][]int{{8, 8}}, Differentiable: 1, Values: Distinct},
	{Name: "Softsign of images", Op: &op.Softsign{}, Shapes: [][]int{{1, 20, 3, 5}}, Differentiable: 1, Values: Distinct},
	{Name: "SoftsignGrad", Op: &op.SoftsignGrad{}, Shapes: [][]int{{8, 8}, {8, 8}}, Values: Distinct},
	{Name: "Mish", Op: &op.Mish{}, Shapes: [][]int{{2, 5}}, Differentiable: 1},
	{Name: "Mish of images", Op: &op.Mish{}, Shapes: [][]int{{2, 20, 3, 5}}, Differentiable: 1},
	{Name: "MishGrad", Op: &op.MishGrad{}, Shapes: [][]int{{2, 5}, {2, 5}}},
	{Name: "Erf", Op: &op.Erf{}, Shapes: [][]int{{2, 5}}, Differentiable: 1},
	{Name: "ErfGrad", Op: &op.ErfGrad{}, Shapes: [][]int{{2, 5}, {2, 5}}},
	{Name: "Pow squares", Op: &op.Pow{}, Shapes: [][]int{{2, 3}, {}}, Differentiable: 1, Values: toThe(2)},
	{Name: "Pow roots", Op: &op.Pow{}, Shapes: [][]int{{2, 3}, {1}}, Differentiable: 1, Values: toThe(0.5)},
	{Name: "Pow broadcasting", Op: &op.Pow{}, Shapes: [][]int{{3}, {2, 1}}, Differentiable: 1, Values: toThe(-1.75)},
	{Name: "PowSlope", Op: &op.PowSlope{}, Shapes: [][]int{{3}, {2, 1}}, Values: Positive},
	{Name: "Affine", Op: &op.Affine{Scale: []float32{0.5, -2, 3}, Shift: []float32{1, 0, -0.25}}, Shapes: [][]int{{2, 3, 2, 2}}, Differentiable: 1},

	{Name: "Reshape", Op: &op.Reshape{Shape: []int{0, -1, 2}}, Shapes: [][]int{{2, 3, 4}}, Differentiable: 1},
	{Name: "Flatten", Op: &op.Flatten{Axis: 1}, Shapes: [][]int{{2, 3, 1, 2}}, Differentiable: 1},
	{Name: "Squeeze", Op: &op.Squeeze{Axes: []int{-1, 2}}, Shapes: [][]int{{2, 3, 1, 1}}, Differentiable: 1},
	{Name: "Squeeze all", Op: &op.Squeeze{}, Shapes: [][]int{{1, 3, 1, 2}}, Differentiable: 1},
	{Name: "Unsqueeze", Op: &op.Unsqueeze{Axes: []int{1, -1}}, Shapes: [][]int{{2, 3}}, Differentiable: 1},
	{Name: "Identity", Op: &op.Identity{}, Shapes: [][]int{{2, 3}}, Differentiable: 1},
	{Name: "Reshape of images to more of them", Op: &op.Reshape{Shape: []int{-1, 3, 2, 4}}, Shapes: [][]int{{2, 6, 4, 4}}, Differentiable: 1},
	{Name: "Transpose of channels and rows", Op: &op.Transpose{Perm: []int{0, 2, 1, 3}}, Shapes: [][]int{{2, 18, 3, 4}}, Differentiable: 1},
	{Name: "Transpose", Op: &op.Transpose{Perm: []int{2, 0, 3, 1}}, Shapes: [][]int{{2, 3, 4, 2}}, Differentiable: 1},
	{Name: "Transpose reversing", Op: &op.Transpose{}, Shapes: [][]int{{2, 3}}, Differentiable: 1},
	{Name: "Pad", Op: &op.Pad{Pads: []int{0, 0, 1, 2, 0, 1, 0, 1}, Value: 0.5}, Shapes: [][]int{{1, 2, 2, 3}}, Differentiable: 1},
	{Name: "Pad cutting", Op: &op.Pad{Pads: []int{-1, 1, 0, -2}}, Shapes: [][]int{{3, 4}}, Differentiable: 1},
	{Name: "Gather", Op: &op.Gather{Axis: 1, Indices: []int{2, 0, -1, 0}, IndexShape: []int{2, 2}}, Shapes: [][]int{{2, 3, 2}}, Differentiable: 1},
	{Name: "Gather one", Op: &op.Gather{Axis: -2, Indices: []int{1}}, Shapes: [][]int{{2, 3, 2}}, Differentiable: 1},
	{Name: "Gather rows", Op: &op.Gather{Axis: 2, Indices: []int{0, 3, -1, 3}, IndexShape: []int{4}}, Shapes: [][]int{{2, 3, 5, 4}}, Differentiable: 1},
	{Name: "Gather columns", Op: &op.Gather{Axis: -1, Indices: []int{4, 0}, IndexShape: []int{2}}, Shapes: [][]int{{2, 17, 3, 5}}, Differentiable: 1},
	{Name: "GatherGrad", Op: &op.GatherGrad{Gather: op.Gather{Axis: 1, Indices: []int{1, 1}, IndexShape: []int{2}}, In: []int{2, 3}}, Shapes: [][]int{{2, 2}}},
	{Name: "ReduceMean", Op: &op.ReduceMean{Axes: []int{-1, -2}, KeepDims: true}, Shapes: [][]int{{2, 3, 2, 3}}, Differentiable: 1},
	{Name: "ReduceMean dropping", Op: &op.ReduceMean{Axes: []int{1}}, Shapes: [][]int{{2, 3, 2}}, Differentiable: 1},
	{Name: "ReduceMean of all", Op: &op.ReduceMean{}, Shapes: [][]int{{2, 3}}, Differentiable: 1},
	{Name: "ReduceMeanGrad", Op: &op.ReduceMeanGrad{ReduceMean: op.ReduceMean{Axes: []int{1}}, In: []int{2, 3, 2}}, Shapes: [][]int{{2, 2}}},

	{Name: "ReduceSum", Op: reduce(op.SumOf, true, 2, 3), Shapes: [][]int{{2, 3, 2, 4}}, Differentiable: 1},
	{Name: "ReduceSumSquare", Op: reduce(op.SumSquareOf, true, 2, 3), Shapes: [][]int{{2, 3, 2, 4}}, Differentiable: 1},
	{Name: "ReduceL1", Op: reduce(op.L1Of, true, 2, 3), Shapes: [][]int{{2, 3, 2, 4}}, Differentiable: 1, Values: Distinct},
	{Name: "ReduceL2", Op: reduce(op.L2Of, true, 2, 3), Shapes: [][]int{{2, 3, 2, 4}}, Differentiable: 1, Values: Positive},
	{Name: "ReduceMax", Op: reduce(op.MaxOf, true, 2, 3), Shapes: [][]int{{2, 3, 2, 4}}, Differentiable: 1, Values: Distinct},
	{Name: "ReduceMin", Op: reduce(op.MinOf, true, 2, 3), Shapes: [][]int{{2, 3, 2, 4}}, Differentiable: 1, Values: Distinct},
	{Name: "ReduceLogSum", Op: reduce(op.LogSumOf, true, 2, 3), Shapes: [][]int{{2, 3, 2, 4}}, Differentiable: 1, Values: Positive},
	{Name: "ReduceLogSumExp", Op: reduce(op.LogSumExpOf, true, 2, 3), Shapes: [][]int{{2, 3, 2, 4}}, Differentiable: 1},
	{Name: "ReduceMax dropping", Op: reduce(op.MaxOf, false, -2), Shapes: [][]int{{2, 3, 2}}, Differentiable: 1, Values: Distinct},
	{Name: "ReduceSum of all", Op: reduce(op.SumOf, false), Shapes: [][]int{{2, 3}}, Differentiable: 1},
	{Name: "ReduceSum of columns", Op: reduce(op.SumOf, true, -1), Shapes: [][]int{{2, 18, 3, 5}}, Differentiable: 1},
	{Name: "ReduceL1 of rows, dropping", Op: reduce(op.L1Of, false, 2), Shapes: [][]int{{2, 18, 3, 5}}, Differentiable: 1, Values: Distinct},
	{Name: "ReduceMean over channels", Op: &op.ReduceMean{Axes: []int{1}, KeepDims: true}, Shapes: [][]int{{2, 18, 3, 5}}, Differentiable: 1},
	{Name: "ReduceMean of pixels, dropping", Op: &op.ReduceMean{Axes: []int{2, 3}}, Shapes: [][]int{{2, 18, 3, 5}}, Differentiable: 1},
	{Name: "ReduceL2 of features", Op: reduce(op.L2Of, true, 1), Shapes: [][]int{{3, 20}}, Differentiable: 1, Values: Positive},
	{Name: "ReduceL2Grad", Op: &op.ReduceGrad{Reduce: *reduce(op.L2Of, true, 1)}, Shapes: [][]int{{2, 3}, {2, 1}, {2, 1}}, Values: Positive},

	{Name: "ResponseNorm", Op: &op.ResponseNorm{Epsilon: 1e-3}, Shapes: [][]int{{2, 18, 3, 2}}, Differentiable: 1},
	{Name: "ResponseNorm of channels last", Op: &op.ResponseNorm{Last: true, Epsilon: 1e-3}, Shapes: [][]int{{2, 3, 2, 18}}, Differentiable: 1},
	{Name: "ResponseNorm of pixels", Op: &op.ResponseNorm{Epsilon: 1e-3}, Shapes: [][]int{{2, 5, 1, 1}}, Differentiable: 1, Values: Positive},
	{Name: "ResponseNormGrad", Op: &op.ResponseNormGrad{ResponseNorm: op.ResponseNorm{Epsilon: 1e-3}}, Shapes: [][]int{{2, 18, 3, 2}, {2, 18, 1, 1}}},

	{Name: "LRN", Op: &op.LRN{Size: 3, Alpha: 0.5, Beta: 0.75, Bias: 1}, Shapes: [][]int{{2, 5, 1, 2}}, Differentiable: 1},
	{Name: "LRN of even size", Op: &op.LRN{Size: 4, Alpha: 0.5, Beta: 0.5, Bias: 2}, Shapes: [][]int{{1, 6, 2, 1}}, Differentiable: 1},
	{Name: "LRNGrad", Op: &op.LRNGrad{LRN: op.LRN{Size: 3, Alpha: 0.5, Beta: 0.75, Bias: 1}}, Shapes: [][]int{{2, 5, 1, 2}, {2, 5, 1, 2}}},
	{Name: "Attention", Op: attentionOf(2, 0, 1, 2, 3), Shapes: [][]int{{2, 4, 6}, {2, 5, 6}, {2, 5, 6}}, Differentiable: 3},
	{Name: "Attention of one layer's channels", Op: attentionOf(2, 0, 0, 0, 16), Shapes: [][]int{{2, 5, 96}, {2, 5, 5}}, Differentiable: 2},
	{Name: "Attention, one bias for all heads", Op: attentionOf(3, 0, 1, 1, 5), Shapes: [][]int{{1, 3, 15}, {1, 4, 30}, {1, 1, 3, 4}}, Differentiable: 3},
	{Name: "Attention, a bias for every key", Op: attentionOf(2, 0, 0, 0, 3), Shapes: [][]int{{2, 4, 18}, {1, 2, 1, 4}}, Differentiable: 2},
	{Name: "Attention, masks of windows", Op: masked(2, attentionOf(2, 0, 0, 0, 3)), Shapes: [][]int{{4, 4, 18}, {1, 2, 4, 4}, {2, 4, 4}}, Differentiable: 2},
	{Name: "Attention, masks of heads", Op: masked(2, attentionOf(3, 0, 0, 0, 4)), Shapes: [][]int{{4, 3, 36}, {2, 3, 3, 3}}, Differentiable: 1},
	{Name: "Attention, a mask and no bias", Op: masked(1, attentionOf(2, 0, 1, 1, 16)), Shapes: [][]int{{2, 3, 32}, {2, 5, 64}, {1, 3, 5}}, Differentiable: 2},
	{Name: "AttentionGrad", Op: &op.AttentionGrad{Attention: *attentionOf(2, 0, 1, 1, 3), Of: 1}, Shapes: [][]int{{2, 3, 6}, {2, 4, 12}, {2, 3, 6}}},
	{Name: "RotaryEmbedding of halves", Op: turning(2, 3, 5, []int{2, 3, 0, 1}, false), Shapes: [][]int{{2, 3, 20}, {3, 4}, {3, 4}}, Differentiable: 1},
	{Name: "RotaryEmbedding of neighbours, back", Op: turning(1, 16, 16, []int{1, 0, 2}, true), Shapes: [][]int{{2, 5, 19}, {5, 3}, {5, 3}}, Differentiable: 1},
	{Name: "HeadNorm", Op: norming(op.HeadNorm{Heads: 2, At: op.HeadChannels{First: 3, Step: 9, Size: 6}}), Shapes: [][]int{{2, 3, 20}}, Differentiable: 1},
	{Name: "HeadNorm of short heads, with factors", Op: norming(op.HeadNorm{Heads: 3, Epsilon: 2.5}), Shapes: [][]int{{2, 4, 15}, {3, 1, 1}}, Differentiable: 2},
	{Name: "HeadNorm with temperatures", Op: norming(op.HeadNorm{Heads: 3, Exponential: true, Most: 0.3}), Shapes: [][]int{{2, 4, 18}, {1, 3, 1, 1}}, Differentiable: 2},
	{Name: "HeadNormGradX", Op: &op.HeadNormGradX{HeadNorm: *norming(op.HeadNorm{Heads: 2})}, Shapes: [][]int{{2, 3, 10}, {2, 3, 10}}},
	{Name: "HeadNormGradFactor", Op: &op.HeadNormGradFactor{HeadNorm: *norming(op.HeadNorm{Heads: 2})}, Shapes: [][]int{{2, 3, 10}, {2}, {2, 3, 10}}},
	{Name: "PositionBias", Op: &op.PositionBias{Index: []int{0, 2, 1, 2, 2, 0}, Queries: 2, Scale: 16}, Shapes: [][]int{{2, 5}, {5}, {5, 2}, {1, 3, 2}}, Differentiable: 3},
	{Name: "PositionBias of a known layer", Op: &op.PositionBias{Index: []int{0, 3, 1, 3}, Queries: 2, Scale: 3}, Shapes: [][]int{{3, 5}, {5}, {2, 2, 5}}, Differentiable: 3},
	{Name: "PositionBiasGrad", Op: &op.PositionBiasGrad{PositionBias: op.PositionBias{Index: []int{0, 1}, Queries: 1, Scale: 2}, Of: 1}, Shapes: [][]int{{2, 5}, {5}, {2, 5}, {1, 2, 1, 2}}},
	{Name: "LayerNorm", Op: &op.LayerNorm{Axis: -1, Epsilon: 1e-3}, Shapes: [][]int{{2, 3, 4}, {4}, {4}}, Differentiable: 3},
	{Name: "LayerNorm without beta", Op: &op.LayerNorm{Axis: 1, Epsilon: 1e-3}, Shapes: [][]int{{2, 3, 2}, {3, 2}}, Differentiable: 2},
	{Name: "LayerNormGradX", Op: &op.LayerNormGradX{LayerNorm: op.LayerNorm{Axis: 1, Epsilon: 1e-3}}, Shapes: [][]int{{2, 4}, {4}, {2, 4}}},
	{Name: "LayerNormGradGamma", Op: &op.LayerNormGradGamma{LayerNorm: op.LayerNorm{Axis: 1, Epsilon: 1e-3}}, Shapes: [][]int{{2, 4}, {2, 4}}},
	{Name: "GroupNorm", Op: &op.GroupNorm{Groups: 2, Epsilon: 1e-3}, Shapes: [][]int{{2, 4, 3}, {4}, {4}}, Differentiable: 3},
	{Name: "GroupNorm of images", Op: &op.GroupNorm{Groups: 3, Epsilon: 1e-3}, Shapes: [][]int{{2, 24, 3, 2}, {24}, {24}}, Differentiable: 3},
	{Name: "InstanceNorm of images", Op: &op.GroupNorm{Epsilon: 1e-3}, Shapes: [][]int{{2, 18, 2, 3}, {18}, {18}}, Differentiable: 3},
	{Name: "GroupNormReduce", Op: &op.GroupNormReduce{GroupNorm: op.GroupNorm{Groups: 2, Epsilon: 1e-3}}, Shapes: [][]int{{2, 4, 3}, {2, 4, 3}}},
	{Name: "GroupNormGradX", Op: &op.GroupNormGradX{GroupNorm: op.GroupNorm{Groups: 2, Epsilon: 1e-3}}, Shapes: [][]int{{2, 4, 3}, {4}, {2, 4, 3}}},
	{Name: "MatMul", Op: &op.MatMul{}, Shapes: [][]int{{2, 3}, {3, 4}}, Differentiable: 2},
	{Name: "MatMul broadcasting", Op: &op.MatMul{}, Shapes: [][]int{{2, 1, 2, 3}, {2, 3, 2}}, Differentiable: 2},
	{Name: "MatMul of vectors", Op: &op.MatMul{}, Shapes: [][]int{{3}, {3}}},
	{Name: "Resize smaller", Op: &op.Resize{Shape: []int{0, 0, 3, 2}, Mode: "linear", Coordinates: "half_pixel"}, Shapes: [][]int{{2, 3, 5, 4}}, Differentiable: 1},
	{Name: "Resize larger", Op: &op.Resize{Scales: []float32{1, 1, 1.5, 2}, Mode: "linear", Coordinates: "asymmetric"}, Shapes: [][]int{{2, 3, 4, 3}}, Differentiable: 1},
	{Name: "Resize corners", Op: &op.Resize{Shape: []int{0, 0, 7, 3}, Mode: "linear", Coordinates: "align_corners"}, Shapes: [][]int{{1, 2, 4, 5}}, Differentiable: 1},
	{Name: "Resize nearest", Op: &op.Resize{Shape: []int{0, 0, 6, 2}, Mode: "nearest", Coordinates: "half_pixel", Nearest: "round_prefer_floor"}, Shapes: [][]int{{2, 2, 3, 5}}, Differentiable: 1},
	{Name: "Resize cubic", Op: &op.Resize{Shape: []int{0, 0, 3, 7}, Mode: "cubic", Coordinates: "half_pixel", Cubic: -0.75}, Shapes: [][]int{{2, 3, 5, 4}}, Differentiable: 1},
	{Name: "Resize cubic within", Op: &op.Resize{Shape: []int{0, 0, 3, 7}, Mode: "cubic", Coordinates: "half_pixel", Cubic: -0.5, ExcludeOutside: true}, Shapes: [][]int{{1, 3, 5, 4}}, Differentiable: 1},
	{Name: "Resize antialias", Op: &op.Resize{Shape: []int{0, 0, 3, 7}, Mode: "linear", Coordinates: "half_pixel", Antialias: true}, Shapes: [][]int{{1, 3, 8, 4}}, Differentiable: 1},
	{Name: "ResizeGrad", Op: &op.ResizeGrad{Resize: op.Resize{Shape: []int{0, 0, 3, 2}, Mode: "linear", Coordinates: "half_pixel"}, In: []int{2, 3, 5, 4}}, Shapes: [][]int{{2, 3, 3, 2}}},
	{Name: "MatMul by a vector", Op: &op.MatMul{}, Shapes: [][]int{{2, 2, 3}, {3}}},
}

// toThe gives positive bases and one exponent.
func toThe(exponent float64) func(i int, x []float64, s *random.Stream) {
	return func(i int, x []float64, s *random.Stream) {
		Positive(i, x, s)
		if i == 1 {
			for k := range x {
				x[k] = exponent
			}
		}
	}
}

// reduce takes a number of all elements along axes.
func reduce(kind string, keep bool, axes ...int) *op.Reduce {
	return &op.Reduce{Kind: kind, ReduceMean: op.ReduceMean{Axes: axes, KeepDims: keep}}
}

// turning is of heads from a channel on, so far apart.
func turning(heads, first, step int, pairs []int, back bool) *op.Rotary {
	return &op.Rotary{Heads: heads, At: op.HeadChannels{First: first, Step: step, Size: len(pairs)}, Pairs: pairs, Back: back}
}

// norming is of heads of five channels side by side, if nothing else is said.
func norming(o op.HeadNorm) *op.HeadNorm {
	if o.At.Size == 0 {
		o.At = op.HeadChannels{Step: 5, Size: 5}
	}
	return &o
}

// masked is attention with so many masks.
func masked(masks int, o *op.Attention) *op.Attention {
	o.Masks = masks
	return o
}

// attentionOf has so many heads of size channels; q, k and v are which operands these are, where they stand side by side.
func attentionOf(heads, q, k, v, size int) *op.Attention {
	count := map[int]int{}
	part := func(operand int) op.HeadChannels {
		first := count[operand]
		count[operand] += heads * size
		return op.HeadChannels{Operand: operand, First: first, Step: size, Size: size}
	}
	return &op.Attention{Heads: heads, Scale: 0.5, Q: part(q), K: part(k), V: part(v)}
}
