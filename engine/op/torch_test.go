package op_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
	"regraft/golden"
)

// torchCases names the operator for every case of testdata/torch.npz, which testdata/make_torch.py writes.
// Operands are doubles on both sides; rounding of a few dozen terms stays below 1e-13 of their size.
var torchCases = []struct {
	name      string
	op        op.Op
	tolerance float64 // where it is not 1e-13
}{
	{name: "conv", op: &op.Conv{Strides: [2]int{2, 1}, Pads: [4]int{1, 2, 1, 2}, Dilations: [2]int{1, 2}, Group: 2}},
	{name: "conv uneven pads", op: &op.Conv{Strides: [2]int{1, 2}, Pads: [4]int{1, 0, 0, 2}, Dilations: [2]int{1, 1}, Group: 1}},
	{name: "conv 1x1 padded", op: convolution(1, [4]int{1, 1, 0, 0}, 1)},
	{name: "conv 1x1", op: convolution(1, [4]int{}, 1)},
	{name: "conv 1x7", op: convolution(1, [4]int{0, 3, 0, 3}, 1)},
	{name: "conv 7x1", op: convolution(1, [4]int{3, 0, 3, 0}, 1)},
	{name: "conv 3x3 stride 2", op: convolution(2, [4]int{}, 1)},
	{name: "conv depthwise", op: convolution(1, [4]int{1, 1, 1, 1}, 5)},
	{name: "batchnorm", op: &op.BatchNorm{Epsilon: 1e-3}},
	{name: "maxpool", op: &op.MaxPool{Kernel: [2]int{3, 2}, Strides: [2]int{2, 3}, Pads: [4]int{1, 0, 1, 0}, Dilations: [2]int{1, 2}}},
	{name: "maxpool ceil", op: &op.MaxPool{Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Pads: [4]int{1, 1, 1, 1}, Dilations: [2]int{1, 1}, CeilMode: true}},
	{name: "maxpool ties", op: &op.MaxPool{Kernel: [2]int{2, 2}, Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}}},
	{name: "averagepool ceil=false count=false", op: average(false, false)},
	{name: "averagepool ceil=false count=true", op: average(false, true)},
	{name: "averagepool ceil=true count=false", op: average(true, false)},
	{name: "averagepool ceil=true count=true", op: average(true, true)},
	{name: "averagepool ceil beyond", op: &op.AveragePool{Kernel: [2]int{2, 3}, Strides: [2]int{3, 2}, CeilMode: true, CountIncludePad: true}},
	{name: "globalaveragepool", op: &op.GlobalAveragePool{}},
	{name: "linear", op: &op.Linear{}},
	{name: "matmul", op: &op.MatMul{}},
	{name: "cross entropy", op: &op.SoftmaxCrossEntropy{}},
	{name: "cross entropy of weighted mixtures", op: &op.SoftmaxCrossEntropy{}},
	{name: "softmax", op: &op.Softmax{Axis: 1}},
	{name: "log softmax", op: &op.LogSoftmax{Axis: -1}},
	{name: "relu", op: &op.Relu{}},
	{name: "relu6", op: &op.Clip{Min: 0, Max: 6}},
	{name: "sigmoid", op: &op.Sigmoid{}},
	// PyTorch divides by 6, ONNX multiplies by a float32.
	{name: "hardsigmoid", op: &op.HardSigmoid{Alpha: 1.0 / 6, Beta: 0.5}, tolerance: 0x1p-24},
	{name: "hardswish", op: &op.HardSwish{}},
	{name: "relu at kinks", op: &op.Relu{}},
	{name: "relu6 at kinks", op: &op.Clip{Min: 0, Max: 6}},
	{name: "hardsigmoid at kinks", op: &op.HardSigmoid{Alpha: 1.0 / 6, Beta: 0.5}, tolerance: 0x1p-24},
	{name: "hardswish at kinks", op: &op.HardSwish{}},
	{name: "silu", op: &op.SiLU{}},
	{name: "tanh", op: &op.Tanh{}},
	{name: "gelu", op: &op.Gelu{}},
	{name: "gelu tanh", op: &op.Gelu{Tanh: true}},
	{name: "erf", op: &op.Erf{}},
	{name: "lrn", op: &op.LRN{Size: 5, Alpha: 0.5, Beta: 0.75, Bias: 2}},
	{name: "layernorm", op: &op.LayerNorm{Axis: 1, Epsilon: 1e-5}},
	{name: "attention", op: packedAttention},
	{name: "attention with bias", op: packedAttention},
	{name: "attention of three", op: &op.Attention{Heads: 3, Scale: 0.5, Q: op.HeadChannels{Operand: 0, Step: 4, Size: 4}, K: op.HeadChannels{Operand: 1, Step: 4, Size: 4}, V: op.HeadChannels{Operand: 2, Step: 4, Size: 4}}},
	{name: "add", op: &op.Add{}},
	{name: "sub", op: &op.Sub{}},
	{name: "mul", op: &op.Mul{}},
	{name: "div", op: &op.Div{}},
	{name: "pow", op: &op.Pow{}},
	// Powers of 70 lose a factor of 43 = 70*log(1.875) in accuracy, and the gradient another 200 by cancellation.
	{name: "pow negative", op: &op.Pow{}, tolerance: 1e-11},
	{name: "expand", op: &op.Expand{Shape: []int{2, 1, 4}}},
	{name: "sum to", op: &op.SumTo{Shape: []int{3, 1}}},
	{name: "neg", op: &op.Neg{}},
	{name: "reciprocal", op: &op.Reciprocal{}},
	{name: "sqrt", op: &op.Sqrt{}},
	{name: "exp", op: &op.Exp{}},
	{name: "log", op: &op.Log{}},
	{name: "scale", op: &op.Scale{Factor: -0.75}},
	{name: "affine", op: &op.Affine{Scale: []float32{0.5, -2, 3}, Shift: []float32{1, 0, -0.25}}},
	{name: "concat", op: &op.Concat{Axis: 1}},
	{name: "slice", op: &op.Slice{Starts: []int{1, 0}, Ends: []int{4, -2}, Axes: []int{0, -1}, Steps: []int{2, 1}}},
	{name: "slice reversing", op: &op.Slice{Starts: []int{-1, -1}, Ends: []int{-100, -100}, Axes: []int{2, 0}, Steps: []int{-3, -1}}},
	{name: "reshape", op: &op.Reshape{Shape: []int{0, -1, 2}}},
	{name: "flatten", op: &op.Flatten{Axis: 1}},
	{name: "squeeze", op: &op.Squeeze{Axes: []int{-1, 2}}},
	{name: "unsqueeze", op: &op.Unsqueeze{Axes: []int{-1, 1}}},
	{name: "transpose", op: &op.Transpose{Perm: []int{2, 0, 3, 1}}},
	{name: "pad", op: &op.Pad{Pads: []int{0, 0, 1, 2, 0, 0, 0, 1}, Value: 0.5}},
	{name: "pad cutting", op: &op.Pad{Pads: []int{-1, 1, 0, -2}}},
	{name: "gather", op: &op.Gather{Axis: 1, Indices: []int{2, 0, -1, 0}, IndexShape: []int{2, 2}}},
	{name: "gather one", op: &op.Gather{Axis: 1, Indices: []int{1}}},
	{name: "reducemean", op: &op.ReduceMean{Axes: []int{-1, -2}, KeepDims: true}},
	{name: "reducemean dropping", op: &op.ReduceMean{Axes: []int{1}}},
	{name: "weighted sum", op: &op.WeightedSum{Weights: []float32{1, 0.4}}},
	{name: "leakyrelu", op: &op.LeakyRelu{Alpha: 0.25}},
	{name: "thresholdedrelu", op: &op.ThresholdedRelu{Alpha: 0.5}},
	{name: "prelu", op: &op.PRelu{}},
	{name: "elu", op: &op.Elu{Alpha: 0.5, Gamma: 1, Rate: 1}},
	{name: "selu", op: &op.Elu{Alpha: 1.6732632423543772, Gamma: 1.0507009873554805, Rate: 1}, tolerance: 0x1p-23},
	{name: "celu", op: &op.Elu{Alpha: 2, Gamma: 1, Rate: 0.5}},
	{name: "softplus", op: &op.Softplus{}},
	{name: "softsign", op: &op.Softsign{}},
	{name: "mish", op: &op.Mish{}},
	{name: "leakyrelu at kinks", op: &op.LeakyRelu{Alpha: 0.25}},
	{name: "thresholdedrelu at kinks", op: &op.ThresholdedRelu{Alpha: 0.5}},
	{name: "prelu at kinks", op: &op.PRelu{}},
	{name: "elu at kinks", op: &op.Elu{Alpha: 0.5, Gamma: 1, Rate: 1}},
	{name: "selu at kinks", op: &op.Elu{Alpha: 1.6732632423543772, Gamma: 1.0507009873554805, Rate: 1}, tolerance: 0x1p-23},
	{name: "celu at kinks", op: &op.Elu{Alpha: 2, Gamma: 1, Rate: 0.5}},
	{name: "softplus at kinks", op: &op.Softplus{}},
	{name: "softsign at kinks", op: &op.Softsign{}},
	{name: "mish at kinks", op: &op.Mish{}},
	{name: "prelu of channels", op: &op.PRelu{}},
	{name: "reduce sum", op: reduced(op.SumOf, 1, 3)},
	{name: "reduce l1", op: reduced(op.L1Of, 1, 3)},
	{name: "reduce l2", op: reduced(op.L2Of, 1, 3)},
	{name: "reduce sumsquare", op: reduced(op.SumSquareOf, 1, 3)},
	{name: "reduce max", op: reduced(op.MaxOf, 1, 3)},
	{name: "reduce min", op: reduced(op.MinOf, 1, 3)},
	{name: "reduce logsumexp", op: reduced(op.LogSumExpOf, 1, 3)},
	{name: "reduce l2 of zeros", op: reduced(op.L2Of, 1)},
	{name: "groupnorm", op: &op.GroupNorm{Groups: 2, Epsilon: 1e-3}},
	{name: "instancenorm", op: &op.GroupNorm{Epsilon: 1e-3}},
	{name: "batch tile", op: &op.BatchTile{}},
	{name: "where", op: &op.Where{}},
	{name: "batch tile of rows", op: &op.BatchTile{}},
}

func reduced(kind string, axes ...int) *op.Reduce {
	return &op.Reduce{Kind: kind, ReduceMean: op.ReduceMean{Axes: axes}}
}

// TestResizeAgainstPyTorch: places are computed in float32, as ONNX Runtime does, and PyTorch's kernels of antialiasing have a of -0.5.
func TestResizeAgainstPyTorch(t *testing.T) {
	arrays := torchArrays(t)
	modes := map[string]string{"bilinear": "linear", "bicubic": "cubic"}
	compare := func(name string, o *op.Resize, size ...int) {
		t.Run(name, func(t *testing.T) {
			o.Shape = append([]int{0, 0}, size...)
			compareWithTorch(t, arrays, name, 0x1p-17, func(in gorgonia.Nodes) (*gorgonia.Node, error) { return op.Apply(o, in...) })
		})
	}
	for mode, name := range modes {
		for align, coordinates := range map[string]string{"False": "half_pixel", "True": "align_corners"} {
			for _, size := range [][]int{{5, 9}, {3, 2}} {
				compare(fmt.Sprintf("resize %s %s (%d, %d)", mode, align, size[0], size[1]), &op.Resize{Mode: name, Coordinates: coordinates, Cubic: -0.75}, size...)
			}
		}
		compare("resize "+mode+" antialias", &op.Resize{Mode: name, Coordinates: "half_pixel", Cubic: -0.5, Antialias: true, ExcludeOutside: true}, 3, 7)
	}
}

func convolution(stride int, pads [4]int, group int) *op.Conv {
	return &op.Conv{Strides: [2]int{stride, stride}, Dilations: [2]int{1, 1}, Pads: pads, Group: group}
}

func average(ceil, count bool) *op.AveragePool {
	return &op.AveragePool{Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Pads: [4]int{1, 1, 1, 1}, CeilMode: ceil, CountIncludePad: count}
}

func TestAgainstPyTorch(t *testing.T) {
	arrays := torchArrays(t)
	for _, c := range torchCases {
		t.Run(c.name, func(t *testing.T) {
			if c.tolerance == 0 {
				c.tolerance = 1e-13
			}
			compareWithTorch(t, arrays, c.name, c.tolerance, func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				return op.Apply(c.op, in...)
			})
		})
	}
	t.Run("batchnorm train", func(t *testing.T) {
		compareWithTorch(t, arrays, "batchnorm train", 1e-13, func(in gorgonia.Nodes) (*gorgonia.Node, error) {
			stats, err := op.Apply(&op.BatchStats{}, in[0])
			if err != nil {
				return nil, err
			}
			return op.Apply(&op.BatchNormTrain{Epsilon: 1e-3}, in[0], in[1], in[2], stats)
		})
	})
}

func TestRunningStatisticsAgainstPyTorch(t *testing.T) {
	arrays := torchArrays(t)
	x := arrays["running/x0"]
	stats, err := (&op.BatchStats{}).Do(dense(x))
	if err != nil {
		t.Fatal(err)
	}
	mean, err := (&op.RunningMean{Momentum: 0.75}).Do(dense(arrays["running/x1"]), stats)
	if err != nil {
		t.Fatal(err)
	}
	count := len(x.Float64) / x.Shape[1]
	variance, err := (&op.RunningVar{Momentum: 0.75, Count: count}).Do(dense(arrays["running/x2"]), stats)
	if err != nil {
		t.Fatal(err)
	}
	wantClose(t, "mean", floats(t, mean), arrays["running/mean"].Float64, 1e-15)
	wantClose(t, "variance", floats(t, variance), arrays["running/var"].Float64, 1e-15)
}

// compareWithTorch compares the result and the gradients of sum(r*y).
func compareWithTorch(t *testing.T, arrays map[string]golden.Array, name string, tolerance float64, build func(gorgonia.Nodes) (*gorgonia.Node, error)) {
	g := gorgonia.NewGraph()
	var in, differentiated gorgonia.Nodes
	for i := 0; ; i++ {
		a, ok := arrays[fmt.Sprintf("%s/x%d", name, i)]
		if !ok {
			break
		}
		n := variable(g, fmt.Sprintf("x%d", i), a.Shape)
		let(t, n, a.Float64)
		in = append(in, n)
		if _, ok := arrays[fmt.Sprintf("%s/d%d", name, i)]; ok {
			differentiated = append(differentiated, n)
		}
	}
	y, err := build(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := arrays[name+"/y"].Shape; !slices.Equal(y.Shape(), want) {
		t.Fatalf("shape %v, PyTorch gives %v", y.Shape(), want)
	}
	var result gorgonia.Value
	gorgonia.Read(y, &result)
	grads := make([]gorgonia.Value, len(differentiated))
	nodes, err := gorgonia.Grad(weightedSum(t, y, arrays[name+"/r"].Float64), differentiated...)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range nodes {
		gorgonia.Read(n, &grads[i])
	}
	if err := gorgonia.NewTapeMachine(g).RunAll(); err != nil {
		t.Fatal(err)
	}
	wantClose(t, "result", floats(t, result), arrays[name+"/y"].Float64, tolerance)
	for i, v := range grads {
		key := fmt.Sprintf("%s/d%d", name, i)
		wantClose(t, key, floats(t, v), arrays[key].Float64, tolerance)
	}
}

func torchArrays(t *testing.T) map[string]golden.Array {
	t.Helper()
	path, err := filepath.Abs("testdata/torch.npz")
	if err != nil {
		t.Fatal(err)
	}
	return golden.Npz(t, path)
}

func dense(a golden.Array) gorgonia.Value {
	return tensor.New(tensor.WithShape(a.Shape...), tensor.WithBacking(a.Float64))
}

// wantClose allows an error of tolerance times the largest element (at least 1).
func wantClose(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	size := 1.0
	for _, v := range want {
		size = max(size, math.Abs(v))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= tolerance*size) {
			t.Errorf("%s: element %d is %.17g, want %.17g", what, i, got[i], want[i])
		}
	}
}

// packedAttention has two heads, of queries, keys and values side by side.
var packedAttention = &op.Attention{Heads: 2, Scale: 0.6, Q: op.HeadChannels{First: 0, Step: 3, Size: 3}, K: op.HeadChannels{First: 6, Step: 3, Size: 3}, V: op.HeadChannels{First: 12, Step: 3, Size: 3}}
