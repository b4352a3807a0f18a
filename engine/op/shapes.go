package op

import (
	"fmt"

	"gorgonia.org/tensor"
)

// wantRanks checks the number of operands and of their dimensions; a negative rank stands for any.
func wantRanks(in []tensor.Shape, ranks ...int) error {
	if len(in) != len(ranks) {
		return fmt.Errorf("%d operands, want %d", len(in), len(ranks))
	}
	for i, r := range ranks {
		if r >= 0 && len(in[i]) != r {
			return fmt.Errorf("operand %d has shape %v, want %d dimensions", i, in[i], r)
		}
	}
	return nil
}

// wantEqual checks that operand i has the given shape.
func wantEqual(in []tensor.Shape, i int, want ...int) error {
	if !equalSizes(in[i], want) {
		return fmt.Errorf("operand %d has shape %v, want %v", i, in[i], tensor.Shape(want))
	}
	return nil
}

// wantChannels checks operands of shape (C) against the channels of x (N, C, ...).
func wantChannels(x tensor.Shape, vectors ...tensor.Shape) error {
	if len(x) < 2 {
		return fmt.Errorf("operand 0 has shape %v, want (N, C, ...)", x)
	}
	for _, v := range vectors {
		if len(v) != 1 || v[0] != x[1] {
			return fmt.Errorf("an operand has shape %v, but operand 0 has %d channels", v, x[1])
		}
	}
	return nil
}

// equalSizes compares size by size: tensor.Shape.Eq takes some different shapes for equal.
func equalSizes(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// sameShape is OutShape of operators whose n operands and result have one shape.
func sameShape(in []tensor.Shape, n int) (tensor.Shape, error) {
	if len(in) != n {
		return nil, fmt.Errorf("%d operands, want %d", len(in), n)
	}
	for i := range in {
		if err := wantEqual(in, i, in[0]...); err != nil {
			return nil, err
		}
	}
	return in[0].Clone(), nil
}

// resolveAxis turns a negative axis into one counted from the front.
func resolveAxis(axis, rank int) (int, error) {
	a := axis
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		return 0, fmt.Errorf("axis %d is outside the %d dimensions", axis, rank)
	}
	return a, nil
}

// resolveAxes resolves axes that must differ; the result marks them.
func resolveAxes(axes []int, rank int) ([]bool, error) {
	marked := make([]bool, rank)
	for _, axis := range axes {
		a, err := resolveAxis(axis, rank)
		if err != nil {
			return nil, err
		}
		if marked[a] {
			return nil, fmt.Errorf("axis %d is given twice", axis)
		}
		marked[a] = true
	}
	return marked, nil
}

// around splits a shape at an axis: the number of elements before it, along it and after it.
func around(s tensor.Shape, axis int) (outer, size, inner int) {
	return product(s[:axis]), s[axis], product(s[axis+1:])
}
