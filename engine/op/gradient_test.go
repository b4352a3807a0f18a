package op_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
	"regraft/engine/op/optest"
	"regraft/engine/random"
)

// TestGradients compares gorgonia.Grad, run on a TapeMachine in float64, with central differences of
// the operator itself. The scalar that is differentiated is sum(r*y) with random weights r.
func TestGradients(t *testing.T) {
	for _, row := range optest.Rows() {
		if row.Differentiable == 0 {
			continue
		}
		t.Run(row.Name, func(t *testing.T) {
			f := newFunction(t, row.Shapes, row.Node)
			f.checkGradients(t, row.Operands(), row.Differentiable, 1.0/1024)
		})
	}
}

// function is a scalar function of tensors, in a graph of float64.
type function struct {
	in     gorgonia.Nodes
	cost   *gorgonia.Node
	result gorgonia.Value
	vm     gorgonia.VM
}

// newFunction builds sum(r*y) for the node y that build makes of operands of the given shapes.
func newFunction(t *testing.T, shapes [][]int, build func(gorgonia.Nodes) (*gorgonia.Node, error)) *function {
	t.Helper()
	g := gorgonia.NewGraph()
	f := &function{}
	for i, shape := range shapes {
		f.in = append(f.in, variable(g, fmt.Sprintf("x%d", i), shape))
	}
	y, err := build(f.in)
	if err != nil {
		t.Fatal(err)
	}
	f.cost = y
	if y.Dims() > 0 {
		weights := make([]float64, y.Shape().TotalSize())
		optest.Smooth(0, weights, random.At(2, "weights"))
		f.cost = weightedSum(t, y, weights)
	}
	return f
}

// weightedSum gives sum(r*y).
func weightedSum(t *testing.T, y *gorgonia.Node, weights []float64) *gorgonia.Node {
	t.Helper()
	r := variable(y.Graph(), "r", y.Shape())
	let(t, r, weights)
	weighted, err := op.Apply(&op.Mul{}, y, r)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := op.Apply(&op.SumTo{}, weighted)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func variable(g *gorgonia.ExprGraph, name string, shape []int) *gorgonia.Node {
	if len(shape) == 0 {
		return gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName(name))
	}
	return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
}

func let(t *testing.T, n *gorgonia.Node, values []float64) {
	t.Helper()
	var v any = gorgonia.NewF64(values[0])
	if n.Dims() > 0 {
		v = tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(values))
	}
	if err := gorgonia.Let(n, v); err != nil {
		t.Fatal(err)
	}
}

// run computes the cost, and everything else that was asked to be read.
func (f *function) run(t *testing.T, operands [][]float64) float64 {
	t.Helper()
	for i, n := range f.in {
		let(t, n, operands[i])
	}
	if f.vm == nil {
		gorgonia.Read(f.cost, &f.result)
		f.vm = gorgonia.NewTapeMachine(f.cost.Graph())
	}
	f.vm.Reset()
	if err := f.vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return f.result.Data().(float64)
}

// checkGradients compares the gradients of the first n operands with central differences of step h, element by element; in short tests
// those of large operands with some, and with the difference along one direction, in which every element counts.
//
// The central difference D(h) is off by c*h*h + O(h^4), so |D(h)-D(h/2)| is 3/4 c*h*h and the error of
// D(h/2) a third of that. Rounding adds the errors of two costs over h: a cost takes some hundreds of
// roundings of 2^-53 of terms that are not much larger than it or 1.
func (f *function) checkGradients(t *testing.T, operands [][]float64, n int, h float64) {
	t.Helper()
	const few = 8
	cost := f.run(t, operands) // by a machine that knows of no gradients
	for i, got := range f.gradients(t, operands, n) {
		if len(got) != len(operands[i]) {
			t.Fatalf("gradient %d has %d elements, want %d", i, len(got), len(operands[i]))
		}
		check := func(what string, got float64, direction []float64) {
			t.Helper()
			wide, want := f.slope(t, operands, i, direction, h), f.slope(t, operands, i, direction, h/2)
			scale := 1 + math.Abs(cost) + math.Abs(want)
			bound := math.Abs(wide-want) + 1e3*0x1p-53*scale/h
			if !(math.Abs(got-want) <= bound) {
				t.Errorf("operand %d, %s: gradient %.12g, central difference %.12g, bound %.3g", i, what, got, want, bound)
			}
		}
		every, direction := 1, make([]float64, len(got))
		if testing.Short() && len(got) > 3*few {
			optest.Smooth(0, direction, random.At(3, "direction"))
			along := 0.0
			for k, g := range got {
				direction[k] = math.Tanh(direction[k]) // no step is longer than h
				along += direction[k] * g
			}
			check("along a direction", along, direction)
			every = len(got) / few
		}
		for k := 0; k < len(got); k += every {
			clear(direction)
			direction[k] = 1
			check(fmt.Sprint("element ", k), got[k], direction)
		}
	}
}

// gradients are those of the first n operands.
func (f *function) gradients(t *testing.T, operands [][]float64, n int) [][]float64 {
	t.Helper()
	grads, err := gorgonia.Grad(f.cost, f.in[:n]...)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]gorgonia.Value, n)
	for i, g := range grads {
		gorgonia.Read(g, &values[i])
	}
	costs := f.vm
	f.vm = gorgonia.NewTapeMachine(f.cost.Graph())
	f.run(t, operands)
	f.vm = costs
	gradients := make([][]float64, n)
	for i, v := range values {
		gradients[i] = slices.Clone(floats(t, v)) // later runs write to v
	}
	return gradients
}

// slope is the central difference of step h along a direction of operand i.
func (f *function) slope(t *testing.T, operands [][]float64, i int, direction []float64, h float64) float64 {
	t.Helper()
	x := slices.Clone(operands[i])
	cost := func(step float64) float64 {
		for k, d := range direction {
			operands[i][k] = x[k] + step*d
		}
		return f.run(t, operands)
	}
	slope := (cost(h) - cost(-h)) / (2 * h)
	copy(operands[i], x)
	return slope
}

func floats(t *testing.T, v gorgonia.Value) []float64 {
	t.Helper()
	switch data := v.Data().(type) {
	case float64:
		return []float64{data}
	case []float64:
		return data
	}
	t.Fatalf("%T is no value of float64", v)
	return nil
}
