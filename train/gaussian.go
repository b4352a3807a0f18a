package train

import "math"

// gaussian is a normal distribution of rows of numbers whose covariance is L L' + v I: the few directions in which the rows vary most, and one
// variance v for all others. Its inverse, by Woodbury, is I/v - W W'.
type gaussian struct {
	Mean floats `json:"mean"` // (N)
	// Precision is 1/v.
	Precision float64 `json:"precision"`
	// Factors are W (N, k).
	Factors floats `json:"factors"`
}

const (
	mostFactors = 32   // the columns of W
	restShare   = 0.1  // v is this share of the mean variance
	mostFitted  = 4000 // rows; of more at most so many, evenly
)

// fitGaussian is that of some rows. L is the incomplete Cholesky decomposition of their covariance, which takes the direction of the number with
// the greatest variance that is left. Where the rows are all the same there is none: its distances are no numbers.
func fitGaussian(rows [][]float32) gaussian {
	rows = evenly(rows, mostFitted)
	n, count := len(rows[0]), float64(len(rows))
	mean, left := make([]float64, n), make([]float64, n)
	for _, row := range rows {
		for i, v := range row {
			mean[i] += float64(v)
		}
	}
	for i := range mean {
		mean[i] /= count
	}
	total := 0.0
	for _, row := range rows {
		for i, v := range row {
			d := float64(v) - mean[i]
			left[i] += float64(d*d) / count
		}
	}
	for _, v := range left {
		total += v
	}
	rest := restShare * total / float64(n)
	g := gaussian{Mean: narrowed(mean), Precision: 1 / rest}
	var l [][]float64 // columns
	for len(l) < min(mostFactors, n) {
		at := argmax(left)
		if !(left[at] > rest/1000) {
			break
		}
		column := make([]float64, n)
		for _, row := range rows {
			d := (float64(row[at]) - mean[at]) / count
			for i, v := range row {
				column[i] += float64(d * (float64(v) - mean[i]))
			}
		}
		for _, other := range l {
			for i := range column {
				column[i] -= float64(other[at] * other[i])
			}
		}
		root := math.Sqrt(left[at])
		for i := range column {
			column[i] /= root
			left[i] = max(left[i]-float64(column[i]*column[i]), 0)
		}
		left[at] = 0
		l = append(l, column)
	}
	g.Factors = narrowed(inverseFactors(l, n, rest))
	return g
}

// evenly is the whole list, or at most so many of it, evenly.
func evenly[T any](list []T, most int) []T {
	step := (len(list) + most - 1) / most
	if step <= 1 {
		return list
	}
	var some []T
	for i := 0; i < len(list); i += step {
		some = append(some, list[i])
	}
	return some
}

// inverseFactors are W = L/v G'^-1, where G G' = I + L'L/v; l are the columns of L, v is rest.
func inverseFactors(l [][]float64, n int, rest float64) []float64 {
	k := len(l)
	g := make([][]float64, k) // by rows
	for i := range g {
		g[i] = make([]float64, i+1)
		for j := range g[i] {
			sum := dot(l[i], l[j]) / rest
			if i == j {
				sum++
			}
			for m := range j {
				sum -= float64(g[i][m] * g[j][m])
			}
			if i == j {
				g[i][j] = math.Sqrt(sum)
			} else {
				g[i][j] = sum / g[j][j]
			}
		}
	}
	w := make([]float64, n*k)
	for c := range n {
		row := w[c*k : (c+1)*k]
		for i := range row {
			sum := l[i][c] / rest
			for j := range i {
				sum -= float64(g[i][j] * row[j])
			}
			row[i] = sum / g[i][i]
		}
	}
	return w
}

// square is the squared Mahalanobis distance of a row from the mean.
func (g *gaussian) square(row []float32) float64 {
	n := len(g.Mean)
	k := len(g.Factors) / n
	along, sum := make([]float64, k), 0.0
	for i, v := range row {
		d := float64(v) - float64(g.Mean[i])
		sum += float64(d * d)
		for j, w := range g.Factors[i*k : (i+1)*k] {
			along[j] += float64(d * float64(w))
		}
	}
	sum *= g.Precision
	for _, a := range along {
		sum -= float64(a * a)
	}
	return max(sum, 0)
}

// valid says that distances from it are numbers.
func (g *gaussian) valid() bool {
	for _, list := range []floats{g.Mean, g.Factors} {
		for _, v := range list {
			if broken(float64(v)) {
				return false
			}
		}
	}
	return len(g.Mean) > 0 && len(g.Factors)%len(g.Mean) == 0 && g.Precision > 0 && !broken(g.Precision)
}

// narrowed are the values in float32.
func narrowed(values []float64) floats {
	list := make(floats, len(values))
	for i, v := range values {
		list[i] = float32(v)
	}
	return list
}
