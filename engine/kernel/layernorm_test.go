package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestLayerNorm compares with the definition on row-major data, and the gradients with central differences of the sum of
// dy*y in float64.
func TestLayerNorm(t *testing.T) {
	const epsilon, images = 1e-3, 2
	r := rand.New(rand.NewPCG(1, 2))
	for _, l := range []Layout{Blocked(20, 3, 2, 1), Blocked(32, 1, 5, 0), Blocked(7, 1, 1, 0), Blocked(17, 1, 70, 0)} {
		n, pixels := images*l.C*l.H*l.W, l.H*l.W
		x, dy, gamma, beta := reals(r, n, 1), reals(r, n, 1), reals(r, l.C, 1), reals(r, l.C, 1)
		at := func(image, c, p int) int { return (image*l.C+c)*pixels + p }
		norm := func(x []float64, gamma []float64) []float64 {
			y := make([]float64, n)
			for image := range images {
				for p := range pixels {
					mean, variance := 0.0, 0.0
					for c := range l.C {
						mean += x[at(image, c, p)] / float64(l.C)
					}
					for c := range l.C {
						variance += math.Pow(x[at(image, c, p)]-mean, 2) / float64(l.C)
					}
					for c := range l.C {
						y[at(image, c, p)] = (x[at(image, c, p)]-mean)/math.Sqrt(variance+epsilon)*gamma[c] + float64(beta[c])
					}
				}
			}
			return y
		}
		cost := func(x, gamma []float64) (sum float64) {
			for i, y := range norm(x, gamma) {
				sum += y * float64(dy[i])
			}
			return sum
		}
		wide := func(v []float32) []float64 {
			w := make([]float64, len(v))
			for i := range v {
				w[i] = float64(v[i])
			}
			return w
		}
		wx, wgamma := wide(x), wide(gamma)
		slope := func(v []float64, i int) float64 {
			const h = 1e-5
			keep := v[i]
			v[i] = keep + h
			upper := cost(wx, wgamma)
			v[i] = keep - h
			lower := cost(wx, wgamma)
			v[i] = keep
			return (upper - lower) / (2 * h)
		}
		near := func(what string, got, want float64) {
			t.Helper()
			if math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
				t.Errorf("%v: %s is %v, want %v", l, what, got, want)
			}
		}

		slopes, gammaSlopes := make([]float64, n), make([]float64, l.C)
		for i := range slopes {
			slopes[i] = slope(wx, i)
		}
		for c := range gammaSlopes {
			gammaSlopes[c] = slope(wgamma, c)
		}
		var bits [3][]float32
		for _, set := range sets() {
			p, err := NewLayerNorm(set, l, l, epsilon)
			y := outcome(t, p, err, images, tensorIn(l, x), vectorIn(gamma), vectorIn(beta), tensorOut(l))[0]
			for i, want := range norm(wx, wgamma) {
				near("y", float64(y[i]), want)
			}
			p, err = NewLayerNormGradX(set, l, l, l, epsilon)
			dx := outcome(t, p, err, images, tensorIn(l, x), vectorIn(gamma), tensorIn(l, dy), tensorOut(l))[0]
			for i := range dx {
				near("dx", float64(dx[i]), slopes[i])
			}
			s, err := NewLayerNormGradGamma(set, l, l, epsilon)
			if err != nil {
				t.Fatal(err)
			}
			slots := outcome(t, s, nil, images, tensorIn(l, x), tensorIn(l, dy), slotsFor(s, images))[0]
			dgamma := outcome(t, NewLayerNormGradGammaFinish(l), nil, images, vectorIn(slots), vectorOut(roundUp(l.C, Lanes)))[0]
			for c := range gamma {
				near("dgamma", float64(dgamma[c]), gammaSlopes[c])
			}
			for k, got := range [][]float32{y, dx, dgamma} {
				if bits[k] == nil {
					bits[k] = got
				}
				sameBits(t, p.Name(), got, bits[k])
			}
		}
	}
	if _, err := NewLayerNorm(Go, Blocked(16, 2, 2, 0), Blocked(16, 2, 3, 0), epsilon); err == nil {
		t.Error("layouts of two sizes: no error")
	}
	if _, err := NewLayerNorm(Go, Blocked(16, 2, 2, 0), Blocked(16, 2, 2, 0), -1); err == nil {
		t.Error("negative epsilon: no error")
	}
}
