package toomcook

import (
	"math"
	"math/big"
	"testing"

	"regraft/engine/kernel/vec"
)

var variants = []Variant{F(2, 3), F(4, 3), F(6, 3), F(2, 5), F(4, 5), F(4, 7), F(6, 7)}

// TestExact checks every variant in rational arithmetic: A [(G w) * (B d)] is the correlation, exactly.
func TestExact(t *testing.T) {
	for _, v := range variants {
		a, g, b := v.Matrices()
		n := v.Products()
		for tap := range v.Taps {
			for in := range n {
				w, d := unit(v.Taps, tap), unit(n, in)
				gw, bd := apply(g, w), apply(b, d)
				for i := range gw {
					gw[i].Mul(gw[i], bd[i])
				}
				for out, y := range apply(a, gw) {
					want := rat(0, 1)
					if out+tap == in {
						want = rat(1, 1)
					}
					if y.Cmp(want) != 0 {
						t.Fatalf("F(%d,%d): output %d, tap %d, input %d: %v, want %v", v.Outputs, v.Taps, out, tap, in, y, want)
					}
				}
			}
		}
	}
}

// TestPrograms runs the programs in rational arithmetic against the matrices. Coefficients rounded to float32 are compared within it.
func TestPrograms(t *testing.T) {
	for _, v := range variants {
		a, g, b := v.Matrices()
		for name, c := range map[string]struct {
			matrix  [][]*big.Rat
			program *vec.Program
		}{"input": {b, v.Input()}, "output": {a, v.Output()}, "weights": {g, v.Weights()},
			"output gradient": {transpose(a), v.OutputGrad()}, "weight gradient": {transpose(g), v.WeightsGrad()}} {
			t.Logf("F(%d,%d) %s: %d instructions", v.Outputs, v.Taps, name, len(c.program.Code))
			n := len(c.matrix[0])
			if inputs := c.program.Count(vec.Input); inputs != n {
				t.Fatalf("F(%d,%d) %s: %d inputs, want %d", v.Outputs, v.Taps, name, inputs, n)
			}
			for in := range n {
				got := run(c.program, unit(n, in))
				for out, row := range c.matrix {
					want, _ := row[in].Float64()
					is, _ := got[out].Float64()
					if d := is - want; d > 1e-6*abs(want) || d < -1e-6*abs(want) {
						t.Fatalf("F(%d,%d) %s: element %d,%d is %v, want %v", v.Outputs, v.Taps, name, out, in, is, want)
					}
				}
			}
		}
	}
}

// TestInputIsExact checks that the scaled input matrices are exact in float32.
func TestInputIsExact(t *testing.T) {
	for _, v := range variants {
		_, _, b := v.Matrices()
		for i, row := range b {
			for j, x := range row {
				if f, exact := x.Float32(); !exact {
					t.Errorf("F(%d,%d): B[%d][%d] = %v is not exact: %v", v.Outputs, v.Taps, i, j, x, f)
				}
			}
		}
	}
}

func abs(x float64) float64 { return max(x, -x) }

func unit(n, i int) []*big.Rat {
	u := make([]*big.Rat, n)
	for j := range u {
		u[j] = rat(0, 1)
	}
	u[i] = rat(1, 1)
	return u
}

func apply(m [][]*big.Rat, x []*big.Rat) []*big.Rat {
	y := make([]*big.Rat, len(m))
	for i, row := range m {
		y[i] = rat(0, 1)
		for j, c := range row {
			y[i].Add(y[i], new(big.Rat).Mul(c, x[j]))
		}
	}
	return y
}

// run gives what is stored.
func run(p *vec.Program, x []*big.Rat) []*big.Rat {
	y, values := make([]*big.Rat, p.Count(vec.Store)), make([]*big.Rat, len(p.Code))
	for i, in := range p.Code {
		a, b, c := values[in.Args[0]], values[in.Args[1]], values[in.Args[2]]
		switch v := new(big.Rat); in.Op {
		case vec.Input:
			values[i] = x[in.Index]
		case vec.Const:
			values[i] = v.SetFloat64(float64(math.Float32frombits(in.Bits)))
		case vec.Mul:
			values[i] = v.Mul(a, b)
		case vec.FMA:
			values[i] = v.Add(new(big.Rat).Mul(a, b), c)
		case vec.Add:
			values[i] = v.Add(a, b)
		case vec.Sub:
			values[i] = v.Sub(a, b)
		case vec.Store:
			y[in.Index] = a
		}
	}
	return y
}
