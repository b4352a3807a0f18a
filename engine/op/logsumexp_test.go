package op_test

import (
	"math"
	"testing"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// TestLogSumExpFar: exponentials that float64 cannot hold are no obstacle, and infinities are what the limit says.
func TestLogSumExpFar(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		x    []float64
		want float64
	}{
		{[]float64{1000, 1001}, 1001 + math.Log1p(math.Exp(-1))},
		{[]float64{-1000, -1001}, -1000 + math.Log1p(math.Exp(-1))},
		{[]float64{3000, -3000}, 3000},
		{[]float64{-inf, 2}, 2},
		{[]float64{-inf, -inf}, -inf},
		{[]float64{inf, 2}, inf},
	} {
		x := tensor.New(tensor.WithShape(1, 2), tensor.WithBacking(c.x))
		y, err := (&op.Reduce{Kind: op.LogSumExpOf, ReduceMean: op.ReduceMean{Axes: []int{1}}}).Do(x)
		if err != nil {
			t.Fatal(err)
		}
		if got := y.Data().([]float64)[0]; got != c.want && !(math.Abs(got-c.want) < 1e-9*math.Abs(c.want)) {
			t.Errorf("of %v: %v, want %v", c.x, got, c.want)
		}
	}
}
