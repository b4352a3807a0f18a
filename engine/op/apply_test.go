package op_test

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

func TestApplyKeepsTheOperator(t *testing.T) {
	g := gorgonia.NewGraph()
	x := variable(g, "x", []int{2, 3, 4, 4})
	o := &op.MaxPool{Kernel: [2]int{2, 2}, Strides: [2]int{2, 2}, Dilations: [2]int{1, 1}}
	n, err := op.Apply(o, x)
	if err != nil {
		t.Fatal(err)
	}
	made, ok := n.Op().(*op.MaxPool)
	if !ok || made.Kernel != o.Kernel || made == o {
		t.Errorf("the node's operator is %T %v, want a copy of %v", n.Op(), n.Op(), o)
	}
	want := "MaxPool{Kernel:[2 2] Strides:[2 2] Dilations:[1 1] Pads:[0 0 0 0] CeilMode:false}"
	if got := n.Op().String(); got != want {
		t.Errorf("String is %s, want %s", got, want)
	}
	if want := (tensor.Shape{2, 3, 2, 2}); !slices.Equal(n.Shape(), want) {
		t.Errorf("shape %v, want %v", n.Shape(), want)
	}
	// The same description serves other operands.
	y := variable(g, "y", []int{1, 1, 2, 2})
	m, err := op.Apply(made, y)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(op.Inputs(m), gorgonia.Nodes{y}) || !slices.Equal(op.Inputs(n), gorgonia.Nodes{x}) {
		t.Error("operands are mixed up")
	}
}

func TestApplyMergesEqualNodes(t *testing.T) {
	g := gorgonia.NewGraph()
	x := variable(g, "x", []int{2, 3})
	a := apply(t, &op.Sigmoid{}, x)
	if b := apply(t, &op.Sigmoid{}, x); a != b {
		t.Error("equal nodes are two")
	}
	if apply(t, &op.Clip{Min: 0, Max: 6}, x) == apply(t, &op.Clip{Min: 0, Max: 1}, x) {
		t.Error("different attributes are one node")
	}
	if apply(t, &op.Dropout{ID: "a"}, x) == apply(t, &op.Dropout{ID: "b"}, x) {
		t.Error("different dropouts are one node")
	}
}

func TestInputsKeepsRepeatedOperands(t *testing.T) {
	g := gorgonia.NewGraph()
	x, y := variable(g, "x", []int{2, 3}), variable(g, "y", []int{2, 3})
	if got := op.Inputs(apply(t, &op.Add{}, x, x)); !slices.Equal(got, gorgonia.Nodes{x, x}) {
		t.Errorf("operands of Add(x, x): %v", got)
	}
	if got := op.Inputs(apply(t, &op.Concat{Axis: 1}, x, y, x)); !slices.Equal(got, gorgonia.Nodes{x, y, x}) {
		t.Errorf("operands of Concat(x, y, x): %v", got)
	}
	if got := op.Inputs(x); len(got) != 0 {
		t.Errorf("operands of an input: %v", got)
	}
}

// Changing the caller's slice afterwards must not change the graph.
func TestApplyCopiesOperands(t *testing.T) {
	g := gorgonia.NewGraph()
	x, y := variable(g, "x", []int{2}), variable(g, "y", []int{2})
	in := gorgonia.Nodes{x, y}
	n := apply(t, &op.Add{}, in...)
	in[0] = y
	if got := op.Inputs(n); !slices.Equal(got, gorgonia.Nodes{x, y}) {
		t.Errorf("operands became %v", got)
	}
}

// Two inputs whose hashes collide make gorgonia take Relu of one for Relu of the other. Apply must not.
func TestApplyUndoesCollisions(t *testing.T) {
	a, b := collidingNames(t)
	g := gorgonia.NewGraph()
	x, y := variable(g, a, []int{2, 3}), variable(g, b, []int{2, 3})
	if x == y || x.Hashcode() != y.Hashcode() {
		t.Fatalf("inputs %q and %q do not collide", a, b)
	}
	merged, err := gorgonia.Sigmoid(x)
	if err != nil {
		t.Fatal(err)
	}
	other, err := gorgonia.Sigmoid(y)
	if err != nil {
		t.Fatal(err)
	}
	if merged != other {
		t.Fatal("gorgonia keeps colliding nodes apart by itself: this test and the salt in Apply are obsolete")
	}
	p, q := apply(t, &op.Relu{}, x), apply(t, &op.Relu{}, y)
	if p == q || op.Inputs(p)[0] != x || op.Inputs(q)[0] != y {
		t.Errorf("Relu(%s) and Relu(%s) are mixed up", a, b)
	}
	if again := apply(t, &op.Relu{}, y); again != q {
		t.Error("the second node is not found again")
	}
	// What follows is told apart, too.
	if r := apply(t, &op.Add{}, p, q); !slices.Equal(op.Inputs(r), gorgonia.Nodes{p, q}) {
		t.Error("operands of a node after the collision are mixed up")
	}
}

// collidingNames finds two names of (2, 3) inputs with equal hashes, as gorgonia hashes inputs.
func collidingNames(t *testing.T) (a, b string) {
	t.Helper()
	seen := map[uint32]string{}
	for i := range 1 << 20 {
		name := fmt.Sprintf("input %d", i)
		h := fnv.New32a()
		fmt.Fprintf(h, "%v%v%s", gorgonia.TensorType{Dims: 2, Of: tensor.Float64}, tensor.Shape{2, 3}, name)
		if err := binary.Write(h, binary.LittleEndian, byte(0)); err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[h.Sum32()]; ok {
			return other, name
		}
		seen[h.Sum32()] = name
	}
	t.Fatal("no two names collide")
	return "", ""
}

func TestApplyErrors(t *testing.T) {
	g := gorgonia.NewGraph()
	image := variable(g, "image", []int{2, 3, 8, 8})
	weights := variable(g, "weights", []int{4, 3, 3, 3})
	matrix := variable(g, "matrix", []int{2, 3})
	vector := variable(g, "vector", []int{5})
	wide := variable(g, "wide", []int{1 << 20, 1})
	tall := variable(g, "tall", []int{1, 1 << 20})
	one := [2]int{1, 1}
	conv := op.Conv{Strides: one, Dilations: one, Group: 1}
	for _, c := range []struct {
		op   op.Op
		in   gorgonia.Nodes
		want string
	}{
		{&conv, gorgonia.Nodes{image}, "Conv: 1 operands, want 3"},
		{&conv, gorgonia.Nodes{image, nil}, "Conv: operand 1 is missing"},
		{&conv, gorgonia.Nodes{image, matrix}, "operand 1 has shape (2, 3), want 4 dimensions"},
		{&conv, gorgonia.Nodes{image, weights, vector}, "operand 2 has shape (5), want (4)"},
		{&op.Conv{Strides: one, Dilations: one, Group: 2}, gorgonia.Nodes{image, weights}, "group 2 does not divide 3 input and 4 output channels"},
		{&op.Conv{Dilations: one, Group: 1}, gorgonia.Nodes{image, weights}, "rows: kernel 3, stride 0, dilation 1: each must be 1 to 32768"},
		{&op.Conv{Strides: one, Dilations: [2]int{9, 1}, Group: 1}, gorgonia.Nodes{image, weights}, "rows: size 8 with pads 0 and 0 is smaller than the kernel's 19"},
		{&op.Conv{Strides: one, Dilations: one, Pads: [4]int{0, -1, 0, 0}, Group: 1}, gorgonia.Nodes{image, weights}, "columns: pads -1 and 0: each must be 0 to 32768"},
		{&op.MaxPool{Kernel: [2]int{9, 9}, Strides: one, Dilations: one}, gorgonia.Nodes{image}, "MaxPool: rows: size 8 with pads 0 and 0 is smaller than the kernel's 9"},
		{&op.Linear{}, gorgonia.Nodes{matrix, matrix, vector}, "Linear: operand 2 has shape (5), want (2)"},
		{&op.Add{}, gorgonia.Nodes{matrix, vector}, "Add: shapes (2, 3) and (5) do not broadcast"},
		{&op.Mul{}, gorgonia.Nodes{wide, tall}, "Mul: shape (1048576, 1048576) has more than"},
		{&op.Concat{Axis: 2}, gorgonia.Nodes{matrix, matrix}, "Concat: axis 2 is outside the 2 dimensions"},
		{&op.Concat{Axis: 0}, gorgonia.Nodes{matrix, vector}, "Concat: operand 1 of shape (5) does not fit operand 0 of shape (2, 3) along axis 0"},
		{&op.Reshape{Shape: []int{4, -1}}, gorgonia.Nodes{matrix}, "Reshape: the 6 elements of shape (2, 3) do not fit shape [4 -1]"},
		{&op.Reshape{Shape: []int{math.MaxInt, 4}}, gorgonia.Nodes{matrix}, "Reshape: the 6 elements"},
		{&op.Squeeze{Axes: []int{0}}, gorgonia.Nodes{matrix}, "Squeeze: dimension 0 of shape (2, 3) has size 2, not 1"},
		{&op.Unsqueeze{Axes: []int{1, 1}}, gorgonia.Nodes{matrix}, "Unsqueeze: axis 1 is given twice"},
		{&op.Transpose{Perm: []int{0, 0}}, gorgonia.Nodes{matrix}, "Transpose: permutation [0 0]: axis 0 is given twice"},
		{&op.Slice{Starts: []int{3}, Ends: []int{1}, Axes: []int{1}}, gorgonia.Nodes{matrix}, "nothing lies between 3 and 1 by steps of 1 in size 3"},
		{&op.Slice{Starts: []int{0}, Ends: []int{1}, Steps: []int{0}}, gorgonia.Nodes{matrix}, "Slice: axis 0: step 0"},
		{&op.Gather{Axis: 1, Indices: []int{3}}, gorgonia.Nodes{matrix}, "Gather: index 3 is outside dimension 1 of shape (2, 3)"},
		{&op.Pad{Pads: []int{math.MaxInt, 0, math.MaxInt, 0}}, gorgonia.Nodes{matrix}, "Pad: pads"},
		{&op.Expand{Shape: []int{1 << 30, 4, 1, 1}}, gorgonia.Nodes{matrix}, "Expand: shape (1073741824, 4, 2, 3) has more than"},
		{&op.MatMul{}, gorgonia.Nodes{matrix, matrix}, "MatMul: shapes (2, 3) and (2, 3) do not multiply"},
		{&op.BatchNorm{}, gorgonia.Nodes{image, vector, vector, vector, vector}, "an operand has shape (5), but operand 0 has 3 channels"},
		{&op.DropoutTrain{Ratio: 1}, gorgonia.Nodes{matrix, vector}, "ratio 1 is not at least 0 and below 1"},
		{&op.SoftmaxCrossEntropy{}, gorgonia.Nodes{matrix, vector}, "SoftmaxCrossEntropy: operand 1 has shape (5)"},
		{&op.RunningVar{Count: 1}, gorgonia.Nodes{vector, matrix}, "the variance of 1 values is not known"},
		{&op.Relu{}, nil, "Relu: 0 operands, want 1"},
		{&op.Concat{}, nil, "Concat: no operands"},
	} {
		_, err := op.Apply(c.op, c.in...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.op.Name(), err, c.want)
		}
	}
}

// 44 times a tensor joined with itself would need 2^48 bytes.
func TestRepeatedConcatIsRefused(t *testing.T) {
	n := variable(gorgonia.NewGraph(), "x", []int{1, 4})
	var err error
	for range 44 {
		if n, err = op.Apply(&op.Concat{Axis: 0}, n, n); err != nil {
			return
		}
	}
	t.Errorf("shape %v was accepted", n.Shape())
}

func apply(t *testing.T, o op.Op, in ...*gorgonia.Node) *gorgonia.Node {
	t.Helper()
	n, err := op.Apply(o, in...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
