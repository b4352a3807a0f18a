package op

import "gorgonia.org/tensor"

// What operators compute of elements, for those who know where these lie: no values of their own, no order but that of row-major elements.

// Point is what an operator makes of one element of each operand. Operands broadcast from Shapes to the result's shape: their own, or
// these with axes of size 1 where a reduction dropped them.
type Point struct {
	Of     func(x []float64) float64
	Shapes []tensor.Shape
}

// PointOf is the function of an operator whose every element is one of an element of each operand; ok is false for others.
func PointOf(o Op, in ...tensor.Shape) (p Point, ok bool) {
	switch f := o.(type) {
	case interface {
		point() func(x float64) float64
	}:
		of := f.point()
		return Point{func(x []float64) float64 { return of(x[0]) }, in}, true
	case interface {
		point() func(a, b float64) float64
	}:
		of := f.point()
		return Point{func(x []float64) float64 { return of(x[0], x[1]) }, in}, true
	case interface{ spread(in []tensor.Shape) Point }:
		p = f.spread(in)
		return p, p.Of != nil
	}
	return p, false
}

// Reduction is what an operator makes of all elements along some axes, one after the other.
type Reduction struct {
	Kept  tensor.Shape // the result's shape, with axes of size 1 in place of those
	Start float64
	Add   func(sum, x float64) float64
	End   func(sum float64) float64
}

// ReductionOf is the function of an operator that reduces x to one element along some axes; ok is false for others.
func ReductionOf(o Op, x tensor.Shape) (r Reduction, ok bool) {
	f, ok := o.(interface {
		reduction(x tensor.Shape) Reduction
	})
	if !ok {
		return r, false
	}
	r = f.reduction(x)
	return r, r.Add != nil
}

// Line is what an operator makes of the elements along an axis, where its operands and its result have one shape.
type Line struct {
	Axis int
	Of   func(x [][]float64, y []float64)
}

// LineOf is the function of an operator along an axis; ok is false for others.
func LineOf(o Op, x tensor.Shape) (l Line, ok bool) {
	f, ok := o.(interface{ line() Line })
	if !ok {
		return l, false
	}
	l = f.line()
	l.Axis, _ = resolveAxis(l.Axis, len(x))
	return l, true
}

// alongAxis computes an operator along its axis.
func alongAxis(l Line, in []array, out array) { forLines(l.Axis, in, out, l.Of) }
