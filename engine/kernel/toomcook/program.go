package toomcook

import (
	"math/big"

	"regraft/engine/kernel/vec"
)

// The transforms as programs: of pixels (B), of products to outputs (A), of weights (G); and for the gradient of the weights,
// w = G^T [(A^T y) * (B d)], of output gradients (A^T) and of products to weight gradients (G^T). Inputs are the columns of the matrix;
// slot i receives row i, as soon as it is known.

func (v Variant) Input() *vec.Program       { _, _, b := v.Matrices(); return compile(b) }
func (v Variant) Output() *vec.Program      { a, _, _ := v.Matrices(); return compile(a) }
func (v Variant) Weights() *vec.Program     { _, g, _ := v.Matrices(); return compile(g) }
func (v Variant) OutputGrad() *vec.Program  { a, _, _ := v.Matrices(); return compile(transpose(a)) }
func (v Variant) WeightsGrad() *vec.Program { _, g, _ := v.Matrices(); return compile(transpose(g)) }

func transpose(m [][]*big.Rat) [][]*big.Rat {
	t := make([][]*big.Rat, len(m[0]))
	for _, row := range m {
		for j, x := range row {
			t[j] = append(t[j], x)
		}
	}
	return t
}

// compile turns a matrix into a program that shares the work of opposite points: pairs of columns that differ in sign only are replaced
// by sum and difference, pairs of rows by the sum and difference of their even and odd halves.
func compile(matrix [][]*big.Rat) *vec.Program {
	c := compiler{&vec.Program{}}
	columns := make([]vec.Value, len(matrix[0]))
	rows := make([][]*big.Rat, len(matrix))
	for i := range columns {
		columns[i] = c.Input(i)
	}
	for i, row := range matrix {
		rows[i] = append(rows[i], row...)
	}
	for j := range columns {
		for k := j + 1; k < len(columns); k++ {
			if oppositeColumns(rows, j, k) {
				columns[j], columns[k] = c.Add(columns[j], columns[k]), c.Sub(columns[j], columns[k])
				for _, row := range rows {
					if row[j].Cmp(row[k]) == 0 {
						row[k] = rat(0, 1)
					} else {
						row[j] = rat(0, 1)
						row[k] = new(big.Rat).Neg(row[k])
					}
				}
				break
			}
		}
	}
	done := make([]bool, len(rows))
	for i, row := range rows {
		if done[i] {
			continue
		}
		done[i] = true
		j := partner(rows, done, i)
		if j < 0 {
			c.Store(i, c.sum(row, columns, nil))
			continue
		}
		done[j] = true
		same := func(k int) bool { return row[k].Cmp(rows[j][k]) == 0 }
		even := c.sum(row, columns, same)
		odd := c.sum(row, columns, func(k int) bool { return !same(k) })
		c.Store(i, c.Add(even, odd))
		c.Store(j, c.Sub(even, odd))
	}
	return c.Program
}

type compiler struct{ *vec.Program }

// sum emits the sum of the chosen terms of a row, beginning with a coefficient of one if there is any.
func (c *compiler) sum(row []*big.Rat, values []vec.Value, chosen func(k int) bool) vec.Value {
	one, minusOne := rat(1, 1), rat(-1, 1)
	const none = -1
	acc, first := vec.Value(none), none
	for k, x := range row {
		if x.Cmp(one) == 0 && (chosen == nil || chosen(k)) {
			acc, first = values[k], k
			break
		}
	}
	for k, x := range row {
		if k == first || x.Sign() == 0 || chosen != nil && !chosen(k) {
			continue
		}
		f, _ := x.Float32()
		switch {
		case acc == none:
			acc = c.Mul(values[k], c.Const(f))
		case x.Cmp(one) == 0:
			acc = c.Add(acc, values[k])
		case x.Cmp(minusOne) == 0:
			acc = c.Sub(acc, values[k])
		default:
			acc = c.FMA(values[k], c.Const(f), acc)
		}
	}
	return acc
}

// oppositeColumns tells whether columns j and k are equal or opposite in every row, both somewhere.
func oppositeColumns(rows [][]*big.Rat, j, k int) bool {
	equal, opposed := 0, 0
	for _, row := range rows {
		switch {
		case row[j].Sign() == 0 && row[k].Sign() == 0:
		case row[j].Cmp(row[k]) == 0:
			equal++
		case opposite(row[j], row[k]):
			opposed++
		default:
			return false
		}
	}
	return equal > 0 && opposed > 0
}

// partner finds a later row whose entries equal or oppose those of row i, with both halves of use, or -1.
func partner(rows [][]*big.Rat, done []bool, i int) int {
	for j := i + 1; j < len(rows); j++ {
		equal, opposed := 0, 0
		for k, x := range rows[i] {
			switch {
			case x.Sign() == 0 && rows[j][k].Sign() == 0:
			case x.Cmp(rows[j][k]) == 0:
				equal++
			case opposite(x, rows[j][k]):
				opposed++
			default:
				equal = -len(rows) * len(rows[i])
			}
		}
		if !done[j] && equal > 0 && opposed > 0 {
			return j
		}
	}
	return -1
}

func opposite(x, y *big.Rat) bool { return new(big.Rat).Neg(x).Cmp(y) == 0 }
