package train

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"regraft/engine/random"
)

// correlated are rows of n numbers that vary in so many directions, about 3.
func correlated(count, n, directions int) [][]float32 {
	r := random.At(1, "rows")
	mix := make([]float64, directions*n)
	for i := range mix {
		mix[i] = r.Normal()
	}
	rows := make([][]float32, count)
	for i := range rows {
		rows[i] = make([]float32, n)
		for d := range directions {
			z := r.Normal() / float64(d+1)
			for j := range n {
				rows[i][j] += float32(z * mix[d*n+j])
			}
		}
		for j := range n {
			rows[i][j] += 3
		}
	}
	return rows
}

// truncated is the pivoted Cholesky decomposition of a matrix, of so many columns, times its transpose.
func truncated(t *testing.T, a *mat.SymDense, rank int) *mat.SymDense {
	t.Helper()
	var c mat.PivotedCholesky
	c.Factorize(a, -1)
	n := a.SymmetricDim()
	var u mat.TriDense
	c.UTo(&u)
	at, product := c.ColumnPivots(nil), mat.NewSymDense(n, nil)
	for k := range min(rank, c.Rank()) {
		column := mat.NewVecDense(n, nil)
		for j := k; j < n; j++ {
			column.SetVec(at[j], u.At(k, j))
		}
		product.SymRankOne(product, 1, column)
	}
	return product
}

// TestGaussian: the squared distances are those by the inverse of the covariance, as far as its factors have it, and its share of the mean
// variance, which gonum computes.
func TestGaussian(t *testing.T) {
	for _, c := range []struct{ count, n, directions, factors int }{
		{200, 6, 6, 6},
		{100, 50, 5, 5},
		{mostFitted, 9, 9, 9},
		{200, 100, 80, mostFactors},
	} {
		rows := correlated(c.count, c.n, c.directions)
		g := fitGaussian(rows)
		if got := len(g.Factors) / c.n; got > c.factors || got < 2 || c.factors == mostFactors && got < c.factors {
			t.Errorf("%+v: %d factors", c, got)
		}
		mean, covariance := mat.NewVecDense(c.n, nil), mat.NewSymDense(c.n, nil)
		row := func(i int) *mat.VecDense {
			v := mat.NewVecDense(c.n, nil)
			for j, x := range rows[i] {
				v.SetVec(j, float64(x))
			}
			return v
		}
		for i := range rows {
			mean.AddScaledVec(mean, 1/float64(c.count), row(i))
		}
		for i := range rows {
			d := row(i)
			d.SubVec(d, mean)
			covariance.SymRankOne(covariance, 1/float64(c.count), d)
		}
		rest := restShare * mat.Trace(covariance) / float64(c.n)
		covariance = truncated(t, covariance, len(g.Factors)/c.n)
		for j := range c.n {
			covariance.SetSym(j, j, covariance.At(j, j)+rest)
		}
		var inverse mat.Dense
		if err := inverse.Inverse(covariance); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, make([]float32, c.n), slices.Repeat([]float32{7, -2}, (c.n+1)/2)[:c.n])
		most := 0.0
		for i := range rows {
			d := row(i)
			d.SubVec(d, mean)
			want := mat.Inner(d, &inverse, d)
			most = max(most, math.Abs(g.square(rows[i])-want)/want)
		}
		if !(most < 1e-5) {
			t.Errorf("%+v: off by %g", c, most)
		}
	}
	if few := evenly([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 4); !slices.Equal(few, []int{0, 3, 6, 9}) || len(evenly(few, 4)) != 4 {
		t.Errorf("%d of ten", few)
	}
	same := fitGaussian([][]float32{{1, 2}, {1, 2}})
	if d := (&Distance{gaussian: same}); d.limited(slices.Repeat([]float64{same.square([]float32{1, 2})}, 100), 0.9) {
		t.Error("rows that are all the same give a distance")
	}
}
