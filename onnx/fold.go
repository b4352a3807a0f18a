package onnx

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// foldBudget is how many bytes the constants computed at import may take together.
const foldBudget = 64 << 20

// foldWork is how many elements may be gone through for them; a multiply-add counts as one.
const foldWork = 1 << 28

var errWork = fmt.Errorf("computing it at import takes more than %d steps", foldWork)

// afford adds to the budgets what working on the values that the file itself holds may take: exports in training form transpose
// all weights of their linear layers, quantised files compute all weights, others standardise them in several steps.
func (l *lowering) afford(stored []*constant) {
	const bytes, steps = 48, 8 // for every element
	for _, k := range stored {
		if k.dtype == typeInt64 || k.dtype == typeInt32 { // shapes and positions
			continue
		}
		l.budget += bytes * k.size()
		l.work += steps * k.size()
	}
}

// spend takes n elements from the budget of work.
func (c *call) spend(n int) error {
	if c.work -= n; c.work < 0 || n < 0 {
		return errWork
	}
	return nil
}

// allocate makes a constant of the given type, its memory taken from the budget.
func (c *call) allocate(dtype dataType, shape tensor.Shape) (*constant, error) {
	dims := make([]int64, len(shape))
	for i, d := range shape {
		dims[i] = int64(d)
	}
	n, err := elements(dims)
	if err != nil {
		return nil, err
	}
	width := 8
	if dtype == typeFloat {
		width = 4
	}
	if n > c.budget/width {
		return nil, fmt.Errorf("a result of shape %v is too large: constants computed at import have a limit of %d MiB", shape, foldBudget>>20)
	}
	c.budget -= n * width
	k := &constant{shape: append(tensor.Shape{}, shape...), dtype: dtype}
	switch dtype {
	case typeFloat:
		k.floats = make([]float32, n)
	case typeDouble:
		k.doubles = make([]float64, n)
	case typeBool, typeInt8, typeUint8, typeInt16, typeUint16, typeInt32, typeUint32, typeInt64, typeUint64:
		k.ints = make([]int64, n)
	default:
		return nil, fmt.Errorf("values of type %v are not computed", dtype)
	}
	return k, nil
}

// at is element i as float64, exact for everything but integers above 2^53.
func (k *constant) at(i int) float64 {
	switch {
	case k.integral():
		return float64(k.integer(i))
	case k.doubles != nil:
		return k.doubles[i]
	}
	return float64(k.floats[i])
}

// set stores v rounded to the constant's type.
func (k *constant) set(i int, v float64) {
	switch {
	case k.ints != nil:
		k.ints[i] = wrap(k.dtype, int64(v))
	case k.doubles != nil:
		k.doubles[i] = v
	default:
		k.floats[i] = float32(v)
	}
}

// wrap reduces v to the range of an integer type, as two's complement arithmetic does.
func wrap(t dataType, v int64) int64 {
	switch t {
	case typeBool:
		if v != 0 {
			return 1
		}
		return 0
	case typeInt8:
		return int64(int8(v))
	case typeUint8:
		return int64(uint8(v))
	case typeInt16:
		return int64(int16(v))
	case typeUint16:
		return int64(uint16(v))
	case typeInt32:
		return int64(int32(v))
	case typeUint32:
		return int64(uint32(v))
	}
	return v
}

// arithmetic is an element-wise function: reals in float64 (rounded once; exact for + - * / and the square
// root, since float64 has more than twice the digits), integers in int64, and sizes that depend on the number of images. Any may be
// missing.
type arithmetic struct {
	real    func(a, b float64) float64
	integer func(a, b int64) (int64, error)
	sizes   func(a, b size) (size, error)
}

// foldBinary evaluates an element-wise function of two operands with numpy's broadcasting.
func foldBinary(f arithmetic) func(*call, []*constant) ([]*constant, error) {
	return func(c *call, in []*constant) ([]*constant, error) {
		if in[0].dtype != in[1].dtype {
			return nil, fmt.Errorf("operands of types %v and %v", in[0].dtype, in[1].dtype)
		}
		result, err := c.binary(f, in[0], in[1], in[0].dtype)
		return []*constant{result}, err
	}
}

// foldVariadic applies an element-wise function from left to right: Sum, Min, Max.
func foldVariadic(f arithmetic) func(*call, []*constant) ([]*constant, error) {
	return func(c *call, in []*constant) ([]*constant, error) {
		result := in[0]
		for _, next := range in[1:] {
			pair, err := foldBinary(f)(c, []*constant{result, next})
			if err != nil {
				return nil, err
			}
			result = pair[0]
		}
		return []*constant{result}, nil
	}
}

// foldCompare evaluates a predicate of two operands.
func foldCompare(f func(a, b float64) bool) func(*call, []*constant) ([]*constant, error) {
	truth := func(holds bool) int64 {
		if holds {
			return 1
		}
		return 0
	}
	return func(c *call, in []*constant) ([]*constant, error) {
		if in[0].dtype != in[1].dtype {
			return nil, fmt.Errorf("operands of types %v and %v", in[0].dtype, in[1].dtype)
		}
		forSeveral := false
		predicate := arithmetic{
			real: func(a, b float64) float64 { return float64(truth(f(a, b))) },
			sizes: func(a, b size) (size, error) {
				holds, several, err := compareSizes(f, a, b)
				forSeveral = forSeveral || several
				return size{n: truth(holds)}, err
			},
		}
		result, err := c.binary(predicate, in[0], in[1], typeBool)
		if err == nil {
			result.several = forSeveral
		}
		return []*constant{result}, err
	}
}

func (c *call) binary(f arithmetic, a, b *constant, dtype dataType) (*constant, error) {
	shape, err := op.BroadcastShape(a.shape, b.shape)
	if err != nil {
		return nil, err
	}
	result, err := c.allocate(dtype, shape)
	if err != nil {
		return nil, err
	}
	ia, ib := a.view().expand(shape), b.view().expand(shape)
	for i := range result.size() {
		x, y := ia.next(), ib.next()
		if a.isOpen(x) || b.isOpen(y) {
			if err := result.setSize(f, i, a, x, b, y); err != nil {
				return nil, err
			}
			continue
		}
		if !a.integral() || f.integer == nil {
			if f.real == nil {
				return nil, fmt.Errorf("it is not computed on %v", a.dtype)
			}
			result.set(i, f.real(a.at(x), b.at(y)))
			continue
		}
		v, err := f.integer(a.integer(x), b.integer(y))
		if err != nil {
			return nil, err
		}
		result.ints[i] = wrap(dtype, v)
	}
	return result, nil
}

// setSize computes element i of elements x and y, one of which depends on the number of images.
func (k *constant) setSize(f arithmetic, i int, a *constant, x int, b *constant, y int) error {
	if f.sizes == nil || !a.integral() {
		return errOpen
	}
	v, err := f.sizes(a.sizeAt(x), b.sizeAt(y))
	if err != nil {
		return err
	}
	if k.ints[i] = v.n; v.open {
		k.markOpen(i)
	}
	return nil
}

// foldUnary evaluates an element-wise function of one operand.
func foldUnary(f func(float64) float64) func(*call, []*constant) ([]*constant, error) {
	return func(c *call, in []*constant) ([]*constant, error) {
		result, err := c.allocate(in[0].dtype, in[0].shape)
		if err != nil {
			return nil, err
		}
		for i := range in[0].size() {
			result.set(i, f(in[0].at(i)))
		}
		return []*constant{result}, nil
	}
}

func plainInts(f func(a, b int64) int64) func(a, b int64) (int64, error) {
	return func(a, b int64) (int64, error) { return f(a, b), nil }
}

var (
	arithmeticAdd = arithmetic{func(a, b float64) float64 { return a + b }, plainInts(func(a, b int64) int64 { return a + b }), openAdd}
	arithmeticSub = arithmetic{func(a, b float64) float64 { return a - b }, plainInts(func(a, b int64) int64 { return a - b }), openSub}
	arithmeticMul = arithmetic{func(a, b float64) float64 { return a * b }, plainInts(func(a, b int64) int64 { return a * b }), openMul}
	arithmeticDiv = arithmetic{func(a, b float64) float64 { return a / b }, nonZero(func(a, b int64) int64 { return a / b }), openDiv}
	arithmeticMin = arithmetic{math.Min, plainInts(func(a, b int64) int64 { return min(a, b) }), openMin}
	arithmeticMax = arithmetic{math.Max, plainInts(func(a, b int64) int64 { return max(a, b) }), openMax}
	arithmeticAnd = arithmetic{nil, plainInts(func(a, b int64) int64 { return a & b }), nil}
	arithmeticOr  = arithmetic{nil, plainInts(func(a, b int64) int64 { return a | b }), nil}
	arithmeticXor = arithmetic{nil, plainInts(func(a, b int64) int64 { return a ^ b }), nil}
	arithmeticMod = arithmetic{nil, nonZero(func(a, b int64) int64 { return (a%b + b) % b }), openMod} // the sign of the divisor, Python's
	remainder     = arithmetic{math.Mod, nonZero(func(a, b int64) int64 { return a % b }), openMod}    // the sign of the dividend, C's
)

func nonZero(f func(a, b int64) int64) func(a, b int64) (int64, error) {
	return func(a, b int64) (int64, error) {
		if b == 0 {
			return 0, fmt.Errorf("integer division by zero")
		}
		return f(a, b), nil
	}
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return v
}

func foldMod(c *call, in []*constant) ([]*constant, error) {
	if c.flag("fmod", false) {
		return foldBinary(remainder)(c, in)
	}
	return foldBinary(arithmeticMod)(c, in)
}

func foldNot(c *call, in []*constant) ([]*constant, error) {
	return foldUnary(func(v float64) float64 { return 1 - v })(c, in)
}

// foldWhere is numpy's where(condition, x, y).
func foldWhere(c *call, in []*constant) ([]*constant, error) {
	condition, x, y := in[0], in[1], in[2]
	if condition.dtype != typeBool || x.dtype != y.dtype {
		return nil, fmt.Errorf("operands of types %v, %v and %v", condition.dtype, x.dtype, y.dtype)
	}
	shape, err := op.BroadcastShape(condition.shape, x.shape)
	if err == nil {
		shape, err = op.BroadcastShape(shape, y.shape)
	}
	if err != nil {
		return nil, err
	}
	result, err := c.allocate(x.dtype, shape)
	if err != nil {
		return nil, err
	}
	ic, ix, iy := condition.view().expand(shape), x.view().expand(shape), y.view().expand(shape)
	for i := range result.size() {
		from, at := x, ix.next()
		if other := iy.next(); condition.ints[ic.next()] == 0 {
			from, at = y, other
		}
		result.copyElement(i, from, at)
	}
	return []*constant{result}, nil
}

func foldRange(c *call, in []*constant) ([]*constant, error) {
	c.ignore("stash_type")
	for _, k := range in {
		if k.size() != 1 || k.dtype != in[0].dtype {
			return nil, fmt.Errorf("start, limit and delta must be scalars of one type")
		}
	}
	start, limit, delta := in[0].at(0), in[1].at(0), in[2].at(0)
	n := math.Ceil((limit - start) / delta)
	if !(n >= 0) || n > maxValue {
		n = 0
		if delta == 0 || math.IsNaN(delta) {
			return nil, fmt.Errorf("delta is %v", delta)
		}
		if (limit-start)/delta > 0 {
			return nil, fmt.Errorf("the range from %v to %v by %v is too large", start, limit, delta)
		}
	}
	result, err := c.allocate(in[0].dtype, tensor.Shape{int(n)})
	if err != nil {
		return nil, err
	}
	for i := range int(n) {
		result.set(i, start+float64(float64(i)*delta))
	}
	return []*constant{result}, nil
}
