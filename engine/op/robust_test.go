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

// TestAnyShapes gives every operator operands of random number and shape: it computes what it accepts, in
// the shape that it has announced, and refuses the rest by an error.
func TestAnyShapes(t *testing.T) {
	accepted := 0
	for _, row := range optest.Rows() {
		s := random.At(1, row.Name)
		for range 300 {
			in := randomOperands(s, row.Shapes)
			shapes := make([]tensor.Shape, len(in))
			for i, v := range in {
				shapes[i] = v.Shape()
			}
			want, err := op.Infer(row.Op, shapes...)
			if err != nil || len(in) == 0 {
				continue
			}
			accepted++
			y, err := row.Op.Do(in...)
			if err != nil {
				t.Errorf("%s of shapes %v: %v", row.Name, shapes, err)
				continue
			}
			if fmt.Sprint(y.Shape()) != fmt.Sprint(want) {
				t.Errorf("%s of shapes %v: shape %v, announced %v", row.Name, shapes, y.Shape(), want)
			}
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d random operands were accepted: the test shows little", accepted)
	}
}

// randomOperands changes the row's shapes a little, or altogether.
func randomOperands(s *random.Stream, shapes [][]int) []gorgonia.Value {
	count := len(shapes)
	if s.IntN(10) == 0 {
		count = s.IntN(6)
	}
	in := make([]gorgonia.Value, count)
	for i := range in {
		var shape []int
		if i < len(shapes) && s.IntN(4) > 0 {
			shape = append(shape, shapes[i]...)
			if len(shape) > 0 && s.IntN(2) == 0 {
				shape[s.IntN(len(shape))] = 1 + s.IntN(7)
			}
		} else {
			for range s.IntN(6) {
				shape = append(shape, 1+s.IntN(4))
			}
		}
		if len(shape) == 0 {
			in[i] = gorgonia.NewF64(0)
			continue
		}
		in[i] = tensor.New(tensor.Of(tensor.Float64), tensor.WithShape(shape...)) // zeros, so that labels are classes
	}
	return in
}

// TestExtremeAttributes gives operators attributes that only a hostile file has.
func TestExtremeAttributes(t *testing.T) {
	const huge = math.MaxInt
	pair := [2]int{huge, huge}
	one := [2]int{1, 1}
	for _, o := range []op.Op{
		&op.Conv{Strides: pair, Dilations: one, Group: 1},
		&op.Conv{Strides: one, Dilations: pair, Group: 1},
		&op.Conv{Strides: one, Dilations: one, Pads: [4]int{huge, 0, huge, 0}, Group: 1},
		&op.Conv{Strides: one, Dilations: one, Group: huge},
		&op.Conv{Strides: one, Dilations: one, Group: -1},
		&op.ConvGradX{Conv: op.Conv{Strides: one, Dilations: one, Group: huge}, In: pair},
		&op.ConvGradX{Conv: op.Conv{Strides: one, Dilations: one, Group: 1}, In: pair},
		&op.ConvGradW{Conv: op.Conv{Strides: one, Dilations: one, Group: 1}, Kernel: pair},
		&op.MaxPool{Kernel: pair, Strides: one, Dilations: one},
		&op.AveragePool{Kernel: one, Strides: one, Pads: [4]int{huge, huge, huge, huge}},
		&op.GlobalAveragePoolGrad{In: pair},
		&op.Pad{Pads: []int{huge, -huge, huge, -huge, 0, 0, 0, 0}},
		&op.Expand{Shape: []int{huge, huge, 1, 1, 1, 1}},
		&op.SumTo{Shape: []int{-huge}},
		&op.Reshape{Shape: []int{huge, huge, -1}},
		&op.Gather{Axis: -huge, Indices: []int{0}},
		&op.Gather{Indices: []int{huge}},
		&op.Gather{Indices: []int{0}, IndexShape: pair[:]},
		&op.Slice{Starts: []int{-huge - 1}, Ends: []int{-huge - 1}, Steps: []int{-huge - 1}},
		&op.SliceGrad{In: pair[:]},
		&op.ReduceMeanGrad{In: pair[:]},
		&op.Unsqueeze{Axes: []int{huge}},
		&op.Squeeze{Axes: []int{-huge}},
		&op.Transpose{Perm: []int{huge, 0, 1, 2}},
		&op.Flatten{Axis: huge},
		&op.Concat{Axis: -huge},
		&op.Softmax{Axis: huge},
		&op.LayerNorm{Axis: -huge},
		&op.LRN{Size: -huge},
		&op.Row{Index: huge},
		&op.Reduce{Kind: op.SumOf, ReduceMean: op.ReduceMean{Axes: []int{huge}}},
		&op.Reduce{Kind: "Median"},
		&op.ReduceGrad{Reduce: op.Reduce{Kind: op.MaxOf, ReduceMean: op.ReduceMean{Axes: []int{-huge}}}},
		&op.GroupNorm{Groups: huge},
		&op.GroupNorm{Groups: -1},
		&op.GroupNorm{Groups: 3},
		&op.GroupNormGradX{GroupNorm: op.GroupNorm{Groups: huge}},
		&op.GroupNormReduce{GroupNorm: op.GroupNorm{Groups: 3}},
	} {
		for count := 1; count <= 3; count++ {
			shapes := []tensor.Shape{{2, 2, 3, 3}, {2, 2, 3, 3}, {2}}[:count]
			if shape, err := op.Infer(o, shapes...); err == nil {
				t.Errorf("%s accepts shapes %v and gives %v", o.Name(), shapes, shape)
			}
		}
	}
	// A start before the beginning and a step beyond the end are allowed: one element remains.
	shape, err := op.Infer(&op.Slice{Starts: []int{-huge - 1}, Ends: []int{huge}, Steps: []int{huge}}, tensor.Shape{5})
	if err != nil || fmt.Sprint(shape) != "(1)" {
		t.Errorf("shape %v, error %v", shape, err)
	}
	if _, err := op.Infer(&op.LRN{Size: huge, Alpha: 1, Beta: 1, Bias: 1}, tensor.Shape{1, 2, 1, 1}); err != nil {
		t.Error(err)
	}
}
