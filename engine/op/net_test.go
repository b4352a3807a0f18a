package op_test

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
	"regraft/engine/op/optest"
	"regraft/engine/random"
)

// TestFanOut checks that gorgonia's own sums of gradients work for a node that is used several times,
// also in the shapes that it takes for scalars.
func TestFanOut(t *testing.T) {
	for _, shape := range [][]int{{}, {1}, {1, 1}, {1, 3}, {3, 1}, {1, 1, 1, 1}, {2, 3, 1, 1}} {
		t.Run(fmt.Sprint(shape), func(t *testing.T) {
			f := newFunction(t, [][]int{shape}, func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				s := apply(t, &op.Sigmoid{}, in[0])
				return op.Apply(&op.Add{}, apply(t, &op.Mul{}, s, s), apply(t, &op.Add{}, in[0], in[0]))
			})
			x := make([]float64, tensor.Shape(shape).TotalSize())
			optest.Smooth(0, x, random.At(1, "fan-out"))
			f.checkGradients(t, [][]float64{x}, 1, 1.0/1024)
		})
	}
}

// The operands of tinyInception: image, labels and dropout key, then the parameters.
var (
	tinyData   = [][]int{{4, 3, 9, 8}, {4, 5}, {4}}
	tinyParams = [][]int{
		{4, 3, 3, 3}, {4}, {4}, // stem
		{3, 4, 1, 1}, {3}, {3}, // branch of one convolution
		{2, 4, 1, 3}, {2}, {2}, // branch of two
		{2, 2, 3, 1}, {2}, {2},
		{2, 4, 1, 1}, {2}, {2}, // branch behind a pool
		{3, 11, 1, 1}, {3}, {3}, {5, 3}, {5}, // auxiliary head
		{5, 11}, {5}, // main head
	}
)

// tinyInception is a small network with all that Inception-v3 has in training.
func tinyInception(t *testing.T, data, params gorgonia.Nodes) *gorgonia.Node {
	t.Helper()
	take := func(n int) gorgonia.Nodes {
		taken := params[:n]
		params = params[n:]
		return taken
	}
	block := func(x *gorgonia.Node, stride int, pads [4]int) *gorgonia.Node {
		p := take(3)
		z := apply(t, &op.Conv{Strides: [2]int{stride, stride}, Dilations: [2]int{1, 1}, Pads: pads, Group: 1}, x, p[0])
		stats := apply(t, &op.BatchStats{}, z)
		return apply(t, &op.Relu{}, apply(t, &op.BatchNormTrain{Epsilon: 1e-3}, z, p[1], p[2], stats))
	}
	head := func(x *gorgonia.Node, id string) *gorgonia.Node {
		x = apply(t, &op.DropoutTrain{Ratio: 0.25, ID: id}, apply(t, &op.GlobalAveragePool{}, x), data[2])
		p := take(2)
		logits := apply(t, &op.Linear{}, apply(t, &op.Flatten{Axis: 1}, x), p[0], p[1])
		return apply(t, &op.SoftmaxCrossEntropy{}, logits, data[1])
	}
	none := [4]int{}
	x := block(data[0], 2, none) // (4, 4, 4, 3)
	a := block(x, 1, none)
	b := block(block(x, 1, [4]int{0, 1, 0, 1}), 1, [4]int{1, 0, 1, 0})
	c := block(apply(t, &op.AveragePool{Kernel: [2]int{3, 3}, Strides: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}, CountIncludePad: true}, x), 1, none)
	d := apply(t, &op.MaxPool{Kernel: [2]int{3, 3}, Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}}, x)
	x = apply(t, &op.Concat{Axis: 1}, a, b, c, d)
	aux := apply(t, &op.AveragePool{Kernel: [2]int{2, 2}, Strides: [2]int{2, 1}}, x)
	auxLoss := head(block(aux, 1, none), "aux")
	return apply(t, &op.WeightedSum{Weights: []float32{1, 0.4}}, head(x, "main"), auxLoss)
}

// tinyValues draws the operands of tinyInception.
func tinyValues() [][]float64 {
	var values [][]float64
	for i, shape := range append(append([][]int{}, tinyData...), tinyParams...) {
		x := make([]float64, tensor.Shape(shape).TotalSize())
		s := random.At(3, "tiny", uint64(i))
		switch i {
		case 1:
			optest.Targets(x, s)
		case 2:
			optest.Labels(1<<16, x, s)
		default:
			optest.Smooth(i, x, s)
		}
		values = append(values, x)
	}
	return values
}

// TestTinyInception compares all gradients of a whole network with central differences. The step is
// small, so that no activation crosses a kink.
func TestTinyInception(t *testing.T) {
	values := tinyValues()
	shapes := append(append([][]int{}, tinyParams...), tinyData...)
	operands := append(append([][]float64{}, values[len(tinyData):]...), values[:len(tinyData)]...)
	n := len(tinyParams)
	f := newFunction(t, shapes, func(in gorgonia.Nodes) (*gorgonia.Node, error) {
		return tinyInception(t, in[n:], in[:n]), nil
	})
	f.checkGradients(t, operands, n, 0x1p-20)
}

// TestTinyInceptionInFloat32 compares the same gradients in the two element types. The chain has about ten
// rounded operators, each good to 2^-24 of what it sums; dividing by deviations multiplies that.
func TestTinyInceptionInFloat32(t *testing.T) {
	values := tinyValues()
	wide := tinyGradients(t, values, tensor.Float64)
	narrow := tinyGradients(t, values, tensor.Float32)
	for i := range wide {
		size := 0.0
		for _, v := range wide[i] {
			size = max(size, math.Abs(v))
		}
		for k := range wide[i] {
			if off := math.Abs(wide[i][k] - narrow[i][k]); !(off <= 1e-5*(1+size)) {
				t.Errorf("parameter %d, element %d: %v in float64, %v in float32", i, k, wide[i][k], narrow[i][k])
			}
		}
	}
}

func tinyGradients(t *testing.T, values [][]float64, dtype tensor.Dtype) [][]float64 {
	t.Helper()
	g := gorgonia.NewGraph()
	var in gorgonia.Nodes
	for i, shape := range append(append([][]int{}, tinyData...), tinyParams...) {
		n := gorgonia.NewTensor(g, dtype, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(fmt.Sprintf("x%d", i)))
		in = append(in, n)
		var backing any = values[i]
		if dtype == tensor.Float32 {
			x := make([]float32, len(values[i]))
			for k, v := range values[i] {
				x[k] = float32(v)
			}
			backing = x
		}
		if err := gorgonia.Let(n, tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing))); err != nil {
			t.Fatal(err)
		}
	}
	params := in[len(tinyData):]
	nodes, err := gorgonia.Grad(tinyInception(t, in[:len(tinyData)], params), params...)
	if err != nil {
		t.Fatal(err)
	}
	results := make([]gorgonia.Value, len(nodes))
	for i, n := range nodes {
		gorgonia.Read(n, &results[i])
	}
	if err := gorgonia.NewTapeMachine(g).RunAll(); err != nil {
		t.Fatal(err)
	}
	grads := make([][]float64, len(results))
	for i, v := range results {
		if dtype == tensor.Float64 {
			grads[i] = floats(t, v)
			continue
		}
		for _, x := range floats32(t, v) {
			grads[i] = append(grads[i], float64(x))
		}
	}
	return grads
}
