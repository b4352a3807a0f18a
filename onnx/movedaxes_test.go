package onnx

import "testing"

// channelsLast puts x, whose file has the channels last, through a convolution and back: (2, 8, 8, 4), called l.
func channelsLast(m *testModel) {
	m.inputs = [][]byte{inputProto("x", typeFloat, 2, 8, 8, 3)}
	m.node("Transpose", []string{"x"}, "t", intsAttribute("perm", 0, 3, 1, 2))
	m.node("Conv", []string{"t", m.float("w", 4, 3, 1, 1)}, "c")
	m.node("Transpose", []string{"c"}, "l", intsAttribute("perm", 0, 2, 3, 1))
}

// ended puts the channels of v, (2, H, W, C), first again.
func ended(m *testModel, v string) {
	m.node("Transpose", []string{v}, "z", intsAttribute("perm", 0, 3, 1, 2))
	m.node("Flatten", []string{"z"}, "y")
}

// movedAxes are spellings with channels last, and with photos as columns.
var movedAxes = []spelling{
	{"Pad with channels last", "Conv Pad(Pads:[0 2 0 1 0 0 1 0]) Flatten", func(m *testModel) {
		channelsLast(m)
		m.node("Pad", []string{"l", m.ints("p", 0, 0, 1, 2, 0, 1, 0, 0), m.scalar("v", 0.5)}, "a")
		ended(m, "a")
	}},
	{"Slice with channels last", "Conv Slice Flatten", func(m *testModel) {
		channelsLast(m)
		m.node("Slice", []string{"l", m.ints("from", 1, 7, 0), m.ints("to", 6, -9, 3), m.ints("axes", 1, 2, 3), m.ints("steps", 2, -3, 1)}, "a")
		ended(m, "a")
	}},
	{"Resize with channels last, by sizes", "Conv Resize(Shape:[0 0 12 6]) Flatten", func(m *testModel) {
		channelsLast(m)
		m.nodes = append(m.nodes, nodeOut("Resize", "r", []string{"l", "", "", m.ints("s", 2, 12, 6, 4)}, []string{"a"}, textAttribute("mode", "linear")))
		ended(m, "a")
	}},
	{"Resize with channels last, by scales", "Conv Resize Flatten", func(m *testModel) {
		channelsLast(m)
		m.tensors = append(m.tensors, floatTensor("k", []int{4}, 1, 2, 1.5, 1))
		m.nodes = append(m.nodes, nodeOut("Resize", "r", []string{"l", "", "k"}, []string{"a"}, textAttribute("mode", "nearest"), textAttribute("coordinate_transformation_mode", "asymmetric"), textAttribute("nearest_mode", "floor")))
		ended(m, "a")
	}},
	{"Gather with channels last", "Conv Gather(Axis:1) Flatten", func(m *testModel) {
		channelsLast(m)
		m.node("Gather", []string{"l", m.ints("i", 3, 0, 2)}, "a", intAttribute("axis", 3))
		ended(m, "a")
	}},
	{"Gather of rows with channels last", "Conv Gather(Axis:2) Flatten", func(m *testModel) {
		channelsLast(m)
		m.node("Gather", []string{"l", m.ints("i", 5, 0)}, "a", intAttribute("axis", 1))
		ended(m, "a")
	}},
	{"Concat with channels last", "Conv Relu Concat(Axis:1) Flatten", func(m *testModel) {
		channelsLast(m)
		m.node("Relu", []string{"l"}, "b")
		m.node("Concat", []string{"l", "b"}, "a", intAttribute("axis", 3))
		ended(m, "a")
	}},
	{"mean with channels last", "Conv GlobalAveragePool Flatten", func(m *testModel) {
		channelsLast(m)
		m.node("ReduceMean", []string{"l"}, "y", intsAttribute("axes", 1, 2), intAttribute("keepdims", 0))
	}},
	{"mean with channels last that keeps its axes", "Conv GlobalAveragePool Flatten", func(m *testModel) {
		channelsLast(m)
		m.node("ReduceMean", []string{"l"}, "a", intsAttribute("axes", 1, 2))
		ended(m, "a")
	}},
	{"mean of rows alone stays", "Conv Transpose ReduceMean", func(m *testModel) {
		channelsLast(m)
		m.node("ReduceMean", []string{"l"}, "y", intsAttribute("axes", 1), intAttribute("keepdims", 0))
	}},
	{"constants with channels last", "Conv Mul Sub Div Flatten", func(m *testModel) {
		channelsLast(m)
		m.node("Add", []string{"l", m.float("b", 4)}, "a")
		m.node("Mul", []string{m.float("k", 8, 8, 4), "a"}, "d")
		m.node("Sub", []string{"d", m.float("s", 8, 8, 1)}, "e")
		m.node("Div", []string{"e", m.scalar("q", 2)}, "f")
		ended(m, "f")
	}},
	{"one channel that is last", "Conv Flatten", func(m *testModel) {
		m.inputs = [][]byte{inputProto("x", typeFloat, 2, 8, 8, 3)}
		m.node("Transpose", []string{"x"}, "t", intsAttribute("perm", 0, 3, 1, 2))
		m.node("Conv", []string{"t", m.float("w", 1, 3, 1, 1)}, "c")
		m.node("Transpose", []string{"c"}, "l", intsAttribute("perm", 0, 2, 3, 1))
		m.node("Flatten", []string{"l"}, "y")
	}},
	{"one pixel with channels last, squeezed", "Conv GlobalAveragePool Flatten", func(m *testModel) {
		channelsLast(m)
		m.node("GlobalAveragePool", []string{"c"}, "g")
		m.node("Transpose", []string{"g"}, "h", intsAttribute("perm", 0, 2, 3, 1))
		m.node("Squeeze", []string{"h", m.ints("two", 1, 2)}, "y")
	}},
	{"one pixel with channels last, given a shape", "Conv GlobalAveragePool Flatten", func(m *testModel) {
		channelsLast(m)
		m.node("GlobalAveragePool", []string{"c"}, "g")
		m.node("Transpose", []string{"g"}, "h", intsAttribute("perm", 0, 2, 3, 1))
		m.node("Reshape", []string{"h", m.ints("s", 0, -1)}, "y")
	}},
	{"a classifier of columns", "GlobalAveragePool Flatten Linear Mul Softmax", func(m *testModel) {
		m.node("GlobalAveragePool", []string{"x"}, "p")
		m.node("Flatten", []string{"p"}, "f")
		m.node("Transpose", []string{"f"}, "t", intsAttribute("perm", 1, 0))
		m.node("MatMul", []string{m.float("w", 5, 3), "t"}, "s")
		m.node("Add", []string{"s", m.float("b", 5, 1)}, "a")
		m.node("Mul", []string{m.scalar("k", 2), "a"}, "m")
		m.node("Softmax", []string{"m"}, "q", intAttribute("axis", 0))
		m.node("Transpose", []string{"q"}, "y", intsAttribute("perm", 1, 0))
	}},
	{"logarithms of columns", "GlobalAveragePool Flatten Linear LogSoftmax", func(m *testModel) {
		m.node("GlobalAveragePool", []string{"x"}, "p")
		m.node("Flatten", []string{"p"}, "f")
		m.node("Transpose", []string{"f"}, "t", intsAttribute("perm", 1, 0))
		m.node("MatMul", []string{m.float("w", 5, 3), "t"}, "s")
		m.node("LogSoftmax", []string{"s"}, "q", intAttribute("axis", 0))
		m.node("Transpose", []string{"q"}, "y", intsAttribute("perm", 1, 0))
	}},
	{"scaling behind the order of channels", "Affine Gather Conv", func(m *testModel) {
		m.node("Gather", []string{"x", m.ints("bgr", 2, 0, 1)}, "o", intAttribute("axis", 1))
		m.node("Sub", []string{"o", m.float("mean", 3, 1, 1)}, "s")
		m.node("Div", []string{"s", m.positive("std", 3, 1, 1)}, "d")
		m.node("Conv", []string{"d", m.float("w", 4, 3, 1, 1)}, "y")
	}},
	{"scaling behind channels that are reversed", "Affine Gather Conv", func(m *testModel) {
		m.node("Slice", []string{"x", m.ints("from", 2), m.ints("to", -9), m.ints("axis", 1), m.ints("step", -1)}, "o")
		m.node("Mul", []string{m.positive("k", 3, 1, 1), "o"}, "d")
		m.node("Conv", []string{"d", m.float("w", 4, 3, 1, 1)}, "y")
	}},
}

// TestMovedAxes takes what lies in other orders of axes to that of the engine, which computes the same.
func TestMovedAxes(t *testing.T) { normalForms(t, movedAxes) }
