// Package toomcook derives Winograd's minimal filtering algorithms (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks,
// 2015) by the Toom-Cook method, as matrices and as short programs of vector instructions. The assembly generator writes the programs
// out, and the plain Go kernels interpret them, so both give the same bits.
//
// F(m, r) computes m outputs of a correlation with r taps from m+r-1 products:
//
//	y = A [(G w) * (B d)]
//
// with d the m+r-1 inputs. Nested with itself it serves two dimensions.
package toomcook

import "math/big"

// Variant is one F(m, r) with its m+r-2 finite points; the last point is infinity.
type Variant struct {
	Outputs, Taps int
	Points        []*big.Rat
}

// F returns F(m, r) with the points that this project uses.
//
// They are symmetric, so that opposite points share even and odd halves, and mutually reciprocal; a search over simple fractions found
// these to have the smallest rounding errors.
func F(m, r int) Variant {
	points := map[int][]*big.Rat{
		4:  {rat(0, 1), rat(1, 1), rat(-1, 1)},
		6:  {rat(0, 1), rat(2, 3), rat(-2, 3), rat(3, 2), rat(-3, 2)},
		8:  {rat(0, 1), rat(1, 1), rat(-1, 1), rat(1, 2), rat(-1, 2), rat(2, 1), rat(-2, 1)},
		10: {rat(0, 1), rat(2, 5), rat(-2, 5), rat(4, 5), rat(-4, 5), rat(5, 4), rat(-5, 4), rat(5, 2), rat(-5, 2)},
		12: {rat(0, 1), rat(1, 1), rat(-1, 1), rat(3, 8), rat(-3, 8), rat(2, 3), rat(-2, 3), rat(3, 2), rat(-3, 2), rat(8, 3), rat(-8, 3)},
	}
	return Variant{m, r, points[m+r-1]}
}

// Products is the number of products, m+r-1.
func (v Variant) Products() int { return v.Outputs + v.Taps - 1 }

// Matrices returns A (m x n), G (n x r) and B (n x n). The rows of B are scaled so that its entries are exact in float32 and many are
// one; the rows of G carry the inverse.
func (v Variant) Matrices() (a, g, b [][]*big.Rat) {
	n := v.Products()
	for i := range v.Outputs {
		row := make([]*big.Rat, n)
		for j, x := range v.Points {
			row[j] = power(x, i)
		}
		row[n-1] = rat(0, 1)
		if i == v.Outputs-1 {
			row[n-1] = rat(1, 1)
		}
		a = append(a, row)
	}
	for j, x := range v.Points {
		f := rat(1, 1)
		var others []*big.Rat
		for k, y := range v.Points {
			if k != j {
				f.Mul(f, new(big.Rat).Sub(x, y))
				others = append(others, y)
			}
		}
		row := make([]*big.Rat, v.Taps)
		for i := range row {
			row[i] = new(big.Rat).Quo(power(x, i), f)
		}
		g = append(g, row)
		b = append(b, append(product(others), rat(0, 1)))
	}
	last := make([]*big.Rat, v.Taps)
	for i := range last {
		last[i] = rat(0, 1)
	}
	last[v.Taps-1] = rat(1, 1)
	g, b = append(g, last), append(b, product(v.Points))
	for i := range b {
		s := scale(b[i])
		for _, x := range b[i] {
			x.Mul(x, s)
		}
		for _, x := range g[i] {
			x.Quo(x, s)
		}
	}
	return a, g, b
}

func rat(a, b int64) *big.Rat { return big.NewRat(a, b) }

func power(x *big.Rat, n int) *big.Rat {
	y := rat(1, 1)
	for range n {
		y.Mul(y, x)
	}
	return y
}

// product is the polynomial with the given roots, lowest power first.
func product(roots []*big.Rat) []*big.Rat {
	c := []*big.Rat{rat(1, 1)}
	for _, x := range roots {
		d := make([]*big.Rat, len(c)+1)
		for i := range d {
			d[i] = rat(0, 1)
		}
		for i, v := range c {
			d[i+1].Add(d[i+1], v)
			d[i].Sub(d[i], new(big.Rat).Mul(x, v))
		}
		c = d
	}
	return c
}

// scale is the factor that clears odd denominators of a row and makes as many entries one as a power of two can.
func scale(row []*big.Rat) *big.Rat {
	odd := big.NewInt(1)
	for _, x := range row {
		d := new(big.Int).Set(x.Denom())
		d.Rsh(d, d.TrailingZeroBits())
		g := new(big.Int).GCD(nil, nil, odd, d)
		odd.Mul(odd, d.Quo(d, g))
	}
	clear := new(big.Rat).SetInt(odd)
	best, most := clear, 0
	for _, x := range row {
		if x.Sign() == 0 {
			continue
		}
		s := new(big.Rat).Inv(x)
		if !powerOfTwo(new(big.Rat).Quo(s, clear)) {
			continue
		}
		ones := 0
		for _, y := range row {
			if new(big.Rat).Mul(y, s).Cmp(rat(1, 1)) == 0 {
				ones++
			}
		}
		if ones > most {
			best, most = s, ones
		}
	}
	return best
}

func powerOfTwo(x *big.Rat) bool {
	n := new(big.Int).Abs(x.Num())
	return n.TrailingZeroBits() == uint(n.BitLen()-1) && x.Denom().TrailingZeroBits() == uint(x.Denom().BitLen()-1)
}
