package train

import (
	"math"
	"testing"

	"regraft/engine/random"
)

// cloud is a set of features of three classes around different centres.
func cloud(photos, f, positions int, rectified bool, seed uint64) *features {
	r := random.At(seed, "cloud")
	x := &features{positions: positions, f: f, rectified: rectified}
	for i := range photos {
		label := i % 3
		x.labels = append(x.labels, label)
		for j := range positions * f {
			v := 0.3 * r.Normal()
			if j%3 == label {
				v += 0.5
			}
			x.data = append(x.data, float32(v))
		}
	}
	return x
}

func everyPhoto(x *features) []int {
	all := make([]int, x.photos())
	for i := range all {
		all[i] = i
	}
	return all
}

// TestRegressionGradient compares with central differences in float64, with weights of the classes: with step h the error is of the order of
// h^2 |f‴| + eps/h, 1e-9 for h = 1e-5 and values near 1.
func TestRegressionGradient(t *testing.T) {
	for name, x := range map[string]*features{
		"linear":      cloud(130, 7, 1, false, 1),
		"convolution": cloud(70, 6, 4, true, 2),
	} {
		t.Run(name, func(t *testing.T) {
			s := softmax{classes: 3, smoothing: 0.1, threads: 2, weights: []float64{0.5, 2, 1.25}}
			r := random.At(3, "w")
			w := make([]float64, s.classes*(x.f+1))
			for i := range w {
				w[i] = r.Normal()
			}
			all, gradient, unused := everyPhoto(x), make([]float64, len(w)), make([]float64, len(w))
			s.pass(x, all, w, gradient)
			const h = 1e-5
			for i := range w {
				at := func(v float64) float64 {
					old := w[i]
					w[i] = v
					o := s.pass(x, all, w, unused)
					w[i] = old
					return o.mean()
				}
				numeric := (at(w[i]+h) - at(w[i]-h)) / (2 * h)
				if math.Abs(numeric-gradient[i]) > 1e-8 {
					t.Errorf("parameter %d: gradient %g, differences give %g", i, gradient[i], numeric)
				}
			}
		})
	}
}

// TestRegressionBits holds the promise that threads change no bit.
func TestRegressionBits(t *testing.T) {
	x := cloud(1000, 33, 1, false, 4)
	w, gradients := make([]float64, 3*34), [2][]float64{}
	for i := range w {
		w[i] = float64(i%7) / 10
	}
	var outcomes [2]outcome
	for k, threads := range []int{1, 3} {
		gradients[k] = make([]float64, len(w))
		s := softmax{classes: 3, threads: threads}
		outcomes[k] = s.pass(x, everyPhoto(x), w, gradients[k])
	}
	if outcomes[0] != outcomes[1] {
		t.Errorf("1 thread: %v, 3 threads: %v", outcomes[0], outcomes[1])
	}
	for i, g := range gradients[0] {
		if g != gradients[1][i] {
			t.Fatalf("gradient %d: %g and %g", i, g, gradients[1][i])
		}
	}
}

// TestLBFGSOnQuadratic must reach the known minimum of a badly conditioned quadratic: eigenvalues from 1 to 1e4.
func TestLBFGSOnQuadratic(t *testing.T) {
	const n = 40
	eigenvalue := func(i int) float64 { return math.Pow(10, 4*float64(i)/(n-1)) }
	l := newLBFGS(make([]float64, n), func(x, g []float64) float64 {
		f := 0.0
		for i := range x {
			d := x[i] - float64(i)
			g[i] = eigenvalue(i) * d
			f += g[i] * d / 2
		}
		return f
	})
	for range 1000 {
		if !l.step() {
			break
		}
	}
	for i, v := range l.x {
		if math.Abs(v-float64(i)) > 1e-6 {
			t.Errorf("x[%d] = %g after 1000 steps, want %d", i, v, i)
		}
	}
}

// regression is the objective of a cloud, and the same in float64.
func regression(t *testing.T, photos int, seed uint64, decay float64) (o *objective, exact func(w, gradient []float64) float64) {
	t.Helper()
	x := cloud(photos, 9, 1, false, seed)
	s := softmax{classes: 3, threads: 2}
	p, err := newProducts(x, 3)
	must(t, err)
	return newObjective(p, s, decay, nil), func(w, gradient []float64) float64 {
		loss := s.pass(x, everyPhoto(x), w, gradient).loss / float64(photos)
		axpy(gradient, decay, w[:27])
		return loss + decay/2*dot(w[:27], w[:27])
	}
}

// TestLBFGSSolvesRegression checks the optimality condition: no gradient is left. In float64 it falls to nothing, and where products are
// in float32 to their error, of sums of 200 products of size 1.
func TestLBFGSSolvesRegression(t *testing.T) {
	o, exact := regression(t, 200, 5, 0.01)
	gradient := make([]float64, 30)
	for what, c := range map[string]struct {
		objective func(w, gradient []float64) float64
		left      float64
	}{"float64": {exact, 1e-7}, "float32": {o.at, 2e-6}} {
		l := newLBFGS(make([]float64, 30), c.objective)
		first := math.Inf(1)
		for range 100 {
			if !l.step() {
				break
			}
			if l.value > first {
				t.Fatalf("%s: the value rose from %g to %g", what, first, l.value)
			}
			first = l.value
		}
		exact(l.x, gradient)
		if norm := math.Sqrt(dot(gradient, gradient)); !(norm < c.left) {
			t.Errorf("%s: a gradient of length %g is left", what, norm)
		}
	}
}

// TestLBFGSContinues holds that a restored solver makes the very steps that it would have made.
func TestLBFGSContinues(t *testing.T) {
	o, _ := regression(t, 100, 6, 0.01)
	straight := newLBFGS(make([]float64, 30), o.at)
	for range 15 {
		straight.step()
	}
	resumed := newLBFGS(make([]float64, 30), o.at)
	var state [][]float64
	for _, v := range straight.state() {
		state = append(state, append([]float64(nil), v...))
	}
	resumed.restore(state)
	for range 5 {
		straight.step()
		resumed.step()
	}
	for i := range straight.x {
		if straight.x[i] != resumed.x[i] {
			t.Fatalf("x[%d]: %g and %g", i, straight.x[i], resumed.x[i])
		}
	}
}
