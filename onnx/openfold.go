package onnx

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// Arithmetic at import on values that depend on the number of images N: what a file computes of the shape of its input.

// size is an element of a known tensor of integers: n, or n times the number of images.
type size struct {
	n    int64
	open bool
}

func (k *constant) sizeAt(i int) size { return size{k.integer(i), k.isOpen(i)} }

var (
	errOpen     = errors.New("it computes on the number of images, which the file leaves open, what only a certain number can answer")
	errOverflow = errors.New("its arithmetic on sizes overflows")
)

// openFolds are the operators that are folded where operands depend on the number of images: those that move elements, and
// those of the arithmetic below. All others need numbers.
var openFolds = []string{
	"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Slice", "Split", "Gather", "GatherElements", "GatherND",
	"Cast", "Where", "Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Sum", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual",
	"ReduceProd",
}

// movesOpen are those of them that only move elements of their first operand: the others must be numbers.
var movesOpen = []string{"Reshape", "Squeeze", "Unsqueeze", "Slice", "Split", "Gather", "GatherElements", "GatherND"}

// foldsOpen tells whether the node is folded though an operand depends on the number of images.
func (c *call) foldsOpen(known []*constant) bool {
	if !slices.Contains(openFolds, c.node.opType) {
		return false
	}
	return !slices.Contains(movesOpen, c.node.opType) || !slices.ContainsFunc(known[1:], (*constant).anyOpen)
}

func (c *constant) anyOpen() bool { return c != nil && slices.Contains(c.open, true) }

func openAdd(a, b size) (size, error) {
	switch {
	case a.open == b.open:
	case a.n == 0 && !a.open:
		return b, nil
	case b.n == 0 && !b.open:
		return a, nil
	default:
		return size{}, errOpen
	}
	sum := a.n + b.n
	if (sum < a.n) != (b.n < 0) {
		return size{}, errOverflow
	}
	return size{sum, a.open && sum != 0}, nil
}

func openSub(a, b size) (size, error) {
	if b.n == math.MinInt64 {
		return size{}, errOverflow
	}
	return openAdd(a, size{-b.n, b.open})
}

func openMul(a, b size) (size, error) {
	if a.open && b.open {
		return size{}, errOpen
	}
	hi, lo := bits.Mul64(uint64(max(a.n, -a.n)), uint64(max(b.n, -b.n)))
	if hi != 0 || lo > math.MaxInt64 {
		return size{}, errOverflow
	}
	return size{a.n * b.n, a.n*b.n != 0}, nil
}

func openDiv(a, b size) (size, error) {
	switch {
	case b.n == 0:
		return size{}, fmt.Errorf("integer division by zero")
	case a.open && b.open:
		return size{a.n / b.n, false}, nil
	case b.open || a.n%b.n != 0:
		return size{}, errOpen
	}
	return size{a.n / b.n, true}, nil
}

func openMod(a, b size) (size, error) {
	switch {
	case b.n == 0:
		return size{}, fmt.Errorf("integer division by zero")
	case a.open && (b.open || a.n%b.n == 0):
		return size{a.n % b.n, b.open && a.n%b.n != 0}, nil
	}
	return size{}, errOpen
}

// openMin and openMax decide where one is not greater for any number of images.
func openMin(a, b size) (size, error) { return leastOf(a, b, 1) }

func openMax(a, b size) (size, error) { return leastOf(a, b, -1) }

// leastOf is the size of which sign times it is least, for one image as well.
func leastOf(a, b size, sign int64) (size, error) {
	less, _, err := compareSizes(func(a, b float64) bool { return float64(sign)*a <= float64(sign)*b }, a, b)
	if !less {
		a, b = b, a
	}
	if err == nil && sign*a.n > sign*b.n {
		err = errOpen
	}
	return a, err
}

// compareSizes evaluates a predicate that holds for all numbers of images, or for all but one alone, which several tells.
func compareSizes(f func(a, b float64) bool, a, b size) (holds, several bool, err error) {
	at := func(n float64) bool {
		value := func(s size) float64 {
			if s.open {
				return float64(s.n) * n
			}
			return float64(s.n)
		}
		return f(value(a), value(b))
	}
	if a.open == b.open {
		return at(1), false, nil
	}
	number, multiple := a, b
	if a.open {
		number, multiple = b, a
	}
	// The answer may change where the two meet, and nowhere else.
	counts := []float64{2, math.MaxInt32}
	if multiple.n != 0 {
		meet := math.Floor(float64(number.n) / float64(multiple.n))
		counts = append(counts, meet-1, meet, meet+1)
	}
	holds = at(2)
	for _, n := range counts {
		if n >= 2 && at(n) != holds {
			return false, false, errOpen
		}
	}
	return holds, at(1) != holds, nil
}
