package onnx

import (
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
)

// spelling is a small model in some exporter's spelling and the operators of its normal form.
type spelling struct {
	name  string
	want  string
	build func(m *testModel)
}

// node appends a node with one result.
func (m *testModel) node(opType string, in []string, out string, attributes ...[]byte) {
	m.nodes = append(m.nodes, nodeOut(opType, "node_"+out, in, []string{out}, attributes...))
}

// float adds a tensor of numbers that differ and returns its name.
func (m *testModel) float(name string, shape ...int) string {
	m.tensors = append(m.tensors, floatTensor(name, shape, ramp(sizeOf(shape))...))
	return name
}

func (m *testModel) scalar(name string, v float32) string {
	m.tensors = append(m.tensors, floatTensor(name, nil, v))
	return name
}

func (m *testModel) ints(name string, values ...int64) string {
	m.tensors = append(m.tensors, intTensor(name, []int{len(values)}, values...))
	return name
}

// positive is a tensor for variances and divisors.
func (m *testModel) positive(name string, shape ...int) string {
	values := ramp(sizeOf(shape))
	for i := range values {
		values[i] += 1
	}
	m.tensors = append(m.tensors, floatTensor(name, shape, values...))
	return name
}

func (m *testModel) batchNorm(x, out string, channels int) {
	m.node("BatchNormalization", []string{x, m.float(out+".weight", channels), m.float(out+".bias", channels),
		m.float(out+".running_mean", channels), m.positive(out+".running_var", channels)}, out)
}

var spellings = []spelling{
	{"channels last", "Conv Flatten", func(m *testModel) {
		m.inputs = [][]byte{inputProto("x", typeFloat, 2, 8, 8, 3)}
		m.node("Transpose", []string{"x"}, "t", intsAttribute("perm", 0, 3, 1, 2))
		m.node("Conv", []string{"t", m.float("w", 4, 3, 3, 3)}, "c", intsAttribute("strides", 2, 2), textAttribute("auto_pad", "SAME_UPPER"))
		m.node("Flatten", []string{"c"}, "y")
	}},
	{"parts of sizes that differ", "Slice(Ends:[2]) Slice(Starts:[2]) Concat", func(m *testModel) {
		m.opset = 18
		m.nodes = append(m.nodes, nodeOut("Split", "split", []string{"x"}, []string{"a", "b"}, intAttribute("axis", 1), intAttribute("num_outputs", 2)))
		m.node("Concat", []string{"b", "a"}, "y", intAttribute("axis", 1))
	}},
	{"preprocessing that overflows stays", "Affine Mul Clip", func(m *testModel) {
		m.node("Mul", []string{"x", m.scalar("a", 1e30)}, "p")
		m.node("Mul", []string{"p", m.scalar("b", 1e30)}, "q")
		m.node("Clip", []string{"q", m.scalar("low", -1), m.scalar("high", 1)}, "y")
	}},
	{"preprocessing by zero stays", "Affine Div Clip", func(m *testModel) {
		m.node("Sub", []string{"x", m.scalar("mean", 0.01)}, "p")
		m.node("Div", []string{"p", m.scalar("zero", 0)}, "q")
		m.node("Clip", []string{"q", m.scalar("low", -1), m.scalar("high", 1)}, "y")
	}},
	{"padded average", "AveragePool(CountIncludePad:true)", func(m *testModel) {
		m.node("Pad", []string{"x", m.ints("p", 0, 0, 1, 1, 0, 0, 1, 1)}, "t")
		m.node("AveragePool", []string{"t"}, "y", intsAttribute("kernel_shape", 3, 3))
	}},
	{"padded conv", "Conv(Pads:[1 2 3 4])", func(m *testModel) {
		m.node("Pad", []string{"x", m.ints("p", 0, 0, 1, 1, 0, 0, 2, 3)}, "t")
		m.node("Conv", []string{"t", m.float("w", 4, 3, 3, 3)}, "y", intsAttribute("pads", 0, 1, 1, 1))
	}},
	{"average of padding that counts differently stays", "Pad AveragePool", func(m *testModel) {
		m.node("Pad", []string{"x", m.ints("p", 0, 0, 1, 1, 0, 0, 1, 1), m.scalar("v", 1)}, "t")
		m.node("AveragePool", []string{"t"}, "y", intsAttribute("kernel_shape", 3, 3))
	}},
	{"nothing", "Relu", func(m *testModel) {
		m.node("Pad", []string{"x", m.ints("p", 0, 0, 0, 0, 0, 0, 0, 0)}, "a")
		m.node("Concat", []string{"a"}, "b", intAttribute("axis", 1))
		m.node("Relu", []string{"b"}, "c")
		m.node("Dropout", []string{"c", m.scalar("r", 0)}, "d")
		m.node("Identity", []string{"d"}, "y")
	}},
	{"dropout", "Relu Dropout(Ratio:0.25)", func(m *testModel) {
		m.node("Relu", []string{"x"}, "c")
		m.tensors = append(m.tensors, appendInt(newTensorOut("t", nil, nil, nil).header, 2, int64(typeBool)))
		m.tensors[0] = append(m.tensors[0], 0x4a, 1, 1) // raw_data: true
		m.node("Dropout", []string{"c", m.scalar("r", 0.25), "t"}, "y")
	}},
	{"concat of concats", "Relu Sigmoid Concat", func(m *testModel) {
		m.node("Relu", []string{"x"}, "a")
		m.node("Sigmoid", []string{"x"}, "b")
		m.node("Concat", []string{"a", "b"}, "c", intAttribute("axis", 1))
		m.node("Concat", []string{"c", "x"}, "d", intAttribute("axis", -3))
		m.node("Concat", []string{"x", "d"}, "y", intAttribute("axis", 1))
	}},
	{"concat that is used twice stays", "Concat Concat Concat", func(m *testModel) {
		m.node("Concat", []string{"x", "x"}, "c", intAttribute("axis", 1))
		m.node("Concat", []string{"c", "x"}, "d", intAttribute("axis", 1))
		m.node("Concat", []string{"c", "d"}, "y", intAttribute("axis", 2))
		m.outputs = append(m.outputs, inputProto("d", typeFloat))
		m.nodes[2] = nodeOut("Concat", "node_y", []string{"c", "c"}, []string{"y"}, intAttribute("axis", 1))
	}},
	{"concat that a dead node uses too", "Concat", func(m *testModel) {
		m.node("Concat", []string{"x", "x"}, "c", intAttribute("axis", 1))
		m.node("Concat", []string{"c", "x"}, "y", intAttribute("axis", 1))
		m.node("Relu", []string{"c"}, "dead")
	}},
	{"SiLU", "Relu SiLU", func(m *testModel) {
		m.node("Relu", []string{"x"}, "a")
		m.node("Sigmoid", []string{"a"}, "s")
		m.node("Mul", []string{"s", "a"}, "y")
	}},
	{"gate of something else", "Relu Sigmoid Mul", func(m *testModel) {
		m.node("Relu", []string{"x"}, "a")
		m.node("Sigmoid", []string{"x"}, "s")
		m.node("Mul", []string{"s", "a"}, "y")
	}},
	{"HardSwish", "HardSwish", func(m *testModel) {
		m.node("HardSigmoid", []string{"x"}, "s", floatAttribute("alpha", 1.0/6))
		m.node("Mul", []string{"x", "s"}, "y")
	}},
	{"hard gate of default slope", "HardSigmoid Mul", func(m *testModel) {
		m.node("HardSigmoid", []string{"x"}, "s")
		m.node("Mul", []string{"x", "s"}, "y")
	}},
	{"linear layers with channels last", "Conv Transpose LayerNormalization Linear Gelu Linear Transpose Mul Flatten", func(m *testModel) {
		m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "c")
		m.node("Transpose", []string{"c"}, "last", intsAttribute("perm", 0, 2, 3, 1))
		m.node("LayerNormalization", []string{"last", m.float("gamma", 3), m.float("beta", 3)}, "n", intAttribute("axis", -1))
		m.node("Transpose", []string{m.float("w1", 5, 3)}, "w1t", intsAttribute("perm", 1, 0))
		m.node("MatMul", []string{"n", "w1t"}, "p1")
		m.node("Add", []string{m.float("b1", 5), "p1"}, "a1")
		m.node("Div", []string{"a1", m.scalar("root", math.Sqrt2)}, "d")
		m.node("Erf", []string{"d"}, "e")
		m.node("Add", []string{"e", m.scalar("one", 1)}, "f")
		m.node("Mul", []string{"a1", "f"}, "p")
		m.node("Mul", []string{"p", m.scalar("half", 0.5)}, "g")
		m.node("MatMul", []string{"g", m.float("w2", 5, 3)}, "p2")
		m.node("Add", []string{"p2", m.float("b2", 3)}, "a2")
		m.node("Transpose", []string{"a2"}, "first", intsAttribute("perm", 0, 3, 1, 2))
		m.node("Mul", []string{m.float("layer_scale", 3, 1, 1), "first"}, "s")
		m.node("Flatten", []string{"s"}, "y")
	}},
	{"hard swish in steps", "Relu HardSwish", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		m.node("Add", []string{"r", m.scalar("three", 3)}, "a")
		m.node("Clip", []string{"a", m.scalar("low", 0), m.scalar("high", 6)}, "b")
		m.node("Mul", []string{"r", "b"}, "c")
		m.node("Div", []string{"c", m.scalar("six", 6)}, "y")
	}},
	{"hard sigmoid in steps", "Relu HardSigmoid", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		m.node("Add", []string{m.scalar("three", 3), "r"}, "a")
		m.node("Clip", []string{"a", m.scalar("low", 0), m.scalar("high", 6)}, "b")
		m.node("Mul", []string{"b", m.scalar("sixth", 1.0/6)}, "y")
	}},
	{"a ramp that ends elsewhere", "Relu Add Clip Div", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		m.node("Add", []string{m.scalar("three", 3), "r"}, "a")
		m.node("Clip", []string{"a", m.scalar("low", 0), m.scalar("high", 5)}, "b")
		m.node("Div", []string{"b", m.scalar("six", 6)}, "y")
	}},
	{"Mish by Softplus in steps", "Mish", func(m *testModel) {
		m.node("Exp", []string{"x"}, "a")
		m.node("Add", []string{m.scalar("one", 1), "a"}, "b")
		m.node("Log", []string{"b"}, "c")
		m.node("Tanh", []string{"c"}, "d")
		m.node("Mul", []string{"d", "x"}, "y")
	}},
	{"Softsign in steps", "Softsign", func(m *testModel) {
		m.node("Abs", []string{"x"}, "a")
		m.node("Add", []string{"a", m.scalar("one", 1)}, "b")
		m.node("Div", []string{"x", "b"}, "y")
	}},
	{"LayerNorm in steps", "Conv LayerNormalization", func(m *testModel) {
		m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "c")
		m.node("ReduceMean", []string{"c"}, "mean", intsAttribute("axes", -1))
		m.node("Sub", []string{"c", "mean"}, "d")
		m.node("Pow", []string{"d", m.scalar("two", 2)}, "q")
		m.node("ReduceMean", []string{"q"}, "v", intsAttribute("axes", -1))
		m.node("Add", []string{"v", m.scalar("epsilon", 1e-5)}, "e")
		m.node("Sqrt", []string{"e"}, "s")
		m.node("Div", []string{"d", "s"}, "n")
		m.node("Mul", []string{"n", m.float("gamma", 8)}, "g")
		m.node("Add", []string{m.float("beta", 8), "g"}, "y")
	}},
	{"a norm of other squares", "Conv ReduceMean Sub Mul ReduceMean Add Sqrt Div Mul", func(m *testModel) {
		m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "c")
		m.node("ReduceMean", []string{"c"}, "mean", intsAttribute("axes", -1))
		m.node("Sub", []string{"c", "mean"}, "d")
		m.node("Mul", []string{"c", "c"}, "q")
		m.node("ReduceMean", []string{"q"}, "v", intsAttribute("axes", -1))
		m.node("Add", []string{"v", m.scalar("epsilon", 1e-5)}, "e")
		m.node("Sqrt", []string{"e"}, "s")
		m.node("Div", []string{"d", "s"}, "n")
		m.node("Mul", []string{"n", m.float("gamma", 8)}, "y")
	}},
	{"GroupNorm in steps", "Conv GroupNormalization", func(m *testModel) {
		m.node("Conv", []string{"x", m.float("w", 4, 3, 1, 1)}, "c")
		m.node("Reshape", []string{"c", m.ints("groups", 0, 2, -1)}, "r")
		m.tensors = append(m.tensors, floatTensor("ones", []int{2}, 1, 1), floatTensor("zeros", []int{2}, 0, 0))
		m.node("InstanceNormalization", []string{"r", "ones", "zeros"}, "i")
		m.node("Shape", []string{"c"}, "shape")
		m.node("Reshape", []string{"i", "shape"}, "b")
		m.node("Mul", []string{"b", m.float("gamma", 4, 1, 1)}, "g")
		m.node("Add", []string{"g", m.float("beta", 4, 1, 1)}, "y")
	}},
	{"the largest of few pixels", "MaxPool Flatten", func(m *testModel) {
		m.node("ReduceMax", []string{"x"}, "y", intsAttribute("axes", 2, 3), intAttribute("keepdims", 0))
	}},
	{"the largest of many pixels", "Resize MaxPool MaxPool", func(m *testModel) {
		m.tensors = append(m.tensors, floatTensor("sizes", []int{4}, 1, 1, 8, 8))
		m.node("Resize", []string{"x", "", "sizes"}, "r")
		m.node("GlobalMaxPool", []string{"r"}, "y")
	}},
	{"a flat Gather of everything", "GlobalAveragePool Relu Flatten", func(m *testModel) {
		m.node("GlobalAveragePool", []string{"x"}, "p")
		m.node("Relu", []string{"p"}, "r")
		m.node("Reshape", []string{"r", m.ints("flat", -1)}, "v")
		m.tensors = append(m.tensors, intTensor("all", []int{2, 3, 1, 1}, 0, 1, 2, 3, 4, 5))
		m.node("Gather", []string{"v", "all"}, "g")
		m.node("Flatten", []string{"g"}, "y")
	}},
	{"Gelu", "Relu Gelu", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		m.node("Div", []string{"r", m.scalar("root", 1.4142135)}, "a")
		m.node("Erf", []string{"a"}, "b")
		m.node("Add", []string{"b", m.scalar("one", 1)}, "c")
		m.node("Mul", []string{"r", "c"}, "d")
		m.node("Mul", []string{"d", m.scalar("half", 0.5)}, "y")
	}},
	{"Gelu with its half first", "Relu Gelu", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		m.node("Mul", []string{"r", m.scalar("half", 0.5)}, "h")
		m.node("Mul", []string{"r", m.scalar("root", 0.70710678)}, "a")
		m.node("Erf", []string{"a"}, "b")
		m.node("Add", []string{m.scalar("one", 1), "b"}, "c")
		m.node("Mul", []string{"h", "c"}, "y")
	}},
	{"Gelu of a product", "Relu Mul Gelu", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		m.node("Mul", []string{"r", m.scalar("k", 0.25)}, "p")
		m.node("Mul", []string{"p", m.scalar("root", 0.70710678)}, "a")
		m.node("Erf", []string{"a"}, "b")
		m.node("Add", []string{"b", m.scalar("one", 1)}, "c")
		m.node("Mul", []string{"p", m.scalar("half", 0.5)}, "h")
		m.node("Mul", []string{"c", "h"}, "y")
	}},
	{"Gelu by tanh", "Relu Gelu(Tanh:true)", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		m.node("Pow", []string{"r", m.scalar("three", 3)}, "cube")
		m.node("Mul", []string{"cube", m.scalar("k", 0.044715)}, "kc")
		m.node("Add", []string{"r", "kc"}, "s")
		m.node("Mul", []string{"s", m.scalar("slope", 0.7978846)}, "a")
		m.node("Tanh", []string{"a"}, "b")
		m.node("Add", []string{"b", m.scalar("one", 1)}, "c")
		m.node("Mul", []string{"r", m.scalar("half", 0.5)}, "h")
		m.node("Mul", []string{"h", "c"}, "y")
	}},
	{"Gelu by tanh of a product", "Relu Gelu(Tanh:true)", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		m.node("Mul", []string{"r", "r"}, "square")
		m.node("Mul", []string{"square", m.scalar("k", 0.044715)}, "ks")
		m.node("Add", []string{"ks", m.scalar("one", 1)}, "s")
		m.node("Mul", []string{"r", "s"}, "rs")
		m.node("Mul", []string{"rs", m.scalar("slope2", 0.7978846)}, "a")
		m.node("Tanh", []string{"a"}, "b")
		m.node("Add", []string{"b", m.scalar("one2", 1)}, "c")
		m.node("Mul", []string{"c", "r"}, "h")
		m.node("Mul", []string{"h", m.scalar("half", 0.5)}, "y")
	}},
	{"another factor than Gelu's", "Relu Mul Erf Add Mul Mul", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		m.node("Mul", []string{"r", m.scalar("root", 0.7)}, "a")
		m.node("Erf", []string{"a"}, "b")
		m.node("Add", []string{"b", m.scalar("one", 1)}, "c")
		m.node("Mul", []string{"r", "c"}, "d")
		m.node("Mul", []string{"d", m.scalar("half", 0.5)}, "y")
	}},
	{"zeros for what is no number of a Softmax", "Relu Softmax", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		m.node("Softmax", []string{"r"}, "s")
		m.node("IsNaN", []string{"s"}, "n")
		m.node("Where", []string{"n", m.scalar("zero", 0), "s"}, "y")
	}},
	{"zeros for a Softmax of rows that may be masked", "Relu Add Softmax IsNaN Where", func(m *testModel) {
		m.node("Relu", []string{"x"}, "r")
		inf := float32(math.Inf(-1))
		m.tensors = append(m.tensors, floatTensor("mask", []int{2, 8}, inf, inf, inf, inf, inf, inf, inf, inf, 0, 0, 0, 0, 0, 0, 0, 0))
		m.node("Tile", []string{"mask", m.ints("four", 4, 1)}, "masks")
		m.node("Add", []string{"r", "masks"}, "a")
		m.node("Softmax", []string{"a"}, "s")
		m.node("IsNaN", []string{"s"}, "n")
		m.node("Where", []string{"n", m.scalar("zero", 0), "s"}, "y")
	}},
	{"BatchNorm with scale and shift", "Conv BatchNormalization", func(m *testModel) {
		m.node("Conv", []string{"x", m.float("w", 4, 3, 1, 1)}, "c")
		m.batchNorm("c", "b", 4)
		m.node("Mul", []string{"b", m.float("m", 4, 1, 1)}, "d")
		m.node("Add", []string{m.float("a", 1, 4, 1, 1), "d"}, "y")
	}},
	{"scale along the width is no channel's", "Conv BatchNormalization Mul", func(m *testModel) {
		m.node("Conv", []string{"x", m.float("w", 8, 3, 1, 1)}, "c")
		m.batchNorm("c", "b", 8)
		m.node("Mul", []string{"b", m.float("m", 8)}, "y")
	}},
	{"computed zero bias", "Conv BatchNormalization", func(m *testModel) {
		m.node("ConstantOfShape", []string{m.ints("s", 4)}, "zero")
		m.node("Conv", []string{"x", m.float("w", 4, 3, 1, 1), "zero"}, "c")
		m.batchNorm("c", "y", 4)
	}},
	{"product and sum", "GlobalAveragePool Flatten Linear Relu Linear", func(m *testModel) {
		m.node("ReduceMean", []string{"x"}, "p", intsAttribute("axes", -1, -2), intAttribute("keepdims", 0))
		m.node("MatMul", []string{"p", m.float("w1", 3, 5)}, "a")
		m.node("Add", []string{m.float("b1", 5), "a"}, "b")
		m.node("Relu", []string{"b"}, "c")
		m.node("Gemm", []string{"c", m.float("w2", 5, 4), m.float("b2", 1, 4)}, "y", floatAttribute("alpha", 0.5), floatAttribute("beta", 2))
	}},
	{"conv and sum", "Conv", func(m *testModel) {
		m.node("Conv", []string{"x", m.float("w", 4, 3, 1, 1)}, "c")
		m.node("Add", []string{"c", m.float("b", 4, 1, 1)}, "y")
	}},
	{"squeezed head", "GlobalAveragePool Flatten Linear Softmax", func(m *testModel) {
		m.node("GlobalAveragePool", []string{"x"}, "p")
		m.node("Squeeze", []string{"p", m.ints("axes", 2, 3)}, "f")
		m.node("Gemm", []string{"f", m.float("w", 4, 3)}, "l", intAttribute("transB", 1))
		m.node("Softmax", []string{"l"}, "y")
	}},
	{"baked batch", "Relu Flatten", func(m *testModel) {
		m.node("Relu", []string{"x"}, "a")
		m.node("Reshape", []string{"a", m.ints("s", 2, 192)}, "y")
	}},
	{"baked batch of computed shapes", "Relu Reshape(Shape:[0 24 8])", func(m *testModel) {
		m.node("Relu", []string{"x"}, "a")
		m.node("Shape", []string{"a"}, "s")
		m.node("Gather", []string{"s", m.ints("zero", 0)}, "n")
		m.node("Concat", []string{"n", m.ints("rest", -1, 8)}, "t", intAttribute("axis", 0))
		m.node("Reshape", []string{"a", "t"}, "y")
	}},
	{"means of what has its channels last", "Relu GlobalAveragePool", func(m *testModel) {
		m.node("Transpose", []string{"x"}, "last", intsAttribute("perm", 0, 2, 3, 1))
		m.node("Relu", []string{"last"}, "a")
		m.node("ReduceMean", []string{"a"}, "p", intsAttribute("axes", 1, 2), intAttribute("keepdims", 1))
		m.node("Transpose", []string{"p"}, "y", intsAttribute("perm", 0, 3, 1, 2))
	}},
	{"reshape to the same shape", "Relu", func(m *testModel) {
		m.node("Relu", []string{"x"}, "a")
		m.node("Reshape", []string{"a", m.ints("s", -1, 3, 8, 8)}, "y")
	}},
	{"three operands", "Relu Sigmoid Add Add", func(m *testModel) {
		m.node("Relu", []string{"x"}, "a")
		m.node("Sigmoid", []string{"x"}, "b")
		m.node("Sum", []string{"a", "b", "x"}, "y")
	}},
	{"normalised input", "Affine Relu", func(m *testModel) {
		m.node("Sub", []string{"x", m.float("mean", 1, 3, 1, 1)}, "a")
		m.node("Div", []string{"a", m.positive("std", 3, 1, 1)}, "b")
		m.node("Relu", []string{"b"}, "y")
	}},
	{"reflected input stays", "Sub Relu", func(m *testModel) {
		m.node("Sub", []string{m.scalar("one", 1), "x"}, "b")
		m.node("Relu", []string{"b"}, "y")
	}},
	{"transform_input", "Affine", func(m *testModel) {
		var parts []string
		for i, c := range []string{"r", "g", "b"} {
			m.tensors = append(m.tensors, intTensor("i"+c, nil, int64(i)))
			m.node("Gather", []string{"x", "i" + c}, "g"+c, intAttribute("axis", 1))
			m.node("Unsqueeze", []string{"g" + c, m.ints("u"+c, 1)}, "v"+c)
			m.node("Mul", []string{"v" + c, m.scalar("s"+c, float32(i)+0.5)}, "m"+c)
			m.node("Add", []string{"m" + c, m.scalar("t"+c, float32(i)-0.25)}, "a"+c)
			parts = append(parts, "a"+c)
		}
		m.node("Concat", parts, "y", intAttribute("axis", 1))
	}},
	{"two of the channels", "Gather Unsqueeze Gather Unsqueeze Concat", func(m *testModel) {
		for i, c := range []string{"r", "g"} {
			m.tensors = append(m.tensors, intTensor("i"+c, nil, int64(i)))
			m.node("Gather", []string{"x", "i" + c}, "g"+c, intAttribute("axis", 1))
			m.node("Unsqueeze", []string{"g" + c, m.ints("u"+c, 1)}, "v"+c)
		}
		m.node("Concat", []string{"vr", "vg"}, "y", intAttribute("axis", 1))
	}},
	{"channels in another order", "Affine Gather", func(m *testModel) {
		var parts []string
		for i, c := range []string{"b", "g", "r"} {
			m.tensors = append(m.tensors, intTensor("i"+c, nil, int64(2-i)))
			m.node("Gather", []string{"x", "i" + c}, "g"+c, intAttribute("axis", 1))
			m.node("Unsqueeze", []string{"g" + c, m.ints("u"+c, 1)}, "v"+c)
			m.node("Mul", []string{"v" + c, m.scalar("s"+c, float32(i)+0.5)}, "m"+c)
			parts = append(parts, "m"+c)
		}
		m.node("Concat", parts, "y", intAttribute("axis", 1))
	}},
}

// TestNormalForms takes each spelling to its normal form, which computes the same.
func TestNormalForms(t *testing.T) { normalForms(t, spellings) }

func normalForms(t *testing.T, list []spelling) {
	for _, s := range list {
		t.Run(s.name, func(t *testing.T) {
			m := chainModel("y")
			s.build(&m)
			net, _, err := ReadBytes(m.bytes(), ReadOptions{Batch: 2})
			if err != nil {
				t.Fatal(err)
			}
			checkOperators(t, net, s.want)
			compareLowered(t, m.bytes(), net)
		})
	}
}

// checkOperators compares the operators' names, and an attribute where it is given in brackets.
func checkOperators(t *testing.T, net *engine.Network, want string) {
	t.Helper()
	var got []string
	wanted := splitOperators(want)
	for i, n := range net.Nodes() {
		o := n.Op().(op.Op)
		name := o.Name()
		if i < len(wanted) {
			if _, attribute, ok := strings.Cut(wanted[i], "("); ok && strings.Contains(o.String(), strings.TrimSuffix(attribute, ")")) {
				name = wanted[i]
			}
		}
		got = append(got, name)
	}
	if strings.Join(got, " ") != strings.Join(wanted, " ") {
		t.Errorf("operators %v, want %v", got, wanted)
	}
}

// splitOperators splits at spaces outside of brackets.
func splitOperators(s string) []string {
	depth := 0
	return strings.FieldsFunc(s, func(r rune) bool {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		return depth == 0 && r == ' '
	})
}

// compareLowered computes the model as it was spelled and in normal form.
func compareLowered(t *testing.T, data []byte, net *engine.Network) {
	t.Helper()
	m, err := parseModel(data)
	if err != nil {
		t.Fatal(err)
	}
	image := ramp(2 * 3 * 8 * 8)
	shape, spelled := net.Input.Shape(), image
	if m.graph.inputs[0].shape[3].Size == 3 {
		shape, spelled = []int{2, 8, 8, 3}, make([]float32, len(image))
		for i, v := range image {
			n, c, pixel := i/192, i/64%3, i%64
			spelled[n*192+pixel*3+c] = v
		}
	}
	want := asSpelled(t, data, shape, spelled)
	got := interpreter{net: net}.run(t, image)[0]
	if d := distance(t, got, want); !(d <= 1e-6) {
		t.Errorf("the normal form is off by %.1e of the largest value", d)
	}
}

// asSpelled computes the first output of a model, node by node, for an input of that shape.
func asSpelled(t *testing.T, data []byte, shape tensor.Shape, x []float32) []float32 {
	t.Helper()
	m, err := parseModel(data)
	if err != nil {
		t.Fatal(err)
	}
	constants, err := m.graph.constants(&externalData{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := link(m.graph, m.graph.nodes, constants, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range g.nodes {
		n.opset = 17
	}
	in := g.inputs[0]
	in.shape = shape.Clone()
	l := lower(g, in)
	results := map[*value]gorgonia.Value{in: dense(in.shape, x)}
	if err := evaluate(l.steps, results); err != nil {
		t.Fatal(err)
	}
	return results[g.outputs[0].resolve()].Data().([]float32)
}
