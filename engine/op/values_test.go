package op_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

func filled(shape []int, v ...float32) gorgonia.Value {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))
}

// TestWorkedOutByHand: results that are easily worked out, at the places where operators treat numbers in different ways.
func TestWorkedOutByHand(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	rotary := &op.Rotary{Heads: 1, At: op.HeadChannels{First: 1, Step: 2, Size: 2}, Pairs: []int{1, 0}}
	back := *rotary
	back.Back = true
	for name, c := range map[string]struct {
		o    op.Op
		in   []gorgonia.Value
		want []float32
	}{
		"powers": {&op.Pow{}, []gorgonia.Value{filled([]int{8}, 2, -2, 2, 2, -8, 0, 4, -1), filled([]int{8}, 3, 3, -1, 0.5, 0.5, 0, 1.5, 65)},
			[]float32{8, -8, 0.5, math.Sqrt2, nan, 1, 8, -1}},
		// Channel 0 and 3 are no head's; channels 1 and 2 are turned: x1*c1 + x2*s1 and x2*c2 + x1*s2.
		"turned channels":      {rotary, []gorgonia.Value{filled([]int{1, 1, 4}, 9, 2, 3, 8), filled([]int{1, 2}, 0.5, 4), filled([]int{1, 2}, -1, 10)}, []float32{9, 2*0.5 - 3, 3*4 + 20, 8}},
		"channels turned back": {&back, []gorgonia.Value{filled([]int{1, 1, 4}, 9, 2, 3, 8), filled([]int{1, 2}, 0.5, 4), filled([]int{1, 2}, -1, 10)}, []float32{9, 2*0.5 + 30, 3*4 - 2, 8}},
		// Hidden values are relu of -1, 2 and of 3, -4; the sigmoids of (1, 1) and (1, -1) times these.
		"biases of positions": {&op.PositionBias{Index: []int{0, 1}, Queries: 1, Scale: 1}, []gorgonia.Value{filled([]int{2, 2}, 1, 1, 1, -1), filled([]int{2}, 0, 0), filled([]int{2, 2}, -1, 2, 3, -4)},
			[]float32{sigmoid(2), sigmoid(3), sigmoid(-2), sigmoid(3)}},
		"softplus":   {&op.Softplus{}, []gorgonia.Value{filled([]int{4}, 0, -100, 100, -20)}, []float32{math.Ln2, 0, 100, 2.0611536e-9}},
		"erf":        {&op.Erf{}, []gorgonia.Value{filled([]int{4}, 0, nan, inf, -inf)}, []float32{0, nan, 1, -1}},
		"hard gates": {&op.HardSwish{}, []gorgonia.Value{filled([]int{4}, -4, -1.5, 1.5, 4)}, []float32{0, -0.375, 1.125, 4}},
	} {
		y, err := c.o.Do(c.in...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := y.Data().([]float32)
		for i, want := range c.want {
			if d := math.Abs(float64(got[i] - want)); !(d <= 1e-6*math.Max(1e-3, math.Abs(float64(want)))) && got[i] != want && !(got[i] != got[i] && want != want) {
				t.Errorf("%s: element %d is %v, want %v", name, i, got[i], want)
			}
		}
	}
}

func sigmoid(x float64) float32 { return float32(1 / (1 + math.Exp(-x))) }

// TestAttributesThatDoNotFit: attributes that contradict the operands or one another are refused by what is wrong.
func TestAttributesThatDoNotFit(t *testing.T) {
	heads := op.HeadChannels{Size: 2, Step: 2}
	shapes := func(list ...[]int) (out []tensor.Shape) {
		for _, s := range list {
			out = append(out, s)
		}
		return out
	}
	for _, c := range []struct {
		o    op.Op
		in   []tensor.Shape
		says string
	}{
		{&op.Compare{Relation: "About"}, shapes([]int{2}, []int{2}), `there is no relation "About"`},
		{&op.Gather{Indices: []int{0, 1}, IndexShape: []int{3}}, shapes([]int{4}), "2 indices for shape"},
		{&op.LRN{Size: 3, Bias: 0}, shapes([]int{1, 2, 3, 3}), "bias 0 must be positive"},
		{&op.LRN{Size: 3, Bias: 1, Alpha: -1}, shapes([]int{1, 2, 3, 3}), "alpha -1 not negative"},
		{&op.PositionBias{Index: []int{0}, Queries: 0}, shapes([]int{1, 2}, []int{2}, []int{1, 2}), "1 distances for 0 queries"},
		{&op.PositionBias{Queries: 1}, shapes([]int{1, 2}, []int{2}, []int{1, 2}), "0 distances for 1 queries"},
		{&op.PositionBias{Index: []int{0, 0, 0}, Queries: 2}, shapes([]int{1, 2}, []int{2}, []int{1, 2}), "3 distances for 2 queries"},
		{&op.PositionBias{Index: []int{1}, Queries: 1}, shapes([]int{1, 2}, []int{2}, []int{1, 2}), "distance 1 of 1"},
		{&op.Rotary{Heads: 1, At: heads, Pairs: []int{1, 1}}, shapes([]int{1, 3, 2}, []int{3, 2}, []int{3, 2}), "pairs [1 1]"},
		{&op.Rotary{Heads: 1, At: heads, Pairs: []int{2, 0}}, shapes([]int{1, 3, 2}, []int{3, 2}, []int{3, 2}), "pairs [2 0]"},
		{&op.Rotary{Heads: 2, At: heads, Pairs: []int{1, 0}}, shapes([]int{1, 3, 2}, []int{3, 2}, []int{3, 2}), "do not have 2 heads of 2 channels"},
		{&op.Resize{Scales: []float32{0, 1}}, shapes([]int{2, 2}), "scale 0 for size 2"},
		{&op.Resize{Scales: []float32{1e30, 1}}, shapes([]int{2, 2}), "scale 1e+30 for size 2"},
		{&op.Slice{Starts: []int{0}, Ends: []int{1, 2}}, shapes([]int{2, 2}), "1 starts, 2 ends"},
		{&op.Slice{Starts: []int{0}, Ends: []int{1}, Axes: []int{0}, Steps: []int{1, 1}}, shapes([]int{2, 2}), "2 steps for 1 axes"},
		{&op.Transpose{Perm: []int{0, -1}}, shapes([]int{2, 2}), "permutation [0 -1] has a negative entry"},
		{&op.BatchTile{}, shapes([]int{1 << 20, 1}, []int{1 << 20, 3, 4, 4}), "rows for each of 1048576 images"},
	} {
		if _, err := op.Infer(c.o, c.in...); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", fmt.Sprint(c.o), err, c.says)
		}
	}
}
