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

// TestGaussian: the squared distances are those by the inverse of the covariance and its share of the mean variance, which gonum computes.
func TestGaussian(t *testing.T) {
	for _, c := range []struct{ count, n, directions, factors int }{
		{200, 6, 6, 6},
		{100, 50, 5, 5},
		{mostFitted, 9, 9, 9},
	} {
		rows := correlated(c.count, c.n, c.directions)
		g := fitGaussian(rows)
		if got := len(g.Factors) / c.n; got > c.factors || got < 2 {
			t.Errorf("%+v: %d factors", c, got)
		}
		mean, covariance := mat.NewVecDense(c.n, nil), mat.NewDense(c.n, c.n, nil)
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
			covariance.RankOne(covariance, 1/float64(c.count), d, d)
		}
		rest := restShare * mat.Trace(covariance) / float64(c.n)
		for j := range c.n {
			covariance.Set(j, j, covariance.At(j, j)+rest)
		}
		var inverse mat.Dense
		if err := inverse.Inverse(covariance); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, make([]float32, c.n), slices.Repeat([]float32{7, -2}, (c.n+1)/2)[:c.n])
		for i := range rows {
			d := row(i)
			d.SubVec(d, mean)
			want := mat.Inner(d, &inverse, d)
			if got := g.square(rows[i]); math.Abs(got-want) > 2e-3*want {
				t.Fatalf("%+v, row %d: %g, want %g", c, i, got, want)
			}
		}
	}
	many := fitGaussian(correlated(200, 100, 80))
	if len(many.Factors) != 100*mostFactors {
		t.Errorf("%d factors for rows that vary in many directions", len(many.Factors)/100)
	}
	same := fitGaussian([][]float32{{1, 2}, {1, 2}})
	if d := (&Distance{gaussian: same}); d.limited(slices.Repeat([]float64{same.square([]float32{1, 2})}, 100), 0.9) {
		t.Error("rows that are all the same give a distance")
	}
}
