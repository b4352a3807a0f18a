package op_test

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
	"regraft/engine/op/optest"
)

// TestDoRoundsOnce runs every operator on float32: the result is that of float64 rounded once.
func TestDoRoundsOnce(t *testing.T) {
	for _, row := range optest.Rows() {
		if row.Build != nil {
			continue
		}
		t.Run(row.Name, func(t *testing.T) {
			wide, narrow := values(t, row)
			y, err := row.Op.Do(wide...)
			if err != nil {
				t.Fatal(err)
			}
			y32, err := row.Op.Do(narrow...)
			if err != nil {
				t.Fatal(err)
			}
			want := floats(t, y)
			got := floats32(t, y32)
			if len(got) != len(want) {
				t.Fatalf("%d elements in float32, %d in float64", len(got), len(want))
			}
			for i := range got {
				if got[i] != float32(want[i]) {
					t.Errorf("element %d is %v in float32 and %v in float64", i, got[i], want[i])
				}
			}
		})
	}
}

// values gives the row's operands as float64 and as float32, which hold the same numbers.
func values(t *testing.T, row optest.Row) (wide, narrow []gorgonia.Value) {
	t.Helper()
	for i, x := range row.Operands() {
		x32 := make([]float32, len(x))
		for k, v := range x {
			if x32[k] = float32(v); float64(x32[k]) != v {
				t.Fatalf("operand %d, element %d: %v is no float32", i, k, v)
			}
		}
		if len(row.Shapes[i]) == 0 {
			wide, narrow = append(wide, gorgonia.NewF64(x[0])), append(narrow, gorgonia.NewF32(x32[0]))
			continue
		}
		wide = append(wide, tensor.New(tensor.WithShape(row.Shapes[i]...), tensor.WithBacking(x)))
		narrow = append(narrow, tensor.New(tensor.WithShape(row.Shapes[i]...), tensor.WithBacking(x32)))
	}
	return wide, narrow
}

func floats32(t *testing.T, v gorgonia.Value) []float32 {
	t.Helper()
	switch data := v.Data().(type) {
	case float32:
		return []float32{data}
	case []float32:
		return data
	}
	t.Fatalf("%T is no value of float32", v)
	return nil
}

// TestDoLeavesOperandsAlone checks that operands keep their values and that no result shares their memory.
func TestDoLeavesOperandsAlone(t *testing.T) {
	for _, row := range optest.Rows() {
		if row.Build != nil {
			continue
		}
		in, _ := values(t, row)
		y, err := row.Op.Do(in...)
		if err != nil {
			t.Fatalf("%s: %v", row.Name, err)
		}
		result := floats(t, y)
		for i := range result {
			result[i] = math.NaN()
		}
		for i, want := range row.Operands() {
			if got := floats(t, in[i]); !slices.Equal(got, want) {
				t.Errorf("%s: operand %d has changed", row.Name, i)
			}
		}
	}
}

// TestProcessorsChangeNoBit compares one processor with several.
func TestProcessorsChangeNoBit(t *testing.T) {
	for _, row := range optest.Rows() {
		if row.Build != nil {
			continue
		}
		in, _ := values(t, row)
		var results [2][]float64
		for i, processors := range []int{1, 7} {
			before := runtime.GOMAXPROCS(processors)
			y, err := row.Op.Do(in...)
			runtime.GOMAXPROCS(before)
			if err != nil {
				t.Fatalf("%s: %v", row.Name, err)
			}
			results[i] = floats(t, y)
		}
		if !slices.Equal(results[0], results[1]) {
			t.Errorf("%s: results differ", row.Name)
		}
	}
}

// TestDoAcceptsAnyBatch runs bound operators of a graph for 2 images on 3.
func TestDoAcceptsAnyBatch(t *testing.T) {
	g := gorgonia.NewGraph()
	x := variable(g, "x", []int{2, 3, 4, 4})
	w := variable(g, "w", []int{2, 3, 3, 3})
	conv := apply(t, &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}, x, w)
	y, err := conv.Op().Do(ones(3, 3, 4, 4), ones(2, 3, 3, 3))
	if err != nil {
		t.Fatal(err)
	}
	if want := (tensor.Shape{3, 2, 2, 2}); !slices.Equal(y.Shape(), want) {
		t.Errorf("shape %v, want %v", y.Shape(), want)
	}
	for _, v := range floats(t, y) {
		if v != 27 {
			t.Fatalf("an element is %v, want 27", v)
		}
	}
}

func TestDoErrors(t *testing.T) {
	for _, c := range []struct {
		op   op.Op
		in   []gorgonia.Value
		want string
	}{
		{&op.Relu{}, []gorgonia.Value{tensor.New(tensor.WithShape(2), tensor.WithBacking([]int{1, 2}))}, "Relu: operand 0: values of type []int are not supported"},
		{&op.Add{}, []gorgonia.Value{gorgonia.NewF32(1), gorgonia.NewF64(1)}, "Add: operands of types float32 and float64"},
		{&op.Add{}, []gorgonia.Value{ones(2), ones(3)}, "Add: shapes (2) and (3) do not broadcast"},
	} {
		_, err := c.op.Do(c.in...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.op.Name(), err, c.want)
		}
	}
}

// TestDoReadsViews gives a transposed tensor, whose elements are not in row-major order.
func TestDoReadsViews(t *testing.T) {
	x := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float64{1, 2, 3, 4, 5, 6}))
	if err := x.T(); err != nil {
		t.Fatal(err)
	}
	y, err := (&op.Identity{}).Do(x)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := floats(t, y), []float64{1, 4, 2, 5, 3, 6}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func ones(shape ...int) gorgonia.Value {
	x := make([]float64, tensor.Shape(shape).TotalSize())
	for i := range x {
		x[i] = 1
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
}
